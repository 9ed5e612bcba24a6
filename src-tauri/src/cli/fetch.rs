//! `countersign fetch`: a curl that pays, through the running service.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::{Read, Write as _};

use super::{Exit, not_done, perform};
use crate::{
    app::Place,
    config::Config,
    control::{Op, Reply},
};

/// Largest body, as over HTTP.
const MAX_DATA: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub struct FetchArgs {
    /// What to fetch; https:// if it names no scheme.
    url: String,
    /// HTTP method.
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,
    /// A header, `Name: value`; may be given several times.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// A body, or `@FILE` (`@-` is stdin) to read it unchanged; makes the method POST. Several are joined with `&`.
    #[arg(short, long, value_name = "BODY")]
    data: Vec<String>,
    /// The most to pay, in the reference currency or as `0.05 USDC`.
    #[arg(long, value_name = "AMOUNT")]
    max: Option<String>,
    /// Which agent pays; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Name of this purchase; the same name never pays twice.
    #[arg(long)]
    key: Option<String>,
    /// How long to wait for a person, at most 150.
    #[arg(long, value_name = "SECONDS", default_value_t = 150)]
    wait: u64,
}

pub fn run(place: &Place, args: FetchArgs, as_json: bool) -> anyhow::Result<Exit> {
    let key = match &args.key {
        Some(key) => key.clone(),
        None => format!("cli-{}", fresh()?),
    };
    let agent = args.agent.clone();
    let reply = perform(place, Op::Fetch { agent, body: request(place, args, &key)? })?;
    let Reply::Done(value) = &reply else { return Ok(not_done(&reply, as_json)) };
    let (outcome, problem) = (&value["outcome"], &value["problem"]);
    if as_json {
        println!("{}", if problem.is_null() { outcome } else { problem });
        return Ok(exit(outcome, problem));
    }
    if !problem.is_null() {
        eprintln!("countersign: {}. {}", text(&problem["detail"]), text(&problem["next"]));
        return Ok(exit(outcome, problem));
    }
    write_body(&outcome["response"])?;
    let payment = &outcome["payment"];
    if !payment.is_null() {
        eprintln!(
            "countersign: {} {} {} to {} ({}, {})",
            text(&outcome["status"]),
            text(&payment["amount"]["amount"]),
            text(&payment["amount"]["symbol"]),
            text(&payment["payee"]["origin"]),
            text(&payment["settlement"]),
            text(&payment["id"]),
        );
    }
    if matches!(outcome["status"].as_str(), Some("pending_approval" | "unknown")) {
        eprintln!("countersign: to follow this purchase and not begin another, repeat the command with `--key {key}`");
    }
    Ok(exit(outcome, problem))
}

/// The body of `POST /v1/fetch`.
fn request(place: &Place, args: FetchArgs, key: &str) -> anyhow::Result<Value> {
    let mut headers = headers(&args.headers)?;
    let data = data(&args.data)?;
    let method = args.method.unwrap_or_else(|| if data.is_some() { "POST" } else { "GET" }.to_owned());
    let url = if args.url.contains("://") { args.url } else { format!("https://{}", args.url) };
    let mut body = json!({"url": url, "method": method, "idempotency_key": key, "wait_seconds": args.wait});
    if let Some(bytes) = data {
        headers.entry("content-type").or_insert_with(|| json!("application/x-www-form-urlencoded"));
        match String::from_utf8(bytes) {
            Ok(text) => body["body"] = json!(text),
            Err(binary) => {
                body["body_base64"] = json!(base64::engine::general_purpose::STANDARD.encode(binary.as_bytes()));
            }
        }
    }
    body["headers"] = Value::Object(headers);
    if let Some(max) = args.max {
        body["max"] = match max.split_once(' ') {
            Some((amount, currency)) => json!({"amount": amount, "currency": currency}),
            None => json!({"amount": max, "currency": Config::load(&place.config)?.currency.reference}),
        };
    }
    Ok(body)
}

/// Lower-case names; what is said twice of one name is joined, as HTTP means it.
fn headers(lines: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut headers = Map::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            bail!("a header is written `Name: value`, not {line:?}")
        };
        let value = match headers.get(&name.trim().to_ascii_lowercase()).and_then(Value::as_str) {
            Some(before) => format!("{before}, {}", value.trim()),
            None => value.trim().to_owned(),
        };
        headers.insert(name.trim().to_ascii_lowercase(), json!(value));
    }
    Ok(headers)
}

