//! What is to be signed must be what was quoted: every field of every form is compared before it is written down.

use countersign_core::{
    Millis,
    asset::{AssetId, Network, parse_address},
    payment::{Op, Quote},
    policy::Risk,
    signable::{
        Eip3009, Signable,
        alipay::{CNY, Order, Ordered},
        handed::Handed,
        spt::Spt,
        tempo::{self, Transaction},
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
        Signable::Tempo(charge) => charged(quote, charge, now),
        Signable::Proof(proof) => proved(quote, proof),
        Signable::Alipay(order) => ordered(quote, order),
        Signable::Handed(handed) => handed_over(quote, handed),
        Signable::Spt(spt) => issued(quote, spt),
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
        (quote.shares.is_empty(), "the shares"),
    ]
}

/// Compares what the bytes to be signed say, read back, with the price.
fn charged(quote: &Quote, charge: &tempo::Charge, now: u64) -> Checks {
    let Some(read) = Transaction::read(&charge.unsigned()) else { return vec![(false, "the transaction")] };
    let network = Network::eip155(read.chain_id);
    let is = |text: &str, account| parse_address(text).is_ok_and(|address| address == account);
    let token =
        |token| quote.money.asset == AssetId::erc20(&network, token) && quote.exposure.asset == quote.money.asset;
    let (first, others) = match read.calls.split_first() {
        Some((first, others)) => (Some(first), others),
        None => (None, [].as_slice()),
    };
    let shared = others.len() == quote.shares.len()
        && others
            .iter()
            .zip(&quote.shares)
            .all(|(call, share)| is(&share.account, call.to) && call.value == share.amount);
    let memo = tempo::memo(&charge.realm, &charge.challenge);
    vec![
        (quote.op == Op::Pay, "what it does"),
        (quote.network.as_ref() == Some(&network), "the network"),
        (read.calls.iter().all(|call| token(call.token)), "the token"),
        (is(&quote.wallet, charge.from), "the paying account"),
        (first.is_some_and(|call| is(&quote.payee.account, call.to)), "the paid account"),
        (first.is_some_and(|call| Some(call.value) == quote.payee_gets()), "the amount"),
        (first.is_some_and(|call| call.memo == Some(memo)), "the memo"),
        (shared, "the shares"),
        (read.calls.iter().all(|call| !call.value.is_zero()), "a transfer of nothing"),
        (quote.money.amount.checked_add(read.fee.most()) == Some(quote.exposure.amount), "the fee"),
        (read.fee_token.is_none_or(token) && read.fee_token.is_none() == read.fee.sponsored, "the token of the fee"),
        (read.valid_before == charge.valid_before, "the end of the validity window"),
        (read.valid_before <= now.saturating_add(tempo::LONGEST), "the length of the validity window"),
    ]
}

