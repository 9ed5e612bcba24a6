//! The facts and ledgers the tests judge.

use countersign_core::{
    Millis,
    money::Micro,
    payment::{Digest, Op, PaymentId},
    policy::{Decision, Facts, Policy, Usage, Used, judge},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

/// The file of the design's section 8.
pub const EXAMPLE: &str = r#"
format = 1
name = "everyday"
reference = "USD"            # must equal [currency].reference
timezone = "Europe/Berlin"
mode = "enforce"
known = []
rule = [                     # [[rule]] tables mean the same
  { id = "no-raw-sign", effect = "deny",  when = { op = "sign" } },
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "50.00" } } },
  { id = "tiles",       effect = "except", origin = "prompt", expires = 2026-12-01T00:00:00Z, when = { agent = "researcher", rail = "x402", op = "pay", payee_origin = "https://tiles.example", payee_account = "0x1111111111111111111111111111111111111111", asset = "eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", exposure = { le = "0.40" } } },
  { id = "first-payee", effect = "ask",   when = { payee_known = false } },
  { id = "money-back",  effect = "ask",   when = { op = "refund" } },
  { id = "mandates",    effect = "ask",   when = { op = ["mandate_open", "mandate_closed"] } },
  { id = "ask-above",   effect = "ask",   when = { exposure = { gt = "0.10" } } },
  { id = "micro",       effect = "allow", when = { rail = ["x402", "mpp"], op = ["pay", "session_open"], exposure = { le = "0.10" } } },
]
budget = [
  { id = "micro-burst", scope = ["rule:micro", "agent"], window = "rolling:10m",  max_amount = "1.00",  max_count = 3000, on_exceed = "ask" },
  { id = "micro-day",   scope = ["rule:micro", "agent"], window = "calendar:day", max_amount = "5.00",  on_exceed = "ask" },
  { id = "tiles-own",   scope = ["rule:tiles"],          window = "rolling:24h",  max_amount = "5.00",  on_exceed = "ask" },
  { id = "limit-week",  scope = [],                      window = "rolling:7d",   max_amount = "60.00", on_exceed = "deny" },
]
"#;

pub const USDC: &str = "eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

pub fn example() -> Policy {
    Policy::parse(EXAMPLE, "USD").unwrap()
}

/// A policy of these `rule` and `budget` lines.
pub fn policy(rules: &str, budgets: &str) -> Policy {
    Policy::parse(&format!("format = 1\nreference = \"USD\"\nrule = [{rules}]\nbudget = [{budgets}]"), "USD").unwrap()
}

pub fn usd(text: &str) -> Micro {
    Micro::parse(text).unwrap()
}

pub fn at(rfc3339: &str) -> Millis {
    Millis(rfc3339.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub fn payment(n: u8) -> PaymentId {
    PaymentId::from_random([n; 16])
}

/// x402 `pay` of USDC on Base by `researcher` to a known payee, 2026-11-20T10:00Z.
pub fn facts(exposure: &str) -> Facts {
    Facts {
        agent: "researcher".parse().unwrap(),
        session: "session-1".parse().unwrap(),
        agent_verified: true,
        program: None,
        bound: None,
        task: None,
        rail: "x402".to_owned(),
        scheme: "exact".to_owned(),
        op: Op::Pay,
        wallet: "0x9999999999999999999999999999999999999999".to_owned(),
        payee_origin: "https://api.example".parse().unwrap(),
        payee_claimed: false,
        payee_account: "0x2222222222222222222222222222222222222222".to_owned(),
        payee_known: true,
        asset: USDC.parse().unwrap(),
        network: Some("eip155:8453".parse().unwrap()),
        testnet: false,
        amount: Some(usd(exposure)),
        exposure: Some(usd(exposure)),
        resource: "https://api.example/v1/tile".to_owned(),
        method: "GET".to_owned(),
        request: Digest([0; 32]),
        reversible: false,
        risk: BTreeSet::new(),
        conditions: BTreeSet::new(),
        now: at("2026-11-20T10:00:00Z"),
    }
}

pub fn decide<U: Usage<Error = Infallible>>(policy: &Policy, facts: &Facts, usage: &mut U) -> Decision {
    let Ok(judged) = judge(policy, &payment(1), facts, usage);
    judged.decision().clone()
}

/// Counters by budget, whatever their key.
#[derive(Default, Clone)]
pub struct Counters(pub BTreeMap<&'static str, Used>);

impl Counters {
    pub fn of(pairs: &[(&'static str, &str)]) -> Self {
        Self(pairs.iter().map(|(id, amount)| (*id, Used { amount: usd(amount), count: 0 })).collect())
    }
}

impl Usage for Counters {
    type Error = Infallible;
    fn used(&mut self, id: &str, _key: &str, _since: Option<Millis>) -> Result<Used, Infallible> {
        Ok(self.0.get(id).copied().unwrap_or_default())
    }
    fn consumed(&mut self, _id: &str) -> Result<u64, Infallible> {
        Ok(0)
    }
}

/// Holds in a plain list, summed each time.
#[derive(Default)]
pub struct Ledger {
    holds: Vec<(String, String, Millis, Micro)>,
    consumed: Vec<String>,
}

impl Ledger {
    pub fn hold(&mut self, decision: &Decision, at: Millis) {
        for line in &decision.budgets {
            self.holds.push((line.id.clone(), line.key.clone(), at, line.amount));
        }
        self.consumed.extend(decision.consumes.clone());
    }

    /// Judges and holds if allowed.
    pub fn pay(&mut self, policy: &Policy, facts: &Facts) -> Decision {
        let decision = decide(policy, facts, self);
        if decision.effect == countersign_core::policy::Effect::Allow {
            self.hold(&decision, facts.now);
        }
        decision
    }
}

impl Usage for Ledger {
    type Error = Infallible;
    fn used(&mut self, id: &str, key: &str, since: Option<Millis>) -> Result<Used, Infallible> {
        let mine = self.holds.iter().filter(|(b, k, at, _)| b == id && k == key && since.is_none_or(|s| *at >= s));
        Ok(mine.fold(Used::default(), |u, (_, _, _, amount)| Used {
            amount: Micro(u.amount.0 + amount.0),
            count: u.count + 1,
        }))
    }
    fn consumed(&mut self, id: &str) -> Result<u64, Infallible> {
        Ok(self.consumed.iter().filter(|c| *c == id).count() as u64)
    }
}
