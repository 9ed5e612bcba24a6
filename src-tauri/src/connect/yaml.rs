//! YAML in block style: edits whole lines where the parser says a key stands, and nothing else.
//!
//! What would need more than that, such as a section in `{…}`, is refused.

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};
use std::ops::Range;

use super::format::{At, Broken, Seen};

/// What the text says.
pub fn read(text: &str, at: At<'_>) -> Result<Seen, Broken> {
    let root = parse(text)?;
    let Some(root) = root else { return Ok(Seen { entry: None, rest: "{}".to_owned() }) };
    section(text, &root, at)?;
    let mut whole = plain(&root);
    let mut entry = None;
    if let Some(servers) = whole.get_mut(at.section) {
        entry = servers.as_object_mut().and_then(|servers| servers.shift_remove(at.name));
        if servers.is_null() || servers.as_object().is_some_and(Map::is_empty) {
            whole.as_object_mut().and_then(|top| top.shift_remove(at.section));
        }
    }
    Ok(Seen { entry, rest: whole.to_string() })
}

/// The text with our entry, first in its section.
pub fn put(text: &str, at: At<'_>, fields: &Map<String, Value>, anew: bool) -> Result<String, Broken> {
    let text = if text.trim() == "{}" { "" } else { text };
    let root = parse(text)?;
    let mut page = Page::of(text);
    let Some((key, servers)) = root.as_ref().and_then(|root| get(root, at.section)) else {
        page.append(format!("{}:", at.section));
        let end = page.lines.len();
        page.insert(end, entry_lines(2, at.name, fields));
        return Ok(page.text());
    };
    if let Some((own, entry)) = get(servers, at.name) {
        let indent = own.span.start.col();
        if anew || !is_block(text, entry) {
            let lines = page.region(index(own), indent);
            page.replace(lines, entry_lines(indent, at.name, fields))?;
            return Ok(page.text());
        }
        for (name, value) in fields {
            match get(entry, name) {
                Some((_, old)) if plain(old) == *value => {}
                // Line numbers are those of the text as parsed, so one change at a time.
                Some((field, _)) => {
                    let indent = field.span.start.col();
                    let lines = page.region(index(field), indent);
                    page.replace(lines, vec![format!("{}{name}: {value}", " ".repeat(indent))])?;
                    return put(&page.text(), at, fields, anew);
                }
                None => {
                    let indent = first_column(entry).unwrap_or(indent.saturating_add(2));
                    page.insert(index(own).saturating_add(1), vec![format!("{}{name}: {value}", " ".repeat(indent))]);
                    return put(&page.text(), at, fields, anew);
                }
            }
        }
        return Ok(text.to_owned());
    }
    let indent = first_column(servers).unwrap_or_else(|| key.span.start.col().saturating_add(2));
    if let Some(columns) = empty_value(text, servers) {
        page.cut(index(servers), columns);
    }
    page.insert(index(key).saturating_add(1), entry_lines(indent, at.name, fields));
    Ok(page.text())
}

/// The text without our entry.
pub fn take(text: &str, at: At<'_>) -> Result<String, Broken> {
    let root = parse(text)?;
    let mut page = Page::of(text);
    let Some((key, servers)) = root.as_ref().and_then(|root| get(root, at.section)) else { return Ok(text.to_owned()) };
    let Some((own, _)) = get(servers, at.name) else { return Ok(text.to_owned()) };
    let lines = page.region(index(own), own.span.start.col());
    page.lines.drain(lines);
    if servers.data.as_mapping().is_some_and(|servers| servers.len() == 1) {
        page.write(index(key), key.span.end.col(), " {}");
    }
    Ok(page.text())
}

fn entry_lines(indent: usize, name: &str, fields: &Map<String, Value>) -> Vec<String> {
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent.saturating_add(2)));
    // A JSON value is a YAML value.
    let fields = fields.iter().map(|(field, value)| format!("{inner}{field}: {value}"));
    std::iter::once(format!("{outer}{name}:")).chain(fields).collect()
}

