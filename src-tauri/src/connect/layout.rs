//! Where a property goes in the text of a JSON object, and what goes with one that is taken out.
//!
//! Indent, line ends and trailing commas are those the text has; comments stay beside what they were written for.

use jsonc_parser::{ast, common::Ranged as _};
use serde_json::Value;

/// The text with a new last property in `object`.
pub fn with(text: &str, object: &ast::Object<'_>, name: &str, value: &Value, unit: &str) -> String {
    let end = line_end(text);
    let key = Value::from(name);
    let Some(last) = object.properties.last() else {
        let indent = indent(text, object.start());
        let inner = format!("{indent}{unit}");
        let property = format!("{inner}{key}: {}", pretty(value, &inner, unit, end));
        let close = object.end().saturating_sub(1);
        // Before a closing brace on a line of its own; else both get lines of their own.
        return match own_line(text, close) {
            Some(start) if start > object.start() => inserted(text, start, &format!("{property}{end}")),
            _ => inserted(text, close, &format!("{end}{property}{end}{indent}")),
        };
    };
    if !object.text(text).contains('\n') {
        return inserted(text, last.end(), &format!(", {key}: {value}"));
    }
    let next = significant(text, last.end());
    let comma = starts(text, next, ",");
    let behind = if comma { next.saturating_add(1) } else { last.end() };
    let place = end_of_line(text, behind).unwrap_or(behind);
    let indent = indent(text, last.start());
    let property = format!("{end}{indent}{key}: {}{}", pretty(value, indent, unit, end), if comma { "," } else { "" });
    let text = inserted(text, place, &property);
    if comma { text } else { inserted(&text, last.end(), ",") }
}

/// The text with another value in a property.
pub fn replaced(text: &str, property: &ast::ObjectProp<'_>, value: &Value, unit: &str) -> String {
    let range = property.value.range();
    let new = pretty(value, indent(text, property.start()), unit, line_end(text));
    let (before, after) = (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    format!("{before}{new}{after}")
}

/// The text without a property, and without the comma and the lines that were there for it alone.
pub fn without(text: &str, object: &ast::Object<'_>, name: &str) -> Option<String> {
    let at = object.properties.iter().position(|property| property.name.as_str() == name)?;
    let property = object.properties.get(at)?;
    let next = significant(text, property.end());
    let (mut start, mut end) = (property.start(), property.end());
    let mut extra_comma = None;
    if starts(text, next, ",") {
        // A comment between the value and its comma stays, and then so does the place of the comma.
        if text.get(end..next).is_some_and(|between| between.trim().is_empty()) {
            end = next.saturating_add(1);
        } else {
            extra_comma = Some(next);
        }
    } else if let Some(previous) = at.checked_sub(1).and_then(|at| object.properties.get(at)) {
        extra_comma = Some(significant(text, previous.end()));
    }
    match (own_line(text, start), end_of_line(text, end)) {
        // Its own lines, with the line end before them.
        (Some(line), Some(stop)) if text.get(end..stop).is_some_and(|rest| rest.trim().is_empty()) => {
            start = line;
            end = text
                .get(stop..)
                .and_then(|rest| rest.find('\n'))
                .map_or(text.len(), |n| stop.saturating_add(n).saturating_add(1));
        }
        // In a line with others: the space before it, or after it at the beginning.
        _ => {
            let space = |c: char| c == ' ' || c == '\t';
            if at > 0 {
                start = text.get(..start).map_or(start, |before| before.trim_end_matches(space).len());
            } else if let Some(after) = text.get(end..) {
                end = end.saturating_add(after.len()).saturating_sub(after.trim_start_matches(space).len());
            }
        }
    }
    let mut out = format!("{}{}", text.get(..start)?, text.get(end..)?);
    if let Some(comma) = extra_comma {
        let gone = if comma < start { comma } else { comma.saturating_sub(end.saturating_sub(start)) };
        out.get(gone..).filter(|rest| rest.starts_with(','))?;
        out.remove(gone);
    }
    Some(out)
}

/// The value on lines of its own; lists on one line.
pub fn pretty(value: &Value, indent: &str, unit: &str, end: &str) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let inner = format!("{indent}{unit}");
            let line = |(name, value): (&String, &Value)| {
                format!("{inner}{}: {}", Value::from(name.as_str()), pretty(value, &inner, unit, end))
            };
            let lines: Vec<String> = map.iter().map(line).collect();
            format!("{{{end}{}{end}{indent}}}", lines.join(&format!(",{end}")))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// What the file indents by: the indent of its first property, two spaces if that has none.
pub fn unit<'t>(text: &'t str, top: &ast::Object<'_>) -> &'t str {
    let first = top.properties.first().filter(|first| own_line(text, first.start()).is_some());
    first.map(|first| indent(text, first.start())).filter(|unit| !unit.is_empty()).unwrap_or("  ")
}

/// The line end of the file.
pub fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn inserted(text: &str, at: usize, piece: &str) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{before}{piece}{after}")
}

/// The space that the line of this byte begins with.
fn indent(text: &str, at: usize) -> &str {
    let line = text.get(..at).unwrap_or_default();
    let line = line.rfind('\n').and_then(|end| line.get(end.saturating_add(1)..)).unwrap_or(line);
    let bare = line.trim_start_matches([' ', '\t']);
    line.get(..line.len().saturating_sub(bare.len())).unwrap_or_default()
}

/// Where the line of this byte begins, if only space stands before it there.
fn own_line(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?.trim_end_matches([' ', '\t']);
    before.ends_with('\n').then_some(before.len())
}

/// The byte of the line end behind `at`, if only space and comments stand between.
fn end_of_line(text: &str, at: usize) -> Option<usize> {
    let mut rest = text.get(at..)?;
    loop {
        let bare = rest.trim_start_matches([' ', '\t']);
        if bare.starts_with('\n') || bare.starts_with("\r\n") {
            return Some(text.len().saturating_sub(bare.len()));
        }
        if bare.starts_with("//") {
            let line = bare.find('\n')?;
            let line = if bare.get(..line)?.ends_with('\r') { line.saturating_sub(1) } else { line };
            return Some(text.len().saturating_sub(bare.len()).saturating_add(line));
        }
        let comment = bare.strip_prefix("/*")?;
        rest = comment.split_once("*/")?.1;
    }
}

/// The next byte that is neither space nor in a comment.
fn significant(text: &str, at: usize) -> usize {
    let mut rest = text.get(at..).unwrap_or_default();
    loop {
        rest = rest.trim_start();
        rest = if let Some(comment) = rest.strip_prefix("//") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return text.len().saturating_sub(rest.len());
        };
    }
}

fn starts(text: &str, at: usize, with: &str) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(with))
}
