//! TOML → [`Draft`].

use std::collections::BTreeSet;
use toml::Value as Toml;

use super::keys::{Keys, kind, moment, text};
use crate::money::Micro;
use crate::policy::{
    Budget, Draft, Effect, Field, Known, Mode, PolicyError, Rule, Scope, Source, Test, Tier, Value, When, Window,
};

/// Files above this are refused before they are read.
const LARGEST: usize = 1 << 20;

pub fn read(toml: &str, reference: &str) -> Result<Draft, PolicyError> {
    if toml.len() > LARGEST {
        return Err(PolicyError::Syntax("the file is larger than 1 MiB".to_owned()));
    }
    let table: toml::Table = toml.parse().map_err(|e: toml::de::Error| PolicyError::Syntax(e.to_string()))?;
    let mut keys = Keys::of(Toml::Table(table)).map_err(top)?;
    match keys.take("format") {
        Some(Toml::Integer(1)) => {}
        _ => return Err(top("the first key must be format = 1".to_owned())),
    }
    let file = keys.need("reference", &format!("{reference:?}")).map_err(top)?;
    if file != reference {
        return Err(PolicyError::Reference { file, config: reference.to_owned() });
    }
    let mode = match keys.text("mode").map_err(top)?.as_deref() {
        None | Some("enforce") => Mode::Enforce,
        Some("observe") => Mode::Observe,
        Some(other) => return Err(top(format!("`mode` is {other:?}; it is \"enforce\" or \"observe\""))),
    };
    let draft = Draft {
        name: keys.text("name").map_err(top)?.unwrap_or_else(|| "custom".to_owned()),
        reference: file,
        timezone: keys.text("timezone").map_err(top)?.unwrap_or_else(|| "UTC".to_owned()),
        mode,
        known: items(&mut keys, "known", known)?,
        rules: items(&mut keys, "rule", rule)?,
        budgets: items(&mut keys, "budget", budget)?,
    };
    keys.finish("format, name, reference, timezone, mode, known, rule and budget").map_err(top)?;
    Ok(draft)
}

fn top(says: String) -> PolicyError {
    PolicyError::item("policy", says)
}

/// Reads a list of tables; an error names the item's id, or its place in the list.
fn items<T>(keys: &mut Keys, key: &str, read: fn(Keys) -> Result<T, String>) -> Result<Vec<T>, PolicyError> {
    let one = |(n, item): (usize, Toml)| {
        let id = item.get("id").and_then(Toml::as_str).map(|id| format!("{id:?}"));
        let at = format!("{key} {}", id.unwrap_or_else(|| n.saturating_add(1).to_string()));
        Keys::of(item).and_then(read).map_err(|says| PolicyError::item(at, says))
    };
    keys.list(key).map_err(top)?.into_iter().enumerate().map(one).collect()
}

fn known(mut keys: Keys) -> Result<Known, String> {
    let origin = Value::Text(keys.need("origin", "\"https://api.example\"")?);
    let account = Value::Text(keys.need("account", "\"0x…\"")?);
    let asset = Value::Text(keys.need("asset", "\"eip155:8453/erc20:0x…\"")?);
    keys.finish("origin, account and asset")?;
    let spelled = |field, value| match crate::policy::value::checked(field, value)? {
        Value::Text(text) => Ok(text),
        _ => Err("write a text in quotes".to_owned()),
    };
    Ok(Known {
        origin: spelled(Field::PayeeOrigin, origin)?.parse().map_err(|e| format!("`origin`: {e}"))?,
        account: spelled(Field::PayeeAccount, account)?,
        asset: spelled(Field::Asset, asset)?.parse().map_err(|e| format!("`asset`: {e}"))?,
    })
}

fn rule(mut keys: Keys) -> Result<Rule, String> {
    let id = keys.need("id", "\"my-rule\"")?;
    let effect = keys.need("effect", "\"ask\"")?;
    let effect = Tier::named(&effect)
        .ok_or_else(|| format!("`effect` is {effect:?}; it is \"deny\", \"except\", \"ask\" or \"allow\""))?;
    let when = keys.take("when").ok_or("`when` is missing; write when = {} to match everything (deny and ask only)")?;
    let origin = keys.text("origin")?.map_or(Ok(Source::User), |o| {
        Source::named(&o).ok_or_else(|| format!("`origin` is {o:?}; it is \"user\", \"prompt\" or \"preset\""))
    })?;
    let rule = Rule {
        id,
        effect,
        when: conditions(when)?,
        expires: keys.moment("expires")?,
        uses_left: keys.count("uses_left")?,
        note: keys.text("note")?,
        origin,
    };
    keys.finish("id, effect, when, expires, uses_left, note and origin")?;
    Ok(rule)
}

