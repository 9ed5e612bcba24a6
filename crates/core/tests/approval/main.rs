//! What a person is shown is what would be signed: 100,000 random payments frozen into questions and read back.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may stop at the first surprise")]

use alloy_primitives::U256;
use countersign_core::{
    Millis,
    approval::{History, Question},
    asset::{AssetId, Eip712, Network},
    behind::Behind,
    money::{Amount, Micro, Money},
    payment::{Digest, Op, Payee, PaymentId, Quote, Resource, Share},
    policy::{Decision, Effect, Risk},
    registry::Registry,
};
use std::collections::BTreeSet;

const PAYMENTS: u64 = 100_000;

/// A stream of bytes that is the same in every run.
struct Bytes(u64);

impl Bytes {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        self.0 += 1;
        let block = Digest::of(&[b"shown is signed", &self.0.to_be_bytes()]).0;
        std::array::from_fn(|i| block[i % 32])
    }

    fn below(&mut self, n: u64) -> u64 {
        u64::from_be_bytes(self.take()) % n
    }

    fn account(&mut self) -> String {
        alloy_primitives::Address::from(self.take::<20>()).to_checksum(None)
    }
}

fn quote(bytes: &mut Bytes) -> Quote {
    let network = Network::eip155(1 + bytes.below(100_000));
    let asset = AssetId::erc20(&network, bytes.account().parse().unwrap());
    // From one unit to the largest number there is.
    let mut units = bytes.take::<32>();
    let zeros = bytes.below(32) as usize;
    units[..zeros].fill(0);
    units[31] |= 1;
    let money = Money { asset, amount: Amount::from_be_bytes(units) };
    // Some are shared with others, and some have a fee on top.
    let part = Amount::from_be_bytes(U256::from_be_bytes(units).wrapping_div(U256::from(16)).to_be_bytes());
    let shares = (0..bytes.below(4)).map(|_| Share { account: bytes.account(), amount: part }).collect();
    let fee = Amount::new(U256::from(bytes.below(2) * bytes.below(1_000_000)));
    let most = money.amount.checked_add(fee).unwrap_or(money.amount);
    let value = (bytes.below(5) > 0).then(|| Micro(u128::from(bytes.below(1 << 50))));
    let host = format!("https://s{}.example{}", bytes.below(1_000), ["", ":8443"][bytes.below(2) as usize]);
    Quote {
        rail: "x402".into(),
        version: 2,
        scheme: "exact".into(),
        op: Op::Pay,
        payee: Payee { origin: host.parse().unwrap(), account: bytes.account(), claimed: bytes.below(2) == 0 },
        network: Some(network),
        testnet: bytes.below(2) == 0,
        wallet: bytes.account(),
        money: money.clone(),
        shares,
        exposure: Money { amount: most, ..money },
        symbol: ["USDC", "USD₮0", "mUSD"][bytes.below(3) as usize].into(),
        decimals: [0, 2, 6, 18, 36][bytes.below(5) as usize],
        domain: Some(Eip712 { name: "USD Coin".into(), version: "2".into() }),
        amount_value: value,
        exposure_value: value,
        resource: Resource { method: "GET".into(), path: format!("{host}/thing"), request: Digest(bytes.take()) },
        lifetime_seconds: 10 + bytes.below(80_000),
        reversible: false,
        risks: BTreeSet::new(),
    }
}

fn decision() -> Decision {
    Decision {
        effect: Effect::Ask,
        rule: "ask-above".into(),
        because: Vec::new(),
        policy_hash: Digest([1; 32]),
        budgets: Vec::new(),
        consumes: None,
    }
}

