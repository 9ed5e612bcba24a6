//! What of an upstream's answer asks for money, in every shape there is. What it asks is decided by the rail, not here.

use base64::Engine as _;
use rmcp::model::{CallToolResult, ErrorData};
use serde_json::Value;

/// The one protocol in which an upstream is paid.
pub const RAIL: &str = "x402";
/// Another payment protocol's price, in a result.
const MPP_REQUIRED: &str = "org.paymentauth/payment-required";
/// What a settled x402 payment leaves in a result.
const RECEIPT: &str = "x402/payment-response";
/// A price may be as long as the rail reads, coded.
const LONGEST: usize = 128 * 1024;

/// What an answer asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// An x402 `PaymentRequired`.
    Price(Value),
    /// Money, in a way that cannot be paid from here.
    Otherwise(Way),
    /// That the user opens pages first: the older era's error `-32042`, which is no price.
    Visits(Vec<Visit>),
}

/// A way of payment that cannot be paid from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The Machine Payments Protocol, `Payment` authentication.
    Mpp,
    /// None that is known, or a price that cannot be read.
    Unknown,
}

impl Way {
    /// What whoever called is told; nothing of the challenge.
    pub fn refusal(self) -> &'static str {
        match self {
            Self::Mpp => {
                "the upstream asks to be paid by MPP (the Payment authentication scheme), which Countersign does not pay here"
            }
            Self::Unknown => "the upstream asks for payment in a way Countersign does not know; it pays x402",
        }
    }
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
    if let Some(price) = result.structured_content.as_ref().filter(|content| failed && is_price(content)) {
        return Asks::Price(price.clone());
    }
    let text = result.content.first().and_then(|first| first.as_text()).map(|text| text.text.as_str());
    match text.filter(|_| failed).and_then(|text| serde_json::from_str(text).ok()) {
        Some(price) if is_price(&price) => Asks::Price(price),
        _ if result.meta.as_ref().is_some_and(|meta| meta.contains_key(MPP_REQUIRED)) => Asks::Otherwise(Way::Mpp),
        _ => Asks::Nothing,
    }
}

/// Of a JSON-RPC error. -32042 also says that a page has to be opened, which is no price.
pub fn of_error(error: &ErrorData) -> Asks {
    if !matches!(error.code.0, 402 | -32042 | -32043 | -32402) {
        return Asks::Nothing;
    }
    let data = error.data.as_ref().unwrap_or(&Value::Null);
    if let Some(price) = [Some(data), data.get("x402")].into_iter().flatten().find(|price| is_price(price)) {
        return Asks::Price(price.clone());
    }
    if data.get("challenges").is_some() || data.get(MPP_REQUIRED).is_some() {
        return Asks::Otherwise(Way::Mpp);
    }
    match (error.code.0, data["elicitations"].as_array()) {
        (-32042, Some(pages)) => Asks::Visits(pages.iter().filter_map(visit).collect()),
        (-32042, None) => Asks::Nothing,
        _ => Asks::Otherwise(Way::Unknown),
    }
}

/// Of an HTTP answer with status 402: version 2 in its header, version 1 in its body.
pub fn of_http(headers: &reqwest::header::HeaderMap, body: &[u8]) -> Asks {
    let all = |name: &str| headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>();
    match all("payment-required").as_slice() {
        [] => {}
        [one] => return versioned(decoded(one), 2),
        _ => return Asks::Otherwise(Way::Unknown),
    }
    let body: Option<Value> = serde_json::from_slice(body).ok();
    if body.as_ref().is_some_and(is_price) {
        return versioned(body, 1);
    }
    if all("www-authenticate").iter().any(|value| schemes(value).any(|scheme| scheme == "payment")) {
        return Asks::Otherwise(Way::Mpp);
    }
    match body.and_then(|body| serde_json::from_value(body.get("error")?.clone()).ok()).map(|error| of_error(&error)) {
        Some(asks @ (Asks::Price(_) | Asks::Otherwise(_))) => asks,
        _ => Asks::Otherwise(Way::Unknown),
    }
}

fn versioned(price: Option<Value>, version: u8) -> Asks {
    match price.filter(|price| is_price(price) && price["x402Version"] == version) {
        Some(price) => Asks::Price(price),
        None => Asks::Otherwise(Way::Unknown),
    }
}

fn decoded(value: &str) -> Option<Value> {
    let text = Some(value).filter(|value| value.len() <= LONGEST)?;
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
}

/// The authentication schemes a header names: the words a parameter does not follow.
fn schemes(value: &str) -> impl Iterator<Item = String> {
    value.split(',').filter_map(|part| {
        let first = part.split_whitespace().next()?;
        (!first.contains('=')).then(|| first.to_ascii_lowercase())
    })
}

fn visit(page: &Value) -> Option<Visit> {
    let text = |name: &str| page[name].as_str().map(str::to_owned);
    let url = text("url").filter(|url| url.starts_with("https://") || url.starts_with("http://"))?;
    let (message, id) = (text("message").unwrap_or_default(), text("elicitationId").unwrap_or_default());
    Some(Visit { url, message, id })
}

