//! What must not cross: credentials a client brings, and prices and receipts an upstream sends.

use rmcp::model::{CallToolResult, ClientCapabilities, JsonObject, MetaObject, RequestMetaObject, ResultType};

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
    if let Some(MetaObject(meta)) = &mut result.meta {
        meta.retain(|name, _| !pays(name));
    }
    result.meta = result.meta.filter(|meta| !meta.0.is_empty());
    // In the newer era an upstream may leave it out, and we may not.
    result.result_type.get_or_insert(ResultType::COMPLETE);
    result
}

fn pays(name: &str) -> bool {
    let name = name.trim_start().to_ascii_lowercase();
    PAYMENTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn meta(value: Value) -> RequestMetaObject {
        RequestMetaObject::from(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_clients_credentials_never_go_on_and_its_other_words_do() {
        let sent = json!({
            "x402/payment": {}, "X402/payment": {}, "x402.payment": {}, "org.paymentauth/credential": {},
            "org.countersign/x": 1, "progressToken": 7, "traceparent": "00-1", "com.example/own": {"a": 1},
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
        });
        let names = |modern| request(&meta(sent.clone()), modern).0.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(false), ["traceparent", "com.example/own"]);
        assert_eq!(names(true), ["traceparent", "com.example/own", "io.modelcontextprotocol/clientCapabilities"]);
    }

    #[test]
    fn receipts_and_prices_stay_here() {
        let sent =
            json!({"content": [], "_meta": {"x402/payment-response": {}, "org.paymentauth/receipt": {}, "own": 1}});
        let kept = result(serde_json::from_value(sent).unwrap());
        assert_eq!(json!(kept.meta), json!({"own": 1}));
    }
}
