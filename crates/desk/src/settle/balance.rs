//! What an account holds, as a node says it: for the person's eyes, and for no decision.

use countersign_core::{
    asset::{Asset, Network, parse_address},
    money::Amount,
};

use super::rpc::RpcError;
use crate::desk::Desk;

impl Desk {
    /// Networks that a node is known for.
    pub fn networks_with_nodes(&self) -> impl Iterator<Item = &Network> {
        self.settler.networks().map(|(network, _)| network)
    }

    /// What an account holds of a token, by the first of its network's nodes that answers; none where there is no node.
    pub async fn balance(&self, asset: &Asset, account: &str) -> Option<Result<Amount, RpcError>> {
        let (network, token) = (asset.id.network()?, asset.id.token()?);
        let account = parse_address(account).ok()?;
        let (_, nodes) = self.settler.networks().find(|(known, _)| **known == network)?;
        let mut last = None;
        for node in nodes {
            match node.balance_of(token, account).await {
                Ok(amount) => return Some(Ok(amount)),
                Err(error) => last = Some(Err(error)),
            }
        }
        last
    }
}
