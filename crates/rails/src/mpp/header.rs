//! `WWW-Authenticate` field lines, split into challenges: RFC 9110, with the escapes shipped servers write.
//!
//! Several challenges of several schemes may share a line; text in quotes is opaque.

use countersign_core::rail::QuoteError;

use super::malformed;

/// The scheme, in any case.
const SCHEME: &str = "payment";

/// Names (lower case) and values of one challenge, in order.
pub(super) type Params = Vec<(String, String)>;

/// Whether a line names the scheme where one may stand, however broken the rest is.
pub(super) fn names_payment(line: &str) -> bool {
    elements(line).0.into_iter().any(|element| scheme(element).is_some_and(|(name, _)| ours(name)))
}

/// Every `Payment` challenge of a line, each read or refused by itself.
pub(super) fn challenges(line: &str) -> Vec<Result<Params, QuoteError>> {
    let (elements, closed) = elements(line);
    let mut found: Vec<Result<Params, QuoteError>> = Vec::new();
    let mut inside = false;
    for element in elements {
        let param = match scheme(element) {
            Some((name, rest)) => {
                inside = ours(name);
                if inside {
                    found.push(Ok(Vec::new()));
                }
                rest
            }
            None => element,
        };
        if inside
            && !param.is_empty()
            && let Some(last) = found.last_mut()
        {
            add(last, param);
        }
    }
    if !closed && let Some(last) = found.last_mut() {
        *last = Err(malformed("a quoted text in it does not end"));
    }
    found
}

fn ours(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case(SCHEME)
}

fn add(challenge: &mut Result<Params, QuoteError>, param: &str) {
    let Ok(params) = challenge else { return };
    match read(param) {
        Some((name, _)) if params.iter().any(|(known, _)| *known == name) => {
            *challenge = Err(malformed(format!("the parameter {name} is there twice")));
        }
        Some(param) => params.push(param),
        None => *challenge = Err(malformed("a parameter is neither a word nor a quoted text")),
    }
}

/// What stands between top-level commas, trimmed and not empty; and whether every quoted text ended.
fn elements(line: &str) -> (Vec<&str>, bool) {
    let mut all = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                all.push(line.get(start..at).unwrap_or_default());
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    all.push(line.get(start..).unwrap_or_default());
    let blank = |c| matches!(c, ' ' | '\t');
    (all.into_iter().map(|e| e.trim_matches(blank)).filter(|e| !e.is_empty()).collect(), !quoted)
}

/// An element that begins a challenge: its scheme, and what follows. One that is `name = value` continues a challenge.
fn scheme(element: &str) -> Option<(&str, &str)> {
    let (name, rest) = token(element)?;
    let after = rest.trim_start_matches([' ', '\t']);
    (!after.starts_with('=') && (after.is_empty() || after.len() < rest.len())).then_some((name, after))
}

/// `name = value`.
fn read(param: &str) -> Option<(String, String)> {
    let (name, rest) = token(param)?;
    let value = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?.trim_start_matches([' ', '\t']);
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => token(value).filter(|(_, rest)| rest.is_empty())?.0.to_owned(),
    };
    Some((name.to_ascii_lowercase(), value))
}

/// RFC 9110's token at the beginning, and the rest.
fn token(text: &str) -> Option<(&str, &str)> {
    let part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at_checked(end)).flatten()
}

/// The characters of a quoted text whose first quote was passed; nothing may follow its last. `\uXXXX` is one UTF-16 unit, as
/// shipped servers write what a header cannot hold.
fn unquote(text: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    loop {
        let c = match rest.next()? {
            '"' => break,
            '\\' => match rest.next()? {
                'u' => match unit(rest.as_str()) {
                    Some(unit) => {
                        units.push(unit);
                        rest.nth(3)?;
                        continue;
                    }
                    None => 'u',
                },
                other => other,
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    if rest.as_str().is_empty() { String::from_utf16(&units).ok() } else { None }
}

fn unit(text: &str) -> Option<u16> {
    let hex = text.get(..4).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(hex, 16).ok()
}
