//! TOML: edits on a format-keeping document, and every line that did not change is the file's own, line end included.

use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};
use std::ops::Range;
use toml_edit::{Document, DocumentMut, Item, Table, TableLike};

use super::format::{At, Broken, Seen};

/// What the text says.
pub fn read(text: &str, at: At<'_>) -> Result<Seen, Broken> {
    let document = parse(text)?;
    section(text, &document, at)?;
    let mut whole: toml::Table = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Broken::at(text, start, error.message())
    })?;
    let mut entry = None;
    if let Some(servers) = whole.get_mut(at.section).and_then(toml::Value::as_table_mut) {
        entry = servers.remove(at.name);
        if servers.is_empty() {
            whole.remove(at.section);
        }
    }
    let entry = entry.map(serde_json::to_value).transpose().map_err(|error| Broken::at(text, 0, error.to_string()))?;
    Ok(Seen { entry, rest: format!("{whole:?}") })
}

/// The text with our entry.
pub fn put(text: &str, at: At<'_>, fields: &Map<String, Value>, anew: bool) -> Result<String, Broken> {
    let mut document = parse(text)?.into_mut();
    let mut fresh = Table::new();
    update(text, &mut fresh, fields)?;
    let Some(servers) = document.get_mut(at.section) else {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
        let blank = if text.trim().is_empty() { "" } else { end };
        let table = format!("[{}.{}]\n{fresh}", at.section, at.name).replace('\n', end);
        return Ok(format!("{text}{gap}{blank}{table}"));
    };
    let odd = || Broken::at(text, 0, format!("`{}.{}` should be a table", at.section, at.name));
    let in_line = servers.is_inline_table();
    let servers = servers.as_table_like_mut().ok_or_else(odd)?;
    match servers.get_mut(at.name) {
        Some(entry) => {
            let entry = entry.as_table_like_mut().ok_or_else(odd)?;
            if anew {
                entry.clear();
            }
            update(text, entry, fields)?;
        }
        None if in_line => drop(servers.insert(at.name, toml_edit::value(fresh.into_inline_table()))),
        None => {
            fresh.decor_mut().set_prefix("\n");
            servers.insert(at.name, Item::Table(fresh));
        }
    }
    Ok(own_lines(text, &document))
}

/// The text without our entry: its lines are taken out, so that no comment of another entry goes with it.
pub fn take(text: &str, at: At<'_>) -> Result<String, Broken> {
    let document = parse(text)?;
    let servers = document.get(at.section).and_then(Item::as_table_like);
    let Some((key, entry)) = servers.and_then(|servers| servers.get_key_value(at.name)) else {
        return Ok(text.to_owned());
    };
    if entry.is_inline_table() && document.get(at.section).is_some_and(Item::is_inline_table) {
        let mut document = document.clone().into_mut();
        if let Some(servers) = document.get_mut(at.section).and_then(Item::as_table_like_mut) {
            servers.remove(at.name);
        }
        return Ok(own_lines(text, &document));
    }
    let Some(span) = key.span().into_iter().chain(covered(entry)).reduce(both) else { return Ok(text.to_owned()) };
    let start = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at.saturating_add(1));
    let end = text.get(span.end..).and_then(|after| after.find('\n'));
    let end = end.map_or(text.len(), |at| span.end.saturating_add(at).saturating_add(1));
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    // With it goes the blank line that was put before it.
    let blank = ["\r\n", "\n"].into_iter().find(|end| before.ends_with(&format!("{end}{end}")));
    let before = match blank {
        Some(end) if after.is_empty() || after.starts_with(['\r', '\n']) => before.strip_suffix(end).unwrap_or(before),
        _ => before,
    };
    Ok(format!("{before}{after}"))
}

/// Everything that is written of an item, its inner tables included.
fn covered(item: &Item) -> Option<Range<usize>> {
    let table = item.as_table();
    let keys = table.into_iter().flat_map(|table| table.iter().filter_map(|(name, _)| table.key(name)?.span()));
    let inner = table.into_iter().flat_map(|table| table.iter().filter_map(|(_, inner)| covered(inner)));
    item.span().into_iter().chain(keys).chain(inner).reduce(both)
}

fn both(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    a.start.min(b.start)..a.end.max(b.end)
}

fn update(text: &str, entry: &mut dyn TableLike, fields: &Map<String, Value>) -> Result<(), Broken> {
    for (name, value) in fields {
        let odd = || Broken::at(text, 0, format!("`{name}` has a value that is not written as TOML here"));
        let mut new = written(value).ok_or_else(odd)?;
        match entry.get_mut(name).and_then(Item::as_value_mut) {
            Some(old) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            None => drop(entry.insert(name, Item::Value(new))),
        }
    }
    Ok(())
}

/// The kinds of value that our own fields have.
fn written(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => number.as_i64()?.into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => toml_edit::Value::Array(items.iter().map(written).collect::<Option<_>>()?),
        Value::Null | Value::Object(_) => return None,
    })
}

fn parse(text: &str) -> Result<Document<&str>, Broken> {
    Document::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Broken::at(text, start, error.message())
    })
}

/// Refuses a section or an entry that is no table.
fn section(text: &str, document: &Document<&str>, at: At<'_>) -> Result<(), Broken> {
    let odd = |item: &Item, name: &str| {
        let start = item.span().map_or(0, |span| span.start);
        Broken::at(text, start, format!("`{name}` should be a table"))
    };
    let Some(servers) = document.get(at.section) else { return Ok(()) };
    let table = servers.as_table_like().ok_or_else(|| odd(servers, at.section))?;
    match table.get(at.name) {
        Some(entry) if !entry.is_table_like() => Err(odd(entry, at.name)),
        _ => Ok(()),
    }
}

/// The edited document with the file's own bytes in every line that is the same.
fn own_lines(text: &str, edited: &DocumentMut) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let edited = edited.to_string();
    let own: Vec<&str> = text.split_inclusive('\n').collect();
    let (old, new): (Vec<&str>, Vec<&str>) = (text.lines().collect(), edited.lines().collect());
    let mut out = String::with_capacity(edited.len());
    for change in TextDiff::from_slices(&old, &new).iter_all_changes() {
        if !out.is_empty() && !out.ends_with('\n') && change.tag() != ChangeTag::Delete {
            out.push_str(end);
        }
        match change.tag() {
            ChangeTag::Delete => {}
            ChangeTag::Equal => {
                out.push_str(change.old_index().and_then(|at| own.get(at)).copied().unwrap_or_default())
            }
            ChangeTag::Insert => {
                out.push_str(change.value());
                out.push_str(end);
            }
        }
    }
    out
}