fn budget(mut keys: Keys) -> Result<Budget, String> {
    let id = keys.need("id", "\"my-budget\"")?;
    let when = match keys.take("when") {
        None => When::default(),
        Some(when) => conditions(when).and_then(|w| {
            if w.is_empty() { Err("an empty `when`; leave it out to cover every payment".to_owned()) } else { Ok(w) }
        })?,
    };
    let mut scope = BTreeSet::new();
    for item in keys.list("scope")? {
        let part = text(item).map_err(|says| format!("`scope` {says}"))?;
        let named = Scope::named(&part).ok_or_else(|| {
            format!("`scope` holds {part:?}; it takes \"rule:ID\", \"agent\", \"payee\", \"session\" and \"task\"")
        })?;
        scope.insert(named);
    }
    let window = keys.need("window", "\"rolling:24h\"")?;
    let names = || Window::ALL.map(Window::as_str).join(", ");
    let window = Window::named(&window).ok_or_else(|| format!("`window` is {window:?}; it is one of: {}", names()))?;
    let max_amount = keys.text("max_amount")?.map(|t| {
        Micro::parse(&t)
            .map_err(|e| format!("`max_amount` is {t:?}: {e}; write at most six decimals, such as \"5.00\""))
    });
    let on_exceed = match keys.need("on_exceed", "\"ask\"")?.as_str() {
        "ask" => Effect::Ask,
        "deny" => Effect::Deny,
        other => return Err(format!("`on_exceed` is {other:?}; it is \"ask\" or \"deny\"")),
    };
    let (max_count, expires) = (keys.count("max_count")?, keys.moment("expires")?);
    keys.finish("id, when, scope, window, max_amount, max_count, on_exceed and expires")?;
    Ok(Budget { id, when, scope, window, max_amount: max_amount.transpose()?, max_count, on_exceed, expires })
}

fn conditions(when: Toml) -> Result<When, String> {
    let table = Keys::of(when).map_err(|says| format!("`when` {says}"))?.rest();
    let mut all = Vec::new();
    for (name, asked) in table {
        let field = Field::named(&name).ok_or_else(|| format!("`when` asks about `{name}`, which is no fact"))?;
        let tests = tests(asked).map_err(|says| format!("`{name}` {says}"))?;
        all.extend(tests.into_iter().map(|t| (field, t)));
    }
    When::new(all)
}

fn tests(asked: Toml) -> Result<Vec<Test>, String> {
    let Toml::Table(operators) = asked else { return Ok(vec![one_of(asked)?]) };
    if operators.is_empty() {
        return Err("has no operator; write a value, a list or { le = \"0.10\" }".to_owned());
    }
    let one = |(name, operand): (String, Toml)| match name.as_str() {
        "eq" if operand.is_array() => Err("`eq` takes one value; use `in` for a list".to_owned()),
        "in" if !operand.is_array() => Err("`in` takes a list; use `eq` for one value".to_owned()),
        "eq" | "in" => one_of(operand),
        "lt" => value(operand).map(Test::Lt),
        "le" => value(operand).map(Test::Le),
        "gt" => value(operand).map(Test::Gt),
        "ge" => value(operand).map(Test::Ge),
        "prefix" => text(operand).map(Test::Prefix),
        "host_suffix" => text(operand).map(Test::HostSuffix),
        "exists" => operand.as_bool().map(Test::Exists).ok_or_else(|| "`exists` is true or false".to_owned()),
        _ => Err(format!(
            "has the unknown operator `{name}`; the operators are eq, in, lt, le, gt, ge, prefix, host_suffix and exists"
        )),
    };
    operators.into_iter().map(one).collect()
}

fn one_of(operand: Toml) -> Result<Test, String> {
    let values = match operand {
        Toml::Array(items) => items.into_iter().map(value).collect::<Result<_, _>>()?,
        single => BTreeSet::from([value(single)?]),
    };
    Ok(Test::In(values))
}

fn value(operand: Toml) -> Result<Value, String> {
    match operand {
        Toml::String(text) => Ok(Value::Text(text)),
        Toml::Boolean(flag) => Ok(Value::Flag(flag)),
        Toml::Datetime(at) => moment(at).map(Value::Time),
        Toml::Integer(_) | Toml::Float(_) => {
            Err("is compared to a number; write amounts as text, such as \"0.10\"".to_owned())
        }
        other => Err(format!("is compared to {}; write a value", kind(&other))),
    }
}
