//! Random policies, facts and usage, from pools small enough to collide often.

use countersign_core::{
    Millis,
    payment::Op,
    policy::{
        Budget, Condition, Draft, Effect, Facts, Field, Known, Mode, Policy, PolicyError, Risk, Rule, Scope, Source,
        Test, Tier, Usage, Used, Value, When, Window,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::world::{USDC, at, facts as base, usd};

const ORIGINS: [&str; 3] = ["https://api.example", "https://tiles.example", "https://x.tiles.example"];
const ACCOUNTS: [&str; 2] =
    ["0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222"];
const AMOUNTS: [&str; 6] = ["0", "0.05", "0.10", "0.100001", "1.00", "6.00"];
const TIMES: [&str; 3] = ["2026-11-20T10:00:00Z", "2026-11-20T10:00:01Z", "2026-12-01T00:00:00Z"];
const IDS: [&str; 7] = ["a", "b", "c", "d", "first-payee", "ask-above", "limit-payment"];

fn money() -> impl Strategy<Value = Value> {
    select(&AMOUNTS[..]).prop_map(|a| Value::Money(usd(a)))
}

fn words(field: Field, pool: &'static [&'static str]) -> BoxedStrategy<(Field, Test)> {
    vec(select(pool), 1..3)
        .prop_map(move |v| (field, Test::In(v.into_iter().map(|t| Value::Text(t.to_owned())).collect())))
        .boxed()
}

fn condition() -> impl Strategy<Value = (Field, Test)> {
    let flag =
        (select(vec![Field::PayeeKnown, Field::PayeeChanged, Field::Testnet, Field::AgentVerified]), any::<bool>());
    let amount = (select(vec![Field::Amount, Field::Exposure, Field::Exposure]), 0..5usize, money());
    prop_oneof![
        4 => amount.prop_map(|(f, op, v)| (f, [Test::Lt, Test::Le, Test::Gt, Test::Ge, |v| Test::In([v].into())][op](v))),
        2 => flag.prop_map(|(f, v)| (f, Test::In([Value::Flag(v)].into()))),
        2 => words(Field::Agent, &["researcher", "coder"]),
        3 => words(Field::PayeeOrigin, &ORIGINS),
        2 => words(Field::PayeeAccount, &ACCOUNTS),
        1 => words(Field::Rail, &["x402", "mpp"]),
        1 => words(Field::Op, &["pay", "refund", "sign", "receive_link"]),
        1 => words(Field::Risk, &["price_up", "short_life"]),
        1 => words(Field::Task, &["t"]),
        1 => select(vec!["tiles.example", "x.tiles.example"]).prop_map(|h| (Field::PayeeOrigin, Test::HostSuffix(h.to_owned()))),
        1 => select(vec!["https://api.example/", "https://api.example/v1"]).prop_map(|p| (Field::Resource, Test::Prefix(p.to_owned()))),
        1 => (select(vec![Field::Exposure, Field::Network, Field::Risk, Field::Task, Field::PayeeOrigin]), any::<bool>()).prop_map(|(f, e)| (f, Test::Exists(e))),
        1 => select(&TIMES[..]).prop_map(|t| (Field::Now, Test::Lt(Value::Time(at(t))))),
    ]
}

pub fn when() -> impl Strategy<Value = When> {
    vec(condition(), 0..4).prop_map(|conditions| {
        let mut kept: Vec<(Field, Test)> = Vec::new();
        for condition in conditions {
            kept.push(condition);
            if When::new(kept.iter().cloned()).is_err() {
                kept.pop();
            }
        }
        When::new(kept).unwrap()
    })
}

fn end() -> impl Strategy<Value = Option<Millis>> {
    option::of(select(&TIMES[..]).prop_map(at))
}

pub fn rule() -> impl Strategy<Value = Rule> {
    let tier = select(vec![Tier::Deny, Tier::Ask, Tier::Allow, Tier::Allow, Tier::Except, Tier::Except]);
    (select(&IDS[..]), tier, when(), end(), option::of(0..3u64)).prop_map(|(id, effect, when, expires, uses_left)| {
        Rule { id: id.to_owned(), effect, when, expires, uses_left, note: None, origin: Source::User }
    })
}

pub fn budget() -> impl Strategy<Value = Budget> {
    let scope = vec(
        prop_oneof![
            select(&IDS[..]).prop_map(|id| Scope::Rule(id.to_owned())),
            select(vec![Scope::Agent, Scope::Payee, Scope::Session, Scope::Task])
        ],
        0..3,
    );
    let caps = (option::of(select(&AMOUNTS[..]).prop_map(usd)), option::of(0..4u64));
    let when = prop_oneof![Just(When::default()), when()];
    (select(&IDS[..]), when, scope, select(&Window::ALL[..]), caps, any::<bool>(), end()).prop_map(
        |(id, when, scope, window, (max_amount, max_count), deny, expires)| Budget {
            id: id.to_owned(),
            when,
            scope: scope.into_iter().collect(),
            window,
            max_amount: if max_count.is_none() { max_amount.or(Some(usd("1"))) } else { max_amount },
            max_count,
            on_exceed: if deny { Effect::Deny } else { Effect::Ask },
            expires,
        },
    )
}

pub fn policy() -> impl Strategy<Value = Policy> {
    (vec(rule(), 0..6), vec(budget(), 0..5), prop::bool::weighted(0.1), any::<bool>()).prop_map(
        |(rules, budgets, observe, pin)| {
            let known = pin.then(|| Known {
                origin: ORIGINS[0].parse().unwrap(),
                account: ACCOUNTS[0].to_owned(),
                asset: USDC.parse().unwrap(),
            });
            repaired(Draft {
                name: "random".to_owned(),
                reference: "USD".to_owned(),
                timezone: "Europe/Berlin".to_owned(),
                mode: if observe { Mode::Observe } else { Mode::Enforce },
                known: known.into_iter().collect(),
                rules,
                budgets,
            })
        },
    )
}

/// Drops what is refused until the rest is a policy.
pub fn repaired(mut draft: Draft) -> Policy {
    loop {
        match draft.clone().check() {
            Ok(policy) => return policy,
            Err(PolicyError::Item { at, .. }) => {
                let drop = |id: &str, kind: &str| at.to_string() == format!("{kind} {id:?}");
                match draft.budgets.iter().position(|b| drop(&b.id, "budget")) {
                    Some(n) => drop_at(&mut draft.budgets, n),
                    None => {
                        let n = draft.rules.iter().position(|r| drop(&r.id, "rule")).unwrap();
                        drop_at(&mut draft.rules, n);
                    }
                }
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn drop_at<T>(items: &mut Vec<T>, n: usize) {
    items.remove(n);
}

pub fn facts() -> impl Strategy<Value = Facts> {
    let who = (
        select(vec!["researcher", "coder"]),
        select(vec!["session-1", "session-2"]),
        option::of(Just("t")),
        any::<bool>(),
    );
    let payee = (select(&ORIGINS[..]), select(&ACCOUNTS[..]), any::<bool>(), prop::bool::weighted(0.3));
    let money = (prop::bool::weighted(0.9), select(&AMOUNTS[..]), any::<bool>());
    let what =
        (select(vec!["x402", "mpp", "alipay"]), select(vec![Op::Pay, Op::Pay, Op::Refund, Op::Sign, Op::ReceiveLink]));
    let odd = (
        vec(select(vec![Risk::PriceUp, Risk::ShortLife]), 0..2),
        vec(select(CONDITIONS.to_vec()), 0..3),
        select(&TIMES[..]),
    );
    (who, payee, money, what, odd).prop_map(
        |(
            (agent, session, task, verified),
            (origin, account, known, claimed),
            (valued, amount, test),
            (rail, op),
            (risk, conditions, now),
        )| {
            let mut f = base(amount);
            f.agent = agent.parse().unwrap();
            f.session = session.parse().unwrap();
            f.task = task.map(str::to_owned);
            (f.agent_verified, f.payee_known, f.payee_claimed, f.testnet) = (verified, known, claimed, test);
            f.payee_origin = origin.parse().unwrap();
            f.payee_account = account.to_owned();
            (f.rail, f.op) = (rail.to_owned(), op);
            if !valued {
                (f.amount, f.exposure, f.network) = (None, None, None);
            }
            f.risk = risk.into_iter().collect();
            // Mostly none, else nearly everything asks.
            f.conditions = conditions.into_iter().flatten().collect();
            f.now = at(now);
            f
        },
    )
}

const CONDITIONS: [Option<Condition>; 8] = [
    None,
    None,
    None,
    None,
    Some(Condition::PayeeChanged),
    Some(Condition::PayeeChanged),
    Some(Condition::Upfront),
    Some(Condition::AgentPaused),
];

/// Usage that depends on the counter alone.
#[derive(Clone, Copy, Debug)]
pub struct Scattered(pub u64);

impl Scattered {
    fn pick(self, parts: &[&str]) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.0, parts).hash(&mut hasher);
        hasher.finish()
    }
}

impl Usage for Scattered {
    type Error = Infallible;
    fn used(&mut self, id: &str, key: &str, _since: Option<Millis>) -> Result<Used, Infallible> {
        let n = self.pick(&[id, key]);
        let amounts = ["0", "0", "0.05", "0.90", "0.95", "5.00"];
        Ok(Used { amount: usd(amounts[(n % 6) as usize]), count: (n / 8) % 3 })
    }
    fn consumed(&mut self, id: &str) -> Result<u64, Infallible> {
        Ok(self.pick(&[id, "consumed"]) % 2)
    }
}
