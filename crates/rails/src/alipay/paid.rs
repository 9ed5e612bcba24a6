//! What Alipay's program for payers prints (`alipay-bot` 1.0, as its own guides for agents show it): marked lines, or JSON.
//!
//! It is text that nobody signed. Only its plain word that a purchase is paid counts, and only as a claim.

use countersign_core::rail::Receipt;

use crate::json::Json;

/// The header, between the one who starts the program and `receipt`, that names the purchase at Alipay.
const NUMBER: &str = "alipay-number";
/// Its word that the buyer has paid and the seller delivered.
const DONE: [&str; 2] = ["✓ 支付成功并获取资源", "✓ 查询支付状态成功并获取资源"];
/// Its word that the buyer has to confirm in Alipay.
const WAITING: &str = "✓ 支付待确认";
/// Longest number of a purchase.
const LONGEST: usize = 64;

/// What was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paid {
    /// Paid, and what the seller answered.
    Done {
        /// Alipay's number of it.
        number: String,
        /// The seller's status.
        status: u16,
        /// What was bought.
        body: String,
    },
    /// The person has to confirm it in Alipay.
    Waiting {
        /// The number to ask with.
        number: String,
    },
    /// Anything else: nobody knows.
    Unclear,
}

impl Paid {
    /// Reads what the program printed.
    pub fn read(printed: &str) -> Self {
        let printed = printed.trim();
        if printed.starts_with('{') { Self::of_json(printed) } else { Self::of_lines(printed) }.unwrap_or(Self::Unclear)
    }

    /// The same where the print was cut short: what was bought may be cut, too, so that it is only known by its number.
    pub fn unfinished(self) -> Self {
        match self {
            Self::Done { number, .. } => Self::Waiting { number },
            other => other,
        }
    }

    /// As an HTTP answer: the status, a header that only `receipt` reads, and a body for the agent.
    pub fn told(&self, printed: &str) -> (u16, Vec<(String, String)>, String) {
        let named = |number: &str| vec![(NUMBER.to_owned(), number.to_owned())];
        match self {
            Self::Done { number, status: 200..=299, body } => (200, named(number), body.clone()),
            // Paid, and the seller did not deliver: the money is gone all the same.
            Self::Done { number, body, .. } => (502, named(number), body.clone()),
            Self::Waiting { number } => (402, named(number), printed.to_owned()),
            Self::Unclear => (502, Vec::new(), printed.to_owned()),
        }
    }

    /// The answer of a purchase that was never handed over.
    pub fn never() -> (u16, Vec<(String, String)>, String) {
        (
            402,
            Vec::new(),
            "nothing was handed over to alipay-bot, so nothing is paid; the log of Countersign says why".to_owned(),
        )
    }

    /// What such an answer says of the money.
    pub(super) fn receipt(status: u16, headers: &[(String, String)]) -> Receipt {
        let number = headers.iter().find(|(name, _)| name == NUMBER).map(|(_, number)| number.clone());
        match (status, number) {
            (200 | 502, Some(transaction)) => Receipt::Success { transaction },
            (402, Some(transaction)) => Receipt::Pending { transaction },
            (402, None) => Receipt::Failed { reason: "not handed over".to_owned() },
            _ => Receipt::Absent,
        }
    }

    fn of_json(printed: &str) -> Option<Self> {
        let json = Json::parse(printed).ok()?;
        if json.get("success").and_then(Json::boolean) != Some(true) {
            return None;
        }
        let inner = json.get("result").unwrap_or(&json);
        let answer = inner.get("resourceResponse")?;
        let body = answer.get("body")?;
        Some(Self::Done {
            number: number(inner.get("tradeNo")?.text()?)?,
            status: answer.get("status").and_then(Json::number).map_or(Some(200), |status| status.parse().ok())?,
            body: body.text().map_or_else(|| body.raw().to_owned(), str::to_owned),
        })
    }