fn data(parts: &[String]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut whole: Option<Vec<u8>> = None;
    for part in parts {
        let bytes = match part.strip_prefix('@') {
            None => part.clone().into_bytes(),
            Some("-") => read(std::io::stdin(), "stdin")?,
            Some(path) => read(std::fs::File::open(path).with_context(|| format!("reading {path}"))?, path)?,
        };
        match &mut whole {
            None => whole = Some(bytes),
            Some(whole) => {
                whole.push(b'&');
                whole.extend(bytes);
            }
        }
    }
    Ok(whole)
}

fn read(from: impl Read, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_DATA + 1).read_to_end(&mut bytes).with_context(|| format!("reading {name}"))?;
    if bytes.len() as u64 > MAX_DATA {
        bail!("{name} is larger than 1 MiB, which is the most that can be sent");
    }
    Ok(bytes)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: FetchArgs,
    }

    fn asked(words: &[&str], config: &str) -> Value {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let place = Place { dir: dir.path().to_owned(), config: dir.path().join("config.toml") };
        let args = Line::try_parse_from([&["fetch"], words].concat()).unwrap().args;
        request(&place, args, "k").unwrap()
    }

    #[test]
    fn the_words_of_curl_mean_what_they_mean_there() {
        let plain = asked(&["api.example/x"], "");
        assert_eq!((text(&plain["url"]), text(&plain["method"])), ("https://api.example/x", "GET"));
        let posted = asked(&["http://a.example", "-d", "a=1", "-d", "b=2"], "");
        assert_eq!((text(&posted["method"]), text(&posted["body"])), ("POST", "a=1&b=2"));
        assert_eq!(posted["headers"]["content-type"], "application/x-www-form-urlencoded");
        let json = asked(&["a.example", "-X", "PUT", "-d{}", "-H", "Content-Type: application/json"], "");
        assert_eq!((text(&json["method"]), text(&json["headers"]["content-type"])), ("PUT", "application/json"));
        let twice = asked(&["a.example", "-H", "Accept: a", "-H", "accept:b"], "");
        assert_eq!(twice["headers"], json!({"accept": "a, b"}));
    }

    #[test]
    fn a_body_is_read_from_a_file_unchanged_even_if_it_is_no_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"line\r\n\xff").unwrap();
        let at = format!("@{}", file.path().display());
        assert_eq!(asked(&["a.example", "-d", &at], "")["body_base64"], "bGluZQ0K/w==");
        std::fs::write(file.path(), vec![b'x'; 1024 * 1024 + 1]).unwrap();
        assert!(data(&[at]).unwrap_err().to_string().contains("1 MiB"));
        assert!(data(&["@/no/such/file".to_owned()]).is_err());
    }

    #[test]
    fn a_maximum_without_a_currency_is_in_the_reference_currency() {
        let max = |config, amount| asked(&["a.example", "--max", amount], config)["max"].clone();
        assert_eq!(max("", "0.50"), json!({"amount": "0.50", "currency": "USD"}));
        assert_eq!(max("[currency]\nreference = \"EUR\"\n", "0.50"), json!({"amount": "0.50", "currency": "EUR"}));
        assert_eq!(max("", "0.50 USDC"), json!({"amount": "0.50", "currency": "USDC"}));
    }

    #[test]
    fn the_exit_status_says_how_it_ended() {
        for (outcome, problem, expected) in [
            (json!({"status": "completed"}), Value::Null, Exit::Done),
            (json!({"status": "not_required"}), Value::Null, Exit::Done),
            (json!({"status": "pending_approval"}), Value::Null, Exit::Pending),
            (json!({"status": "unknown"}), Value::Null, Exit::Failed),
            (json!({"status": "failed"}), Value::Null, Exit::Failed),
            (json!({"status": "cancelled"}), Value::Null, Exit::Failed),
            (
                Value::Null,
                json!({"status": 403, "code": "denied_by_human", "outcome": {"status": "denied"}}),
                Exit::Denied,
            ),
            (Value::Null, json!({"status": 422, "code": "over_max"}), Exit::Failed),
            (Value::Null, json!({"status": 503, "code": "paused"}), Exit::Failed),
        ] {
            assert_eq!(exit(&outcome, &problem), expected, "{outcome} {problem}");
        }
    }
}
