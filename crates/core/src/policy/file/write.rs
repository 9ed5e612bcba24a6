//! [`Draft`] → TOML, one item a line, in the shape a person would write.

use crate::policy::{Budget, Draft, Known, Rule, Scope, Source, Test, Value, When};

pub fn write(policy: &Draft) -> String {
    let mut out = String::from("format = 1\n");
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("name = {}", quoted(&policy.name)));
    line(format!("reference = {}", quoted(&policy.reference)));
    line(format!("timezone = {}", quoted(&policy.timezone)));
    line(format!("mode = {}", quoted(policy.mode.as_str())));
    line(list("known", policy.known.iter().map(known)));
    line(list("rule", policy.rules.iter().map(rule)));
    line(list("budget", policy.budgets.iter().map(budget)));
    out
}

fn list(key: &str, items: impl Iterator<Item = String>) -> String {
    let body: String = items.map(|item| format!("  {item},\n")).collect();
    if body.is_empty() { format!("{key} = []") } else { format!("{key} = [\n{body}]") }
}

fn known(known: &Known) -> String {
    format!(
        "{{ origin = {}, account = {}, asset = {} }}",
        quoted(known.origin.as_str()),
        quoted(&known.account),
        quoted(known.asset.as_str())
    )
}

fn rule(rule: &Rule) -> String {
    let mut parts = vec![format!("id = {}", quoted(&rule.id)), format!("effect = {}", quoted(rule.effect.as_str()))];
    if rule.origin != Source::User {
        parts.push(format!("origin = {}", quoted(rule.origin.as_str())));
    }
    parts.extend(rule.expires.map(|at| format!("expires = {}", at.rfc3339())));
    parts.extend(rule.uses_left.map(|n| format!("uses_left = {n}")));
    parts.extend(rule.note.as_ref().map(|note| format!("note = {}", quoted(note))));
    parts.push(format!("when = {}", conditions(&rule.when)));
    format!("{{ {} }}", parts.join(", "))
}

fn budget(budget: &Budget) -> String {
    let scope: Vec<String> = budget.scope.iter().map(|s: &Scope| quoted(&s.text())).collect();
    let mut parts = vec![format!("id = {}", quoted(&budget.id))];
    if !budget.when.is_empty() {
        parts.push(format!("when = {}", conditions(&budget.when)));
    }
    parts.push(format!("scope = [{}]", scope.join(", ")));
    parts.push(format!("window = {}", quoted(budget.window.as_str())));
    parts.extend(budget.max_amount.map(|max| format!("max_amount = \"{max}\"")));
    parts.extend(budget.max_count.map(|max| format!("max_count = {max}")));
    parts.push(format!(
        "on_exceed = \"{}\"",
        if budget.on_exceed == crate::policy::Effect::Deny { "deny" } else { "ask" }
    ));
    parts.extend(budget.expires.map(|at| format!("expires = {}", at.rfc3339())));
    format!("{{ {} }}", parts.join(", "))
}

fn conditions(when: &When) -> String {
    let fields: Vec<String> =
        when.conditions().map(|(field, tests)| format!("{} = {}", field.name(), asked(tests))).collect();
    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
}

fn asked(tests: &[Test]) -> String {
    if let [Test::In(_)] = tests {
        return tests.iter().map(operand).collect();
    }
    let one = |test: &Test| {
        let name = if matches!(test, Test::In(values) if values.len() == 1) { "eq" } else { test.name() };
        format!("{name} = {}", operand(test))
    };
    format!("{{ {} }}", tests.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn operand(test: &Test) -> String {
    match test {
        Test::In(values) => {
            let all: Vec<String> = values.iter().map(value).collect();
            if all.len() == 1 { all.concat() } else { format!("[{}]", all.join(", ")) }
        }
        Test::Lt(v) | Test::Le(v) | Test::Gt(v) | Test::Ge(v) => value(v),
        Test::Prefix(text) | Test::HostSuffix(text) => quoted(text),
        Test::Exists(wanted) => wanted.to_string(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Money(money) => format!("\"{money}\""),
        Value::Time(at) => at.rfc3339(),
        Value::Text(text) => quoted(text),
    }
}

/// A TOML basic string. JSON's escapes are TOML's too; only DEL needs one that JSON does not ask for.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}
