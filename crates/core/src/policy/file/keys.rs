//! One table of the file: keys are taken out by name and kind, and what is left over is an error.

use toml::{Table, Value as Toml, value::Datetime};

use crate::{Millis, approval::Said, text::clean};

pub(super) struct Keys(pub Table);

impl Keys {
    pub fn of(value: Toml) -> Result<Self, Said> {
        match value {
            Toml::Table(table) => Ok(Self(table)),
            _ => Err(Said::FileNoTable { example: "{ id = \"…\" }".to_owned() }),
        }
    }

    pub fn take(&mut self, key: &str) -> Option<Toml> {
        self.0.remove(key)
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>, Said> {
        self.take(key).map(|v| text(key, v)).transpose()
    }

    pub fn need(&mut self, key: &str, example: &str) -> Result<String, Said> {
        self.text(key)?.ok_or_else(|| Said::FileMissing { key: key.to_owned(), example: example.to_owned() })
    }

    pub fn count(&mut self, key: &str) -> Result<Option<u64>, Said> {
        let whole = |v: Toml| v.as_integer().and_then(|n| u64::try_from(n).ok());
        self.take(key).map(|v| whole(v).ok_or_else(|| Said::FileCount { key: key.to_owned() })).transpose()
    }

    pub fn moment(&mut self, key: &str) -> Result<Option<Millis>, Said> {
        let read = |v: Toml| match v {
            Toml::Datetime(at) => moment(key, at),
            _ => Err(Said::FileMoment { key: key.to_owned() }),
        };
        self.take(key).map(read).transpose()
    }

    pub fn list(&mut self, key: &str) -> Result<Vec<Toml>, Said> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Toml::Array(items)) => Ok(items),
            Some(_) => Err(Said::FileList { key: key.to_owned() }),
        }
    }

    pub fn finish(self, known: &str) -> Result<(), Said> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(Said::FileUnknown { key: clean(key), keys: known.to_owned() }),
        }
    }
}

pub(super) fn text(key: &str, value: Toml) -> Result<String, Said> {
    match value {
        Toml::String(text) => Ok(text),
        Toml::Float(_) | Toml::Integer(_) => Err(Said::FileNumber { key: clean(key) }),
        _ => Err(Said::FileQuotes { key: clean(key) }),
    }
}

pub(super) fn moment(key: &str, at: Datetime) -> Result<Millis, Said> {
    let bad = || Said::FileNoMoment { key: clean(key), text: at.to_string() };
    if at.offset.is_none() {
        return Err(bad());
    }
    at.to_string().parse::<jiff::Timestamp>().map(|t| Millis(t.as_millisecond())).map_err(|_| bad())
}
