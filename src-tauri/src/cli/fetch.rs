//! `countersign fetch`: a curl that pays, through the running service.

use anyhow::bail;
use base64::Engine as _;
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::Write as _;

use super::{Exit, not_done, perform};
use crate::{
    app::Place,
    config::Config,
    control::{Op, Reply},
};

#[derive(Debug, Args)]
pub struct FetchArgs {
    /// What to fetch.
    url: String,
    /// HTTP method.
    #[arg(short = 'X', long = "request")]
    method: Option<String>,
    /// A header, `Name: value`.
    #[arg(short = 'H', long = "header")]
    headers: Vec<String>,
    /// A body; makes the method POST.
    #[arg(short, long)]
    data: Option<String>,
    /// The most to pay, in the reference currency or as `0.05 USDC`.
    #[arg(long)]
    max: Option<String>,
    /// Which agent pays.
    #[arg(long)]
    agent: Option<String>,
    /// Name of this purchase; the same name never pays twice.
    #[arg(long)]
    key: Option<String>,
    /// How long to wait for a person, at most 150.
    #[arg(long, value_name = "SECONDS", default_value_t = 150)]
    wait: u64,
}

pub fn run(place: &Place, args: FetchArgs, as_json: bool) -> anyhow::Result<Exit> {
    let mut headers = Map::new();
    for header in &args.headers {
        let Some((name, value)) = header.split_once(':') else {
            bail!("a header is written `Name: value`, not {header:?}")
        };
        headers.insert(name.trim().to_owned(), json!(value.trim()));
    }
    let method = args.method.unwrap_or_else(|| if args.data.is_some() { "POST" } else { "GET" }.to_owned());
    let key = match args.key {
        Some(key) => key,
        None => format!("cli-{}", fresh()?),
    };
    let mut body = json!({"url": args.url, "method": method, "headers": headers, "idempotency_key": key, "wait_seconds": args.wait});
    if let Some(data) = args.data {
        body["body"] = json!(data);
    }
    if let Some(max) = args.max {
        let reference = Config::load(&place.config)?.currency.reference;
        let (amount, currency) = max.split_once(' ').unwrap_or((&max, &reference));
        body["max"] = json!({"amount": amount, "currency": currency});
    }
    let reply = perform(place, Op::Fetch { agent: args.agent, body })?;
    let Reply::Done(value) = &reply else { return Ok(not_done(&reply, as_json)) };
    let (outcome, problem) = (&value["outcome"], &value["problem"]);
    if as_json {
        println!("{}", if problem.is_null() { outcome } else { problem });
        return Ok(exit(outcome, problem));
    }
    if !problem.is_null() {
        eprintln!(
            "countersign: {}. {}",
            problem["detail"].as_str().unwrap_or_default(),
            problem["next"].as_str().unwrap_or_default()
        );
        return Ok(exit(outcome, problem));
    }
    write_body(&outcome["response"])?;
    let payment = &outcome["payment"];
    if !payment.is_null() {
        eprintln!(
            "countersign: {} {} {} to {} ({}, {})",
            outcome["status"].as_str().unwrap_or_default(),
            payment["amount"]["amount"].as_str().unwrap_or_default(),
            payment["amount"]["symbol"].as_str().unwrap_or_default(),
            payment["payee"]["origin"].as_str().unwrap_or_default(),
            payment["settlement"].as_str().unwrap_or_default(),
            payment["id"].as_str().unwrap_or_default(),
        );
    }
    Ok(exit(outcome, problem))
}

fn write_body(response: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(text) = response["body"].as_str() {
        out.write_all(text.as_bytes())?;
    } else if let Some(coded) = response["body_base64"].as_str() {
        out.write_all(&base64::engine::general_purpose::STANDARD.decode(coded)?)?;
    } else if let Some(why) = response["body_omitted"].as_str() {
        eprintln!("countersign: the answer's body is not here: {why}");
    }
    out.flush()?;
    Ok(())
}

/// Whatever the code of a problem: a payment that was denied is denied.
fn exit(outcome: &Value, problem: &Value) -> Exit {
    let outcome = if problem.is_null() { outcome } else { &problem["outcome"] };
    match outcome["status"].as_str() {
        Some("denied" | "expired") => Exit::Denied,
        Some("pending_approval") => Exit::Pending,
        Some("completed" | "not_required") => Exit::Done,
        _ => Exit::Failed,
    }
}

fn fresh() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
