//! The same policy in another reference currency: every amount at the person's own rate, rounded down to a millionth.

use super::{Draft, Policy, PolicyError, Test, Value, When};
use crate::{approval::Said, money::Micro, registry::Rate};

impl Policy {
    /// This policy with every amount times `rate` (units of `reference` for one unit of the old currency).
    ///
    /// # Errors
    /// When an amount becomes too large, or the result is no policy.
    pub fn converted(&self, reference: &str, rate: Rate) -> Result<Self, PolicyError> {
        let mut draft = self.draft();
        reference.clone_into(&mut draft.reference);
        let told = || PolicyError::item(Said::AtFile {}, Said::FileConverted {});
        convert(&mut draft, rate).ok_or_else(told)?;
        draft.check()
    }
}

fn convert(draft: &mut Draft, rate: Rate) -> Option<()> {
    for rule in &mut draft.rules {
        rule.when = when(&rule.when, rate)?;
    }
    for budget in &mut draft.budgets {
        budget.when = when(&budget.when, rate)?;
        budget.max_amount = match budget.max_amount {
            Some(max) => Some(rate.of(max)?),
            None => None,
        };
    }
    Some(())
}

fn when(old: &When, rate: Rate) -> Option<When> {
    let mut tests = Vec::new();
    for (field, all) in old.conditions() {
        for test in all {
            tests.push((field, test_at(test, rate)?));
        }
    }
    When::new(tests).ok()
}

fn test_at(test: &Test, rate: Rate) -> Option<Test> {
    let value = |value: &Value| match value {
        Value::Money(amount) => rate.of(*amount).map(Value::Money),
        other => Some(other.clone()),
    };
    Some(match test {
        Test::In(all) => Test::In(all.iter().map(value).collect::<Option<_>>()?),
        Test::Lt(v) => Test::Lt(value(v)?),
        Test::Le(v) => Test::Le(value(v)?),
        Test::Gt(v) => Test::Gt(value(v)?),
        Test::Ge(v) => Test::Ge(value(v)?),
        other => other.clone(),
    })
}

impl Rate {
    /// An amount at this rate, rounded down; none past what fits.
    fn of(self, amount: Micro) -> Option<Micro> {
        amount.0.checked_mul(self.micros().0)?.checked_div(1_000_000).map(Micro)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_follows_the_rate_and_nothing_else_changes() {
        let dollars = Policy::preset("everyday", "USD").unwrap();
        let yuan = dollars.converted("CNY", Rate::parse("7.123457").unwrap()).unwrap();
        assert_eq!(yuan.reference(), "CNY");
        assert_eq!(yuan.ask_above().map(|m| m.to_string()).as_deref(), Some("0.712345"), "0.7123457, rounded down");
        let week = |p: &Policy| p.budget("limit-week").and_then(|b| b.max_amount).unwrap().to_string();
        assert_eq!((week(&dollars).as_str(), week(&yuan).as_str()), ("60.00", "427.40742"));
        let names = |p: &Policy| p.rules().iter().map(|r| (r.id.clone(), r.effect)).collect::<Vec<_>>();
        assert_eq!(names(&dollars), names(&yuan));
        assert_eq!(Policy::parse(&yuan.to_toml(), "CNY").unwrap().hash(""), yuan.hash(""));
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let huge = format!("{}.00", u128::MAX / 100_000_000);
        let toml = Policy::preset("everyday", "USD").unwrap().to_toml().replace("60.00", &huge);
        let policy = Policy::parse(&toml, "USD").unwrap();
        assert!(policy.converted("CNY", Rate::parse("100000").unwrap()).is_err());
    }
}
