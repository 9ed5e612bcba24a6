//! A change as a person sees it: what is put in and what is taken out, and no word of what stays, which may be a secret.

use similar::{Algorithm, ChangeTag, TextDiff};

/// Stands for words that stay in a line.
const STAYS: &str = "…";

/// Every line that changes, after its sign.
///
/// Words are compared, and the edits are as few as can be: where all of `before` stays, no word of it is shown.
pub fn change(before: &str, after: &str) -> String {
    let (old, new) = (words(before), words(after));
    let diff = TextDiff::configure().algorithm(Algorithm::RawMyers).diff_slices(&old, &new);
    let (mut gone, mut come) = (Side::of('-'), Side::of('+'));
    let mut shown = String::new();
    for change in diff.iter_all_changes() {
        let word = change.value();
        match change.tag() {
            ChangeTag::Delete => gone.changes(word),
            ChangeTag::Insert => come.changes(word),
            ChangeTag::Equal => {
                for side in [&mut gone, &mut come] {
                    side.stays(word);
                    if word == "\n" {
                        shown.push_str(&std::mem::take(&mut side.lines));
                    }
                }
            }
        }
    }
    for mut side in [gone, come] {
        side.end_line();
        shown.push_str(&side.lines);
    }
    shown
}

/// Runs of letters and digits, and every other character by itself.
pub fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let Some((word, after)) = rest.split_at_checked(run.max(first.len_utf8())) else { break };
        words.push(word);
        rest = after;
    }
    words
}

/// The lines of the text before, or of the one after.
struct Side {
    sign: char,
    line: String,
    /// What stays, since the last word of the line that changes.
    stays: String,
    changed: bool,
    /// The changed lines that have ended.
    lines: String,
}

impl Side {
    fn of(sign: char) -> Self {
        Self { sign, line: String::new(), stays: String::new(), changed: false, lines: String::new() }
    }

    fn changes(&mut self, word: &str) {
        if word == "\n" {
            self.changed |= self.line.is_empty() && self.stays.is_empty();
            self.end_line();
        } else {
            self.end_stay();
            self.changed = true;
            self.line.push_str(word);
        }
    }

    fn stays(&mut self, word: &str) {
        if word == "\n" {
            self.end_line();
        } else {
            self.stays.push_str(word);
        }
    }

    /// Writes what stays: as it is if no word is in it, else its indent and a mark.
    fn end_stay(&mut self) {
        let stays = std::mem::take(&mut self.stays);
        if !stays.contains(char::is_alphanumeric) {
            self.line.push_str(&stays);
            return;
        }
        if self.line.is_empty() {
            let indent = stays.len().saturating_sub(stays.trim_start().len());
            self.line.push_str(stays.get(..indent).unwrap_or_default());
        }
        self.line.push_str(STAYS);
    }

    fn end_line(&mut self) {
        self.end_stay();
        if self.changed {
            self.lines.push(self.sign);
            self.lines.push_str(self.line.trim_end());
            self.lines.push('\n');
        }
        self.line.clear();
        self.changed = false;
    }
}
