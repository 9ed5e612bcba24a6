//! JSON, with comments or without: pieces of text are put where the parser says a value stands, and nothing else moves.

use jsonc_parser::{CollectOptions, ParseOptions, ast, common::Ranged as _, errors::ParseError, parse_to_ast};
use serde_json::{Map, Value, json};

use super::{
    format::{At, Broken, Seen},
    layout,
};

fn options(comments: bool) -> ParseOptions {
    ParseOptions {
        allow_comments: comments,
        allow_trailing_commas: comments,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// What the text says.
pub fn read(text: &str, at: At<'_>, comments: bool) -> Result<Seen, Broken> {
    let tree = parse(text, comments)?;
    let Some(tree) = tree else { return Ok(Seen { entry: None, rest: "{}".to_owned() }) };
    section(text, &tree, at)?;
    let mut whole = plain(&tree);
    let mut entry = None;
    if let Some(servers) = whole.get_mut(at.section).and_then(Value::as_object_mut) {
        entry = servers.shift_remove(at.name);
        if servers.is_empty() {
            whole.as_object_mut().and_then(|top| top.shift_remove(at.section));
        }
    }
    Ok(Seen { entry, rest: whole.to_string() })
}

/// The text with our entry.
pub fn put(text: &str, at: At<'_>, fields: &Map<String, Value>, anew: bool, comments: bool) -> Result<String, Broken> {
    let whole = Value::Object(fields.clone());
    let Some(tree) = parse(text, comments)? else {
        let end = layout::line_end(text);
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
        let pretty = layout::pretty(&json!({at.section: {at.name: whole}}), "", "  ", end);
        return Ok(format!("{text}{gap}{pretty}{end}"));
    };
    let servers = section(text, &tree, at)?;
    let ast::Value::Object(top) = &tree else { return Ok(text.to_owned()) };
    let unit = layout::unit(text, top);
    let Some(servers) = servers else {
        return Ok(layout::with(text, top, at.section, &json!({at.name: whole}), unit));
    };
    let Some(entry) = property(servers, at.name) else {
        return Ok(layout::with(text, servers, at.name, &whole, unit));
    };
    let ast::Value::Object(old) = &entry.value else { return Ok(layout::replaced(text, entry, &whole, unit)) };
    if anew {
        return Ok(layout::replaced(text, entry, &whole, unit));
    }
    for (name, value) in fields {
        let edited = match property(old, name) {
            Some(field) if plain(&field.value) == *value => continue,
            Some(field) => layout::replaced(text, field, value, unit),
            None => layout::with(text, old, name, value, unit),
        };
        // Positions are those of the text as parsed, so one change at a time.
        return put(&edited, at, fields, anew, comments);
    }
    Ok(text.to_owned())
}

/// The text without our entry.
pub fn take(text: &str, at: At<'_>, comments: bool) -> Result<String, Broken> {
    let tree = parse(text, comments)?;
    let servers = match &tree {
        Some(tree) => section(text, tree, at)?,
        None => None,
    };
    Ok(servers.and_then(|servers| layout::without(text, servers, at.name)).unwrap_or_else(|| text.to_owned()))
}

fn parse(text: &str, comments: bool) -> Result<Option<ast::Value<'_>>, Broken> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options(comments));
    parsed.map(|done| done.value).map_err(|error| broken(&error))
}

fn broken(error: &ParseError) -> Broken {
    Broken { line: error.line_display(), column: error.column_display(), what: error.kind().to_string() }
}

/// The section with the servers, if there is one; refuses what would be ambiguous.
fn section<'t, 'a>(text: &str, tree: &'t ast::Value<'a>, at: At<'_>) -> Result<Option<&'t ast::Object<'a>>, Broken> {
    let ast::Value::Object(top) = tree else {
        return Err(Broken::at(text, tree.start(), "the file should hold a JSON object"));
    };
    once(text, top, at.section)?;
    let Some(found) = property(top, at.section) else { return Ok(None) };
    let ast::Value::Object(servers) = &found.value else {
        return Err(Broken::at(text, found.value.start(), format!("`{}` should be an object", at.section)));
    };
    once(text, servers, at.name)?;
    Ok(Some(servers))
}

fn property<'t, 'a>(object: &'t ast::Object<'a>, name: &str) -> Option<&'t ast::ObjectProp<'a>> {
    object.properties.iter().find(|property| property.name.as_str() == name)
}

fn once(text: &str, object: &ast::Object<'_>, name: &str) -> Result<(), Broken> {
    match object.properties.iter().filter(|property| property.name.as_str() == name).nth(1) {
        Some(second) => Err(Broken::at(text, second.start(), format!("`{name}` is there twice"))),
        None => Ok(()),
    }
}

/// The value, with numbers kept as they are written and every occurrence of a key kept.
fn plain(value: &ast::Value<'_>) -> Value {
    match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(lit) => Value::Bool(lit.value),
        ast::Value::StringLit(lit) => Value::from(lit.value.as_ref()),
        ast::Value::NumberLit(lit) => {
            serde_json::from_str(lit.value).unwrap_or_else(|_| Value::from(format!("number {}", lit.value)))
        }
        ast::Value::Array(array) => array.elements.iter().map(plain).collect(),
        ast::Value::Object(object) => {
            let mut map = Map::new();
            for property in &object.properties {
                let mut name = property.name.as_str().to_owned();
                while map.contains_key(&name) {
                    name.push_str(" again");
                }
                map.insert(name, plain(&property.value));
            }
            Value::Object(map)
        }
    }
}
