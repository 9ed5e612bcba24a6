//! TOML → [`Draft`].

use std::collections::BTreeSet;
use toml::Value as Toml;

use super::keys::{Keys, moment, text};
use crate::{
    approval::Said,
    policy::{
        Budget, Draft, Effect, Field, Known, Mode, PolicyError, Rule, Scope, Source, Test, Tier, Value, When, Window,
        draft::choice,
        value::{amount, checked, quoted},
    },
    text::clean,
};

/// Files above this are refused before they are read.
const LARGEST: usize = 1 << 20;
/// What a condition can ask.
const OPERATORS: &str = "eq, in, lt, le, gt, ge, prefix, host_suffix, exists";

pub fn read(toml: &str, reference: &str) -> Result<Draft, PolicyError> {
    if toml.len() > LARGEST {
        return Err(PolicyError::File(Said::FileSize {}));
    }
    let table: toml::Table = toml.parse().map_err(|error| PolicyError::File(syntax(toml, &error)))?;
    let mut keys = Keys(table);
    match keys.take("format") {
        Some(Toml::Integer(1)) => {}
        _ => return Err(top(Said::FileFormat {})),
    }
    let file = keys.need("reference", &quoted(reference)).map_err(top)?;
    if file != reference {
        return Err(PolicyError::File(Said::FileReference { file: quoted(&file), config: quoted(reference) }));
    }
    let mode = match keys.text("mode").map_err(top)?.as_deref() {
        None | Some("enforce") => Mode::Enforce,
        Some("observe") => Mode::Observe,
        Some(other) => return Err(top(choice("mode", other, ["enforce", "observe"]))),
    };
    let draft = Draft {
        name: keys.text("name").map_err(top)?.unwrap_or_else(|| "custom".to_owned()),
        reference: file,
        timezone: keys.text("timezone").map_err(top)?.unwrap_or_else(|| "UTC".to_owned()),
        mode,
        known: items(&mut keys, "known", known, |known| Said::AtKnown { known })?,
        rules: items(&mut keys, "rule", rule, |rule| Said::AtRule { rule })?,
        budgets: items(&mut keys, "budget", budget, |budget| Said::AtBudget { budget })?,
    };
    keys.finish("format, name, reference, timezone, mode, known, rule, budget").map_err(top)?;
    Ok(draft)
}

/// What the reader of TOML says, and where; the words are its own.
fn syntax(toml: &str, error: &toml::de::Error) -> Said {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    Said::FileSyntax { line: line.to_string(), text: clean(error.message()) }
}

fn top(says: Said) -> PolicyError {
    PolicyError::item(Said::AtFile {}, says)
}

/// Reads a list of tables; an error names the item's id, or its place in the list.
fn items<T>(
    keys: &mut Keys,
    key: &str,
    read: fn(Keys) -> Result<T, Said>,
    at: fn(String) -> Said,
) -> Result<Vec<T>, PolicyError> {
    let one = |(n, item): (usize, Toml)| {
        let id = item.get("id").and_then(Toml::as_str).map(quoted);
        let name = id.unwrap_or_else(|| n.saturating_add(1).to_string());
        Keys::of(item).and_then(read).map_err(|says| PolicyError::item(at(name), says))
    };
    keys.list(key).map_err(top)?.into_iter().enumerate().map(one).collect()
}

fn known(mut keys: Keys) -> Result<Known, Said> {
    let origin = keys.need("origin", "\"https://api.example\"")?;
    let account = keys.need("account", "\"0x…\"")?;
    let asset = keys.need("asset", "\"eip155:8453/erc20:0x…\"")?;
    keys.finish("origin, account, asset")?;
    let spelled = |field, key: &str, text| match checked(field, key, Value::Text(text))? {
        Value::Text(text) => Ok(text),
        _ => Err(Said::FileQuotes { key: key.to_owned() }),
    };
    let (origin, asset) = (spelled(Field::PayeeOrigin, "origin", origin)?, spelled(Field::Asset, "asset", asset)?);
    let no_origin = |_| Said::FileOrigin { key: "origin".to_owned(), text: quoted(&origin) };
    let no_asset = |_| Said::FileAsset { key: "asset".to_owned(), text: quoted(&asset) };
    Ok(Known {
        origin: origin.parse().map_err(no_origin)?,
        account: spelled(Field::PayeeAccount, "account", account)?,
        asset: asset.parse().map_err(no_asset)?,
    })
}