#[test]
fn a_hundred_thousand_payments_are_shown_as_they_would_be_signed_and_any_other_is_noticed() {
    let (mut bytes, registry, decision) = (Bytes(0), Registry::builtin("USD"), decision());
    let mut before: Option<Quote> = None;
    for n in 0..PAYMENTS {
        let quote = quote(&mut bytes);
        let id = PaymentId::from_random(bytes.take());
        let history = History::default();
        let question = Question::freeze(
            &id,
            "agent",
            &Behind::Unseen,
            &quote,
            &decision,
            &history,
            &registry,
            Some("\u{202e}0.01 USDC"),
            None,
            Millis(n as i64),
        );
        assert!(question.is_about(&quote), "{question:?}");
        if let Some(other) = before.replace(quote.clone()) {
            for changed in [
                Quote { exposure: Money { amount: other.exposure.amount, ..quote.exposure.clone() }, ..quote.clone() },
                Quote {
                    exposure: Money { asset: other.exposure.asset.clone(), ..quote.exposure.clone() },
                    ..quote.clone()
                },
                Quote { payee: Payee { account: other.payee.account.clone(), ..quote.payee.clone() }, ..quote.clone() },
                Quote { wallet: other.wallet.clone(), ..quote.clone() },
                Quote { shares: other.shares.clone(), ..quote.clone() },
                Quote { money: Money { amount: Amount::ZERO, ..quote.money.clone() }, ..quote.clone() },
            ] {
                assert!(changed == quote || !question.is_about(&changed), "{question:?} for {changed:?}");
            }
        }
    }
}

fn asked(quote: &Quote) -> Question {
    let (id, history, registry) = (PaymentId::from_random([7; 16]), History::default(), Registry::builtin("USD"));
    let at = Millis(0);
    Question::freeze(&id, "agent", &Behind::Unseen, quote, &decision(), &history, &registry, None, None, at)
}

#[test]
fn a_charge_by_stripe_says_who_can_take_it_back_and_that_nobody_tried_it() {
    let mut charge = quote(&mut Bytes(0));
    (charge.scheme, charge.network, charge.domain, charge.reversible) = ("stripe/charge".into(), None, None, true);
    (charge.wallet, charge.testnet) = ("stripe:pm_1".into(), false);
    let question = asked(&charge);
    assert_eq!(question.amount_terms.to_string(), "Stripe · you can dispute it with your bank afterwards");
    assert_eq!(question.pay_from, "stripe:pm_1 · Stripe");
    assert!(question.signs.iter().any(|(_, value)| value == "Stripe shared payment token"), "{:?}", question.signs);
    assert!(question.warnings.iter().any(|w| w.id == "untried") && question.is_about(&charge));
    charge.testnet = true;
    assert!(!asked(&charge).warnings.iter().any(|w| w.id == "untried"));
}

#[test]
fn what_a_tempo_charge_costs_shares_and_was_never_tried_with_is_said() {
    let unit = |units: u64| Amount::new(U256::from(units));
    let mut charge = quote(&mut Bytes(0));
    (charge.scheme, charge.testnet, charge.decimals, charge.symbol) =
        ("tempo/charge".into(), false, 6, "pathUSD".into());
    (charge.money.amount, charge.exposure.amount) = (unit(10_000), unit(45_000));
    charge.shares = vec![Share { account: "0xother".into(), amount: unit(3_000) }];
    charge.risks = BTreeSet::from([Risk::Shared]);
    let question = asked(&charge);
    let warned = |question: &Question| -> Vec<&'static str> { question.warnings.iter().map(|w| w.id).collect() };
    assert!(warned(&question).contains(&"untried") && warned(&question).contains(&"shared"), "{question:?}");
    let said: Vec<String> = question.signs.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    for row in ["35000 (0.035 pathUSD)", "0xother: 0.003 pathUSD", ": 0.007 pathUSD"] {
        assert!(said.iter().any(|line| line.contains(row)), "{row} is not in {said:?}");
    }
    assert!(question.amount_terms.to_string().contains("at most 0.035 pathUSD"), "{}", question.amount_terms);
    charge.testnet = true;
    assert!(!warned(&asked(&charge)).contains(&"untried"));
    charge.op = Op::Sign;
    assert!(warned(&asked(&charge)).contains(&"proof"));
}
