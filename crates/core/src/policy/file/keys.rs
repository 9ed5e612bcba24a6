//! One table of the file: keys are taken out by name and kind, and what is left over is an error.

use toml::{Table, Value as Toml, value::Datetime};

use crate::Millis;

pub(super) struct Keys(Table);

impl Keys {
    pub fn of(value: Toml) -> Result<Self, String> {
        match value {
            Toml::Table(table) => Ok(Self(table)),
            other => Err(format!("is {} where a table such as {{ id = \"…\" }} belongs", kind(&other))),
        }
    }

    pub fn take(&mut self, key: &str) -> Option<Toml> {
        self.0.remove(key)
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        self.take(key).map(|v| text(v).map_err(|says| format!("`{key}` {says}"))).transpose()
    }

    pub fn need(&mut self, key: &str, example: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("`{key}` is missing; write {key} = {example}"))
    }

    pub fn count(&mut self, key: &str) -> Result<Option<u64>, String> {
        let whole = |v: Toml| v.as_integer().and_then(|n| u64::try_from(n).ok());
        self.take(key).map(|v| whole(v).ok_or_else(|| format!("`{key}` must be a whole number, 0 or more"))).transpose()
    }

    pub fn moment(&mut self, key: &str) -> Result<Option<Millis>, String> {
        let read = |v: Toml| match v {
            Toml::Datetime(at) => moment(at),
            _ => Err("must be a moment with its offset and no quotes, such as 2026-12-01T00:00:00Z".to_owned()),
        };
        self.take(key).map(|v| read(v).map_err(|says| format!("`{key}` {says}"))).transpose()
    }

    pub fn list(&mut self, key: &str) -> Result<Vec<Toml>, String> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Toml::Array(items)) => Ok(items),
            Some(other) => Err(format!("`{key}` is {}; write a list: {key} = [ … ]", kind(&other))),
        }
    }

    pub fn finish(self, known: &str) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(format!("unknown key `{key}`; the keys are {known}")),
        }
    }

    pub fn rest(self) -> Table {
        self.0
    }
}

pub(super) fn text(value: Toml) -> Result<String, String> {
    match value {
        Toml::String(text) => Ok(text),
        Toml::Float(_) | Toml::Integer(_) => Err("must be text; write amounts in quotes, such as \"0.10\"".to_owned()),
        other => Err(format!("is {}; write a text in quotes", kind(&other))),
    }
}

pub(super) fn moment(at: Datetime) -> Result<Millis, String> {
    let bad = || format!("is {at}, which is no moment; write it with its offset, such as 2026-12-01T00:00:00Z");
    if at.offset.is_none() {
        return Err(bad());
    }
    at.to_string().parse::<jiff::Timestamp>().map(|t| Millis(t.as_millisecond())).map_err(|_| bad())
}

pub(super) fn kind(value: &Toml) -> &'static str {
    match value {
        Toml::String(_) => "text",
        Toml::Integer(_) | Toml::Float(_) => "a number",
        Toml::Boolean(_) => "true or false",
        Toml::Datetime(_) => "a moment",
        Toml::Array(_) => "a list",
        Toml::Table(_) => "a table",
    }
}
