//! `gateway login`: the person sees where their browser will go, then goes there; whoever asked waits for them.

use countersign_vault::keys::Secret;
use serde_json::json;
use std::time::Duration;
use url::Url;

use super::{
    Reply, op,
    server::{Counter, hung_up, say},
};
use crate::{
    door::Line,
    gateway::{Introduced, Name},
};

/// How long a person may take in their browser.
const PATIENCE: Duration = Duration::from_secs(600);

/// Who we are to the authorization server, as the command line said it.
pub fn introduced(id: Option<String>, secret: Secret, document: Option<Url>) -> Introduced {
    match id {
        Some(id) => Introduced::Known(id, (!secret.expose().is_empty()).then_some(secret)),
        None => Introduced::Fresh(document),
    }
}

impl Counter {
    /// Logs in to an upstream.
    pub(super) async fn log_in(&self, name: &Name, as_whom: Introduced, line: &mut Line) -> anyhow::Result<Reply> {
        let found = self.gateway.find_login(name).await?;
        let (title, lines) = found.question();
        if let Some(not_allowed) = self.ask("gateway login", title, lines, line).await? {
            return Ok(not_allowed);
        }
        let under_way = found.begin(as_whom).await?;
        say(line, &op::Line::Open { open: under_way.page().clone() }).await?;
        let silence = || Ok(Reply::Unanswered("nobody logged in; nothing was changed".to_owned()));
        let ended = tokio::select! {
            ended = tokio::time::timeout(PATIENCE, under_way.end()) => ended,
            () = hung_up(line) => return silence(),
        };
        match ended {
            Ok(scopes) => Ok(Reply::Done(json!({"name": name, "logged_in": true, "scopes": scopes?}))),
            Err(_) => silence(),
        }
    }
}
