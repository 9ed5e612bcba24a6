//! What is to be signed must be what was quoted: every field of every form is compared before it is written down.

use countersign_core::{
    Millis,
    asset::{AssetId, Network, parse_address},
    payment::Quote,
    signable::Signable,
};

use crate::error::VaultError;

/// The longest validity window, in seconds.
const LONGEST: u64 = 300;
/// How far the caller's clock reading may lie behind ours, in seconds.
const SLACK: u64 = 5;

/// Compares forms with the price they are for.
pub(crate) fn fits(quote: &Quote, forms: &[Signable], now: Millis) -> Result<(), VaultError> {
    let [form] = forms else { return Err(VaultError::Mismatch("the number of forms")) };
    let Signable::Eip3009(a) = form;
    let network = Network::eip155(a.chain_id);
    let domain = quote.domain.as_ref();
    let same_account = |text: &str, account| parse_address(text).is_ok_and(|address| address == account);
    let now = now.seconds();
    let checks = [
        (quote.network.as_ref() == Some(&network), "the network"),
        (quote.exposure.asset == AssetId::erc20(&network, a.token), "the token"),
        (domain.is_some_and(|d| d.name == a.name && d.version == a.version), "the token's name or version"),
        (same_account(&quote.wallet, a.from), "the paying account"),
        (same_account(&quote.payee.account, a.to), "the paid account"),
        (quote.exposure.amount == a.value, "the amount"),
        (a.valid_after <= now.saturating_add(SLACK), "the start of the validity window"),
        (a.valid_before > now, "the end of the validity window"),
        (
            a.valid_before <= now.saturating_add(quote.lifetime_seconds.min(LONGEST)).saturating_add(SLACK),
            "the length of the validity window",
        ),
        (Signable::decode(&form.encode()).as_ref() == Some(form), "its encoding"),
    ];
    checks.into_iter().find(|(same, _)| !same).map_or(Ok(()), |(_, what)| Err(VaultError::Mismatch(what)))
}
