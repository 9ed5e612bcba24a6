//! What of an upstream's answer asks for money, in every shape there is. What it asks is decided by the rail that reads it, not here.

use base64::Engine as _;
use countersign_core::rail::Rail as _;
use countersign_rails::mpp::Mpp;
use rmcp::model::{CallToolResult, ErrorData, MetaObject};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The rails that an upstream can be paid by.
const X402: &str = "x402";
const MPP: &str = "mpp";
/// MPP's price, in any result.
const REQUIRED: &str = "org.paymentauth/payment-required";
/// MPP's refusal of a credential.
const REFUSED: i32 = -32043;
/// What a settled payment leaves in a result, and the HTTP header that it is elsewhere.
const RECEIPTS: [(&str, &str); 2] =
    [("x402/payment-response", "payment-response"), ("org.paymentauth/receipt", "payment-receipt")];
/// A price may be as long as the rail reads, coded.
const LONGEST: usize = 128 * 1024;
/// What whoever called is told of a price that nobody can read; nothing of the price.
pub const UNREADABLE: &str =
    "the upstream asks for payment in a way Countersign does not know, or names no price that can be read";

/// One price, by each rail in whose protocol it is stated: as a caller of that rail would bring it.
pub type Prices = BTreeMap<&'static str, Value>;

/// What an answer asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// Money.
    Price(Prices),
    /// Money, in a way that is not known, or so that it cannot be read.
    Otherwise,
    /// That the user opens pages first: the older era's error `-32042`, which is no price.
    Visits(Vec<Visit>),
}

/// A page an upstream wants opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Where.
    pub url: String,
    /// Why, in the upstream's words.
    pub message: String,
    /// The upstream's name for it.
    pub id: String,
}

/// Of a tool's result.
pub fn of_result(result: &CallToolResult) -> Asks {
    let failed = result.is_error == Some(true);
    let structured = result.structured_content.as_ref().filter(|content| is_price(content)).cloned();
    let text = || {
        let text = result.content.first()?.as_text()?;
        serde_json::from_str(&text.text).ok().filter(is_price)
    };
    let x402 = structured.filter(|_| failed).or_else(|| text().filter(|_| failed));
    match (x402, of_meta(result.meta.as_ref())) {
        (None, asks) => asks,
        (Some(x402), Asks::Price(mut prices)) => {
            prices.insert(X402, x402);
            Asks::Price(prices)
        }
        (Some(x402), _) => Asks::Price([(X402, x402)].into()),
    }
}

/// Of what any result says beside itself.
pub fn of_meta(meta: Option<&MetaObject>) -> Asks {
    match meta.and_then(|meta| meta.get(REQUIRED)) {
        None => Asks::Nothing,
        Some(required) if has_challenge(required) => {
            Asks::Price([(MPP, json!({"_meta": {REQUIRED: required}}))].into())
        }
        Some(_) => Asks::Otherwise,
    }
}

/// Of a JSON-RPC error. -32042 also says that a page has to be opened, which is no price.
pub fn of_error(error: &ErrorData) -> Asks {
    let code = error.code.0;
    if !matches!(code, 402 | -32042 | REFUSED | -32402) {
        return Asks::Nothing;
    }
    let data = error.data.as_ref().unwrap_or(&Value::Null);
    let mut prices = Prices::new();
    if let Some(price) = [Some(data), data.get("x402")].into_iter().flatten().find(|price| is_price(price)) {
        prices.insert(X402, price.clone());
    }
    if has_challenge(data) {
        prices.insert(MPP, json!({"code": code, "data": data}));
    }
    let broken = data.get("challenges").is_some() || data.get(REQUIRED).is_some();
    match (code, data["elicitations"].as_array()) {
        _ if !prices.is_empty() => Asks::Price(prices),
        (-32042, Some(pages)) => Asks::Visits(pages.iter().filter_map(visit).collect()),
        (-32042, None) if !broken => Asks::Nothing,
        _ => Asks::Otherwise,
    }
}

