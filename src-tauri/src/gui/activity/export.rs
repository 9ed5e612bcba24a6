//! Payments as rows of a file for accounts: comma-separated values that no spreadsheet runs as a formula, or JSON.

use countersign_core::{calendar::Calendar, money::Micro, payment::Quote, registry::Registry};
use countersign_desk::view::status_of;
use countersign_vault::Record;
use std::io::{self, BufWriter, Write};

use super::view::Form;

const COLUMNS: [&str; 22] = [
    "time_utc",
    "time_local",
    "payment",
    "agent",
    "state",
    "settlement",
    "asset_amount",
    "asset",
    "asset_id",
    "network",
    "test_network",
    "reference_amount",
    "reference_currency",
    "rate",
    "fee",
    "payee",
    "account",
    "resource",
    "wallet",
    "protocol",
    "rule",
    "transaction",
];

/// Writes payments one by one.
pub struct Writer<'a, W: Write> {
    out: BufWriter<W>,
    form: Form,
    calendar: &'a Calendar,
    registry: &'a Registry,
    any: bool,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Writes the head.
    pub fn begin(out: W, form: Form, calendar: &'a Calendar, registry: &'a Registry) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        match form {
            // The mark tells spreadsheets that names are UTF-8.
            Form::Csv => writeln!(out, "\u{feff}{}", COLUMNS.join(","))?,
            Form::Json => write!(out, "[")?,
        }
        Ok(Self { out, form, calendar, registry, any: false })
    }

    /// Writes one payment.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let row = row(record, self.calendar, self.registry);
        match self.form {
            Form::Csv => writeln!(self.out, "{}", row.map(|text| cell(&text)).join(","))?,
            Form::Json => {
                let object: serde_json::Map<String, serde_json::Value> =
                    COLUMNS.iter().map(|name| (*name).to_owned()).zip(row.map(serde_json::Value::String)).collect();
                write!(self.out, "{}\n{}", if self.any { "," } else { "" }, serde_json::Value::Object(object))?;
            }
        }
        self.any = true;
        Ok(())
    }

    /// Writes the end.
    pub fn end(mut self) -> io::Result<()> {
        if self.form == Form::Json {
            writeln!(self.out, "\n]")?;
        }
        self.out.flush()
    }
}

fn row(record: &Record, calendar: &Calendar, registry: &Registry) -> [String; 22] {
    let quote = &record.quote;
    let value = quote.exposure_value;
    [
        record.created_at.rfc3339(),
        calendar.local(record.created_at),
        record.id.to_string(),
        record.agent.to_string(),
        status_of(record).as_str().to_owned(),
        record.settlement.as_str().to_owned(),
        quote.exposure.amount.human(quote.decimals),
        quote.symbol.clone(),
        quote.exposure.asset.to_string(),
        quote.network.as_ref().map(ToString::to_string).unwrap_or_default(),
        quote.testnet.to_string(),
        value.map(|value| value.to_string()).unwrap_or_default(),
        value.map(|_| registry.reference().to_owned()).unwrap_or_default(),
        value.and_then(|value| rate(value, quote)).unwrap_or_default(),
        // Whoever settles an authorisation pays the network; the payer pays the amount and nothing else.
        "0".to_owned(),
        quote.payee.origin.to_string(),
        quote.payee.account.clone(),
        format!("{} {}", quote.resource.method, quote.resource.path),
        quote.wallet.clone(),
        format!("{} {}", quote.rail, quote.scheme),
        record.decision.rule.clone(),
        record.transaction.clone().unwrap_or_default(),
    ]
}

/// What one unit of the asset was worth, from the payment's own value: exact to a millionth, rounded down.
fn rate(value: Micro, quote: &Quote) -> Option<String> {
    let atomic: u128 = quote.exposure.amount.to_string().parse().ok()?;
    let unit = 10u128.checked_pow(u32::from(quote.decimals))?;
    let micro = value.0.checked_mul(unit)?.checked_div(atomic)?;
    Some(Micro(micro).to_string())
}

/// One cell. What a spreadsheet would take for a formula gets an apostrophe in front; what would end the cell is quoted.
fn cell(text: &str) -> String {
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    let formula =
        first.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', ';', '"', '\n', '\r', '\t']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_or_ends_its_cell() {
        for (text, shown) in [
            ("4.20", "4.20"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "\"'\t=1\""),
            ("\r\n=cmd|' /C calc'!A0", "\"'\r\n=cmd|' /C calc'!A0\""),
            ("＝1", "'＝1"),
            ("=HYPERLINK(\"https://evil.example\",\"x\")", "\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"x\"\")\""),
            ("a,b", "\"a,b\""),
            ("a;b", "\"a;b\""),
            ("a\nb", "\"a\nb\""),
            ("\u{feff}=1", "'\u{feff}=1"),
        ] {
            assert_eq!(cell(text), shown, "{text:?}");
        }
    }

    #[test]
    fn the_head_names_every_column_once_and_an_empty_file_is_whole() {
        let (calendar, registry) = (Calendar::of("UTC"), Registry::builtin("USD"));
        for (form, whole) in
            [(Form::Csv, format!("\u{feff}{}\n", COLUMNS.join(","))), (Form::Json, "[\n]\n".to_owned())]
        {
            let mut out = Vec::new();
            Writer::begin(&mut out, form, &calendar, &registry).unwrap().end().unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), whole);
        }
        let mut names = COLUMNS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COLUMNS.len());
    }
}
