//! Waiting on behalf of a client: how long, with a sign of life, and only as long as somebody listens.

use rmcp::{
    ErrorData, RoleServer,
    model::{Implementation, ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for a client that asks for no progress: the most impatient give up after 30 s.
const QUIET: u64 = 25;
/// Longest wait for a client that hears from us meanwhile: the most impatient give up after 60 s.
const WITH_PROGRESS: u64 = 45;
/// The most impatient of those that progress keeps waiting give up after 5 s of silence.
pub const BEAT: Duration = Duration::from_secs(4);
/// What is said meanwhile.
pub const SAYS: &str = "Working. If a person has to decide, they do so in the Countersign window.";

/// Clients known to stand more: the name they give, the first version it is known of, and how long, in seconds. Whoever gives a
/// false name makes nobody wait but itself.
///
/// Claude Code puts a call into the background after two minutes; Gemini CLI gives it ten minutes, goose five, VS Code all it needs.
const PATIENT: [(&str, [u32; 3], u64); 4] = [
    ("claude-code", [2, 1, 212], 110),
    ("Visual Studio Code", [1, 102, 0], 150),
    ("gemini-cli-mcp-client", [0, 0, 1], 150),
    ("goose", [1, 0, 0], 150),
];

/// The longest wait, in seconds, that the client of this request is expected to stand; more where it hears progress or is known.
pub fn patience(context: &RequestContext<RoleServer>) -> u64 {
    longest(context.meta.get_progress_token().is_some(), context.client_info().as_ref())
}

fn longest(hears_progress: bool, client: Option<&Implementation>) -> u64 {
    let known = client.and_then(|client| {
        let (.., longest) =
            PATIENT.iter().find(|(name, since, _)| client.name == *name && version(client) >= *since)?;
        Some(*longest)
    });
    known.unwrap_or(if hears_progress { WITH_PROGRESS } else { QUIET })
}

/// The first three numbers of a version; what is no number counts as 0.
fn version(client: &Implementation) -> [u32; 3] {
    let mut parts = client.version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

/// Follows `work` to its end, with progress every few seconds where the request asked for it.
///
/// # Errors
/// When the client withdrew the request. What it asked for goes on.
pub async fn wait<T>(context: &RequestContext<RoleServer>, work: impl Future<Output = T>) -> Result<T, ErrorData> {
    let token = context.meta.get_progress_token();
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => Ok(done),
        () = beat(context, token) => unreachable!("a heart beats for ever"),
        () = context.ct.cancelled() => {
            Err(ErrorData::internal_error("the request was withdrawn; a payment it started goes on, and get_payment tells how", None))
        }
    }
}

async fn beat(context: &RequestContext<RoleServer>, token: Option<ProgressToken>) {
    let Some(token) = token else { return std::future::pending().await };
    let mut beats = tokio::time::interval_at(Instant::now() + BEAT, BEAT);
    for count in 1_u32.. {
        beats.tick().await;
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(count)).with_message(SAYS);
        let _ = context.peer.notify_progress(progress).await;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_ends_before_the_most_impatient_client_does_and_progress_comes_in_time() {
        assert!(longest(false, None) < 30 && longest(true, None) < 60);
        assert!(BEAT.as_secs() < 5);
    }

    #[test]
    fn only_clients_known_by_name_and_version_are_kept_longer() {
        for (name, version, expected) in [
            ("claude-code", "2.1.212", 110),
            ("claude-code", "2.10.0", 110),
            ("claude-code", "2.1.211", QUIET),
            ("claude-code", "", QUIET),
            ("Claude-Code", "3.0.0", QUIET),
            ("Visual Studio Code", "1.120.1-insider", 150),
            ("gemini-cli-mcp-client", "0.0.1", 150),
            ("goose", "1.12.0", 150),
            ("claude-ai", "0.1.0", QUIET),
        ] {
            assert_eq!(longest(false, Some(&Implementation::new(name, version))), expected, "{name} {version}");
        }
        assert_eq!(longest(true, Some(&Implementation::new("claude-code", "2.1.0"))), WITH_PROGRESS);
        assert!(PATIENT.iter().all(|(.., seconds)| (WITH_PROGRESS..=150).contains(seconds)));
    }
}