fn rule(mut keys: Keys) -> Result<Rule, Said> {
    let id = keys.need("id", "\"my-rule\"")?;
    let effect = keys.need("effect", "\"ask\"")?;
    let effect = Tier::named(&effect).ok_or_else(|| choice("effect", &effect, ["deny", "except", "ask", "allow"]))?;
    let when = keys.take("when").ok_or_else(|| Said::FileNoWhen { example: "{}".to_owned() })?;
    let origin = keys.text("origin")?.map_or(Ok(Source::User), |o| {
        Source::named(&o).ok_or_else(|| choice("origin", &o, ["user", "prompt", "preset"]))
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
    keys.finish("id, effect, when, expires, uses_left, note, origin")?;
    Ok(rule)
}

fn budget(mut keys: Keys) -> Result<Budget, Said> {
    let id = keys.need("id", "\"my-budget\"")?;
    let when = match keys.take("when") {
        None => When::default(),
        Some(when) => Some(conditions(when)?).filter(|w| !w.is_empty()).ok_or(Said::FileEmptyWhen {})?,
    };
    let mut scope = BTreeSet::new();
    for item in keys.list("scope")? {
        let part = text("scope", item)?;
        let names = || "\"rule:ID\", \"agent\", \"payee\", \"session\", \"task\"".to_owned();
        let other = || Said::FileScope { text: quoted(&part), names: names() };
        scope.insert(Scope::named(&part).ok_or_else(other)?);
    }
    let window = keys.need("window", "\"rolling:24h\"")?;
    let window = Window::named(&window).ok_or_else(|| choice("window", &window, Window::ALL.map(Window::as_str)))?;
    let max_amount = keys.text("max_amount")?.map(|t| amount("max_amount", &t));
    let on_exceed = match keys.need("on_exceed", "\"ask\"")?.as_str() {
        "ask" => Effect::Ask,
        "deny" => Effect::Deny,
        other => return Err(choice("on_exceed", other, ["ask", "deny"])),
    };
    let (max_count, expires) = (keys.count("max_count")?, keys.moment("expires")?);
    keys.finish("id, when, scope, window, max_amount, max_count, on_exceed, expires")?;
    Ok(Budget { id, when, scope, window, max_amount: max_amount.transpose()?, max_count, on_exceed, expires })
}

fn conditions(when: Toml) -> Result<When, Said> {
    let Toml::Table(table) = when else {
        return Err(Said::FileWhen { example: "{ rail = \"x402\" }".to_owned() });
    };
    let mut all = Vec::new();
    for (name, asked) in table {
        let field = Field::named(&name).ok_or_else(|| Said::FileNoFact { key: clean(&name) })?;
        all.extend(tests(&name, asked)?.into_iter().map(|t| (field, t)));
    }
    When::new(all)
}

fn tests(name: &str, asked: Toml) -> Result<Vec<Test>, Said> {
    let key = || name.to_owned();
    let Toml::Table(operators) = asked else { return Ok(vec![one_of(name, asked)?]) };
    if operators.is_empty() {
        return Err(Said::FileNoOperator { key: key(), example: "{ le = \"0.10\" }".to_owned() });
    }
    let one = |(operator, operand): (String, Toml)| match operator.as_str() {
        "eq" if operand.is_array() => Err(Said::FileEq { key: key() }),
        "in" if !operand.is_array() => Err(Said::FileIn { key: key() }),
        "eq" | "in" => one_of(name, operand),
        "lt" => value(name, operand).map(Test::Lt),
        "le" => value(name, operand).map(Test::Le),
        "gt" => value(name, operand).map(Test::Gt),
        "ge" => value(name, operand).map(Test::Ge),
        "prefix" => text(name, operand).map(Test::Prefix),
        "host_suffix" => text(name, operand).map(Test::HostSuffix),
        "exists" => operand.as_bool().map(Test::Exists).ok_or_else(|| Said::FileExists { key: key() }),
        _ => Err(Said::FileOperator { key: key(), operator: clean(&operator), operators: OPERATORS.to_owned() }),
    };
    operators.into_iter().map(one).collect()
}

fn one_of(key: &str, operand: Toml) -> Result<Test, Said> {
    let values = match operand {
        Toml::Array(items) => items.into_iter().map(|item| value(key, item)).collect::<Result<_, _>>()?,
        single => BTreeSet::from([value(key, single)?]),
    };
    Ok(Test::In(values))
}

fn value(key: &str, operand: Toml) -> Result<Value, Said> {
    match operand {
        Toml::String(text) => Ok(Value::Text(text)),
        Toml::Boolean(flag) => Ok(Value::Flag(flag)),
        Toml::Datetime(at) => moment(key, at).map(Value::Time),
        Toml::Integer(_) | Toml::Float(_) => Err(Said::FileCompared { key: key.to_owned() }),
        _ => Err(Said::FileNoValue { key: key.to_owned() }),
    }
}
