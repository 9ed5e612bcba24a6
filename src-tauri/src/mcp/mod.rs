//! MCP on `/mcp`: the same desk as `/v1`, as six tools. Nothing here can approve, change policy or touch a key.
//!
//! Both protocol eras share the endpoint. The older one has sessions, which outlive a restart and a long pause; the newer one
//! has none. Who calls is told anew by each request's token. A disconnect, a timeout or a withdrawn request only ends the
//! waiting, never a payment; and whatever a client answers when it is shown where to decide, it has decided nothing.

mod answer;
mod ask;
mod call;
mod delivery;
mod elicit;
mod eras;
mod front;
mod link;
#[cfg(test)]
mod page;
mod resources;
mod server;
mod sessions;
mod stream;
mod tasks;
mod tools;
mod upstreams;
mod wait;

use axum::{Router, middleware, routing::any};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{config, http::App};

pub(crate) use answer::{result as answer, waiting};
pub(crate) use ask::Way;
pub(crate) use call::{Calling, look};
pub(crate) use delivery::Delivery;
pub(crate) use elicit::beside;
pub(crate) use eras::config as library;
pub(crate) use front::front;
pub(crate) use link::{declined, show};
pub(crate) use stream::Stream;
pub(crate) use tasks::{CALL, begin as begin_task, heard as heard_task, look as look_task};
pub(crate) use tools::look_tool;
#[cfg(test)]
pub(crate) use tools::tools;
pub(crate) use upstreams::{Listed, Upstreams};
pub(crate) use wait::{BEAT, SAYS, patience};

/// What `/mcp` needs beside the desk.
pub struct Mcp {
    sessions: PathBuf,
    idle: Duration,
    seal: link::Seal,
}

impl Mcp {
    /// Sessions are kept in a folder of the data directory.
    ///
    /// # Errors
    /// Without randomness from the operating system.
    pub fn new(data: &Path, settings: &config::Mcp) -> anyhow::Result<Self> {
        let idle = Duration::from_secs(settings.session_idle_seconds);
        Ok(Self { sessions: data.join("sessions"), idle, seal: link::Seal::new()? })
    }

    /// The routes under `/mcp`, with the tools of the upstreams beside our own; the guard stands in front of them.
    pub fn router(self, app: Arc<App>, upstreams: Arc<dyn Upstreams>) -> Router {
        let eras = eras::Eras::new(app, upstreams, self.sessions, self.idle, self.seal);
        let route = any(eras::answer).layer(middleware::from_fn(front::front));
        Router::new().route("/mcp", route).with_state(Arc::new(eras))
    }
}
