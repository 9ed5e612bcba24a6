//! The ways a configuration file may be written, behind three verbs: read our entry, put it, take it out.
//!
//! Every edit is read back: it is refused unless our entry came out as meant and everything else means what it meant.

use serde_json::{Map, Value};

use super::{json, toml, yaml};

/// How a client's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, strictly: these clients read no comment.
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// TOML
    Toml,
    /// YAML, in block style.
    Yaml,
}

/// Which entry of a file is ours.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The key of the section with all servers.
    pub section: &'a str,
    /// The entry's key in it.
    pub name: &'a str,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Our entry.
    pub entry: Option<Value>,
    /// Everything else, in a form that is equal when the meaning is. An empty section is as good as none.
    pub rest: String,
}

/// A file that is left alone, because of this place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct Broken {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl Broken {
    /// At this byte of the text.
    pub fn at(text: &str, byte: usize, what: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        let line = before.bytes().filter(|b| *b == b'\n').count();
        Self { line: line.saturating_add(1), column: column.saturating_add(1), what: what.into() }
    }
}

/// A byte order mark, which some editors on Windows write and which is kept.
const MARK: char = '\u{feff}';

impl Format {
    /// What a file says; an empty one says nothing.
    ///
    /// # Errors
    /// [`Broken`] where it cannot be read, or our key is not where it belongs.
    pub fn read(self, text: &str, at: At<'_>) -> Result<Seen, Broken> {
        let text = text.strip_prefix(MARK).unwrap_or(text);
        match self {
            Self::Json => json::read(text, at, false),
            Self::Jsonc => json::read(text, at, true),
            Self::Toml => toml::read(text, at),
            Self::Yaml => yaml::read(text, at),
        }
    }

    /// The text with these fields in our entry. `anew` replaces an entry that is there; else its other fields stay.
    ///
    /// # Errors
    /// [`Broken`] if the file cannot be read, or cannot be edited without touching something else.
    pub fn put(self, text: &str, at: At<'_>, fields: &Map<String, Value>, anew: bool) -> Result<String, Broken> {
        self.edit(text, at, |bare, before| {
            let mut wanted = before.entry.as_ref().filter(|_| !anew).and_then(Value::as_object).cloned();
            wanted.get_or_insert_default().extend(fields.clone());
            let edited = match self {
                Self::Json => json::put(bare, at, fields, anew, false),
                Self::Jsonc => json::put(bare, at, fields, anew, true),
                Self::Toml => toml::put(bare, at, fields, anew),
                Self::Yaml => yaml::put(bare, at, fields, anew),
            };
            Ok((edited?, wanted.map(Value::Object)))
        })
    }

    /// The text without our entry.
    ///
    /// # Errors
    /// As [`Format::put`].
    pub fn take(self, text: &str, at: At<'_>) -> Result<String, Broken> {
        self.edit(text, at, |bare, before| {
            if before.entry.is_none() {
                return Ok((bare.to_owned(), None));
            }
            let edited = match self {
                Self::Json => json::take(bare, at, false),
                Self::Jsonc => json::take(bare, at, true),
                Self::Toml => toml::take(bare, at),
                Self::Yaml => yaml::take(bare, at),
            };
            Ok((edited?, None))
        })
    }

    /// Edits between the byte order mark and the end, and reads the result back.
    fn edit(
        self,
        text: &str,
        at: At<'_>,
        edit: impl FnOnce(&str, &Seen) -> Result<(String, Option<Value>), Broken>,
    ) -> Result<String, Broken> {
        let bare = text.strip_prefix(MARK).unwrap_or(text);
        let before = self.read(bare, at)?;
        let (edited, entry) = edit(bare, &before)?;
        let wanted = Seen { entry, rest: before.rest };
        if self.read(&edited, at).as_ref() != Ok(&wanted) {
            let what = format!(
                "`{}` is written in a way that cannot be edited without touching other entries; edit `{}.{}` by hand",
                at.section, at.section, at.name
            );
            return Err(Broken::at(bare, bare.find(at.section).unwrap_or(0), what));
        }
        Ok(if text.starts_with(MARK) { format!("{MARK}{edited}") } else { edited })
    }
}
