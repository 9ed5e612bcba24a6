//! A rule's conditions as typed messages: the page has a sentence for each, in every language. Foreign text is cleaned here.

use countersign_core::{
    payment::ProcessId,
    policy::{Field, Rule, Test, Value, When},
    registry::Registry,
    text::clean,
};
use countersign_vault::process;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "id", rename_all = "snake_case")]
pub enum Condition {
    AmountAbove {
        amount: String,
    },
    AmountFrom {
        amount: String,
    },
    AmountBelow {
        amount: String,
    },
    AmountUpTo {
        amount: String,
    },
    Agent {
        values: Vec<String>,
    },
    Payee {
        values: Vec<String>,
    },
    Host {
        host: String,
    },
    Account {
        values: Vec<String>,
    },
    PayeeKnown,
    PayeeNew,
    PayeeChanged,
    PayeeUnchanged,
    Network {
        values: Vec<String>,
    },
    Asset {
        values: Vec<String>,
    },
    PlayMoney,
    RealMoney,
    Rail {
        values: Vec<String>,
    },
    /// What a payment does; each has a word of its own.
    Op {
        values: Vec<String>,
    },
    /// What local checks found; each has a word of its own.
    Risk {
        values: Vec<String>,
    },
    Resource {
        values: Vec<String>,
    },
    ResourceUnder {
        prefix: String,
    },
    Reversible,
    Irreversible,
    AgentVerified,
    AgentUnverified,
    /// Only for one run of a program.
    UntilExit {
        /// The name of its file, or the number of a process that has gone.
        program: String,
    },
    /// A fact that must be there.
    Has {
        field: String,
    },
    /// A fact that must be missing.
    Lacks {
        field: String,
    },
    /// Anything without a sentence of its own, as the file has it.
    Other {
        field: String,
        test: String,
        values: Vec<String>,
    },
}

impl Condition {
    /// Every condition, in the order of the fields.
    pub fn all(when: &When, registry: &Registry) -> Vec<Self> {
        when.conditions().flat_map(|(field, tests)| tests.iter().map(move |t| Self::of(field, t, registry))).collect()
    }

    fn of(field: Field, test: &Test, registry: &Registry) -> Self {
        let flag = |value: bool| *test == Test::In([Value::Flag(value)].into());
        let either = |yes: Self, no: Self| match (flag(true), flag(false)) {
            (true, _) => Some(yes),
            (_, true) => Some(no),
            _ => None,
        };
        let known = match (field, test) {
            (_, Test::Exists(true)) => Some(Self::Has { field: field.name().to_owned() }),
            (_, Test::Exists(false)) => Some(Self::Lacks { field: field.name().to_owned() }),
            (Field::Exposure, Test::Gt(v)) => Some(Self::AmountAbove { amount: text(v) }),
            (Field::Exposure, Test::Ge(v)) => Some(Self::AmountFrom { amount: text(v) }),
            (Field::Exposure, Test::Lt(v)) => Some(Self::AmountBelow { amount: text(v) }),
            (Field::Exposure, Test::Le(v)) => Some(Self::AmountUpTo { amount: text(v) }),
            (Field::PayeeOrigin, Test::HostSuffix(host)) => Some(Self::Host { host: host.clone() }),
            (Field::Resource, Test::Prefix(prefix)) => Some(Self::ResourceUnder { prefix: clean(prefix) }),
            (Field::PayeeKnown, _) => either(Self::PayeeKnown, Self::PayeeNew),
            (Field::PayeeChanged, _) => either(Self::PayeeChanged, Self::PayeeUnchanged),
            (Field::Testnet, _) => either(Self::PlayMoney, Self::RealMoney),
            (Field::Reversible, _) => either(Self::Reversible, Self::Irreversible),
            (Field::AgentVerified, _) => either(Self::AgentVerified, Self::AgentUnverified),
            (_, Test::In(_)) => listed(field, operands(test), registry),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Other {
            field: field.name().to_owned(),
            test: test.name().to_owned(),
            values: operands(test),
        })
    }
}

fn listed(field: Field, values: Vec<String>, registry: &Registry) -> Option<Condition> {
    Some(match field {
        Field::Agent => Condition::Agent { values },
        Field::PayeeOrigin => Condition::Payee { values },
        Field::PayeeAccount => Condition::Account { values },
        Field::Network => Condition::Network { values: values.iter().map(|v| network(v, registry)).collect() },
        Field::Asset => Condition::Asset { values: values.iter().map(|v| asset(v, registry)).collect() },
        Field::Rail => Condition::Rail { values },
        Field::Op => Condition::Op { values },
        Field::Risk => Condition::Risk { values },
        Field::Resource => Condition::Resource { values },
        Field::Process => Condition::UntilExit { program: program(&values)? },
        _ => return None,
    })
}

/// What people call the program of one run.
fn program(values: &[String]) -> Option<String> {
    let [run] = values else { return None };
    let run: ProcessId = run.parse().ok()?;
    let (pid, _) = run.run()?;
    Some(process::program(&run).map_or_else(|| pid.to_string(), |name| clean(&name)))
}

/// What people call a network; its id where we have no name.
pub fn network(id: &str, registry: &Registry) -> String {
    let chain = id.parse().ok().and_then(|n| registry.chain(&n));
    chain.map_or_else(|| id.to_owned(), |c| clean(&c.name))
}

/// Symbol and network of an asset of our table; its id where it has none.
pub fn asset(id: &str, registry: &Registry) -> String {
    let Some(found) = id.parse().ok().and_then(|a| registry.asset(&a)) else { return id.to_owned() };
    match found.id.network() {
        Some(on) => format!("{} · {}", clean(&found.symbol), network(on.as_str(), registry)),
        None => clean(&found.symbol),
    }
}

fn operands(test: &Test) -> Vec<String> {
    match test {
        Test::In(values) => values.iter().map(text).collect(),
        Test::Lt(v) | Test::Le(v) | Test::Gt(v) | Test::Ge(v) => vec![text(v)],
        Test::Prefix(t) | Test::HostSuffix(t) => vec![clean(t)],
        Test::Exists(_) => Vec::new(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Money(amount) => amount.to_string(),
        Value::Time(at) => at.rfc3339(),
        Value::Text(text) => clean(text),
    }
}

/// The person's words beside a rule, fit to be shown.
pub fn note(rule: &Rule) -> Option<String> {
    rule.note.as_deref().map(clean).filter(|note| !note.is_empty())
}