/// A file as its lines, each with its line end.
struct Page {
    lines: Vec<String>,
    end: &'static str,
}

impl Page {
    fn of(text: &str) -> Self {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { lines: text.split_inclusive('\n').map(str::to_owned).collect(), end }
    }

    fn text(self) -> String {
        self.lines.concat()
    }

    fn append(&mut self, line: String) {
        let at = self.lines.len();
        self.insert(at, vec![line]);
    }

    fn insert(&mut self, at: usize, lines: Vec<String>) {
        if at >= self.lines.len()
            && let Some(last) = self.lines.last_mut()
            && !last.ends_with('\n')
        {
            last.push_str(self.end);
        }
        let at = at.min(self.lines.len());
        self.lines.splice(at..at, lines.into_iter().map(|line| format!("{line}{}", self.end)));
    }

    /// The lines of a key at this column and of everything below it; blank lines at the end belong to what follows.
    fn region(&self, line: usize, column: usize) -> Range<usize> {
        let mut end = line.saturating_add(1);
        for (at, text) in self.lines.iter().enumerate().skip(end) {
            let bare = text.trim_start_matches(' ');
            if bare.trim().is_empty() {
                continue;
            }
            let indent = text.len().saturating_sub(bare.len());
            // A list may stand as far out as the key it belongs to.
            if indent < column || (indent == column && !is_item(bare)) {
                break;
            }
            end = at.saturating_add(1);
        }
        line.min(self.lines.len())..end.min(self.lines.len())
    }

    /// Writes behind the colon of the key that ends at this column.
    fn write(&mut self, line: usize, key_end: usize, what: &str) {
        if let Some(text) = self.lines.get_mut(line)
            && let Some(colon) = colon(text, key_end)
        {
            text.insert_str(colon.saturating_add(1), what);
        }
    }

    /// Cuts these columns out of a line, and the space before them.
    fn cut(&mut self, line: usize, columns: Range<usize>) {
        if let Some(text) = self.lines.get_mut(line) {
            let before: String = text.chars().take(columns.start).collect();
            let after: String = text.chars().skip(columns.end).collect();
            *text = format!("{}{after}", before.trim_end());
        }
    }

    /// Puts other lines in place of these; a comment behind the first stays there.
    ///
    /// # Errors
    /// Where another of them has a comment, which would be lost.
    fn replace(&mut self, lines: Range<usize>, mut new: Vec<String>) -> Result<(), Broken> {
        for line in lines.clone() {
            let Some((before, comment)) = self.comment(line) else { continue };
            if line == lines.start {
                let space = before.get(before.trim_end().len()..).unwrap_or_default();
                if let Some(first) = new.first_mut() {
                    *first = format!("{first}{space}{}", comment.trim_end());
                }
            } else {
                let (line, column) = (line.saturating_add(1), before.chars().count().saturating_add(1));
                let what = "a comment stands in a value that is to be replaced; move it".to_owned();
                return Err(Broken { line, column, what });
            }
        }
        self.lines.splice(lines, new.into_iter().map(|line| format!("{line}{}", self.end)));
        Ok(())
    }

    /// A line and its comment: what can be cut off from a `#` on without any other meaning of the whole.
    fn comment(&self, line: usize) -> Option<(&str, &str)> {
        let text = self.lines.get(line)?;
        let meaning = |text: &str| parse(text).ok().map(|root| root.as_ref().map(plain));
        let whole = meaning(&self.lines.concat());
        text.match_indices('#').filter_map(|(at, _)| text.split_at_checked(at)).find(|(before, _)| {
            let (above, below) = (self.lines.iter().take(line), self.lines.iter().skip(line.saturating_add(1)));
            let cut: String =
                above.map(String::as_str).chain([*before, self.end]).chain(below.map(String::as_str)).collect();
            meaning(&cut) == whole
        })
    }
}

