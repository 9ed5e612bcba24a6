//! MCP on `/mcp`: the same desk as `/v1`, as six tools. Nothing here can approve, change policy or touch a key.
//!
//! Both protocol eras are served without protocol sessions: a client keeps working after a restart or a long pause, and who
//! calls is told anew by each request's token. A disconnect or a cancelled request only ends the waiting, never a payment.

mod call;
mod front;
#[cfg(test)]
mod page;
mod resources;
mod server;
mod tools;
mod wait;

use axum::{Router, middleware};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use std::sync::Arc;

use crate::http::{self, App};

/// The routes under `/mcp`; the guard stands in front of them.
pub fn router(app: Arc<App>) -> Router {
    let config = config(app.port);
    let server = server::Server::new(app);
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config);
    Router::new().route_service("/mcp", service).layer(middleware::from_fn(front::front))
}

/// rmcp checks Host, Origin and size once more behind our guard; its defaults would take any port and any Origin.
fn config(port: Option<u16>) -> StreamableHttpServerConfig {
    let own: Vec<String> = port.map(http::own).into_iter().flatten().collect();
    StreamableHttpServerConfig::default()
        .with_allowed_origins(own.iter().map(|own| format!("http://{own}")))
        .with_allowed_hosts(own.into_iter().chain([http::AT_THE_DOOR.to_owned()]))
        .enforce_origin_validation()
        .with_max_request_body_bytes(http::body::MAX_BODY)
        .with_legacy_session_mode(false)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_checks_host_and_origin_with_our_port() {
        let config = super::config(Some(7402));
        assert_eq!(config.allowed_hosts, ["127.0.0.1:7402", "localhost:7402", "[::1]:7402", "countersign"]);
        assert_eq!(config.allowed_origins, ["http://127.0.0.1:7402", "http://localhost:7402", "http://[::1]:7402"]);
        assert_eq!(config.max_request_body_bytes, 1024 * 1024);
        assert!(!config.legacy_session_mode);
    }
}
