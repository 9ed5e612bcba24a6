//! Stored facts run again through a draft, in order, with empty counters: what would have been decided.

use std::collections::BTreeMap;

use super::{Decision, Effect, Facts, Policy, Usage, Used, judge::decide};
use crate::{
    Millis,
    money::Micro,
    payment::{AgentName, PaymentId},
};

/// One stored payment under a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Which payment.
    pub payment: PaymentId,
    /// What the draft says.
    pub decision: Decision,
}

/// One stored payment, and how a question about it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Which payment.
    pub payment: PaymentId,
    /// What was judged.
    pub facts: Facts,
    /// A person said yes, or nobody had to: if the draft asks about it, it is held all the same.
    pub paid: bool,
}

/// Runs stored facts through a draft. What the draft allows is held; what it asks about is not.
pub fn replay(draft: &Policy, facts: &[(PaymentId, Facts)]) -> Vec<Replayed> {
    run(|_| draft, facts.iter().map(|(payment, facts)| (payment, facts, false)))
}

/// The same with the answers of the time: what the draft asks about is held where it was paid.
pub fn replay_answered(draft: &Policy, past: &[Past]) -> Vec<Replayed> {
    run(|_| draft, past.iter().map(|p| (&p.payment, &p.facts, p.paid)))
}

/// The same where not every agent is judged by the same draft; what they spend is counted together.
pub fn replay_for<'a>(draft: impl Fn(&AgentName) -> &'a Policy, past: &[Past]) -> Vec<Replayed> {
    run(draft, past.iter().map(|p| (&p.payment, &p.facts, p.paid)))
}

/// How often each verdict came, and what went through without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Went through by themselves.
    pub allowed: u64,
    /// Asked.
    pub asked: u64,
    /// Were refused.
    pub refused: u64,
    /// The value of what went through by itself, without play money.
    pub silent: Micro,
}

impl Tally {
    /// Counts a replay of `past`.
    pub fn of(replayed: &[Replayed], past: &[Past]) -> Self {
        let mut tally = Self::default();
        for (told, past) in replayed.iter().zip(past) {
            let count = match told.decision.effect {
                Effect::Allow => &mut tally.allowed,
                Effect::Ask => &mut tally.asked,
                Effect::Deny => &mut tally.refused,
            };
            *count = count.saturating_add(1);
            if told.decision.effect == Effect::Allow && !past.facts.testnet {
                let value = past.facts.exposure.unwrap_or_default();
                tally.silent = Micro(tally.silent.0.saturating_add(value.0));
            }
        }
        tally
    }
}

fn run<'a, 'p>(
    draft: impl Fn(&AgentName) -> &'p Policy,
    past: impl Iterator<Item = (&'a PaymentId, &'a Facts, bool)>,
) -> Vec<Replayed> {
    let mut memory = Memory::default();
    let mut all = Vec::new();
    for (payment, facts, paid) in past {
        let Ok(decision) = decide(draft(&facts.agent), payment, facts, &mut memory);
        if decision.effect == Effect::Allow || (decision.effect == Effect::Ask && paid) {
            memory.hold(&decision, facts.now);
        }
        all.push(Replayed { payment: payment.clone(), decision });
    }
    all
}

/// Counters in memory: per counter, the running totals by time.
#[derive(Debug, Default)]
struct Memory {
    totals: BTreeMap<(String, String), Vec<(Millis, Used)>>,
    consumed: BTreeMap<String, u64>,
}

impl Memory {
    fn hold(&mut self, decision: &Decision, at: Millis) {
        for line in &decision.budgets {
            let counter = self.totals.entry((line.id.clone(), line.key.clone())).or_default();
            let (last, total) = counter.last().copied().unwrap_or((at, Used::default()));
            let amount = Micro(total.amount.0.saturating_add(line.amount.0));
            counter.push((last.max(at), Used { amount, count: total.count.saturating_add(1) }));
        }
        if let Some(rule) = &decision.consumes {
            let count = self.consumed.entry(rule.clone()).or_default();
            *count = count.saturating_add(1);
        }
    }
}

impl Usage for Memory {
    type Error = std::convert::Infallible;

    fn used(&mut self, id: &str, key: &str, since: Option<Millis>) -> Result<Used, Self::Error> {
        let Some(counter) = self.totals.get(&(id.to_owned(), key.to_owned())) else { return Ok(Used::default()) };
        let total = counter.last().map_or(Used::default(), |(_, total)| *total);
        let outside = since.map_or(0, |since| counter.partition_point(|(at, _)| *at < since));
        let gone = outside.checked_sub(1).and_then(|n| counter.get(n)).map_or(Used::default(), |(_, gone)| *gone);
        Ok(Used { amount: total.amount.saturating_sub(gone.amount), count: total.count.saturating_sub(gone.count) })
    }

    fn consumed(&mut self, id: &str) -> Result<u64, Self::Error> {
        Ok(self.consumed.get(id).copied().unwrap_or(0))
    }
}
