//! A search in the index's own language: words, or beginnings of words, that all have to occur.
//!
//! The index gathers all payments of a beginning before it gives the first one, and meets those of a whole word newest first. So a
//! beginning is asked for as the few words that begin so; only where they are many is it left to the index, which then gathers little.

use rusqlite::{Connection, OptionalExtension as _};

/// Beginnings up to here have lists of their own in the index (`prefix` in `schema.sql`).
const LISTED: usize = 4;
/// Most words that stand in for one beginning.
const FEW_WORDS: usize = 16;
/// Most words of a search.
const WORDS: usize = 16;

/// What the index keeps of one payment: what can be searched for, and a mark for each filter that it fits.
pub(super) fn text(texts: &[&str], filters: &[(&str, i64)]) -> String {
    let marks = filters.iter().map(|(column, id)| mark(column, *id));
    texts.iter().map(|text| (*text).to_owned()).chain(marks).collect::<Vec<_>>().join(" ")
}

/// What stands for a filter among the words of a payment. It begins with a character that separates words where it is typed.
pub(super) fn mark(column: &str, id: i64) -> String {
    format!("\"\u{e000}{column}{id}\"")
}

/// The search for what was typed; none if no word was. Whatever is neither letter nor digit only separates words.
pub(super) fn words(conn: &Connection, text: &str) -> rusqlite::Result<Option<String>> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS);
    let parts = words.map(|word| part(conn, word)).collect::<rusqlite::Result<Vec<_>>>()?;
    Ok((!parts.is_empty()).then(|| parts.join(" AND ")))
}

fn part(conn: &Connection, word: &str) -> rusqlite::Result<String> {
    let beginning = format!("\"{word}\"*");
    // The index folds letters outside ASCII in its own way.
    if word.len() <= LISTED || !word.is_ascii() {
        return Ok(beginning);
    }
    let word = word.to_ascii_lowercase();
    let mut next = conn.prepare_cached("SELECT term FROM known WHERE term >= ?1 ORDER BY term LIMIT 1")?;
    let mut terms = Vec::new();
    let mut from = word.clone();
    while let Some(term) = next.query_row([&from], |row| row.get::<_, String>(0)).optional()? {
        if !term.starts_with(&word) {
            break;
        }
        if terms.len() == FEW_WORDS {
            return Ok(beginning);
        }
        // No word of the index has a control character.
        from = format!("{term}\u{1}");
        terms.push(format!("\"{term}\""));
    }
    Ok(if terms.is_empty() { beginning } else { format!("({})", terms.join(" OR ")) })
}
