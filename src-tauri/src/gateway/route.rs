//! `/mcp/NAME`: the guard has named the agent, the upstream's name is in the path.

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, Request, State},
    http::Method,
    middleware,
    response::{IntoResponse as _, Response},
    routing::any,
};
use countersign_core::payment::Caller;
use countersign_desk::problem::{Code, Problem};
use rmcp::transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager};
use std::sync::Arc;

use super::{Gateway, face::Face, room::Room};
use crate::{
    http::{App, ProblemResponse},
    mcp,
};

/// The routes of all upstreams; the guard stands in front of them.
pub fn router(app: Arc<App>, gateway: Arc<Gateway>) -> Router {
    let route = any(answer).layer(middleware::from_fn(mcp::front));
    Router::new().route("/mcp/{name}", route).with_state((app, gateway))
}

async fn answer(
    State((app, gateway)): State<(Arc<App>, Arc<Gateway>)>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let room = name.parse().ok().and_then(|name| gateway.room(&caller.agent, &name));
    let Some(room) = room else {
        return ProblemResponse(Problem::new(Code::NotFound, "there is no such upstream")).into_response();
    };
    let service = room.service.get_or_init(|| serve(&app, &gateway, &room)).clone();
    let streams = request.method() == Method::GET;
    let response = service.handle(request).await.map(Body::new);
    if streams { response.map(|body| Body::new(mcp::Stream::new(body, app.stopping.clone()))) } else { response }
}

/// Both eras: sessions for the older one, each with a connection of its own.
fn serve(app: &Arc<App>, gateway: &Arc<Gateway>, room: &Arc<Room>) -> StreamableHttpService<Face, LocalSessionManager> {
    let (port, sessions) = (app.port, room.sessions.clone());
    let (app, gateway, room) = (app.clone(), gateway.clone(), Arc::downgrade(room));
    let face = move || {
        let room = room.upgrade().ok_or_else(|| std::io::Error::other("the upstream was removed"))?;
        Ok(Face::new(app.clone(), gateway.clone(), room))
    };
    StreamableHttpService::new(face, sessions, mcp::library(port).with_legacy_session_mode(true))
}
