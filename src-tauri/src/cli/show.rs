//! `countersign history`, `payment` and `verify`: what was paid, to whom, why, and whether the ledger is sound.

use clap::Args;
use serde_json::Value;
use std::io::Write as _;

use super::{Exit, finish, not_done, perform};
use crate::{
    app::Place,
    control::{Op, Reply},
};

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only this agent's payments.
    #[arg(long)]
    agent: Option<String>,
    /// Only payments since this time, such as 2026-11-20T10:00:00Z.
    #[arg(long)]
    since: Option<String>,
    /// Most rows.
    #[arg(long, default_value_t = 50, conflicts_with = "csv", value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Goes on where an earlier list ended: its `next_cursor`.
    #[arg(long, conflicts_with = "csv")]
    cursor: Option<String>,
    /// Comma-separated values, all of them.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Rows that are asked for at once where all are wanted.
const MANY: u32 = 10_000;

pub fn history(place: &Place, args: HistoryArgs, json: bool) -> anyhow::Result<Exit> {
    if args.csv {
        return all_as_csv(place, args);
    }
    let op = Op::History { agent: args.agent, since: args.since, limit: args.limit, cursor: args.cursor };
    finish(
        place,
        op,
        |list| {
            let rows = list["payments"].as_array().cloned().unwrap_or_default();
            if rows.is_empty() {
                println!("No payments yet.");
            }
            rows.iter().for_each(|row| println!("{}", line(row)));
            if let Some(cursor) = list["next_cursor"].as_str() {
                eprintln!("There are older ones: add `--cursor {cursor}`.");
            }
        },
        json,
    )
}

fn all_as_csv(place: &Place, args: HistoryArgs) -> anyhow::Result<Exit> {
    let mut cursor = None;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "created_at,id,agent,status,state,settlement,amount,symbol,reference_amount,reference_currency,origin,account,rule,transaction"
    )?;
    loop {
        let op = Op::History { agent: args.agent.clone(), since: args.since.clone(), limit: MANY, cursor };
        let reply = perform(place, op)?;
        let Reply::Done(list) = &reply else { return Ok(not_done(&reply, false)) };
        for row in list["payments"].as_array().into_iter().flatten() {
            writeln!(out, "{}", csv_row(row))?;
        }
        cursor = list["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(Exit::Done);
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn line(row: &Value) -> String {
    let amount = format!("{} {}", text(&row["amount"]["amount"]), text(&row["amount"]["symbol"]));
    format!(
        "{}  {:<10} {:>14}  {:<16} {:<9} {}  {}  ({})",
        text(&row["created_at"]),
        text(&row["agent"]),
        amount,
        text(&row["status"]),
        text(&row["settlement"]),
        text(&row["payee"]["origin"]),
        text(&row["decision"]["rule"]),
        text(&row["id"]),
    )
}

/// A row; a text a spreadsheet would take for a formula is made harmless.
fn csv_row(row: &Value) -> String {
    let fields = [
        &row["created_at"],
        &row["id"],
        &row["agent"],
        &row["status"],
        &row["state"],
        &row["settlement"],
        &row["amount"]["amount"],
        &row["amount"]["symbol"],
        &row["amount"]["reference"]["amount"],
        &row["amount"]["reference"]["currency"],
        &row["payee"]["origin"],
        &row["payee"]["account"],
        &row["decision"]["rule"],
        &row["transaction"],
    ];
    let cell = |value: &&Value| {
        let mut text = text(value);
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            text.insert(0, '\'');
        }
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    fields.iter().map(cell).collect::<Vec<_>>().join(",")
}

/// One payment, line by line.
pub fn payment(value: &Value) {
    println!("{}", line(value));
    for (name, value) in [
        ("paid to", &value["payee"]["account"]),
        ("for", &value["resource"]["path"]),
        ("transaction", &value["transaction"]),
        ("decided by rule", &value["decision"]["rule"]),
    ] {
        if let Some(text) = value.as_str() {
            println!("  {name}: {text}");
        }
    }
    for why in value["decision"]["because"].as_array().into_iter().flatten().filter_map(|w| w.as_str()) {
        println!("  also: {why}");
    }
    let by = &value["approved_by"];
    if by == "policy" {
        println!("  approved by: your rules");
    } else if let Some(through) = by["person"]["through"].as_str() {
        println!("  approved by: you ({through})");
    }
}

/// Checks the ledger; exit status 1 and the first fault if it is not sound.
pub fn verify(place: &Place, json: bool) -> anyhow::Result<Exit> {
    let reply = perform(place, Op::Verify)?;
    let Reply::Done(report) = &reply else { return Ok(not_done(&reply, json)) };
    let faults: Vec<&str> = report["faults"].as_array().into_iter().flatten().filter_map(|f| f.as_str()).collect();
    if json {
        println!("{report}");
    } else if faults.is_empty() {
        println!(
            "The ledger is sound: {} payments, {} entries, head {}",
            report["payments"],
            report["entries"],
            text(&report["head"])
        );
    }
    for fault in &faults {
        eprintln!("countersign: {fault}");
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}