/// Whether what an error says holds a price, whatever the error is.
pub fn is_in(data: &Value) -> bool {
    let x402 = [Some(data), data.get("x402")].into_iter().flatten().any(is_price);
    x402 || has_challenge(data) || data.get(REQUIRED).is_some()
}

/// Of an HTTP answer with status 402: x402 version 2 in its header, version 1 in its body; MPP in its challenges; or an error.
pub fn of_http(headers: &reqwest::header::HeaderMap, body: &[u8]) -> Asks {
    let all = |name: &str| headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>();
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let x402 = match all("payment-required").as_slice() {
        [] => body.clone().filter(is_price).map(|body| versioned(Some(body), 1)),
        [one] => Some(versioned(decoded(one), 2)),
        _ => Some(None),
    };
    let challenges = |line: &&str| Mpp::default().is_challenge(402, &[challenge(line)], &[]);
    let challenges: Vec<&str> = all("www-authenticate").into_iter().filter(challenges).collect();
    let mpp = (!challenges.is_empty()).then(|| Value::from(challenges.join(", ")));
    let mut prices: Prices = mpp.into_iter().map(|mpp| (MPP, mpp)).collect();
    match x402 {
        // Whoever sends a price that cannot be read is not asked for a better one.
        Some(None) => return Asks::Otherwise,
        Some(Some(x402)) => drop(prices.insert(X402, x402)),
        None => {}
    }
    if !prices.is_empty() {
        return Asks::Price(prices);
    }
    match body.and_then(|body| serde_json::from_value(body.get("error")?.clone()).ok()).map(|error| of_error(&error)) {
        Some(asks @ Asks::Price(_)) => asks,
        _ => Asks::Otherwise,
    }
}

fn versioned(price: Option<Value>, version: u8) -> Option<Value> {
    price.filter(|price| is_price(price) && price["x402Version"] == version)
}

fn decoded(value: &str) -> Option<Value> {
    let text = Some(value).filter(|value| value.len() <= LONGEST)?;
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
}

fn challenge(line: &str) -> (String, String) {
    ("www-authenticate".to_owned(), line.to_owned())
}

fn visit(page: &Value) -> Option<Visit> {
    let text = |name: &str| page[name].as_str().map(str::to_owned);
    let url = text("url").filter(|url| url.starts_with("https://") || url.starts_with("http://"))?;
    let (message, id) = (text("message").unwrap_or_default(), text("elicitationId").unwrap_or_default());
    Some(Visit { url, message, id })
}

/// The receipts in a result, as the HTTP headers that they are elsewhere.
pub fn receipts(result: &CallToolResult) -> Vec<(String, String)> {
    let meta = result.meta.as_ref();
    let found = RECEIPTS.iter().filter_map(|(name, as_header)| Some((*as_header, meta?.get(*name)?)));
    found.map(|(name, receipt)| (name.to_owned(), header(receipt))).collect()
}

/// The receipts in the headers of an answer.
pub fn receipts_by_http(headers: &reqwest::header::HeaderMap) -> Vec<(String, String)> {
    let names = RECEIPTS.iter().map(|(_, name)| (*name, *name)).chain([("x-payment-response", "payment-response")]);
    let found = names.filter_map(|(name, known)| Some((known, headers.get(name)?.to_str().ok()?)));
    found.map(|(name, receipt)| (name.to_owned(), receipt.to_owned())).collect()
}

/// What a refusal says of the payment, where its rail reads that: x402 repeats its price with the reason.
pub fn refusal(prices: &Prices) -> Vec<(String, String)> {
    prices.get(X402).map(|price| ("payment-required".to_owned(), header(price))).into_iter().collect()
}

fn header(value: &Value) -> String {
    base64::engine::general_purpose::STANDARD.encode(value.to_string())
}

fn is_price(value: &Value) -> bool {
    value.get("x402Version").is_some() && value.get("accepts").is_some_and(Value::is_array)
}

