//! Connects MCP clients: finds their configuration files, and puts one entry, `countersign`, that runs the stdio bridge.
//!
//! Promises: no token goes into a client's file; nothing but our own entry changes; a file that cannot be read is left
//! as it is; every change is shown before it is made, and can be undone. Asks nobody and prints nothing: the command
//! line and the window do.

mod client;
mod file;
mod format;
mod here;
mod json;
mod layout;
mod roots;
mod shown;
mod stand;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

#[cfg(all(test, feature = "gui"))]
pub use client::Os;
pub use client::{CLIENTS, Client, client};
pub use roots::{Found, Roots};

use anyhow::Context as _;
use client::Field;
use file::File;
use format::At;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The key of our entry.
const NAME: &str = "countersign";

/// What an entry runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The absolute path of this program.
    pub program: String,
    /// Its arguments, the agent's name among them.
    pub args: Vec<String>,
}

/// How a client's file stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "why", rename_all = "snake_case")]
pub enum State {
    /// Our entry is there and runs this program.
    Connected,
    /// Our entry is there and is of no use: why.
    Stale(String),
    /// There is no entry of ours.
    NotSet,
    /// The file cannot be read: why.
    Broken(String),
}

/// A change of one file, worked out and not made.
#[derive(Debug)]
pub struct Plan {
    file: File,
    /// Where the person finds the file.
    shown: String,
    after: Option<String>,
    keep: Keep,
}

/// What happens to the copy of the state before us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// The text is copied.
    Fresh,
    /// The text is copied unless an older copy is there: the text has an old entry of ours.
    Older,
    /// The copy is removed.
    Drop,
}

impl Found {
    fn at(&self) -> At<'static> {
        At { section: self.client.section, name: NAME }
    }

    /// How it stands towards `launch`.
    pub fn state(&self, launch: &Launch) -> State {
        let entry = match self.entry() {
            Ok(entry) => entry,
            Err(error) => return State::Broken(format!("{error:#}")),
        };
        let Some(entry) = entry else { return State::NotSet };
        match self.differing(&entry, launch) {
            None => State::Connected,
            // The key only: what stands there may be a secret.
            Some(key) => State::Stale(match entry.get(key) {
                Some(_) => format!("`{key}` is not that of this program"),
                None => format!("`{key}` is missing"),
            }),
        }
    }

    /// The first field of our entry that is not as it should be.
    fn differing(&self, entry: &Value, launch: &Launch) -> Option<&'static str> {
        let differs = |key: &str, field: &Field| match (entry.get(key), field) {
            (Some(Value::String(old)), Field::Program) => !same_program(old, &launch.program),
            (old, field) => old != Some(&say(*field, launch)),
        };
        self.client.fixed.iter().find(|(key, field)| differs(key, field)).map(|(key, _)| *key)
    }

    fn entry(&self) -> anyhow::Result<Option<Value>> {
        let file = File::read(&self.file)?;
        let text = file.text.unwrap_or_default();
        Ok(self.client.format.read(&text, self.at()).with_context(|| self.file.display().to_string())?.entry)
    }

    /// The change that connects it; none if it is connected.
    ///
    /// # Errors
    /// Where the file cannot be read or edited; it names the line and column.
    pub fn connect(&self, launch: &Launch) -> anyhow::Result<Option<Plan>> {
        let file = File::read(&self.file)?;
        let text = file.text.clone().unwrap_or_default();
        let (format, trying) = (self.client.format, || format!("{} was not changed", self.file.display()));
        let entry = format.read(&text, self.at()).with_context(trying)?.entry;
        if entry.as_ref().is_some_and(|entry| self.differing(entry, launch).is_none()) {
            return Ok(None);
        }
        let fixed = fields(self.client.fixed, launch);
        // An entry that starts a program is brought up to date; one of another kind is written anew.
        let program = self.client.fixed.iter().find(|(_, field)| matches!(field, Field::Program)).map(|(key, _)| *key);
        let starts =
            entry.as_ref().zip(program).is_some_and(|(entry, key)| entry.get(key).is_some_and(Value::is_string));
        let after = if starts {
            format.put(&text, self.at(), &fixed, false)
        } else {
            let mut whole = fixed;
            whole.extend(fields(self.client.first, launch));
            format.put(&text, self.at(), &whole, true)
        };
        let keep = if entry.is_some() { Keep::Older } else { Keep::Fresh };
        Ok(Some(self.plan(file, Some(after.with_context(trying)?), keep)))
    }

    /// The change that takes our entry out; none if there is no entry and no copy of the state before us. A file that we
    /// alone changed becomes what it was, byte for byte; one that did not exist is removed.
    ///
    /// # Errors
    /// As [`Found::connect`].
    pub fn undo(&self) -> anyhow::Result<Option<Plan>> {
        let file = File::read(&self.file)?;
        let text = file.text.clone().unwrap_or_default();
        let (format, trying) = (self.client.format, || format!("{} was not changed", self.file.display()));
        let kept = file.kept();
        let Some(entry) = format.read(&text, self.at()).with_context(trying)?.entry else {
            // Somebody else took the entry out, and left the copy.
            let copy = file.beside().display().to_string();
            return Ok(kept.map(|_| Plan { shown: copy, after: file.text.clone(), keep: Keep::Drop, file }));
        };
        let before = kept.as_deref().unwrap_or_default();
        let ours = format.read(before, self.at()).is_ok_and(|seen| seen.entry.is_none())
            && format.put(before, self.at(), &self.as_written(&entry), true).is_ok_and(|made| made == text);
        let after = if ours { kept } else { Some(format.take(&text, self.at()).with_context(trying)?) };
        Ok(Some(self.plan(file, after, Keep::Drop)))
    }

    /// The fields of an entry in the order in which they are written.
    fn as_written(&self, entry: &Value) -> Map<String, Value> {
        let keys = self.client.fixed.iter().chain(self.client.first).map(|(key, _)| *key);
        let mut ordered: Map<String, Value> =
            keys.filter_map(|key| Some((key.to_owned(), entry.get(key)?.clone()))).collect();
        ordered.extend(entry.as_object().cloned().unwrap_or_default());
        ordered
    }

    fn plan(&self, file: File, after: Option<String>, keep: Keep) -> Plan {
        Plan { file, shown: self.file.display().to_string(), after, keep }
    }
}

