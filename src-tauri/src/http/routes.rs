//! The routes of `/v1`, thin: read, call the desk, answer.

use axum::{
    Extension, Json, Router,
    extract::{FromRequestParts, Path, Query, Request as HttpRequest, State},
    http::request::Parts,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::Engine as _;
use countersign_core::{payment::Caller, payment::PaymentId};
use countersign_desk::{
    outcome::Outcome,
    problem::{Code, Problem},
    request::{FetchBody, PayBody, Request},
    seconds::Seconds,
    view::ListQuery,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

use super::{
    App, alipay, body, contract, guard,
    problem::{OutcomeResponse, ProblemResponse, bad_request},
    rate::Pace,
};

type Answer<T> = Result<T, ProblemResponse>;

macro_rules! routes {
    ($($method:ident $path:literal => $answer:path,)+) => {
        /// Every route, for the contract and the tests: method and path.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path),)+];

        fn table() -> Router<Arc<App>> {
            Router::new()$(.route($path, $method($answer)))+
        }
    };
}

routes! {
    get "/open" => guard::open_page,
    get "/healthz" => healthz,
    post "/v1/fetch" => fetch,
    post "/v1/payments" => pay,
    get "/v1/payments" => list,
    get "/v1/payments/{id}" => payment,
    post "/v1/payments/{id}/cancel" => cancel,
    post "/v1/payments/{id}/receipt" => receipt,
    get "/v1/budget" => budget,
    post "/v1/alipay/create-mobile-alipay-payment" => alipay::mobile,
    post "/v1/alipay/create-web-page-alipay-payment" => alipay::web,
    post "/v1/alipay/query-alipay-payment" => alipay::payment,
    post "/v1/alipay/refund-alipay-payment" => alipay::refund,
    post "/v1/alipay/query-alipay-refund" => alipay::refund_query,
    get "/v1/openapi.json" => openapi,
}

/// Everything under the guard.
pub fn router(app: Arc<App>, mcp: Router) -> Router {
    table()
        .with_state(app.clone())
        .merge(mcp)
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(app, guard::guard))
        .layer(middleware::from_fn(guard::headers))
}

async fn nothing() -> ProblemResponse {
    ProblemResponse(Problem::new(Code::NotFound, "there is no such route"))
}

async fn other_method() -> ProblemResponse {
    ProblemResponse(Problem::new(Code::MethodNotAllowed, "this route has other methods"))
}

/// Whether money can move.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(description = "")]
pub struct Health {
    #[schemars(extend("enum" = ["ok", "paused", "locked", "view_only"]))]
    status: &'static str,
    version: &'static str,
}

async fn healthz(State(app): State<Arc<App>>) -> Json<Health> {
    Json(Health { status: app.desk.health().word(), version: env!("CARGO_PKG_VERSION") })
}

async fn fetch(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(pace): Extension<Pace>,
    request: HttpRequest,
) -> Answer<OutcomeResponse> {
    let body: FetchBody = body::json(request).await.map_err(ProblemResponse)?;
    let request = Request::fetch(body).map_err(ProblemResponse)?;
    app.money(caller, pace, request).await.map(OutcomeResponse).map_err(ProblemResponse)
}

async fn pay(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(pace): Extension<Pace>,
    request: HttpRequest,
) -> Answer<OutcomeResponse> {
    let body: PayBody = body::json(request).await.map_err(ProblemResponse)?;
    let request = Request::pay(body).map_err(ProblemResponse)?;
    app.money(caller, pace, request).await.map(OutcomeResponse).map_err(ProblemResponse)
}

/// How long to look.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Seconds to wait; clamped to 25.
    #[schemars(with = "Option<Seconds>")]
    wait: Option<String>,
}

async fn payment(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    wait: Result<Query<Wait>, axum::extract::rejection::QueryRejection>,
) -> Answer<Json<Outcome>> {
    let Query(Wait { wait }) = wait.map_err(|error| bad_request(error.body_text()))?;
    let wait = wait.map(|wait| wait.parse()).transpose().map_err(|error| bad_request(format!("`wait`: {error}")))?;
    let outcome = app.desk.payment(&caller, &id, wait.map_or(0, |Seconds(wait)| wait)).await;
    outcome.map(Json).map_err(ProblemResponse)
}

async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<Outcome>> {
    app.desk.cancel(&caller, &id).await.map(Json).map_err(ProblemResponse)
}

/// The seller's answer to a credential you sent yourself: its header, or its object, not both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReceiptRequest", extend("minProperties" = 1, "maxProperties" = 1))]
pub struct ReceiptBody {
    /// The seller's PAYMENT-RESPONSE, X-PAYMENT-RESPONSE or Payment-Receipt header, as received.
    header: Option<String>,
    /// The seller's settlement object: x402/payment-response or org.paymentauth/receipt of an MCP result's _meta, or one of
    /// x402.payment.receipts of A2A metadata.
    receipt: Option<serde_json::Map<String, Value>>,
}

impl ReceiptBody {
    /// The header, or what it would be for the object that MCP and A2A carry instead.
    fn header(self) -> Result<String, ProblemResponse> {
        match (self.header, self.receipt) {
            (Some(header), None) => Ok(header),
            (None, Some(receipt)) => {
                Ok(base64::engine::general_purpose::STANDARD.encode(Value::Object(receipt).to_string()))
            }
            _ => Err(bad_request("send `header` or `receipt`, one of them")),
        }
    }
}

async fn receipt(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    request: HttpRequest,
) -> Answer<Json<Outcome>> {
    let body: ReceiptBody = body::json(request).await.map_err(ProblemResponse)?;
    app.desk.receipt(&caller, &id, &body.header()?).await.map(Json).map_err(ProblemResponse)
}

async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Answer<Json<Value>> {
    let Query(query) = query.map_err(|error| bad_request(error.body_text()))?;
    app.desk.payments(&caller, query).await.map(Json).map_err(ProblemResponse)
}

async fn budget(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Answer<Json<Value>> {
    app.desk.budget(&caller).await.map(Json).map_err(ProblemResponse)
}

async fn openapi() -> Response {
    Json(contract::document()).into_response()
}

/// The payment a path names. Whatever is no id cannot be anybody's payment.
struct Named(PaymentId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let name = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = name.and_then(|Path(name)| name.parse().ok());
        id.map(Self)
            .ok_or_else(|| ProblemResponse(Problem::new(Code::NotFound, "there is no such payment of this agent")))
    }
}
