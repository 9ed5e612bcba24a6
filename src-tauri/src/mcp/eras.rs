//! Which face answers a request: the newer era's, the older one's without a session, or the sessions of the very agent that calls.
//!
//! Every agent has a table of sessions of its own, so another's session is simply not there.

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::Response,
};
use countersign_core::payment::{AgentName, Caller};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService,
    session::{local::LocalSessionManager, never::NeverSessionManager},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    front::{Opening, SESSION},
    link::Seal,
    server::{Era, Server},
    sessions::Kept,
    stream::Stream,
    upstreams::Upstreams,
};
use crate::http::{self, App};

type Sessionless = StreamableHttpService<Server, NeverSessionManager>;

/// One agent's sessions: those awake, and those asleep on disk.
#[derive(Clone)]
struct Room {
    service: StreamableHttpService<Server, LocalSessionManager>,
    kept: Arc<Kept>,
}

/// Every face of `/mcp`.
pub struct Eras {
    app: Arc<App>,
    folder: PathBuf,
    idle: Duration,
    modern: Sessionless,
    legacy: Sessionless,
    server: Server,
    rooms: Mutex<HashMap<AgentName, Room>>,
}

impl Eras {
    /// Faces of this service; sessions are kept in `folder` and go to sleep after `idle`.
    pub fn new(app: Arc<App>, upstreams: Arc<dyn Upstreams>, folder: PathBuf, idle: Duration, seal: Seal) -> Self {
        let port = app.port;
        let server = Server::new(app.clone(), upstreams, Era::Legacy, seal);
        Self {
            app,
            folder,
            idle,
            modern: sessionless(server.of(Era::Modern), port),
            legacy: sessionless(server.clone(), port),
            server,
            rooms: Mutex::default(),
        }
    }

    fn room(&self, agent: &AgentName) -> Room {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(agent.clone()).or_insert_with(|| self.furnish(agent)).clone()
    }

    fn furnish(&self, agent: &AgentName) -> Room {
        let mut awake = LocalSessionManager::default();
        awake.session_config.keep_alive = Some(self.idle);
        let awake = Arc::new(awake);
        let kept = Arc::new(Kept::new(self.folder.clone(), agent.clone(), awake.clone()));
        let mut config = config(self.app.port);
        config.session_store = Some(kept.clone());
        let server = self.server.clone();
        Room { service: StreamableHttpService::new(move || Ok(server.in_session()), awake, config), kept }
    }
}

/// Answers one request that passed guard and front.
pub async fn answer(
    State(eras): State<Arc<Eras>>,
    Extension(caller): Extension<Caller>,
    Extension(opening): Extension<Opening>,
    request: Request,
) -> Response {
    let method = request.method().clone();
    let response = match opening {
        Opening::Modern => eras.modern.handle(request).await,
        Opening::Sessionless => eras.legacy.handle(request).await,
        Opening::Session => {
            let room = eras.room(&caller.agent);
            if let Some(id) = request.headers().get(SESSION).and_then(|id| id.to_str().ok()) {
                room.kept.used(id).await;
            }
            room.service.handle(request).await
        }
    };
    let mut response = response.map(Body::new);
    if method == Method::DELETE && response.status() == StatusCode::ACCEPTED {
        // The session is over by now, and the official Python client takes an "accepted" for a failure.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    if method == Method::GET {
        return response.map(|body| Body::new(Stream::new(body, eras.app.stopping.clone())));
    }
    response
}

fn sessionless(server: Server, port: Option<u16>) -> Sessionless {
    let config = config(port).with_legacy_session_mode(false);
    StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config)
}

/// rmcp checks Host, Origin and size once more behind our guard; its defaults would take any port and any Origin.
pub fn config(port: Option<u16>) -> StreamableHttpServerConfig {
    let own: Vec<String> = port.map(http::own).into_iter().flatten().collect();
    StreamableHttpServerConfig::default()
        .with_allowed_origins(own.iter().map(|own| format!("http://{own}")))
        .with_allowed_hosts(own.into_iter().chain([http::AT_THE_DOOR.to_owned()]))
        .enforce_origin_validation()
        .with_max_request_body_bytes(http::body::MAX_BODY)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_checks_host_and_origin_with_our_port() {
        let config = super::config(Some(7402));
        assert_eq!(config.allowed_hosts, ["127.0.0.1:7402", "localhost:7402", "[::1]:7402", "countersign"]);
        assert_eq!(config.allowed_origins, ["http://127.0.0.1:7402", "http://localhost:7402", "http://[::1]:7402"]);
        assert_eq!(config.max_request_body_bytes, 1024 * 1024);
    }
}
