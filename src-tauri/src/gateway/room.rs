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
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    face::Face,
    keep::Keep,
    line::{Behalf, Gate, Line},
    login::Login,
    shelf::Shelf,
    target::{Name, Target},
};

/// How long a session without a message is kept, with its connection to the upstream.
const IDLE: Duration = Duration::from_secs(3600);
/// Kinds of clients without a session that have a connection each.
const KINDS: usize = 6;

/// One agent's side of one upstream.
pub struct Room {
    /// The upstream.
    pub name: Name,
    /// How it is reached.
    pub target: Target,
    wire: Wire,
    login: Option<Arc<Login>>,
    closed: AtomicBool,
    shared: Mutex<Vec<(ClientCapabilities, Arc<Session>)>>,
    seen: Mutex<HashMap<String, Tool>>,
    info: Mutex<Option<Arc<ServerPeerInfo>>>,
    /// Calls that wait for an answer of the client.
    pub keep: Arc<Keep>,
    /// Its tools in the list of all upstreams.
    pub shelf: Shelf,
    /// What answers its requests.
    pub service: OnceLock<StreamableHttpService<Face, LocalSessionManager>>,
    /// The sessions that are open.
    pub sessions: Arc<LocalSessionManager>,
}

impl Room {
    /// An empty one.
    pub fn new(name: Name, target: Target, wire: Wire, login: Option<Arc<Login>>) -> Self {
        let (shared, seen, info) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (keep, shelf, service) = (Arc::default(), Shelf::default(), OnceLock::new());
        let mut sessions = LocalSessionManager::default();
        sessions.session_config.keep_alive = Some(IDLE);
        let sessions = Arc::new(sessions);
        let closed = AtomicBool::new(false);
        Self { name, target, wire, login, closed, shared, seen, info, keep, shelf, service, sessions }
    }

    /// Ends its sessions, and with them their connections to the upstream; whoever still holds it opens no other.
    pub async fn hang_up(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let shared = std::mem::take(&mut *self.shared.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, session) in shared {
            // Where one is being opened, that ends by itself and leaves nothing open.
            if let Ok(mut line) = session.line.try_lock() {
                *line = None;
            }
        }
        let open: Vec<_> = self.sessions.sessions.read().await.keys().cloned().collect();
        for id in open {
            if let Err(error) = self.sessions.close_session(&id).await {
                tracing::debug!(%error, "a session had ended already");
            }
        }
    }

    /// The connection for this session, or that of all requests without a session by clients that can do the same; opened if it
    /// is not open.
    ///
    /// # Errors
    /// When the upstream cannot be reached, or was removed.
    pub async fn line(&self, session: &Arc<Session>, can: &ClientCapabilities) -> Result<Arc<Line>, ErrorData> {
        self.is_open()?;
        let (session, behalf) = match session.began() {
            Some(behalf) => (session.clone(), behalf),
            None => self.shared(can),
        };
        let mut open = session.line.lock().await;
        self.is_open()?;
        if let Some(line) = open.as_ref().filter(|line| !line.is_closed()) {
            return Ok(line.clone());
        }
        let login = self.login.as_ref();
        let line = Line::open(&self.target, &self.wire, login, &behalf).await.map_err(|error| {
            if let Some(told) = login.and_then(|login| login.told(error.as_ref())) {
                return told;
            }
            tracing::warn!(upstream = %self.name, "an upstream cannot be reached");
            // Other errors may hold what the upstream sent.
            let why = error.downcast_ref::<Gate>().map(|gate| format!(": {gate}")).unwrap_or_default();
            ErrorData::internal_error(format!("the upstream {} cannot be reached{why}", self.name), None)
        })?;
        self.is_open()?;
        let line = Arc::new(line);
        *self.info.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.info().clone());
        *open = Some(line.clone());
        Ok(line)
    }

    /// Whether its requests carry a login.
    pub fn is_logged_in(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.is_known())
    }

    /// Whether its upstream was removed.
    pub fn is_gone(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn is_open(&self) -> Result<(), ErrorData> {
        if self.is_gone() {
            return Err(ErrorData::internal_error(format!("the upstream {} was removed", self.name), None));
        }
        Ok(())
    }

    fn shared(&self, can: &ClientCapabilities) -> (Arc<Session>, Behalf) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shared.iter().position(|(known, _)| known == can);
        // Whoever says something else each time can do nothing.
        let can = if found.is_none() && shared.len() >= KINDS { &ClientCapabilities::default() } else { can };
        let at = shared.iter().position(|(known, _)| known == can).unwrap_or_else(|| {
            shared.push((can.clone(), Arc::default()));
            shared.len().saturating_sub(1)
        });
        let behalf = Behalf { capabilities: can.clone(), session: None };
        (shared.get(at).map(|(_, session)| session.clone()).unwrap_or_default(), behalf)
    }

    /// What the upstream last said of itself.
    pub fn info(&self) -> Option<Arc<ServerPeerInfo>> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A tool the agent was shown.
    pub fn tool(&self, name: &str) -> Option<Tool> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The name of a tool the agent was shown that is this one.
    pub fn named(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).keys().find(|name| is(name)).cloned()
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

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_desk::wire::WireLimits;

    #[tokio::test]
    async fn a_room_whose_upstream_was_removed_opens_nothing_and_waits_for_nobody_who_is_opening() {
        let program = std::env::current_exe().unwrap().display().to_string();
        let limits = WireLimits { max_response_bytes: 1 << 20, timeout: Duration::from_secs(60) };
        let wire = Wire::new([], limits).unwrap();
        let list_and_end = Target::Command(vec![program, "--list".to_owned()]);
        let room = Room::new("local".parse().unwrap(), list_and_end, wire, None);
        let can = ClientCapabilities::default();
        let why = |line: Result<Arc<Line>, ErrorData>| line.err().unwrap().message;
        assert!(why(room.line(&Arc::default(), &can).await).contains("cannot be reached"), "its program is no server");
        let opening = room.shared(&can).0.clone();
        let _opening = opening.line.lock().await;
        room.hang_up().await;
        assert!(why(room.line(&Arc::default(), &can).await).contains("was removed"));
    }
}