    fn of_lines(printed: &str) -> Option<Self> {
        let mut lines = printed.lines().map(|line| line.replace("**", ""));
        let first = lines.find(|line| !line.trim().is_empty())?;
        let (mut found, mut status, mut rest) = (None, None, None);
        for line in lines {
            let line = line.trim_end();
            let field =
                |name: &str| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(['：', ':'])).map(str::trim);
            if let Some(text) = field("交易号").or_else(|| field("tradeNo")).or_else(|| field("outShakeNo")) {
                // Two numbers in one print: not one we understand.
                if found.replace(number(text)?).is_some() {
                    return None;
                }
            } else if let Some(text) = field("资源响应状态") {
                status = Some(text.parse().ok()?);
            } else if field("资源响应体").is_some() {
                rest = printed.split_once("资源响应体").map(|(_, rest)| rest);
                break;
            }
        }
        let first = first.trim();
        if DONE.contains(&first) {
            let body = rest?.trim_start_matches("**").trim_start_matches(['：', ':']).trim();
            return (!body.is_empty()).then_some(Self::Done { number: found?, status: status?, body: body.to_owned() });
        }
        (first == WAITING).then_some(Self::Waiting { number: found? })
    }
}

/// Letters that can stand as an argument and mean nothing else there.
fn number(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let ok = (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['-', '.']);
    ok.then(|| text.to_owned())
}

/// Whether a number is asked about as `--out-shake-no`: 32 letters with 8282 from the eleventh on.
pub fn is_shake(number: &str) -> bool {
    number.len() == 32 && number.get(10..14) == Some("8282")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRADE: &str = "20261127220014000000000000000001";

    fn paid(body: &str) -> String {
        format!(
            "**✓ 查询支付状态成功并获取资源**\n\n**交易号**：{TRADE}\n**资源响应状态**：200\n**资源响应头**：{{}}\n**资源响应体**：{body}\n"
        )
    }

    #[test]
    fn lines_and_json_say_the_same() {
        let done = Paid::Done { number: TRADE.into(), status: 200, body: "{\"city\": \"杭州\"}".into() };
        assert_eq!(Paid::read(&paid("{\"city\": \"杭州\"}")), done);
        let json = format!(
            "{{\"success\":true,\"result\":{{\"tradeNo\":\"{TRADE}\",\"resourceResponse\":{{\"status\":200,\"body\":{{\"city\": \"杭州\"}}}}}}}}"
        );
        assert_eq!(Paid::read(&json), done);
        let waiting = format!("**✓ 支付待确认**\n\n**商品名称**：x\n\n**交易号**：{TRADE}（32位纯数字订单号）\n");
        assert_eq!(Paid::read(&waiting), Paid::Unclear);
        let waiting = format!(
            "**✓ 支付待确认**\n\n**商品名称**：x\n\n**交易号**：{TRADE}\n\n[点击此处](https://cashier.alipay.com/x)\n"
        );
        assert_eq!(Paid::read(&waiting), Paid::Waiting { number: TRADE.into() });
    }

    #[test]
    fn nothing_but_the_plain_word_on_the_first_line_means_paid() {
        let hidden = format!("✗ 支付失败\n{}", paid("x"));
        let twice = paid("x").replace("**资源响应状态**", "**交易号**：7\n**资源响应状态**");
        let odd = paid("x").replace(TRADE, "--help");
        for printed in ["", "{}", "{\"success\":false}", "✓ 支付成功并获取资源", &hidden, &twice, &odd, &paid("")]
        {
            assert_eq!(Paid::read(printed), Paid::Unclear, "{printed}");
        }
        // What the seller delivers is no word of the program.
        let body = "a\n**交易号**：7\n✗ 支付失败";
        assert_eq!(Paid::read(&paid(body)), Paid::Done { number: TRADE.into(), status: 200, body: body.into() });
    }

    #[test]
    fn money_that_went_is_told_as_gone_whatever_the_seller_delivered() {
        for (paid, receipt) in [
            (Paid::read(&paid("x")), Receipt::Success { transaction: TRADE.into() }),
            (Paid::read(&paid("x").replace("：200", "：500")), Receipt::Success { transaction: TRADE.into() }),
            (Paid::Waiting { number: TRADE.into() }, Receipt::Pending { transaction: TRADE.into() }),
            (Paid::Unclear, Receipt::Absent),
        ] {
            let (status, headers, _) = paid.told("printed");
            assert_eq!(Paid::receipt(status, &headers), receipt);
        }
        let (status, headers, _) = Paid::never();
        assert!(matches!(Paid::receipt(status, &headers), Receipt::Failed { .. }));
    }

    #[test]
    fn a_number_is_asked_about_by_its_kind() {
        assert!(is_shake("12345678908282123456789012345678"));
        assert!(!is_shake(TRADE) && !is_shake("8282"));
    }
}