/// Whether a line is one of a list.
fn is_item(line: &str) -> bool {
    line.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// The byte of the first colon after this column.
fn colon(line: &str, key_end: usize) -> Option<usize> {
    line.char_indices().skip(key_end).find(|(_, c)| *c == ':').map(|(at, _)| at)
}

fn parse(text: &str) -> Result<Option<MarkedYaml<'_>>, Broken> {
    let documents = MarkedYaml::load_from_str(text).map_err(|error| {
        let mark = error.marker();
        Broken { line: mark.line(), column: mark.col().saturating_add(1), what: error.info().to_owned() }
    })?;
    let mut documents = documents.into_iter();
    let first = documents.next();
    if let Some(second) = documents.next() {
        return Err(odd(&second, "the file holds a second YAML document"));
    }
    Ok(first.filter(|root| !root.data.is_null()))
}

fn odd(node: &MarkedYaml<'_>, what: impl Into<String>) -> Broken {
    let mark = node.span.start;
    Broken { line: mark.line(), column: mark.col().saturating_add(1), what: what.into() }
}

/// Refuses what this module does not edit.
fn section(text: &str, root: &MarkedYaml<'_>, at: At<'_>) -> Result<(), Broken> {
    if text.trim() == "{}" {
        return Ok(());
    }
    if root.data.as_mapping().is_none() || !is_block(text, root) {
        return Err(odd(root, "the file should hold a YAML mapping in block style"));
    }
    let Some((key, servers)) = get(root, at.section) else { return Ok(()) };
    if servers.data.is_null() || empty_value(text, servers).is_some() {
        return Ok(());
    }
    if servers.data.as_mapping().is_none() {
        return Err(odd(key, format!("`{}` should be a mapping", at.section)));
    }
    if !is_block(text, servers) {
        return Err(odd(key, format!("`{}` is written in braces; write one entry a line", at.section)));
    }
    Ok(())
}

/// The columns of an explicit empty value, `{}`, `null` or `~`, on its line.
fn empty_value(text: &str, node: &MarkedYaml<'_>) -> Option<Range<usize>> {
    let line = text.split_inclusive('\n').nth(index(node))?;
    let column = node.span.start.col();
    let rest = line.get(line.char_indices().nth(column)?.0..)?;
    let empty = node.data.is_null() || node.data.as_mapping().is_some_and(|map| map.is_empty());
    let written = ["{}", "null", "Null", "NULL", "~"].into_iter().find(|word| rest.starts_with(word))?;
    empty.then(|| column..column.saturating_add(written.len()))
}

fn get<'t, 'a>(node: &'t MarkedYaml<'a>, name: &str) -> Option<(&'t MarkedYaml<'a>, &'t MarkedYaml<'a>)> {
    node.data.as_mapping()?.iter().find(|(key, _)| key.data.as_str() == Some(name))
}

fn first_column(node: &MarkedYaml<'_>) -> Option<usize> {
    node.data.as_mapping()?.iter().next().map(|(key, _)| key.span.start.col())
}

fn is_block(text: &str, node: &MarkedYaml<'_>) -> bool {
    text.chars().nth(node.span.start.index()) != Some('{')
}

/// The line of a node, from 0.
fn index(node: &MarkedYaml<'_>) -> usize {
    node.span.start.line().saturating_sub(1)
}

/// The value in a form that compares; keys that are no text are written out.
fn plain(node: &MarkedYaml<'_>) -> Value {
    match &node.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(yes)) => Value::Bool(*yes),
        YamlData::Value(Scalar::Integer(number)) => Value::from(*number),
        YamlData::Value(Scalar::String(text)) => Value::from(text.as_ref()),
        YamlData::Value(Scalar::FloatingPoint(number)) => Value::from(format!("number {number}")),
        YamlData::Sequence(items) => items.iter().map(plain).collect(),
        YamlData::Mapping(map) => Value::Object(map.iter().map(|(key, value)| (name(key), plain(value))).collect()),
        YamlData::Tagged(tag, inner) => Value::from(format!("{tag:?} {}", plain(inner))),
        other => Value::from(format!("{other:?}")),
    }
}

fn name(key: &MarkedYaml<'_>) -> String {
    key.data.as_str().map_or_else(|| format!("key {}", plain(key)), str::to_owned)
}
