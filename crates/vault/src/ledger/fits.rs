//! What is to be signed must be what was quoted: every field of every form is compared before it is written down.

use countersign_core::{
    Millis,
    asset::{AssetId, Network, parse_address},
    payment::{Op, Quote},
    signable::{
        Eip3009, Signable,
        alipay::{CNY, Order, Ordered},
    },
};

use crate::error::VaultError;

/// The longest validity window, in seconds.
const LONGEST: u64 = 300;
/// How far the caller's clock reading may lie behind ours, in seconds.
const SLACK: u64 = 5;

/// Compares forms with the price they are for.
pub(crate) fn fits(quote: &Quote, forms: &[Signable], now: Millis) -> Result<(), VaultError> {
    let [form] = forms else { return Err(VaultError::Mismatch("the number of forms")) };
    let now = now.seconds();
    let window = [
        (form.valid_after() <= now.saturating_add(SLACK), "the start of the validity window"),
        (form.valid_before() > now, "the end of the validity window"),
        (
            form.valid_before() <= now.saturating_add(quote.lifetime_seconds.min(LONGEST)).saturating_add(SLACK),
            "the length of the validity window",
        ),
        (Signable::decode(&form.encode()).as_ref() == Some(form), "its encoding"),
    ];
    let fields = match form {
        Signable::Eip3009(a) => transfer(quote, a),
        Signable::Alipay(order) => ordered(quote, order),
    };
    fields.into_iter().chain(window).find(|(same, _)| !same).map_or(Ok(()), |(_, what)| Err(VaultError::Mismatch(what)))
}

type Checks = Vec<(bool, &'static str)>;

fn transfer(quote: &Quote, a: &Eip3009) -> Checks {
    let network = Network::eip155(a.chain_id);
    let domain = quote.domain.as_ref();
    let same_account = |text: &str, account| parse_address(text).is_ok_and(|address| address == account);
    vec![
        (quote.network.as_ref() == Some(&network), "the network"),
        (quote.exposure.asset == AssetId::erc20(&network, a.token), "the token"),
        (domain.is_some_and(|d| d.name == a.name && d.version == a.version), "the token's name or version"),
        (same_account(&quote.wallet, a.from), "the paying account"),
        (same_account(&quote.payee.account, a.to), "the paid account"),
        (quote.exposure.amount == a.value, "the amount"),
    ]
}

fn ordered(quote: &Quote, order: &Order) -> Checks {
    let (op, within) = match &order.what {
        Ordered::Refund { amount, of, .. } => (Op::Refund, amount <= of),
        Ordered::Link { .. } => (Op::ReceiveLink, true),
    };
    vec![
        (quote.op == op, "what it does"),
        (quote.network.is_none() && quote.exposure.asset.as_str() == CNY, "the currency"),
        (quote.wallet == format!("alipay:{}", order.app_id), "the merchant"),
        (quote.payee.account == order.account(), "the paid account"),
        (quote.exposure.amount == order.amount() && !order.amount().is_zero(), "the amount"),
        (within, "the trade's whole amount"),
    ]
}
