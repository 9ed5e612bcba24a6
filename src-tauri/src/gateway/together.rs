//! All upstreams in one list: `NAME__tool`, beside our own tools on `/mcp`.

use async_trait::async_trait;
use countersign_core::payment::{AgentName, Digest};
use countersign_desk::outcome::Outcome;
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, Tool},
    service::RequestContext,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::Receiver,
    time::{Instant, timeout_at},
};

use super::{Gateway, call, face::Face, pay, room::Room, shelf, target::Name, widen::widened};
use crate::{
    http::App,
    mcp::{Calling, Listed, Upstreams},
};

/// How long a list waits for upstreams that were never heard.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longest name of a tool, characters.
const LONGEST: usize = 48;
/// Digits of the hash at the end of a name that could not stay as it was.
const HASH: usize = 8;
const BETWEEN: &str = "__";

/// The upstreams as the common list knows them.
pub struct Together(pub Arc<Gateway>);

impl Together {
    fn rooms(&self, agent: &AgentName) -> Vec<Arc<Room>> {
        let names = self.0.list().unwrap_or_default();
        names.iter().filter_map(|(name, _)| self.0.room(agent, name)).collect()
    }

    /// The upstream and the tool behind a name.
    async fn find(
        &self,
        app: &Arc<App>,
        name: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<(Face, String)>, ErrorData> {
        let agent = Calling::of(context)?.caller.agent;
        for room in self.rooms(&agent) {
            if !could_be(&room.name, name) {
                continue;
            }
            let face = Face::new(app.clone(), self.0.clone(), room);
            if let Some(tool) = face.found(context, |tool| shown(&face.room.name, tool) == name).await? {
                return Ok(Some((face, tool)));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Upstreams for Together {
    fn any(&self) -> bool {
        self.0.list().is_ok_and(|all| !all.is_empty())
    }

    async fn tools(&self, agent: &AgentName) -> Listed {
        let rooms = self.rooms(agent);
        let asking: Vec<_> = rooms.iter().filter_map(|room| shelf::refresh(&self.0, agent, room)).collect();
        let until = Instant::now() + PATIENCE;
        for asked in asking {
            // Whoever takes longer goes on being asked.
            let _ = timeout_at(until, asked).await;
        }
        let mut listed = Listed { tools: Vec::new(), whole: true };
        for room in rooms {
            match room.shelf.tools() {
                Some(tools) => listed.tools.extend(tools.into_iter().map(|tool| renamed(&room.name, tool))),
                None => listed.whole = false,
            }
        }
        listed
    }

    async fn call(
        &self,
        app: &Arc<App>,
        mut sent: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<CallToolResponse>, ErrorData> {
        let Some((face, tool)) = self.find(app, &sent.name, context).await? else { return Ok(None) };
        sent.name = tool.into();
        call::call(&face, sent, context).await.map(Some)
    }

    fn result(&self, agent: &AgentName, outcome: Outcome, context: &RequestContext<RoleServer>) -> CallToolResult {
        self.hands_out(agent, outcome.clone(), context);
        pay::result(Ok(outcome))
    }

    fn hands_out(&self, agent: &AgentName, outcome: Outcome, context: &RequestContext<RoleServer>) {
        self.0.hands_out(agent, outcome, context);
    }

    fn news(&self) -> Receiver<Option<AgentName>> {
        self.0.news.subscribe()
    }
}

fn renamed(upstream: &Name, mut tool: Tool) -> Tool {
    tool.name = shown(upstream, &tool.name).into();
    tool.output_schema = tool.output_schema.take().and_then(|schema| widened(&schema));
    tool
}

/// A tool's name in the common list. One that is too long, or has characters that clients do not take, ends with a hash of what
/// it was.
fn shown(upstream: &Name, tool: &str) -> String {
    let whole = format!("{upstream}{BETWEEN}{tool}");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if whole.len() <= LONGEST && whole.chars().all(plain) {
        return whole;
    }
    let kept = LONGEST.saturating_sub(HASH).saturating_sub(1);
    let cut: String = whole.chars().map(|c| if plain(c) { c } else { '_' }).take(kept).collect();
    let hash = Digest::of(&[whole.as_bytes()]).to_string();
    let hash: String = hash.chars().filter(char::is_ascii_hexdigit).take(HASH).collect();
    format!("{cut}_{hash}")
}

/// Whether a tool of this upstream could have this name, so that only that upstream is asked.
fn could_be(upstream: &Name, name: &str) -> bool {
    let start = format!("{upstream}{BETWEEN}");
    let kept = LONGEST.saturating_sub(HASH).saturating_sub(1).min(start.len());
    name.starts_with(start.get(..kept).unwrap_or(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_tell_tools_apart() {
        let up: Name = "maps".parse().unwrap();
        assert_eq!(shown(&up, "route.v2-x_y"), "maps__route.v2-x_y");
        assert_eq!(shown(&up, &"a".repeat(42)).len(), 48);
        let long: Name = "a".repeat(40).parse().unwrap();
        let odd = [
            shown(&up, &"a".repeat(43)),
            shown(&up, &"a".repeat(44)),
            shown(&up, "rué"),
            shown(&up, "rue/"),
            shown(&up, "ru e"),
            shown(&long, "route"),
            shown(&long, "routes"),
        ];
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        for name in &odd {
            assert!(name.len() <= LONGEST && name.chars().all(plain), "{name}");
            assert_eq!(odd.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        assert!(odd[..5].iter().all(|name| could_be(&up, name)) && odd[5..].iter().all(|name| could_be(&long, name)));
        assert!(
            crate::mcp::tools().iter().all(|ours| !ours.name.contains(BETWEEN)),
            "no upstream's tool can have our names"
        );
    }
}
