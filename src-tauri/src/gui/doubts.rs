//! Asks the person about what start-up found odd: a policy loosened or an agent paired while nothing ran, a clock or a history gone back.
//!
//! Until that is confirmed every payment asks. A no changes nothing, and is asked again at the next start.

use countersign_core::approval::Said;
use countersign_desk::{
    Desk,
    approver::{Approver as _, Change},
};
use countersign_vault::{Confirm, Doubts};
use std::sync::Arc;

use super::approver::WindowApprover;

/// Asks one thing after the other.
pub async fn ask(desk: Arc<Desk>, approver: Arc<WindowApprover>) {
    let strangers: Vec<String> = match desk.vault().list_agents().await {
        Ok(agents) => {
            agents.into_iter().filter(|a| !a.confirmed && a.revoked_at.is_none()).map(|a| a.name.to_string()).collect()
        }
        Err(error) => return tracing::error!(%error, "the agents cannot be read"),
    };
    let looser = match desk.vault().to_confirm(None).await {
        Ok(looser) => looser,
        Err(error) => return tracing::error!(%error, "what was changed cannot be read"),
    };
    for (what, title, lines) in changes(desk.vault().doubts(), looser, strangers) {
        let Some(id) = id() else { return };
        if !approver.confirm(Change { id, title, lines }).await {
            continue;
        }
        if let Err(error) = desk.vault().confirm(what).await {
            tracing::error!(%error, "what was confirmed could not be written down");
        }
        desk.look_again();
    }
}

fn changes(doubts: Doubts, looser: Vec<Said>, strangers: Vec<String>) -> Vec<(Confirm, Said, Vec<Said>)> {
    let mut all = Vec::new();
    let agents = strangers.into_iter().map(|agent| Said::Paired { agent });
    let lines: Vec<Said> = doubts.policy.into_iter().chain(looser).chain(agents).collect();
    if !lines.is_empty() {
        all.push((Confirm::Policy, Said::AskOffline {}, lines));
    }
    if let Some(why) = doubts.clock {
        all.push((Confirm::Clock, Said::AskClock {}, vec![why]));
    }
    if let Some(why) = doubts.history {
        all.push((Confirm::History, Said::AskHistory {}, vec![why]));
    }
    all
}

/// A name for one change.
pub fn id() -> Option<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("chg_{:016x}", u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_odd_asks_nothing_and_each_doubt_asks_for_itself() {
        let told = |text: &str| Said::Told { text: text.to_owned() };
        assert!(changes(Doubts::default(), Vec::new(), Vec::new()).is_empty());
        let all = changes(
            Doubts { policy: None, clock: Some(told("gone back")), history: Some(told("shorter")) },
            vec![told("limit-day: 5.00 → 50.00")],
            vec!["researcher".to_owned()],
        );
        let asked: Vec<Confirm> = all.iter().map(|(what, ..)| *what).collect();
        assert!(matches!(asked[..], [Confirm::Policy, Confirm::Clock, Confirm::History]), "{asked:?}");
        assert_eq!(all[0].2[0], told("limit-day: 5.00 → 50.00"), "what is confirmed is shown");
        assert_eq!(all[0].2[1], Said::Paired { agent: "researcher".to_owned() });
    }
}
