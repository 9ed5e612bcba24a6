//! The model: what a payment is and what each budget has left, in a few sums and no database.

use std::collections::{BTreeMap, BTreeSet};

/// Prices in atomic units: allowed, allowed under most policies, always asked, refused.
pub const PRICES: [u128; 6] = [10_000, 50_000, 100_000, 150_000, 300_000, 60_000_000];
/// How many policies there are.
pub const POLICIES: usize = 4;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Waiting,
    /// Reserved, signed or delivered: it may have been used.
    Held,
    Settled,
    Unknown,
    Refused,
    Released,
}

impl State {
    fn holds(self) -> bool {
        matches!(self, Self::Held | Self::Settled | Self::Unknown)
    }
}

/// One payment.
#[derive(Debug, Clone)]
pub struct Payment {
    pub agent: usize,
    pub units: u128,
    pub state: State,
    /// When it was reserved, in window time.
    pub at: i64,
    /// What came back of it.
    pub freed: u128,
    /// The reasons that were on screen.
    pub shown: BTreeSet<&'static str>,
    /// When the question ends, in window time.
    pub expires: i64,
    /// Unix seconds at which its form dies.
    pub valid_before: u64,
    /// A person let it through.
    pub by_person: bool,
    /// What was handed out, once it was.
    pub signature: Option<Vec<u8>>,
}

/// The numbers of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub micro: u128,
    pub day: u128,
    pub burst: u128,
}

/// Each policy differs from the first in one number.
pub fn numbers(policy: usize) -> Numbers {
    let first = Numbers { micro: 100_000, day: 1_000_000, burst: 500_000 };
    match policy {
        1 => Numbers { micro: 50_000, ..first },
        2 => Numbers { day: 200_000, ..first },
        3 => Numbers { burst: 300_000, ..first },
        _ => first,
    }
}

/// What policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    Ask(BTreeSet<&'static str>),
    Deny,
}

/// Everything the ledger should know.
#[derive(Debug, Clone)]
pub struct Model {
    pub payments: BTreeMap<String, Payment>,
    pub policy: usize,
    /// The one that needs no question: a person's, or one a command made no looser.
    pub confirmed: usize,
    pub clock_doubt: bool,
    /// The latest window time.
    pub last: i64,
    /// When a person said no, by agent.
    pub denials: [Vec<i64>; 2],
    /// False in the variant that must be caught.
    pub counts_holds: bool,
}

impl Model {
    pub fn new() -> Self {
        Self {
            payments: BTreeMap::new(),
            policy: 0,
            confirmed: 0,
            clock_doubt: false,
            last: i64::MIN,
            denials: Default::default(),
            counts_holds: true,
        }
    }

    /// Window time never goes back.
    pub fn now(&mut self, wall: i64) -> i64 {
        self.last = self.last.max(wall);
        self.last
    }

    /// Another policy. A person's is confirmed; a command's if it is the confirmed one, or no looser than a confirmed one before it.
    pub fn set_policy(&mut self, policy: usize, person: bool) {
        let (old, new) = (numbers(self.policy), numbers(policy));
        let looser = new.micro > old.micro || new.day > old.day || new.burst > old.burst;
        if person || (!looser && !self.policy_doubt()) {
            self.confirmed = policy;
        }
        self.policy = policy;
    }

    /// Whether everything asks because of the policy.
    pub fn policy_doubt(&self) -> bool {
        self.policy != self.confirmed
    }

    /// What a request of this agent for this much would be told.
    pub fn judge(&self, agent: usize, units: u128, now: i64) -> Verdict {
        let numbers = numbers(self.policy);
        let put_off = self.denials[agent].windows(3).any(|three| {
            three[2] - three[0] <= 10 * MINUTE && now < three[2] + 60 * MINUTE && three[0] > now - 70 * MINUTE
        });
        if put_off || units > 50_000_000 || self.day(now) + units > numbers.day {
            return Verdict::Deny;
        }
        let reasons = [
            (self.policy_doubt(), "builtin:policy-unconfirmed"),
            (self.clock_doubt, "builtin:clock-suspect"),
            (units > numbers.micro, "default"),
            (self.burst(agent, now) + units > numbers.burst, "budget:burst"),
        ];
        let reasons: BTreeSet<_> = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
        if reasons.is_empty() { Verdict::Allow } else { Verdict::Ask(reasons) }
    }

    /// What is left for an agent: of the day, of its burst.
    pub fn left(&self, agent: usize, now: i64) -> (u128, u128) {
        let numbers = numbers(self.policy);
        (numbers.day.saturating_sub(self.day(now)), numbers.burst.saturating_sub(self.burst(agent, now)))
    }

    /// Questions whose time is over end when the next request comes.
    pub fn expire(&mut self, now: i64) {
        for payment in self.payments.values_mut() {
            if payment.state == State::Waiting && now >= payment.expires {
                payment.state = State::Refused;
            }
        }
    }

    /// Whether what is held may be signed: while its form can be used, and without a doubt, or if a person said yes.
    pub fn signs(&self, payment: &Payment, wall: i64) -> bool {
        window_open(payment, wall) && (payment.by_person || !(self.policy_doubt() || self.clock_doubt))
    }

    /// Whether a repeat may be signed.
    pub fn signs_again(&self, payment: &Payment, wall: i64) -> bool {
        matches!(payment.state, State::Held | State::Settled) && self.signs(payment, wall)
    }

    fn day(&self, now: i64) -> u128 {
        self.held(|payment| payment.at >= now - now.rem_euclid(DAY))
    }

    fn burst(&self, agent: usize, now: i64) -> u128 {
        self.held(|payment| payment.agent == agent && payment.at >= now - 10 * MINUTE)
    }

    fn held(&self, counts: impl Fn(&Payment) -> bool) -> u128 {
        let held = self.payments.values().filter(|payment| payment.state.holds() && counts(payment));
        if self.counts_holds { held.map(|payment| payment.units - payment.freed).sum() } else { 0 }
    }
}

/// Whether its form can still be used.
pub fn window_open(payment: &Payment, wall: i64) -> bool {
    ((wall / 1000) as u64) < payment.valid_before
}
