//! The routes of Alipay's tools: their arguments as a body. An order answers as every payment does.

use axum::{
    Extension, Json,
    extract::{Request, State},
};
use countersign_core::payment::Caller;
use countersign_desk::request::DEFAULT_WAIT;
use serde_json::{Value, value::RawValue};
use std::sync::Arc;

use super::{
    App, Pace, body,
    problem::{OutcomeResponse, ProblemResponse},
};
use crate::alipay::Tool;

type Answer<T> = Result<T, ProblemResponse>;
type Asked = (State<Arc<App>>, Extension<Caller>, Extension<Pace>);

/// `create-mobile-alipay-payment`
pub async fn mobile(
    app: State<Arc<App>>,
    caller: Extension<Caller>,
    pace: Extension<Pace>,
    request: Request,
) -> Answer<OutcomeResponse> {
    order((app, caller, pace), Tool::CreateMobile, request).await
}

/// `create-web-page-alipay-payment`
pub async fn web(
    app: State<Arc<App>>,
    caller: Extension<Caller>,
    pace: Extension<Pace>,
    request: Request,
) -> Answer<OutcomeResponse> {
    order((app, caller, pace), Tool::CreateWeb, request).await
}

/// `refund-alipay-payment`
pub async fn refund(
    app: State<Arc<App>>,
    caller: Extension<Caller>,
    pace: Extension<Pace>,
    request: Request,
) -> Answer<OutcomeResponse> {
    order((app, caller, pace), Tool::Refund, request).await
}

/// `query-alipay-payment`
pub async fn payment(app: State<Arc<App>>, request: Request) -> Answer<Json<Value>> {
    look_up(app, Tool::QueryPayment, request).await
}

/// `query-alipay-refund`
pub async fn refund_query(app: State<Arc<App>>, request: Request) -> Answer<Json<Value>> {
    look_up(app, Tool::QueryRefund, request).await
}

async fn order(
    (State(app), Extension(caller), Extension(pace)): Asked,
    tool: Tool,
    request: Request,
) -> Answer<OutcomeResponse> {
    let arguments: Box<RawValue> = body::json(request).await.map_err(ProblemResponse)?;
    let told = app.alipay(caller, pace, (tool, arguments.get()), DEFAULT_WAIT).await;
    told.map(OutcomeResponse).map_err(ProblemResponse)
}

async fn look_up(State(app): State<Arc<App>>, tool: Tool, request: Request) -> Answer<Json<Value>> {
    let arguments: Box<RawValue> = body::json(request).await.map_err(ProblemResponse)?;
    app.alipay.look_up(tool, arguments.get()).await.map(Json).map_err(ProblemResponse)
}
