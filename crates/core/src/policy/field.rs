//! What a condition can ask about: the names of the facts, their kinds, and how each is read. A missing fact reads as missing.

use super::{Condition, Facts};
use crate::{Millis, money::Micro};

/// One fact by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Who asks.
    Agent,
    /// The session we minted.
    Session,
    /// The run of the program behind the connection; missing where none is seen, and once it is over.
    Process,
    /// Whether the caller's program was checked.
    AgentVerified,
    /// A tag the agent sent; refused in allow and except.
    Task,
    /// The protocol.
    Rail,
    /// The protocol's scheme.
    Scheme,
    /// What the payment does.
    Op,
    /// Our paying account.
    Wallet,
    /// Where the price came from.
    PayeeOrigin,
    /// The paid account.
    PayeeAccount,
    /// A person approved or pinned exactly this payee.
    PayeeKnown,
    /// The origin is known, the rest of the payee is not.
    PayeeChanged,
    /// The asset, CAIP-19.
    Asset,
    /// The network, CAIP-2; missing for fiat.
    Network,
    /// Play money.
    Testnet,
    /// The price; missing without peg or rate.
    Amount,
    /// The most this can cost; missing without peg or rate.
    Exposure,
    /// Origin and path.
    Resource,
    /// HTTP method.
    Method,
    /// Whether it can be taken back.
    Reversible,
    /// What local checks found; missing when they found nothing.
    Risk,
    /// Our clock.
    Now,
}

/// What a fact's values look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Money,
    Time,
    Text,
    Set,
}

/// One fact as it is.
pub(super) enum Fact<'a> {
    Missing,
    Flag(bool),
    Money(Micro),
    Time(Millis),
    Text(&'a str),
    Set(Vec<String>),
}

const NAMES: [(Field, &str, Kind); 23] = [
    (Field::Agent, "agent", Kind::Text),
    (Field::Session, "session", Kind::Text),
    (Field::Process, "process", Kind::Text),
    (Field::AgentVerified, "agent_verified", Kind::Flag),
    (Field::Task, "task", Kind::Text),
    (Field::Rail, "rail", Kind::Text),
    (Field::Scheme, "scheme", Kind::Text),
    (Field::Op, "op", Kind::Text),
    (Field::Wallet, "wallet", Kind::Text),
    (Field::PayeeOrigin, "payee_origin", Kind::Text),
    (Field::PayeeAccount, "payee_account", Kind::Text),
    (Field::PayeeKnown, "payee_known", Kind::Flag),
    (Field::PayeeChanged, "payee_changed", Kind::Flag),
    (Field::Asset, "asset", Kind::Text),
    (Field::Network, "network", Kind::Text),
    (Field::Testnet, "testnet", Kind::Flag),
    (Field::Amount, "amount", Kind::Money),
    (Field::Exposure, "exposure", Kind::Money),
    (Field::Resource, "resource", Kind::Text),
    (Field::Method, "method", Kind::Text),
    (Field::Reversible, "reversible", Kind::Flag),
    (Field::Risk, "risk", Kind::Set),
    (Field::Now, "now", Kind::Time),
];

impl Field {
    /// The field of this name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, n, _)| *n == name).map(|(field, _, _)| *field)
    }

    /// The name in policy files.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(field, _, _)| *field == self).map_or("", |(_, name, _)| name)
    }

    pub(super) fn kind(self) -> Kind {
        NAMES.iter().find(|(field, _, _)| *field == self).map_or(Kind::Text, |(_, _, kind)| *kind)
    }

    pub(super) fn of(self, facts: &Facts) -> Fact<'_> {
        let money = |m: Option<Micro>| m.map_or(Fact::Missing, Fact::Money);
        match self {
            Self::Agent => Fact::Text(facts.agent.as_str()),
            Self::Session => Fact::Text(facts.session.as_str()),
            Self::Process => facts.process().map_or(Fact::Missing, |run| Fact::Text(run.as_str())),
            Self::AgentVerified => Fact::Flag(facts.agent_verified),
            Self::Task => facts.task.as_deref().map_or(Fact::Missing, Fact::Text),
            Self::Rail => Fact::Text(&facts.rail),
            Self::Scheme => Fact::Text(&facts.scheme),
            Self::Op => Fact::Text(facts.op.as_str()),
            Self::Wallet => Fact::Text(&facts.wallet),
            Self::PayeeOrigin => Fact::Text(facts.payee_origin.as_str()),
            Self::PayeeAccount => Fact::Text(&facts.payee_account),
            Self::PayeeKnown => Fact::Flag(facts.payee_known),
            Self::PayeeChanged => Fact::Flag(facts.conditions.contains(&Condition::PayeeChanged)),
            Self::Asset => Fact::Text(facts.asset.as_str()),
            Self::Network => facts.network.as_ref().map_or(Fact::Missing, |n| Fact::Text(n.as_str())),
            Self::Testnet => Fact::Flag(facts.testnet),
            Self::Amount => money(facts.amount),
            Self::Exposure => money(facts.exposure),
            Self::Resource => Fact::Text(&facts.resource),
            Self::Method => Fact::Text(&facts.method),
            Self::Reversible => Fact::Flag(facts.reversible),
            Self::Risk if facts.risk.is_empty() => Fact::Missing,
            Self::Risk => Fact::Set(facts.risk.iter().map(|r| r.as_str().to_owned()).collect()),
            Self::Now => Fact::Time(facts.now),
        }
    }
}
