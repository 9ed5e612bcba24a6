//! Settlement truth: what a seller claims is `claimed`; what a chain shows is `verified`; a hold is freed by proof of non-use only.

mod resolve;
mod rpc;

pub use rpc::{Node, RpcError};

use countersign_core::{asset::Network, money::Amount, rail::Evidence};
use std::collections::BTreeMap;
use tokio::sync::Notify;

/// Asks the nodes.
pub struct Settler {
    nodes: BTreeMap<Network, Vec<Node>>,
    soon: Notify,
}

impl Settler {
    /// With these nodes a network.
    pub fn new(nodes: BTreeMap<Network, Vec<Node>>) -> Self {
        Self { nodes, soon: Notify::new() }
    }

    /// Something was just paid: look before the next round.
    pub fn look_soon(&self) {
        self.soon.notify_one();
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

    fn of(&self, network: &Network) -> &[Node] {
        self.nodes.get(network).map_or(&[], Vec::as_slice)
    }
}
