//! The tools one agent knows of one upstream, for the list of all upstreams: as they were last heard, and heard again behind the
//! back of whoever asks, so that an upstream that does not answer holds up nobody.

use countersign_core::payment::AgentName;
use rmcp::model::{
    ClientCapabilities, ClientRequest, PaginatedRequestParams, RequestMetaObject, RequestOptionalParam, ServerResult,
    Tool,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use super::{Gateway, face::PAGES, mail::BOX, room::Room, toll::Booth};

/// How long a list is taken for what the upstream has.
const FRESH: Duration = Duration::from_secs(10);
/// How long one that could not be heard is left alone.
const REST: Duration = Duration::from_secs(2);
/// Most tools of one upstream in the common list.
const MOST: usize = 500;

/// What is known.
#[derive(Default)]
pub struct Shelf(Mutex<Known>);

#[derive(Default)]
struct Known {
    tools: Option<Vec<Tool>>,
    heard: Option<Instant>,
    asking: bool,
}

impl Shelf {
    /// The tools, if the upstream could be heard when it was last asked.
    pub fn tools(&self) -> Option<Vec<Tool>> {
        self.lock().tools.clone()
    }

    /// Whether it is to be asked now, which then is the caller's to do; and whether it is the first time.
    fn due(&self) -> Option<bool> {
        let mut known = self.lock();
        let long = if known.tools.is_some() { FRESH } else { REST };
        let fresh = known.heard.is_some_and(|heard| heard.elapsed() < long);
        if known.asking || fresh {
            return None;
        }
        known.asking = true;
        Some(known.heard.is_none())
    }

    /// What was heard is no longer so.
    pub fn forget(&self) {
        self.lock().heard = None;
    }

    /// Whether what was heard is new.
    fn heard(&self, tools: Option<Vec<Tool>>) -> bool {
        let mut known = self.lock();
        let new = known.tools != tools;
        *known = Known { tools, heard: Some(Instant::now()), asking: false };
        new
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the upstream for its tools where they are not fresh. What was never asked before is worth a short wait.
pub fn refresh(gateway: &Arc<Gateway>, agent: &AgentName, room: &Arc<Room>) -> Option<JoinHandle<()>> {
    let first = room.shelf.due()?;
    let (gateway, agent, room) = (gateway.clone(), agent.clone(), room.clone());
    let asking = tokio::spawn(async move {
        let tools = list(&gateway, &room).await;
        if room.shelf.heard(tools) {
            // Nobody may be listening.
            let _ = gateway.news.send(Some(agent));
        }
    });
    first.then_some(asking)
}

async fn list(gateway: &Arc<Gateway>, room: &Arc<Room>) -> Option<Vec<Tool>> {
    let line = room.line(&Arc::default(), &ClientCapabilities::default()).await.ok()?;
    let (to, _mail) = mpsc::channel(BOX);
    let (mut all, mut page) = (Vec::new(), None);
    for _ in 0..PAGES {
        let request = RequestOptionalParam { params: page, ..RequestOptionalParam::default() };
        let request = ClientRequest::ListToolsRequest(request);
        let nothing = (RequestMetaObject::default(), Booth::default());
        let answer = line.call(request, nothing.0, to.clone(), &nothing.1, std::future::pending::<()>()).await;
        let Ok(ServerResult::ListToolsResult(list)) = answer else { return None };
        let last = list.next_cursor.is_none();
        let agreed = gateway.agreed(&room.name, list.tools, last).await;
        room.saw(&agreed, all.is_empty());
        all.extend(agreed);
        match list.next_cursor {
            Some(next) if all.len() < MOST => page = Some(PaginatedRequestParams::default().with_cursor(Some(next))),
            _ => break,
        }
    }
    all.truncate(MOST);
    Some(all)
}
