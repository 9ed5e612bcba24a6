//! What one agent has of one upstream: the connections made for it, and the tools it was shown.

use countersign_desk::wire::Wire;
use rmcp::{
    ErrorData,
    model::{ClientCapabilities, ServerPeerInfo, Tool},
    transport::streamable_http_server::{
        StreamableHttpService,
        session::{SessionManager as _, local::LocalSessionManager},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use super::{
    face::Face,
    line::{Behalf, Line},
    login::Login,
    target::{Name, Target},
};

/// How long a session without a message is kept, with its connection to the upstream.
const IDLE: Duration = Duration::from_secs(3600);

/// One agent's side of one upstream.
pub struct Room {
    /// The upstream.
    pub name: Name,
    /// How it is reached.
    pub target: Target,
    wire: Wire,
    login: Option<Arc<Login>>,
    shared: Session,
    seen: Mutex<HashMap<String, Tool>>,
    info: Mutex<Option<Arc<ServerPeerInfo>>>,
    /// What answers its requests.
    pub service: OnceLock<StreamableHttpService<Face, LocalSessionManager>>,
    /// The sessions that are open.
    pub sessions: Arc<LocalSessionManager>,
}

impl Room {
    /// An empty one.
    pub fn new(name: Name, target: Target, wire: Wire, login: Option<Arc<Login>>) -> Self {
        let (shared, seen, info) = (Session::default(), Mutex::default(), Mutex::default());
        let mut sessions = LocalSessionManager::default();
        sessions.session_config.keep_alive = Some(IDLE);
        let (service, sessions) = (OnceLock::new(), Arc::new(sessions));
        Self { name, target, wire, login, shared, seen, info, service, sessions }
    }

    /// Ends its sessions, and with them their connections to the upstream.
    pub async fn hang_up(&self) {
        *self.shared.line.lock().await = None;
        let open: Vec<_> = self.sessions.sessions.read().await.keys().cloned().collect();
        for id in open {
            if let Err(error) = self.sessions.close_session(&id).await {
                tracing::debug!(%error, "a session had ended already");
            }
        }
    }

    /// The connection for this session, or the one of all requests without a session; opened if it is not open.
    ///
    /// # Errors
    /// When the upstream cannot be reached.
    pub async fn line(&self, session: &Session) -> Result<Arc<Line>, ErrorData> {
        let began = session.began();
        let (session, behalf) = match began {
            Some(behalf) => (session, behalf),
            None => (&self.shared, Behalf { capabilities: ClientCapabilities::default(), session: None }),
        };
        let mut open = session.line.lock().await;
        if let Some(line) = open.as_ref().filter(|line| !line.is_closed()) {
            return Ok(line.clone());
        }
        let login = self.login.as_ref();
        let line = Line::open(&self.target, &self.wire, login, &behalf).await.map_err(|error| {
            if let Some(told) = login.and_then(|login| login.told(error.as_ref())) {
                return told;
            }
            tracing::warn!(upstream = %self.name, "an upstream cannot be reached");
            ErrorData::internal_error(format!("the upstream {} cannot be reached", self.name), None)
        })?;
        let line = Arc::new(line);
        *self.info.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.info().clone());
        *open = Some(line.clone());
        Ok(line)
    }

    /// What the upstream last said of itself.
    pub fn info(&self) -> Option<Arc<ServerPeerInfo>> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A tool the agent was shown.
    pub fn tool(&self, name: &str) -> Option<Tool> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// These tools were listed; of a first page, instead of all before.
    pub fn saw(&self, tools: &[Tool], first: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if first {
            seen.clear();
        }
        seen.extend(tools.iter().map(|tool| (tool.name.to_string(), tool.clone())));
    }
}

/// One client's session of the older era; requests of the newer one have an empty one each.
#[derive(Default)]
pub struct Session {
    began: Mutex<Option<Behalf>>,
    line: tokio::sync::Mutex<Option<Arc<Line>>>,
}

impl Session {
    /// It began with an `initialize`.
    pub fn begin(&self, behalf: Behalf) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Some(behalf);
    }

    /// On whose behalf, if it began.
    pub fn began(&self) -> Option<Behalf> {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