/// A proof costs nothing, and is made for the host that was asked, by us.
fn proved(quote: &Quote, proof: &tempo::Proof) -> Checks {
    let nothing = quote.money.amount.is_zero() && quote.exposure.amount.is_zero() && quote.shares.is_empty();
    vec![
        (quote.op == Op::Sign, "what it does"),
        (quote.network.as_ref() == Some(&Network::eip155(proof.chain_id)), "the network"),
        (parse_address(&quote.wallet).is_ok_and(|wallet| wallet == proof.account), "the account"),
        (proof.realm == quote.payee.origin.host() && !quote.payee.claimed, "the realm"),
        (nothing, "the amount"),
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

fn handed_over(quote: &Quote, handed: &Handed) -> Checks {
    vec![
        (quote.op == Op::Pay, "what it does"),
        (quote.network.is_none() && quote.exposure.asset.as_str() == CNY, "the currency"),
        (quote.wallet == handed.program, "the program that pays"),
        (quote.payee.account == handed.seller, "the paid account"),
        (quote.exposure.amount == handed.amount && !handed.amount.is_zero(), "the amount"),
        (quote.risks.contains(&Risk::Upfront), "that it always asks"),
    ]
}

fn issued(quote: &Quote, spt: &Spt) -> Checks {
    let currency = format!("iso4217:{}", spt.currency.to_ascii_uppercase());
    vec![
        (quote.op == Op::Pay, "what it does"),
        (quote.network.is_none() && quote.exposure.asset.as_str() == currency, "the currency"),
        (quote.wallet == spt.account() && quote.testnet != spt.live, "the payment method"),
        (quote.payee.account == spt.seller && !quote.payee.claimed, "the paid account"),
        (quote.exposure.amount == spt.amount && !spt.amount.is_zero(), "the amount"),
        (quote.shares.is_empty(), "the shares"),
        (quote.risks.contains(&Risk::Upfront), "that it always asks"),
    ]
}

#[cfg(test)]
mod transaction;

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::{
        money::{Amount, Money},
        payment::{Digest, Payee, Resource},
        signable::alipay::Screen,
    };

    const NOW: Millis = Millis(1_795_199_615_000);

    fn fen(text: &str) -> Amount {
        Amount::parse_atomic(text).unwrap()
    }

    fn refund(amount: &str, of: &str) -> Order {
        let (out_trade_no, out_request_no) = ("A1".to_owned(), "R1".to_owned());
        let what = Ordered::Refund { out_trade_no, amount: fen(amount), out_request_no, reason: None, of: fen(of) };
        Order { app_id: "2021000000000001".into(), at: NOW.seconds(), what }
    }

    fn quote() -> Quote {
        let money = Money { asset: CNY.parse().unwrap(), amount: fen("3000") };
        Quote {
            rail: "alipay".into(),
            version: 1,
            scheme: "refund".into(),
            op: Op::Refund,
            payee: Payee {
                origin: "https://openapi.alipay.com".parse().unwrap(),
                account: "buyer of A1".into(),
                claimed: false,
            },
            network: None,
            testnet: false,
            wallet: "alipay:2021000000000001".into(),
            money: money.clone(),
            shares: Vec::new(),
            exposure: money,
            symbol: "CNY".into(),
            decimals: 2,
            domain: None,
            amount_value: None,
            exposure_value: None,
            resource: Resource { method: "CALL".into(), path: "x".into(), request: Digest([7; 32]) },
            lifetime_seconds: 300,
            reversible: false,
            risks: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn an_order_that_differs_from_its_quote_in_any_field_is_not_written_down() {
        let fitting = |quote: &Quote, order: Order| fits(quote, &[Signable::Alipay(order)], NOW);
        assert!(fitting(&quote(), refund("3000", "3000")).is_ok());
        let link = Ordered::Link {
            screen: Screen::Web,
            out_trade_no: "A1".into(),
            amount: fen("3000"),
            title: "t".into(),
            return_url: None,
            notify_url: None,
        };
        for (order, what) in [
            (refund("2999", "3000"), "the amount"),
            (refund("3000", "2999"), "the trade's whole amount"),
            (Order { app_id: "2021000000000002".into(), ..refund("3000", "3000") }, "the merchant"),
            (Order { at: NOW.seconds() + 60, ..refund("3000", "3000") }, "the start of the validity window"),
            (Order { at: NOW.seconds() - 300, ..refund("3000", "3000") }, "the end of the validity window"),
            (Order { what: link, ..refund("3000", "3000") }, "what it does"),
        ] {
            assert!(matches!(fitting(&quote(), order), Err(VaultError::Mismatch(why)) if why == what), "{what}");
        }
        let mut other = quote();
        other.payee.account = "buyer of A2".into();
        assert!(fitting(&other, refund("3000", "3000")).is_err());
        other = quote();
        other.exposure.asset = "iso4217:EUR".parse().unwrap();
        assert!(fitting(&other, refund("3000", "3000")).is_err());
    }

    #[test]
    fn a_purchase_that_differs_from_its_quote_or_would_not_ask_is_not_written_down() {
        let mut priced = Quote { op: Op::Pay, wallet: "alipay-bot".into(), scheme: "a2m".into(), ..quote() };
        priced.payee.account = "2088000000000001".into();
        priced.risks.insert(Risk::Upfront);
        let handed = Handed {
            program: "alipay-bot".into(),
            seller: "2088000000000001".into(),
            number: "A1".into(),
            amount: fen("3000"),
            valid_after: NOW.seconds(),
            valid_before: NOW.seconds() + 300,
            price: Digest([1; 32]),
        };
        let fitting = |quote: &Quote, handed: Handed| fits(quote, &[Signable::Handed(handed)], NOW);
        assert!(fitting(&priced, handed.clone()).is_ok());
        for (other, what) in [
            (Handed { amount: fen("2999"), ..handed.clone() }, "the amount"),
            (Handed { seller: "2088000000000002".into(), ..handed.clone() }, "the paid account"),
            (Handed { program: "another".into(), ..handed.clone() }, "the program that pays"),
            (Handed { valid_before: NOW.seconds() + 600, ..handed.clone() }, "the length of the validity window"),
        ] {
            assert!(matches!(fitting(&priced, other), Err(VaultError::Mismatch(why)) if why == what), "{what}");
        }
        priced.risks.clear();
        assert!(matches!(fitting(&priced, handed), Err(VaultError::Mismatch("that it always asks"))));
    }

    #[test]
    fn a_token_that_would_be_worth_anything_but_the_price_to_its_seller_is_not_written_down() {
        let mut priced = Quote { op: Op::Pay, wallet: "stripe:pm_1".into(), scheme: "stripe/charge".into(), ..quote() };
        priced.exposure.asset = "iso4217:USD".parse().unwrap();
        priced.payee.account = "profile_1".into();
        priced.risks.insert(Risk::Upfront);
        let spt = Spt {
            payment_method: "pm_1".into(),
            live: true,
            seller: "profile_1".into(),
            currency: "usd".into(),
            amount: fen("3000"),
            realm: "shop.example".into(),
            challenge: "c1".into(),
            valid_before: NOW.seconds() + 300,
        };
        let fitting = |quote: &Quote, spt: Spt| fits(quote, &[Signable::Spt(spt)], NOW);
        assert!(fitting(&priced, spt.clone()).is_ok());
        for (other, what) in [
            (Spt { amount: fen("3001"), ..spt.clone() }, "the amount"),
            (Spt { seller: "profile_2".into(), ..spt.clone() }, "the paid account"),
            (Spt { currency: "eur".into(), ..spt.clone() }, "the currency"),
            (Spt { payment_method: "pm_2".into(), ..spt.clone() }, "the payment method"),
            (Spt { live: false, ..spt.clone() }, "the payment method"),
            (Spt { valid_before: NOW.seconds() + 600, ..spt.clone() }, "the length of the validity window"),
            (Spt { valid_before: NOW.seconds(), ..spt.clone() }, "the end of the validity window"),
        ] {
            assert!(matches!(fitting(&priced, other), Err(VaultError::Mismatch(why)) if why == what), "{what}");
        }
        priced.risks.clear();
        assert!(matches!(fitting(&priced, spt), Err(VaultError::Mismatch("that it always asks"))));
    }
}
