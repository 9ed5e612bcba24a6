//! *Add money*: where to send what, what is there, and that something arrived. Balances come from the person's own nodes and decide nothing.

use countersign_core::{
    asset::{Asset, Network, Transfer},
    money::{Amount, Micro},
    registry::Chain,
};
use countersign_desk::Desk;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
#[cfg(test)]
use ts_rs::TS;

use super::super::qr::QrView;

/// Where play money can be had, by network.
const FAUCETS: &[(u64, &str)] = &[
    (84532, "https://faucet.circle.com"),
    (421_614, "https://faucet.circle.com"),
    (11_142_220, "https://faucet.celo.org/celo-sepolia"),
];

/// Where an account gets its money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct MoneyView {
    pub address: String,
    pub qr: QrView,
    /// Those with a node first.
    pub networks: Vec<MoneyOn>,
    /// It holds more real money than a month needs.
    pub float: Option<FloatView>,
}

/// More than a float: what is not needed here is safer elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct FloatView {
    /// What it holds, as far as its value is known.
    pub holds: String,
    /// The most that the budgets over everything let through in a month.
    pub needs: String,
}

impl FloatView {
    fn of(holds: Micro, needs: Option<Micro>, reference: &str) -> Option<Self> {
        let needs = needs.filter(|needs| holds > *needs)?;
        Some(Self { holds: format!("{holds} {reference}"), needs: format!("{needs} {reference}") })
    }
}

/// One token of one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct MoneyOn {
    /// CAIP-19 id of the token.
    pub id: String,
    pub network: String,
    pub symbol: String,
    /// The token's contract.
    pub token: String,
    pub testnet: bool,
    pub faucet: Option<String>,
    pub has: HasView,
    /// What came since the page was opened.
    pub arrived: Option<String>,
}

/// What an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum HasView {
    /// Nobody was asked: no node is set for this network.
    NoNode,
    /// The node did not say.
    Silent,
    Amount {
        amount: String,
    },
}

/// What was there when somebody began to look.
#[derive(Default)]
pub struct Seen(Mutex<BTreeMap<(String, String), Amount>>);

impl Seen {
    /// What came since `afresh` was last said; spending in between counts against it.
    fn arrived(&self, account: &str, asset: &Asset, now: Amount, afresh: bool) -> Option<Amount> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account.to_owned(), asset.id.as_str().to_owned());
        if afresh {
            seen.insert(key, now);
            return None;
        }
        let before = *seen.entry(key).or_insert(now);
        now.checked_sub(before).filter(|more| !more.is_zero())
    }
}

/// What is shown of an account. `afresh`: what is there counts as having been there.
pub async fn view(desk: &Desk, seen: &Seen, account: &str, afresh: bool) -> Option<MoneyView> {
    let registry = desk.registry();
    let asked: BTreeSet<Network> = desk.networks_with_nodes().cloned().collect();
    let (mut networks, mut holds) = (Vec::new(), Micro(0));
    // What only Tempo moves is shown where its chain is looked at: to pay it has to be turned on.
    let shown = |asset: &&Asset| match asset.transfer {
        Transfer::Eip3009 => true,
        Transfer::Tip20 => asset.id.network().is_some_and(|network| asked.contains(&network)),
        Transfer::Permit2 => false,
    };
    for asset in registry.assets().filter(shown) {
        let Some((network, token)) = asset.id.network().zip(asset.id.token()) else { continue };
        let Some(chain) = registry.chain(&network) else { continue };
        let (has, arrived) = match desk.balance(asset, account).await {
            None => (HasView::NoNode, None),
            Some(Err(error)) => {
                tracing::info!(%error, "a balance is not known");
                (HasView::Silent, None)
            }
            Some(Ok(amount)) => {
                if let (false, Ok(Some(value))) = (chain.testnet, registry.value(asset, amount)) {
                    holds = Micro(holds.0.saturating_add(value.0));
                }
                (
                    HasView::Amount { amount: written(amount, asset) },
                    seen.arrived(account, asset, amount, afresh).map(|more| written(more, asset)),
                )
            }
        };
        let on = one(asset, chain, token.to_string(), has, arrived);
        networks.push((!asked.contains(&network), chain.testnet, network, on));
    }
    networks.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
    let networks = networks.into_iter().map(|(.., on)| on).collect();
    let needs = desk.vault().policy().and_then(|policy| policy.most_in_a_month());
    let float = FloatView::of(holds, needs, registry.reference());
    Some(MoneyView { address: account.to_owned(), qr: QrView::of(account)?, networks, float })
}

fn one(asset: &Asset, chain: &Chain, token: String, has: HasView, arrived: Option<String>) -> MoneyOn {
    let faucet = FAUCETS.iter().find(|(id, _)| chain.network.chain_id() == Some(*id) && chain.testnet);
    MoneyOn {
        id: asset.id.as_str().to_owned(),
        network: countersign_core::text::clean(&chain.name),
        symbol: countersign_core::text::clean(&asset.symbol),
        token,
        testnet: chain.testnet,
        faucet: faucet.map(|(_, url)| (*url).to_owned()),
        has,
        arrived,
    }
}

fn written(amount: Amount, asset: &Asset) -> String {
    format!("{} {}", amount.human(asset.decimals), countersign_core::text::clean(&asset.symbol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::registry::Registry;

    #[test]
    fn what_arrives_is_told_and_what_was_there_is_not() {
        let registry = Registry::builtin("USD");
        let asset = registry.assets().next().unwrap();
        let seen = Seen::default();
        let amount = |units: &str| Amount::parse_atomic(units).unwrap();
        assert_eq!(seen.arrived("0x1", asset, amount("5"), true), None);
        assert_eq!(seen.arrived("0x1", asset, amount("5"), false), None);
        assert_eq!(seen.arrived("0x1", asset, amount("12"), false), Some(amount("7")));
        assert_eq!(seen.arrived("0x1", asset, amount("4"), false), None, "spent meanwhile");
        assert_eq!(seen.arrived("0x2", asset, amount("9"), false), None, "another account begins with what it has");
        assert_eq!(seen.arrived("0x1", asset, amount("12"), true), None, "looked at afresh");
    }

    #[test]
    fn what_is_above_the_need_of_a_month_is_said_and_no_limit_is_no_need() {
        let usd = |text: &str| Micro::parse(text).unwrap();
        let advice = FloatView::of(usd("120"), Some(usd("50")), "USD").unwrap();
        assert_eq!((advice.holds.as_str(), advice.needs.as_str()), ("120.00 USD", "50.00 USD"));
        assert_eq!(FloatView::of(usd("50"), Some(usd("50")), "USD"), None);
        assert_eq!(FloatView::of(usd("120"), None, "USD"), None);
    }

    #[test]
    fn every_faucet_is_one_of_a_test_network_we_know() {
        let registry = Registry::builtin("USD");
        for (id, url) in FAUCETS {
            assert!(registry.chain(&Network::eip155(*id)).unwrap().testnet, "{id}");
            assert!(url.starts_with("https://"));
        }
    }
}
