//! Whether our clock agrees with the world: a block of the future, or the `Date` of two unrelated servers, says that it does not.
//!
//! A doubt only tightens: everything asks until a person confirms the clock. An old block is no evidence, because a chain may
//! stand still and a node may lag; neither is a lone server, nor a chain of play money, whose time people move by hand.

use countersign_core::{Millis, approval::Said, asset::Network, origin::Origin};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Instant, UNIX_EPOCH},
};

use super::rpc::Node;
use crate::{desk::Desk, wire::Answer};

/// How far our clock may be from the world's.
const TOLERANCE_MS: i64 = 120_000;
/// How long one server's word is remembered, by the time since boot.
const REMEMBERED_MS: i64 = 600_000;
/// Servers remembered at once.
const SITES: usize = 64;

/// Servers whose clock disagrees with ours.
#[derive(Debug, Default)]
pub struct Witnesses(Mutex<BTreeMap<String, Sighting>>);

#[derive(Debug, Clone, Copy)]
struct Sighting {
    /// Their time less ours.
    ahead_ms: i64,
    boot_ms: i64,
}

/// One server's time, and ours around the moment it was said.
#[derive(Debug, Clone, Copy)]
struct Heard {
    date: Millis,
    asked: Millis,
    heard: Millis,
    boot_ms: i64,
}

impl Witnesses {
    /// Notes what a site says; once two sites say the same, by how much they are ahead of us.
    fn hear(&self, site: &str, said: Heard) -> Option<i64> {
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sites.retain(|_, seen| said.boot_ms.saturating_sub(seen.boot_ms) < REMEMBERED_MS);
        sites.remove(site);
        let ahead_ms = disagreement(said)?;
        let agrees = |seen: &Sighting| seen.ahead_ms.saturating_sub(ahead_ms).saturating_abs() <= TOLERANCE_MS;
        if sites.values().any(agrees) {
            sites.clear();
            return Some(ahead_ms);
        }
        if sites.len() < SITES {
            sites.insert(site.to_owned(), Sighting { ahead_ms, boot_ms: said.boot_ms });
        }
        None
    }
}

/// By how much a server is ahead of us, if by more than is tolerated: its date has whole seconds and was written between asking and hearing.
fn disagreement(said: Heard) -> Option<i64> {
    let late = said.date.0.saturating_sub(said.heard.0);
    let early = said.date.0.saturating_add(1_000).saturating_sub(said.asked.0);
    if late > TOLERANCE_MS {
        Some(late)
    } else if early < TOLERANCE_MS.saturating_neg() {
        Some(early)
    } else {
        None
    }
}

impl Desk {
    /// Compares our clock with the `Date` of an answer that came encrypted and from no cache.
    pub(crate) async fn compare_date(&self, answer: &Answer) {
        let header = |wanted: &str| answer.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let (Some(date), None, "https") = (header("date"), header("age"), answer.url.scheme()) else { return };
        let Some(date) = millis(date) else { return };
        let Ok(origin) = Origin::of(&answer.url) else { return };
        let ago = |moment: Instant| {
            Millis(self.now().0.saturating_sub(i64::try_from(moment.elapsed().as_millis()).unwrap_or(i64::MAX)))
        };
        let (asked, heard) = (ago(answer.asked), ago(answer.heard));
        let said = Heard { date, asked, heard, boot_ms: self.clock.boot_ms() };
        if let Some(ahead_ms) = self.witnesses.hear(origin.registrable(), said) {
            self.doubt_clock(servers_differ(ahead_ms)).await;
        }
    }

    /// Compares our clock with the newest block of the first node that answers.
    pub(crate) async fn compare_block(&self, network: &Network, nodes: &[Node]) {
        let Some(chain) = self.registry.chain(network).filter(|chain| !chain.testnet) else { return };
        for node in nodes {
            match node.latest_block().await {
                Ok(block) => {
                    let time = Millis(0).plus_seconds(block.time);
                    let ahead_ms = time.0.saturating_sub(self.now().0);
                    if ahead_ms > TOLERANCE_MS {
                        let why = Said::DoubtBlock { network: chain.name.clone(), seconds: seconds(ahead_ms) };
                        self.doubt_clock(why).await;
                    }
                    return;
                }
                Err(error) => tracing::warn!(%error, "a node did not show its newest block"),
            }
        }
    }

