//! Waiting on behalf of a client: how long, with a sign of life, and only as long as somebody listens.

use rmcp::{
    ErrorData, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for a client that asks for no progress: the most impatient give up after 30 s.
const QUIET: u64 = 25;
/// Longest wait for a client that hears from us meanwhile: the most impatient give up after 60 s.
const WITH_PROGRESS: u64 = 45;
const BEAT: Duration = Duration::from_secs(5);
const SAYS: &str = "Working. If a person has to decide, they do so in the Countersign window.";

/// The longest wait, in seconds, that a client is expected to stand; it stands more where it hears progress.
pub const fn patience(hears_progress: bool) -> u64 {
    if hears_progress { WITH_PROGRESS } else { QUIET }
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
        assert!(patience(false) < 30 && patience(true) < 60);
        assert!((5..=10).contains(&BEAT.as_secs()));
    }
}
