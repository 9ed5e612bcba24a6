//! MCP.

use axum::Router;
use std::sync::Arc;

use crate::http::App;

/// The routes under `/mcp`.
pub fn router(_app: Arc<App>) -> Router {
    Router::new()
}