impl Plan {
    /// The change as a diff. It holds what is put in and taken out and no word that stays, because a client's file may hold
    /// secrets; of a copy that is removed it says the name only.
    pub fn diff(&self) -> String {
        let (before, after) = (self.file.text.as_deref(), self.after.as_deref());
        let name = |there: bool| if there { self.shown.as_str() } else { "/dev/null" };
        let copy = self.only_forgets();
        let (old, new) = (name(copy || before.is_some()), name(!copy && after.is_some()));
        format!("--- {old}\n+++ {new}\n{}", shown::change(before.unwrap_or_default(), after.unwrap_or_default()))
    }

    /// The file that changes.
    pub fn file(&self) -> &str {
        &self.shown
    }

    /// Makes the change.
    ///
    /// # Errors
    /// Where the file changed since the plan was made, or cannot be written.
    pub fn carry_out(&self) -> anyhow::Result<()> {
        let keep = match self.keep {
            Keep::Fresh => true,
            Keep::Older => self.file.kept().is_none(),
            Keep::Drop => false,
        };
        if !self.only_forgets() {
            self.file.ready(self.after.as_deref(), keep)?.put()?;
        }
        if self.keep == Keep::Drop { self.file.forget() } else { Ok(()) }
    }

    /// Whether the file stays as it is and only the copy goes.
    fn only_forgets(&self) -> bool {
        self.after == self.file.text
    }
}

fn fields(list: &[(&str, Field)], launch: &Launch) -> Map<String, Value> {
    list.iter().map(|(key, field)| ((*key).to_owned(), say(*field, launch))).collect()
}

fn say(field: Field, launch: &Launch) -> Value {
    match field {
        Field::Program => json!(launch.program),
        Field::Args => json!(launch.args),
        Field::Text(text) => json!(text),
        Field::Yes => json!(true),
        Field::Number(number) => json!(number),
        Field::All => json!(["*"]),
    }
}

/// Whether both paths lead to the same program, perhaps through links.
fn same_program(one: &str, other: &str) -> bool {
    one == other || matches!((Path::new(one).canonicalize(), Path::new(other).canonicalize()), (Ok(a), Ok(b)) if a == b)
}
