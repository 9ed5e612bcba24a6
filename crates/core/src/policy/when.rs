//! The grammar of `when`: conditions that all hold. No code, regex or negation, so that narrower and wider can be read off it.
//!
//! A condition on a missing fact does not match; only `exists = false` matches it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Facts,
    field::{Fact, Field, Kind},
    value::{self, Value},
};
use crate::approval::Said;

/// One operator with what it compares to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `eq` and `in`: one of these; for `risk`, any of these.
    In(BTreeSet<Value>),
    /// Below.
    Lt(Value),
    /// At most.
    Le(Value),
    /// Above.
    Gt(Value),
    /// At least.
    Ge(Value),
    /// Starts with.
    Prefix(String),
    /// The host, or whole labels at its end.
    HostSuffix(String),
    /// Whether there is a value at all.
    Exists(bool),
}

/// Conditions that all hold; none = everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When(BTreeMap<Field, Vec<Test>>);

impl When {
    /// Checks and normalises conditions; the error says what to write instead.
    pub fn new(conditions: impl IntoIterator<Item = (Field, Test)>) -> Result<Self, Said> {
        let mut all: BTreeMap<Field, Vec<Test>> = BTreeMap::new();
        for (field, test) in conditions {
            all.entry(field).or_default().push(checked(field, test)?);
        }
        for (field, tests) in &mut all {
            tests.sort_by_key(Test::rank);
            if tests.windows(2).any(|pair| matches!(pair, [a, b] if a.rank() == b.rank())) {
                return Err(Said::FileTwice { key: field.name().to_owned() });
            }
            if tests.len() > 1 && tests.contains(&Test::Exists(false)) {
                return Err(Said::FileNever { key: field.name().to_owned() });
            }
        }
        Ok(Self(all))
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The conditions by field.
    pub fn conditions(&self) -> impl Iterator<Item = (Field, &[Test])> {
        self.0.iter().map(|(field, tests)| (*field, tests.as_slice()))
    }

    /// Whether all conditions hold.
    pub fn matches(&self, facts: &Facts) -> bool {
        self.holds(facts, |_| true)
    }

    /// Whether the conditions on the fields of `which` hold.
    pub(super) fn holds(&self, facts: &Facts, which: impl Fn(Field) -> bool) -> bool {
        self.0
            .iter()
            .filter(|(field, _)| which(**field))
            .all(|(field, tests)| tests.iter().all(|t| t.matches(field.of(facts))))
    }

    /// Whether, by syntax, everything this matches is matched by `wider` too: each condition there follows from one here.
    pub fn within(&self, wider: &Self) -> bool {
        wider.conditions().all(|(field, tests)| {
            let mine = self.on(field);
            tests.iter().all(|t| mine.iter().any(|m| m.implies(t)))
        })
    }

    /// The conditions on one field.
    pub fn on(&self, field: Field) -> &[Test] {
        self.0.get(&field).map_or(&[], Vec::as_slice)
    }

    /// Whether the field must be one of listed values.
    pub(super) fn lists(&self, field: Field) -> bool {
        self.on(field).iter().any(|t| matches!(t, Test::In(_)))
    }

    /// Trusts an origin whoever is paid there: such a rule never matches an origin the caller merely claims.
    pub(super) fn names_origin_alone(&self) -> bool {
        !self.on(Field::PayeeOrigin).is_empty() && !self.lists(Field::PayeeAccount)
    }
}

impl Test {
    /// The operator's name in policy files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::In(_) => "in",
            Self::Lt(_) => "lt",
            Self::Le(_) => "le",
            Self::Gt(_) => "gt",
            Self::Ge(_) => "ge",
            Self::Prefix(_) => "prefix",
            Self::HostSuffix(_) => "host_suffix",
            Self::Exists(_) => "exists",
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::In(_) => 0,
            Self::Lt(_) => 1,
            Self::Le(_) => 2,
            Self::Gt(_) => 3,
            Self::Ge(_) => 4,
            Self::Prefix(_) => 5,
            Self::HostSuffix(_) => 6,
            Self::Exists(_) => 7,
        }
    }

    fn matches(&self, fact: Fact<'_>) -> bool {
        let value = match fact {
            Fact::Missing => return *self == Self::Exists(false),
            Fact::Set(found) => {
                return match self {
                    Self::In(any) => found.into_iter().any(|f| any.contains(&Value::Text(f))),
                    Self::Exists(wanted) => *wanted,
                    _ => false,
                };
            }
            Fact::Flag(v) => Value::Flag(v),
            Fact::Money(v) => Value::Money(v),
            Fact::Time(v) => Value::Time(v),
            Fact::Text(v) => Value::Text(v.to_owned()),
        };
        self.accepts(&value)
    }

    pub(super) fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::In(any), _) => any.contains(value),
            (Self::Lt(bound), _) => value.same_kind(bound) && value < bound,
            (Self::Le(bound), _) => value.same_kind(bound) && value <= bound,
            (Self::Gt(bound), _) => value.same_kind(bound) && value > bound,
            (Self::Ge(bound), _) => value.same_kind(bound) && value >= bound,
            (Self::Prefix(start), Value::Text(text)) => text.starts_with(start.as_str()),
            (Self::HostSuffix(end), Value::Text(origin)) => {
                value::host_of(origin).is_some_and(|host| value::under(&host, end))
            }
            (Self::Prefix(_) | Self::HostSuffix(_), _) => false,
            (Self::Exists(wanted), _) => *wanted,
        }
    }

    /// Whether whatever this matches, `other` matches too, on the same field.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (a, b) if a == b => true,
            (a, Self::Exists(true)) => *a != Self::Exists(false),
            (Self::In(a), Self::In(b)) => a.is_subset(b),
            (Self::In(a), b) => a.iter().all(|v| b.accepts(v)),
            (Self::Lt(a), Self::Lt(b) | Self::Le(b)) | (Self::Le(a), Self::Le(b)) => a <= b,
            (Self::Le(a), Self::Lt(b)) => a < b,
            (Self::Gt(a), Self::Gt(b) | Self::Ge(b)) | (Self::Ge(a), Self::Ge(b)) => a >= b,
            (Self::Ge(a), Self::Gt(b)) => a > b,
            (Self::Prefix(a), Self::Prefix(b)) => a.starts_with(b.as_str()),
            (Self::HostSuffix(a), Self::HostSuffix(b)) => value::under(a, b),
            _ => false,
        }
    }
}

