//! The port to the upstreams behind us: their tools stand beside our own on `/mcp`, and never in front of them.

use async_trait::async_trait;
use countersign_core::payment::AgentName;
use countersign_desk::outcome::Outcome;
use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, Tool},
    service::RequestContext,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::http::App;

/// The tools of all upstreams.
pub struct Listed {
    /// Those that are known.
    pub tools: Vec<Tool>,
    /// Whether those are all.
    pub whole: bool,
}

/// What `/mcp` needs of them.
#[async_trait]
pub trait Upstreams: Send + Sync {
    /// Whether there are any.
    fn any(&self) -> bool;

    /// Their tools, as this agent may see them; soon, and without those that cannot be had soon.
    async fn tools(&self, agent: &AgentName) -> Listed;

    /// Calls one of their tools; none if no upstream has it.
    ///
    /// # Errors
    /// What the upstream says instead of a result.
    async fn call(
        &self,
        app: &Arc<App>,
        sent: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<CallToolResponse>, ErrorData>;

    /// The outcome of a call as its tool's own result, in answer to this request.
    fn result(&self, agent: &AgentName, outcome: Outcome, context: &RequestContext<RoleServer>) -> CallToolResult;

    /// This request is about to be answered with how a payment stands: an end that is told is not told again by the same call.
    fn hands_out(&self, agent: &AgentName, outcome: Outcome, context: &RequestContext<RoleServer>);

    /// Says for whom the list of tools has changed; for everybody where it names nobody.
    fn news(&self) -> Receiver<Option<AgentName>>;
}

/// Waits until the tools of this agent have changed.
pub async fn changed(news: &mut Receiver<Option<AgentName>>, agent: &AgentName) {
    loop {
        match news.recv().await {
            Ok(of) if of.as_ref().is_none_or(|of| of == agent) => return,
            Ok(_) => {}
            // What was missed may have been of this agent.
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Tells a session's client of changes, as long as it is there.
pub async fn tell(
    mut news: Receiver<Option<AgentName>>,
    agent: AgentName,
    client: Peer<RoleServer>,
    hears: Arc<AtomicBool>,
) {
    loop {
        changed(&mut news, &agent).await;
        if client.notify_tool_list_changed().await.is_err() {
            hears.store(false, Ordering::Relaxed);
            return;
        }
    }
}
