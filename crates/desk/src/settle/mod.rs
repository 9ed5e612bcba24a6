//! Settlement truth: what a seller claims is `claimed`; what a chain shows is `verified`; a hold is freed by proof of non-use only.

mod asked;
mod balance;
mod clock;
mod resolve;
mod rpc;
mod sight;

pub use clock::Witnesses;
pub use rpc::{Node, RpcError};

use countersign_core::{
    Millis,
    asset::Network,
    money::Amount,
    payment::{PaymentId, Quote},
    rail::Evidence,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

use crate::provider::Provider;

/// Asks the nodes, each payment when it is due.
pub struct Settler {
    nodes: BTreeMap<Network, Vec<Node>>,
    providers: BTreeMap<&'static str, Arc<dyn Provider>>,
    due: Mutex<BTreeSet<Due>>,
    sooner: Notify,
}

/// When to look at a payment, and how long to wait after that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Millis,
    payment: PaymentId,
    pause_ms: i64,
    pace: Pace,
}

/// How pauses grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// For nodes of a chain.
    Chain,
    /// For a provider.
    Provider,
}

impl Settler {
    /// With these nodes a network, and these providers a protocol or a scheme.
    pub fn new(nodes: BTreeMap<Network, Vec<Node>>, providers: BTreeMap<&'static str, Arc<dyn Provider>>) -> Self {
        Self { nodes, providers, due: Mutex::default(), sooner: Notify::new() }
    }

    /// Looks at a payment at this moment.
    pub fn look(&self, payment: &PaymentId, at: Millis) {
        self.put(Due { at, payment: payment.clone(), pause_ms: resolve::FIRST_PAUSE_MS, pace: Pace::Chain });
    }

    /// Whether any protocol has a provider.
    pub fn asks_any(&self) -> bool {
        !self.providers.is_empty()
    }

    /// Whom to ask about a payment: of its scheme alone, or of its protocol.
    pub fn provider(&self, quote: &Quote) -> Option<&dyn Provider> {
        let found = self.providers.get(quote.scheme.as_str()).or_else(|| self.providers.get(quote.rail.as_str()));
        found.map(AsRef::as_ref)
    }

    fn put(&self, new: Due) {
        let mut due = self.lock();
        let sooner = due.first().is_none_or(|first| new < *first);
        due.insert(new);
        drop(due);
        if sooner {
            self.sooner.notify_one();
        }
    }

    /// Puts back what was taken for a look, unless somebody had it looked at anew during that look.
    fn come_back(&self, due: Due) {
        if !self.lock().iter().any(|other| other.payment == due.payment) {
            self.put(due);
        }
    }

    /// Looks at a payment no more.
    fn forget(&self, payment: &PaymentId) {
        self.lock().retain(|due| due.payment != *payment);
    }

    /// Takes what is due, and says when the next look is.
    fn take(&self, now: Millis, most: usize) -> (Vec<Due>, Option<Millis>) {
        let mut due = self.lock();
        let mut taken = Vec::new();
        while taken.len() < most && due.first().is_some_and(|d| d.at <= now) {
            taken.extend(due.pop_first());
        }
        (taken, due.first().map(|d| d.at))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Due>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any network has a node.
    pub fn sees_any(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Whether there is anybody to ask about this network.
    pub fn can_see(&self, network: Option<&Network>) -> bool {
        network.is_some_and(|n| !self.of(n).is_empty())
    }

    /// Whether the payer holds at least `amount`; `None` where no node can tell.
    pub async fn can_pay(&self, network: &Network, evidence: &Evidence, amount: Amount) -> Option<bool> {
        for node in self.of(network) {
            match node.balance(evidence).await {
                Ok(hex) => {
                    let mut bytes = [0; 32];
                    alloy_primitives::hex::decode_to_slice(&hex, &mut bytes).ok()?;
                    return Some(Amount::from_be_bytes(bytes) >= amount);
                }
                Err(error) => tracing::warn!(%error, "a balance could not be read"),
            }
        }
        None
    }

    /// Every network with its nodes.
    fn networks(&self) -> impl Iterator<Item = (&Network, &[Node])> {
        self.nodes.iter().map(|(network, nodes)| (network, nodes.as_slice()))
    }

    fn of(&self, network: &Network) -> &[Node] {
        self.nodes.get(network).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(at: i64, payment: u8) -> Due {
        let payment = PaymentId::from_random([payment; 16]);
        Due { at: Millis(at), payment, pause_ms: 1_000, pace: Pace::Provider }
    }

    #[test]
    fn who_stops_looking_and_looks_again_during_a_look_is_not_looked_for_twice() {
        let settler = Settler::new(BTreeMap::new(), BTreeMap::new());
        settler.put(due(0, 1));
        let (mut taken, _) = settler.take(Millis(0), 32);
        let looked = taken.remove(0);
        settler.forget(&looked.payment);
        settler.put(due(1, 1));
        settler.come_back(Due { at: Millis(30_000), ..looked });
        settler.come_back(due(30_000, 2));
        assert_eq!(settler.take(Millis(60_000), 32).0, [due(1, 1), due(30_000, 2)]);
    }
}