/// Whether this is MPP's price: it names a challenge, which is more than a list of that name.
fn has_challenge(required: &Value) -> bool {
    let named = |challenge: &Value| {
        let word = |name: &&str| challenge.get(name).and_then(Value::as_str).is_some_and(|word| !word.is_empty());
        let request = challenge.get("request").is_some_and(|request| request.is_object() || request.is_string());
        ["id", "realm", "method", "intent"].iter().all(word) && request
    };
    required["challenges"].as_array().is_some_and(|challenges| challenges.iter().any(named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::model::ErrorCode;

    fn price(version: u8) -> Value {
        json!({"x402Version": version, "accepts": [], "resource": {"url": "mcp://tool/x"}})
    }

    fn required() -> Value {
        let challenge = json!({"id": "1", "realm": "shop", "method": "evm", "intent": "charge", "request": {}});
        json!({"httpStatus": 402, "challenges": [challenge]})
    }

    fn by_x402(price: Value) -> Asks {
        Asks::Price([(X402, price)].into())
    }

    fn by_mpp(price: Value) -> Asks {
        Asks::Price([(MPP, price)].into())
    }

    fn result(value: Value) -> Asks {
        of_result(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_price_is_found_in_every_shape_of_a_result_and_nowhere_else() {
        let price = || price(2);
        let text = json!([{"type": "text", "text": price().to_string()}]);
        let meta = |required: Value| json!({REQUIRED: required});
        let mpp = || json!({"_meta": meta(required())});
        let all = Asks::Price([(X402, price()), (MPP, mpp())].into());
        for (value, asks) in [
            (json!({"content": [], "isError": true, "structuredContent": price()}), by_x402(price())),
            (json!({"content": text, "isError": true}), by_x402(price())),
            (json!({"content": text, "isError": true, "structuredContent": {"x": 1}}), by_x402(price())),
            (json!({"content": text, "isError": false, "structuredContent": price()}), Asks::Nothing),
            (json!({"content": text, "structuredContent": price()}), Asks::Nothing),
            (json!({"content": [{"type": "text", "text": "402"}], "isError": true}), Asks::Nothing),
            (json!({"content": [], "isError": true, "structuredContent": {"x402Version": 2}}), Asks::Nothing),
            (json!({"content": [], "_meta": meta(required())}), by_mpp(mpp())),
            (json!({"content": [], "isError": true, "_meta": meta(required())}), by_mpp(mpp())),
            (json!({"content": [], "isError": true, "structuredContent": required()}), Asks::Nothing),
            (json!({"content": [], "_meta": meta(json!({}))}), Asks::Otherwise),
            (json!({"content": [], "_meta": meta(json!({"challenges": [{"id": "1"}]}))}), Asks::Otherwise),
            (json!({"content": text, "isError": true, "_meta": meta(required())}), all),
            (json!({"content": text, "isError": true, "_meta": meta(json!({}))}), by_x402(price())),
        ] {
            assert_eq!(result(value.clone()), asks, "{value}");
        }
    }

    #[test]
    fn a_price_is_found_in_every_shape_of_an_error_and_a_page_to_open_is_none() {
        let error = |code, data: Value| of_error(&ErrorData::new(ErrorCode(code), "m", Some(data)));
        let bare = json!([{"id": "1"}]);
        for code in [402, -32042, -32043, -32402] {
            assert_eq!(error(code, price(2)), by_x402(price(2)), "{code}");
            assert_eq!(error(code, json!({"x402": price(1)})), by_x402(price(1)), "{code}");
            assert_eq!(error(code, required()), by_mpp(json!({"code": code, "data": required()})), "{code}");
            let mut all = required();
            all["x402"] = price(2);
            let mpp = json!({"code": code, "data": all});
            assert_eq!(error(code, all), Asks::Price([(X402, price(2)), (MPP, mpp)].into()), "{code}");
            for broken in [json!([]), json!({}), bare.clone()] {
                assert_eq!(error(code, json!({"challenges": broken})), Asks::Otherwise, "{code} {broken}");
            }
        }
        let pages = json!([{"url": "https://x.example", "message": "m"}, {"url": "file:///x"}]);
        let visit = Visit { url: "https://x.example".to_owned(), message: "m".to_owned(), id: String::new() };
        assert_eq!(error(-32042, json!({"elicitations": pages})), Asks::Visits(vec![visit.clone()]));
        for challenges in [json!([]), json!("x"), bare] {
            let data = json!({"elicitations": pages, "challenges": challenges});
            assert_eq!(error(-32042, data), Asks::Visits(vec![visit.clone()]), "a list that names no challenge");
        }
        assert_eq!(error(-32042, Value::Null), Asks::Nothing);
        assert_eq!(error(-32402, json!({"payment": {}})), Asks::Otherwise);
        assert_eq!(error(-32602, price(2)), Asks::Nothing);
        assert_eq!(error(-32602, required()), Asks::Nothing);
    }

    #[test]
    fn a_price_is_found_in_a_402_of_either_version_and_one_that_cannot_be_read_is_no_price() {
        let asks = |headers: &[(&'static str, String)], body: &Value| {
            let mut map = reqwest::header::HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            of_http(&map, body.to_string().as_bytes())
        };
        let v2 = ("payment-required", header(&price(2)));
        let line = "Bearer realm=\"x\", Payment id=\"canary\", method=\"tempo\"";
        let payment = ("www-authenticate", line.to_owned());
        let other = ("www-authenticate", "Payment id=\"2\"".to_owned());
        let rpc =
            |data: Value| json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32042, "message": "m", "data": data}});
        let both = |version| Asks::Price([(X402, price(version)), (MPP, json!(line))].into());
        for (headers, body, expected) in [
            (vec![v2.clone()], json!({}), by_x402(price(2))),
            (vec![v2.clone(), payment.clone()], json!({}), both(2)),
            (vec![v2.clone(), v2], json!({}), Asks::Otherwise),
            (vec![("payment-required", header(&price(1)))], json!({}), Asks::Otherwise),
            (vec![("payment-required", "%".to_owned())], price(1), Asks::Otherwise),
            (vec![("payment-required", "%".to_owned()), payment.clone()], json!({}), Asks::Otherwise),
            (vec![], price(1), by_x402(price(1))),
            (vec![], price(2), Asks::Otherwise),
            (vec![payment.clone()], price(1), both(1)),
            (vec![payment.clone()], json!({}), by_mpp(json!(line))),
            (vec![payment, other], json!({}), by_mpp(json!(format!("{line}, Payment id=\"2\"")))),
            (vec![("www-authenticate", "Bearer realm=payment".to_owned())], json!({}), Asks::Otherwise),
            (vec![], rpc(price(2)), by_x402(price(2))),
            (vec![], rpc(required()), by_mpp(json!({"code": -32042, "data": required()}))),
            (vec![], rpc(json!({"challenges": []})), Asks::Otherwise),
            (vec![], rpc(json!({"elicitations": []})), Asks::Otherwise),
            (vec![], json!("pay"), Asks::Otherwise),
        ] {
            assert_eq!(asks(&headers, &body), expected, "{headers:?} {body}");
        }
    }

    #[test]
    fn receipts_are_found_in_a_result_and_in_the_headers_of_an_answer() {
        let meta = json!({"x402/payment-response": {"a": 1}, "org.paymentauth/receipt": {"b": 2}, "own": 1});
        let result = serde_json::from_value(json!({"content": [], "_meta": meta})).unwrap();
        let of = |name: &str, value: Value| (name.to_owned(), header(&value));
        let found = [of("payment-response", json!({"a": 1})), of("payment-receipt", json!({"b": 2}))];
        assert_eq!(receipts(&result), found);
        let headers = [("x-payment-response", "a"), ("payment-receipt", "b"), ("own", "c")];
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let found = [("payment-receipt", "b"), ("payment-response", "a")];
        assert_eq!(
            receipts_by_http(&headers.collect()),
            found.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
