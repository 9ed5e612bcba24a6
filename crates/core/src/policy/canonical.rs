//! Canonical JSON after RFC 8785, and the policy in it: one text for one policy, whatever its file looked like.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::{Budget, Draft, Rule, Test, Value, When};
use crate::{Millis, payment::Digest};

/// The RFC 8785 text of a value whose numbers are integers below 2^53: no spaces, members sorted by UTF-16.
pub fn json(value: &Json) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (n, (name, member)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Json::String(name.clone()).to_string());
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

pub(super) fn hash(policy: &Draft, config: &str) -> Digest {
    let text = json(&json!({ "config": config, "policy": value(policy) }));
    Digest(Sha256::digest(text.as_bytes()).into())
}

/// The whole policy: defaults filled in; rules, budgets and pinned payees are sorted already.
pub(super) fn value(policy: &Draft) -> Json {
    let known = policy.known.iter().map(|k| json!({ "origin": k.origin, "account": k.account, "asset": k.asset }));
    json!({
        "format": 1,
        "name": policy.name,
        "reference": policy.reference,
        "timezone": policy.timezone,
        "mode": policy.mode.as_str(),
        "known": known.collect::<Vec<_>>(),
        "rule": policy.rules.iter().map(of_rule).collect::<Vec<_>>(),
        "budget": policy.budgets.iter().map(of_budget).collect::<Vec<_>>(),
    })
}

fn of_rule(rule: &Rule) -> Json {
    json!({
        "id": rule.id,
        "effect": rule.effect.as_str(),
        "when": of_when(&rule.when),
        "expires": rule.expires.map(Millis::rfc3339),
        "uses_left": rule.uses_left,
        "note": rule.note,
        "origin": rule.origin.as_str(),
    })
}

fn of_budget(budget: &Budget) -> Json {
    json!({
        "id": budget.id,
        "when": of_when(&budget.when),
        "scope": budget.scope.iter().map(super::Scope::text).collect::<Vec<_>>(),
        "window": budget.window.as_str(),
        "max_amount": budget.max_amount,
        "max_count": budget.max_count,
        "on_exceed": budget.on_exceed,
        "expires": budget.expires.map(Millis::rfc3339),
    })
}

fn of_when(when: &When) -> Json {
    let fields = when.conditions().map(|(field, tests)| {
        let tests: Map<String, Json> = tests.iter().map(|t| (t.name().to_owned(), of_test(t))).collect();
        (field.name().to_owned(), Json::Object(tests))
    });
    Json::Object(fields.collect())
}

fn of_test(test: &Test) -> Json {
    match test {
        Test::In(values) => Json::Array(values.iter().map(of_value).collect()),
        Test::Lt(v) | Test::Le(v) | Test::Gt(v) | Test::Ge(v) => of_value(v),
        Test::Prefix(text) | Test::HostSuffix(text) => json!(text),
        Test::Exists(wanted) => json!(wanted),
    }
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::Flag(v) => json!(v),
        Value::Money(v) => json!(v),
        Value::Time(v) => json!(v.rfc3339()),
        Value::Text(v) => json!(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_by_utf16_and_text_is_escaped_as_rfc_8785_says() {
        // RFC 8785 section 3.2.3, without its floating-point members.
        let value = json!({ "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "ö": "Latin Small Letter O With Diaeresis" });
        let text = json(&value);
        let order: Vec<usize> = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"]
            .iter()
            .map(|w| text.find(w).unwrap())
            .collect();
        assert!(order.is_sorted(), "{text}");
        assert_eq!(json(&json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/")), r#""€$\u000f\nA'B\"\\\\\"/""#);
    }
}