/// The receipt in a result, as the HTTP header that it is elsewhere.
pub fn receipt(result: &CallToolResult) -> Option<(String, String)> {
    let receipt = result.meta.as_ref()?.get(RECEIPT)?;
    Some(("payment-response".to_owned(), header(receipt)))
}

/// A price as the HTTP header that it is elsewhere.
pub fn header(value: &Value) -> String {
    base64::engine::general_purpose::STANDARD.encode(value.to_string())
}

fn is_price(value: &Value) -> bool {
    value.get("x402Version").is_some() && value.get("accepts").is_some_and(Value::is_array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::model::ErrorCode;
    use serde_json::json;

    fn price(version: u8) -> Value {
        json!({"x402Version": version, "accepts": [], "resource": {"url": "mcp://tool/x"}})
    }

    fn result(value: Value) -> Asks {
        of_result(&serde_json::from_value(value).unwrap())
    }

    const MPP: Asks = Asks::Otherwise(Way::Mpp);
    const UNKNOWN: Asks = Asks::Otherwise(Way::Unknown);

    #[test]
    fn a_price_is_found_in_every_shape_of_a_result_and_nowhere_else() {
        let price = || price(2);
        let text = json!([{"type": "text", "text": price().to_string()}]);
        let both = json!({"content": text, "isError": true, "_meta": {"org.paymentauth/payment-required": {}}});
        for (value, asks) in [
            (json!({"content": [], "isError": true, "structuredContent": price()}), Asks::Price(price())),
            (json!({"content": text, "isError": true}), Asks::Price(price())),
            (json!({"content": text, "isError": true, "structuredContent": {"x": 1}}), Asks::Price(price())),
            (json!({"content": text, "isError": false, "structuredContent": price()}), Asks::Nothing),
            (json!({"content": text, "structuredContent": price()}), Asks::Nothing),
            (json!({"content": [{"type": "text", "text": "402"}], "isError": true}), Asks::Nothing),
            (json!({"content": [], "isError": true, "structuredContent": {"x402Version": 2}}), Asks::Nothing),
            (json!({"content": [], "_meta": {"org.paymentauth/payment-required": {}}}), MPP),
            (both, Asks::Price(price())),
        ] {
            assert_eq!(result(value.clone()), asks, "{value}");
        }
    }

    #[test]
    fn a_price_is_found_in_every_shape_of_an_error_and_a_page_to_open_is_none() {
        let error = |code, data: Value| of_error(&ErrorData::new(ErrorCode(code), "m", Some(data)));
        for code in [402, -32042, -32043, -32402] {
            assert_eq!(error(code, price(2)), Asks::Price(price(2)), "{code}");
            assert_eq!(error(code, json!({"x402": price(1)})), Asks::Price(price(1)), "{code}");
            assert_eq!(error(code, json!({"challenges": [{"id": "1"}]})), MPP, "{code}");
        }
        let pages = json!({"elicitations": [{"url": "https://x.example", "message": "m"}, {"url": "file:///x"}]});
        let visit = Visit { url: "https://x.example".to_owned(), message: "m".to_owned(), id: String::new() };
        assert_eq!(error(-32042, pages), Asks::Visits(vec![visit]));
        assert_eq!(error(-32042, Value::Null), Asks::Nothing);
        assert_eq!(error(-32402, json!({"payment": {}})), UNKNOWN);
        assert_eq!(error(-32602, price(2)), Asks::Nothing);
    }

    #[test]
    fn a_price_is_found_in_a_402_of_either_version_and_one_that_cannot_be_read_is_no_price() {
        let asks = |headers: &[(&'static str, String)], body: &Value| {
            let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            of_http(&headers.collect(), body.to_string().as_bytes())
        };
        let v2 = ("payment-required", header(&price(2)));
        let payment = ("www-authenticate", "Bearer realm=\"x\", Payment id=\"canary\", method=\"tempo\"".to_owned());
        let rpc =
            |data: Value| json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32042, "message": "m", "data": data}});
        for (headers, body, expected) in [
            (vec![v2.clone()], json!({}), Asks::Price(price(2))),
            (vec![v2.clone(), payment.clone()], json!({}), Asks::Price(price(2))),
            (vec![v2.clone(), v2], json!({}), UNKNOWN),
            (vec![("payment-required", header(&price(1)))], json!({}), UNKNOWN),
            (vec![("payment-required", "%".to_owned())], price(1), UNKNOWN),
            (vec![], price(1), Asks::Price(price(1))),
            (vec![], price(2), UNKNOWN),
            (vec![payment.clone()], price(1), Asks::Price(price(1))),
            (vec![payment], json!({}), MPP),
            (vec![("www-authenticate", "Bearer realm=payment".to_owned())], json!({}), UNKNOWN),
            (vec![], rpc(price(2)), Asks::Price(price(2))),
            (vec![], rpc(json!({"challenges": []})), MPP),
            (vec![], rpc(json!({"elicitations": []})), UNKNOWN),
            (vec![], json!("pay"), UNKNOWN),
        ] {
            assert_eq!(asks(&headers, &body), expected, "{headers:?} {body}");
        }
    }
}