fn checked(field: Field, test: Test) -> Result<Test, Said> {
    let (kind, name) = (field.kind(), field.name());
    let (key, operator) = (name.to_owned(), test.name().to_owned());
    match test {
        Test::In(values) if values.is_empty() => Err(Said::FileEmptyList { key }),
        Test::In(values) => {
            values.into_iter().map(|v| value::checked(field, name, v)).collect::<Result<_, _>>().map(Test::In)
        }
        Test::Lt(_) | Test::Le(_) | Test::Gt(_) | Test::Ge(_) if !matches!(kind, Kind::Money | Kind::Time) => {
            Err(Said::FileUseValue { key, operator })
        }
        Test::Lt(v) => value::checked(field, name, v).map(Test::Lt),
        Test::Le(v) => value::checked(field, name, v).map(Test::Le),
        Test::Gt(v) => value::checked(field, name, v).map(Test::Gt),
        Test::Ge(v) => value::checked(field, name, v).map(Test::Ge),
        Test::Prefix(start) if field == Field::Resource => value::resource_prefix(name, start).map(Test::Prefix),
        Test::Prefix(_) if matches!(field, Field::PayeeOrigin) => Err(Said::FileUseHost { key, operator }),
        Test::Prefix(_) if matches!(field, Field::PayeeAccount | Field::Wallet | Field::Asset) => {
            Err(Said::FileUseWhole { key, operator })
        }
        Test::Prefix(_) if kind != Kind::Text => Err(Said::FileUseValue { key, operator }),
        Test::Prefix(start) if start.is_empty() => Err(Said::FileEmptyPrefix { key }),
        Test::Prefix(start) => Ok(Test::Prefix(start)),
        Test::HostSuffix(end) if field == Field::PayeeOrigin => value::host_suffix(name, &end).map(Test::HostSuffix),
        Test::HostSuffix(_) => Err(Said::FileUseOrigin { key, operator }),
        Test::Exists(wanted) => Ok(Test::Exists(wanted)),
    }
}
