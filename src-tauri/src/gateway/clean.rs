//! What must not cross: credentials a client brings, and prices and receipts an upstream sends.

use rmcp::{
    ErrorData,
    model::{
        CallToolResult, ClientCapabilities, ErrorCode, JsonObject, MetaObject, ReadResourceResult, RequestMetaObject,
        ResourceContents, ResultType,
    },
};

use super::price;

/// Members of `_meta` that carry payments, however they are spelled.
const PAYMENTS: [&str; 4] = ["x402/", "x402.", "org.paymentauth/", "org.countersign/"];
/// Members of the newer era that say who calls in which revision: between us and the upstream they are ours to say.
const ERA: &str = "io.modelcontextprotocol/";
const TOKEN: &str = "progressToken";

/// The `_meta` of a client's request as it goes on.
pub fn request(meta: &RequestMetaObject, modern: bool) -> RequestMetaObject {
    let kept = meta.0.0.iter().filter(|(name, _)| {
        let revision = name.as_str() == "io.modelcontextprotocol/protocolVersion";
        !pays(name) && name.as_str() != TOKEN && !revision && (modern || !name.starts_with(ERA))
    });
    let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect::<JsonObject>();
    let mut kept = RequestMetaObject::from(kept);
    if let Some(can) = kept.client_capabilities() {
        kept.set_client_capabilities(capabilities(can));
    }
    kept
}

/// What a client can do, as an upstream hears it: its tasks are ours, since they would be another way to pay.
pub fn capabilities(mut can: ClientCapabilities) -> ClientCapabilities {
    can.extensions = None;
    can.experimental = None;
    can
}

/// A tool's result as it goes back.
pub fn result(mut result: CallToolResult) -> CallToolResult {
    meta(&mut result.meta);
    // In the newer era an upstream may leave it out, and we may not.
    result.result_type.get_or_insert(ResultType::COMPLETE);
    result
}

/// What any result says beside itself, as it goes back.
pub fn meta(said: &mut Option<MetaObject>) {
    if let Some(MetaObject(said)) = said {
        said.retain(|name, _| !pays(name));
    }
    said.take_if(|said| said.0.is_empty());
}

/// A resource as it goes back.
pub fn resource(mut result: ReadResourceResult) -> ReadResourceResult {
    meta(&mut result.meta);
    for contents in &mut result.contents {
        match contents {
            ResourceContents::TextResourceContents { meta: said, .. }
            | ResourceContents::BlobResourceContents { meta: said, .. } => meta(said),
            _ => {}
        }
    }
    result
}

/// An error as it goes back: without a price, and the newer era has none that asks for a page.
pub fn error(mut error: ErrorData, modern: bool) -> ErrorData {
    error.data.take_if(|data| price::is_in(data));
    if modern && error.code == ErrorCode(-32042) {
        return ErrorData::invalid_request("the upstream wants the user to open a page first, and names none", None);
    }
    error
}

fn pays(name: &str) -> bool {
    let name = name.trim_start().to_ascii_lowercase();
    PAYMENTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn brought(value: Value) -> RequestMetaObject {
        RequestMetaObject::from(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_clients_credentials_never_go_on_and_its_other_words_do() {
        let sent = json!({
            "x402/payment": {}, "X402/payment": {}, "x402.payment": {}, "org.paymentauth/credential": {},
            "org.countersign/x": 1, "progressToken": 7, "traceparent": "00-1", "com.example/own": {"a": 1},
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
        });
        let names = |modern| request(&brought(sent.clone()), modern).0.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(false), ["traceparent", "com.example/own"]);
        assert_eq!(names(true), ["traceparent", "com.example/own", "io.modelcontextprotocol/clientCapabilities"]);
    }

    #[test]
    fn receipts_and_prices_stay_here() {
        let sent =
            json!({"content": [], "_meta": {"x402/payment-response": {}, "org.paymentauth/receipt": {}, "own": 1}});
        let kept = result(serde_json::from_value(sent).unwrap());
        assert_eq!(json!(kept.meta), json!({"own": 1}));
        let receipt = json!({"x402/payment-response": {}});
        let sent = json!({"_meta": receipt, "contents": [{"uri": "a:b", "text": "t", "_meta": receipt}]});
        let kept = json!(resource(serde_json::from_value(sent).unwrap()));
        assert!(!kept.to_string().contains("x402") && kept["contents"][0]["text"] == "t", "{kept}");
    }

    #[test]
    fn an_error_of_any_code_comes_back_without_the_price_in_it() {
        let challenge = json!({"id": "1", "realm": "r", "method": "evm", "intent": "charge", "request": {}});
        for (data, stays) in [
            (json!({"challenges": [challenge]}), false),
            (json!({"x402": {"x402Version": 2, "accepts": []}}), false),
            (json!({"challenges": ["a riddle"]}), true),
            (json!({"field": "about"}), true),
        ] {
            for code in [-32602, -32603] {
                let kept = error(ErrorData::new(ErrorCode(code), "m", Some(data.clone())), false);
                assert_eq!((kept.code.0, kept.data.is_some()), (code, stays), "{data}");
            }
        }
    }

    #[test]
    fn an_error_that_asks_for_a_page_stays_in_its_era() {
        let asks = || ErrorData::new(ErrorCode(-32042), "m", None);
        assert_eq!(error(asks(), false), asks());
        assert_eq!(error(asks(), true).code, ErrorCode::INVALID_REQUEST);
    }
}