    async fn doubt_clock(&self, why: Said) {
        if self.vault.doubts().clock.is_some() {
            return;
        }
        tracing::warn!(%why, "the clock cannot be trusted; everything asks until a person confirms it");
        if let Err(error) = self.vault.doubt_clock(why).await {
            tracing::error!(%error, "a doubt about the clock could not be written down");
        }
    }
}

fn millis(date: &str) -> Option<Millis> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Millis)
}

fn servers_differ(ahead_ms: i64) -> Said {
    let seconds = seconds(ahead_ms);
    if ahead_ms > 0 { Said::DoubtServersBehind { seconds } } else { Said::DoubtServersAhead { seconds } }
}

fn seconds(ahead_ms: i64) -> String {
    ahead_ms.saturating_abs().checked_div(1_000).unwrap_or(0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_000_000_000;

    /// Said at boot time `boot_ms`, `ahead_ms` from our clock, which took two seconds.
    fn said(ahead_ms: i64, boot_ms: i64) -> Heard {
        Heard { date: Millis(NOON + ahead_ms), asked: Millis(NOON - 2_000), heard: Millis(NOON), boot_ms }
    }

    #[test]
    fn two_unrelated_servers_that_agree_are_believed_and_one_is_not() {
        for ahead_ms in [600_000, -600_000] {
            let witnesses = Witnesses::default();
            assert_eq!(witnesses.hear("a.example", said(ahead_ms, 0)), None, "one server");
            assert_eq!(witnesses.hear("a.example", said(ahead_ms, 1)), None, "the same server again");
            assert!(witnesses.hear("b.example", said(ahead_ms + 5_000, 2)).is_some(), "a second server");
            assert_eq!(witnesses.hear("c.example", said(ahead_ms, 3)), None, "what was said is used up");
        }
    }

    #[test]
    fn servers_that_contradict_each_other_changed_their_mind_or_spoke_long_ago_prove_nothing() {
        let witnesses = Witnesses::default();
        assert_eq!(witnesses.hear("a.example", said(600_000, 0)), None);
        assert_eq!(witnesses.hear("b.example", said(-600_000, 1)), None, "one says behind, one says ahead");
        assert_eq!(witnesses.hear("c.example", said(900_000, 2)), None, "five minutes apart from the first");
        let witnesses = Witnesses::default();
        assert_eq!(witnesses.hear("a.example", said(600_000, 0)), None);
        assert_eq!(witnesses.hear("a.example", said(0, 1)), None, "it agrees with us by now");
        assert_eq!(witnesses.hear("b.example", said(600_000, 2)), None);
        assert_eq!(
            witnesses.hear("c.example", said(600_000, 2 + REMEMBERED_MS)),
            None,
            "the one before spoke too long ago"
        );
    }

    #[test]
    fn two_minutes_are_tolerated_on_both_sides_of_a_slow_answer() {
        assert_eq!(disagreement(said(TOLERANCE_MS, 0)), None);
        assert!(disagreement(said(TOLERANCE_MS + 1, 0)).is_some());
        assert_eq!(disagreement(said(-TOLERANCE_MS - 3_000, 0)), None, "written two seconds ago, in whole seconds");
        assert!(disagreement(said(-TOLERANCE_MS - 3_001, 0)).is_some());
        let slow = Heard { asked: Millis(NOON - 60_000), ..said(-TOLERANCE_MS - 50_000, 0) };
        assert_eq!(disagreement(slow), None, "the answer took a minute");
    }

    #[test]
    fn sentences_say_which_way() {
        assert_eq!(servers_differ(600_000), Said::DoubtServersBehind { seconds: "600".to_owned() });
        assert_eq!(servers_differ(-180_500), Said::DoubtServersAhead { seconds: "180".to_owned() });
        assert_eq!(millis("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Millis(784_111_777_000)));
        assert_eq!(millis("yesterday"), None);
    }
}
