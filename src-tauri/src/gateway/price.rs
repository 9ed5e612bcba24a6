//! What of an upstream's answer asks for money, in every shape there is. What it asks is decided by the rail, not here.

use base64::Engine as _;
use rmcp::model::{CallToolResult, ErrorData};
use serde_json::Value;

/// Another payment protocol's price, in a result.
const OTHER_REQUIRED: &str = "org.paymentauth/payment-required";
/// What a settled x402 payment leaves in a result.
const RECEIPT: &str = "x402/payment-response";

/// What an answer asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// An x402 `PaymentRequired`.
    Price(Value),
    /// Money, in a way that cannot be paid from here.
    Otherwise,
}

/// Of a tool's result.
pub fn of_result(result: &CallToolResult) -> Asks {
    if result.meta.as_ref().is_some_and(|meta| meta.contains_key(OTHER_REQUIRED)) {
        return Asks::Otherwise;
    }
    if result.is_error != Some(true) {
        return Asks::Nothing;
    }
    if let Some(price) = result.structured_content.as_ref().filter(|content| is_price(content)) {
        return Asks::Price(price.clone());
    }
    let text = result.content.first().and_then(|first| first.as_text()).map(|text| text.text.as_str());
    match text.and_then(|text| serde_json::from_str(text).ok()) {
        Some(price) if is_price(&price) => Asks::Price(price),
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
    if error.code.0 == -32042 && data.get("challenges").is_none() { Asks::Nothing } else { Asks::Otherwise }
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

    fn price() -> Value {
        json!({"x402Version": 2, "accepts": [], "resource": {"url": "mcp://tool/x"}})
    }

    fn result(value: Value) -> Asks {
        of_result(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_price_is_found_in_every_shape_of_a_result_and_nowhere_else() {
        let text = json!([{"type": "text", "text": price().to_string()}]);
        for (value, asks) in [
            (json!({"content": [], "isError": true, "structuredContent": price()}), Asks::Price(price())),
            (json!({"content": text, "isError": true}), Asks::Price(price())),
            (json!({"content": text, "isError": true, "structuredContent": {"x": 1}}), Asks::Price(price())),
            (json!({"content": text, "isError": false, "structuredContent": price()}), Asks::Nothing),
            (json!({"content": text, "structuredContent": price()}), Asks::Nothing),
            (json!({"content": [{"type": "text", "text": "402"}], "isError": true}), Asks::Nothing),
            (json!({"content": [], "isError": true, "structuredContent": {"x402Version": 2}}), Asks::Nothing),
            (json!({"content": [], "_meta": {"org.paymentauth/payment-required": {}}}), Asks::Otherwise),
        ] {
            assert_eq!(result(value.clone()), asks, "{value}");
        }
    }

    #[test]
    fn a_price_is_found_in_every_shape_of_an_error_and_a_page_to_open_is_none() {
        let error = |code, data: Value| of_error(&ErrorData::new(ErrorCode(code), "m", Some(data)));
        for code in [402, -32042, -32043, -32402] {
            assert_eq!(error(code, price()), Asks::Price(price()), "{code}");
            assert_eq!(error(code, json!({"x402": price()})), Asks::Price(price()), "{code}");
            assert_eq!(error(code, json!({"challenges": [{"id": "1"}]})), Asks::Otherwise, "{code}");
        }
        assert_eq!(error(-32042, json!({"elicitations": [{"url": "https://x.example"}]})), Asks::Nothing);
        assert_eq!(error(-32402, json!({"payment": {}})), Asks::Otherwise);
        assert_eq!(error(-32602, price()), Asks::Nothing);
    }
}
