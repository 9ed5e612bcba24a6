//! Sessions are ours: minted for a token, over after ten idle minutes or twelve hours, never one a client names.

use countersign_core::{
    Millis,
    payment::{AgentName, Caller, Program, SessionId},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

const IDLE_MS: i64 = 10 * 60 * 1000;
const LONGEST_MS: i64 = 12 * 60 * 60 * 1000;

/// The running session of each agent.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<AgentName, Running>>);

#[derive(Debug)]
struct Running {
    id: SessionId,
    began: Millis,
    seen: Millis,
}

impl Sessions {
    /// The caller behind a checked token. However many connections and protocol sessions an agent opens, its session is one.
    pub fn caller(&self, agent: AgentName, program: Option<Program>, now: Millis) -> Caller {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over =
            |s: &Running| now.0.saturating_sub(s.seen.0) > IDLE_MS || now.0.saturating_sub(s.began.0) > LONGEST_MS;
        let session = match sessions.get_mut(&agent) {
            Some(running) if !over(running) => {
                running.seen = now;
                running.id.clone()
            }
            _ => {
                let id = mint(&agent, now);
                sessions.insert(agent.clone(), Running { id: id.clone(), began: now, seen: now });
                id
            }
        };
        Caller { agent, session, program }
    }
}

/// `s` and the moment in hex; unique for one agent, and it is never compared across agents.
fn mint(agent: &AgentName, now: Millis) -> SessionId {
    let text = format!("s{:x}-{agent}", now.0);
    text.parse().unwrap_or_else(|_| unreachable!("an agent's name and hex digits are visible ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_after_ten_idle_minutes_and_after_twelve_hours() {
        let sessions = Sessions::default();
        let at = |ms| sessions.caller("a".parse().unwrap(), None, Millis(ms)).session;
        let first = at(0);
        assert_eq!(at(IDLE_MS), first);
        assert_ne!(at(2 * IDLE_MS + 1), first);
        let other = sessions.caller("b".parse().unwrap(), None, Millis(2 * IDLE_MS + 1)).session;
        assert_ne!(at(2 * IDLE_MS + 1), other);
        let start = 4 * IDLE_MS;
        let mut now = start;
        let long = at(now);
        while now < start + LONGEST_MS {
            assert_eq!(at(now), long);
            now += IDLE_MS / 2;
        }
        assert_ne!(at(now + 1), long);
    }
}
