//! What each route takes and answers, beside its shapes.

use serde_json::{Map, Value, json};

use super::schemas::queries;
use crate::http::routes::ROUTES;

/// Every route of the service.
pub fn all() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for (method, path) in ROUTES {
        let item = paths.entry(*path).or_insert_with(|| json!({}));
        item[*method] = operation(method, path);
    }
    Value::Object(paths)
}

fn operation(method: &str, path: &str) -> Value {
    let [list, look] = queries();
    let id = || json!({"$ref": "#/components/parameters/PaymentId"});
    match (method, path) {
        ("get", "/open") => {
            let mut open =
                about("open", "A constant page that says where to decide; needs no token and has no effect.");
            open["security"] = json!([]);
            open["responses"]["200"] =
                json!({"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}});
            open
        }
        ("get", "/healthz") => about("health", "Whether money can move.").with(200, "The state.", "Health"),
        ("post", "/v1/fetch") => {
            about("fetch", "Performs a request, pays its 402 if policy or the person allows, and returns the answer.")
                .taking("FetchRequest")
                .with(200, "completed, not_required, cancelled, failed or unknown.", "Outcome")
                .asking()
        }
        ("post", "/v1/payments") => {
            about("pay", "Makes a credential for a challenge the caller received; the caller sends it itself.")
                .taking("PayRequest")
                .with(200, "authorized, with the credential; or cancelled, failed or unknown.", "Outcome")
                .asking()
        }
        ("get", "/v1/payments") => about("list_payments", "This agent's payments, newest first.")
            .where_(vec![], &list)
            .with(200, "A page.", "PaymentList"),
        ("get", "/v1/payments/{id}") => about(
            "get_payment",
            "One payment of this agent, whatever its status; waits up to 25 seconds while a person is deciding.",
        )
        .where_(vec![id()], &look)
        .with(200, "How it stands.", "Outcome"),
        ("post", "/v1/payments/{id}/cancel") => {
            about("cancel_payment", "Withdraws a waiting payment; again is harmless.")
                .where_(vec![id()], &Value::Null)
                .with(200, "cancelled.", "Outcome")
                .with(409, "not_cancellable: it is past waiting.", "Problem")
        }
        ("post", "/v1/payments/{id}/receipt") => {
            about("report_receipt", "Tells what the seller answered to a credential the caller sent itself.")
                .where_(vec![id()], &Value::Null)
                .taking("ReceiptRequest")
                .with(200, "How it stands now.", "Outcome")
        }
        ("get", "/v1/budget") => about(
            "get_budget",
            "What this agent may still spend without asking; never the wallet's balance.",
        )
        .with(200, "Per budget.", "Budget"),
        ("post", "/v1/alipay/create-mobile-alipay-payment") => page("create_mobile_alipay_payment", "a telephone")
            .taking("AlipayPaymentRequest")
            .with(200, LINK, "Outcome")
            .asking(),
        ("post", "/v1/alipay/create-web-page-alipay-payment") => page("create_web_page_alipay_payment", "a computer")
            .taking("AlipayPaymentRequest")
            .with(200, LINK, "Outcome")
            .asking(),
        ("post", "/v1/alipay/query-alipay-payment") => {
            about("query_alipay_payment", "How an order stands at Alipay; only what Alipay signed counts.")
                .taking("AlipayPaymentQuery")
                .with(200, "How it stands.", "AlipayPayment")
        }
        ("post", "/v1/alipay/refund-alipay-payment") => {
            about("refund_alipay_payment", "Pays money back to a buyer, if policy or the person allows.")
                .taking("AlipayRefundRequest")
                .with(
                    200,
                    "completed, cancelled, failed or unknown; unknown is asked about until it is known.",
                    "Outcome",
                )
                .asking()
        }
        ("post", "/v1/alipay/query-alipay-refund") => {
            about("query_alipay_refund", "How a refund stands at Alipay; only what Alipay signed counts.")
                .taking("AlipayRefundQuery")
                .with(200, "How it stands.", "AlipayRefund")
        }
        _ => {
            let mut itself = about("contract", "This document.");
            let any = json!({"type": "object", "additionalProperties": true});
            itself["responses"]["200"] =
                json!({"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": any}}});
            itself
        }
    }
}

const LINK: &str = "completed, with the page's address as paymentLink in the body; or cancelled.";

fn page(id: &str, screen: &str) -> Value {
    about(
        id,
        &format!("Makes a page for {screen} on which a buyer pays the person by Alipay; no money of the person moves."),
    )
}

fn about(id: &str, summary: &str) -> Value {
    let problem = json!({"$ref": "#/components/responses/Problem"});
    json!({"operationId": id, "summary": summary, "responses": {"default": problem}})
}

/// Adds to an operation.
trait Operation {
    fn where_(self, path: Vec<Value>, query: &Value) -> Self;
    fn taking(self, shape: &str) -> Self;
    fn with(self, status: u16, says: &str, shape: &str) -> Self;
    fn asking(self) -> Self;
}

impl Operation for Value {
    fn where_(mut self, path: Vec<Value>, query: &Value) -> Self {
        let members = query["properties"].as_object().into_iter().flatten();
        let named = members.map(|(name, schema)| json!({"name": name, "in": "query", "schema": schema}));
        self["parameters"] = path.into_iter().chain(named).collect();
        self
    }

    fn taking(mut self, shape: &str) -> Self {
        self["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": refer(shape)}}});
        self
    }

    fn with(mut self, status: u16, says: &str, shape: &str) -> Self {
        let kind = if shape == "Problem" { "application/problem+json" } else { "application/json" };
        self["responses"][status.to_string()] =
            json!({"description": says, "content": {kind: {"schema": refer(shape)}}});
        self
    }

    fn asking(self) -> Self {
        self.with(202, "A person is being asked: pending_approval.", "Outcome").with(
            403,
            "denied or expired, with the outcome.",
            "Problem",
        )
    }
}

fn refer(shape: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{shape}")})
}
