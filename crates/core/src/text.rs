//! The sanitiser: the one way any string that is not ours reaches a person.

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};
use unicode_properties::{GeneralCategory as G, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// Longest text shown, in graphemes.
pub const MAX_GRAPHEMES: usize = 140;

/// Most characters that join into one sign on screen; a longer one is broken by a space.
const MAX_JOINED: usize = 12;

/// The combining class of viramas.
const VIRAMA: u8 = 9;

/// Makes foreign text harmless to show: NFC, one line, no invisible or direction-changing characters, at most two marks a
/// base character, no sign that grows without end, at most [`MAX_GRAPHEMES`] graphemes.
pub fn clean(text: &str) -> String {
    let one_line = whole(text);
    match one_line.grapheme_indices(true).nth(MAX_GRAPHEMES) {
        Some((at, _)) => format!("{}… (cut)", one_line.get(..at).unwrap_or_default().trim_end()),
        None => one_line,
    }
}

/// The same, however long: for what a person agrees to, of which nothing may be out of sight.
pub fn whole(text: &str) -> String {
    let mut marks = 0_u8;
    let mut out = String::new();
    let spaced = |c| if matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}') { ' ' } else { c };
    for c in text.chars().map(spaced).filter(|c| !invisible(*c)).nfc() {
        if is_combining_mark(c) {
            marks = marks.saturating_add(1);
            if marks > 2 || out.is_empty() {
                continue;
            }
        } else {
            marks = 0;
        }
        out.push(if c.general_category() == G::SpaceSeparator { ' ' } else { c });
    }
    broken(&out.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" "))
}

/// Some letters join without end into what counts as one sign and is as wide as all of them: no line can break it.
fn broken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut room, mut open) = (MAX_JOINED, false);
    for sign in text.graphemes(true) {
        if !open {
            room = MAX_JOINED;
        }
        for c in sign.chars() {
            if c == ' ' || room == 0 {
                out.push(' ');
                room = MAX_JOINED.saturating_sub(1);
            }
            if c != ' ' {
                out.push(c);
                room = room.saturating_sub(1);
            }
        }
        // A virama joins what follows, in more scripts than the segmentation knows.
        open = sign.chars().next_back().is_some_and(|c| canonical_combining_class(c) == VIRAMA);
    }
    out
}

/// Whether a protocol field carries characters no honest field has: controls, format characters, fillers.
pub fn has_hidden(text: &str) -> bool {
    text.chars().any(invisible)
}

/// Characters that draw nothing or change how others are drawn. The fillers and selectors are not in category Cf.
fn invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(
        c.general_category(),
        G::Control
            | G::Format
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::PrivateUse
            | G::Surrogate
            | G::Unassigned
    ) || matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_and_bidi_characters_are_dropped() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{3164}d\u{fe0f}e\0f\u{e0041}g\u{2800}"), "abcdefg");
        assert_eq!(clean("  one\n\ntwo\u{2028}three\u{a0}four\t "), "one two three four");
    }

    #[test]
    fn marks_do_not_pile_up_and_length_is_bounded() {
        let zalgo = format!("a{}", "\u{0317}".repeat(50));
        assert_eq!(clean(&zalgo).chars().count(), 3);
        let long = clean(&"x".repeat(5000));
        assert_eq!(long, format!("{}… (cut)", "x".repeat(140)));
        assert_eq!(clean(&"y".repeat(140)), "y".repeat(140));
    }

    #[test]
    fn letters_that_join_without_end_are_broken_and_a_megabyte_of_them_is_cut() {
        let joining = [
            "\u{1100}",
            "\u{1161}",
            "\u{11a8}",
            "\u{1f3fb}",
            "\u{ff9e}",
            "\u{915}\u{94d}",
            "\u{1b13}\u{1b44}",
            "\u{111c2}",
        ];
        for part in joining {
            let long = format!("x{}", part.repeat(1_000_000 / part.len()));
            let clean = clean(&long);
            assert!(
                clean.chars().count() <= MAX_GRAPHEMES * (MAX_JOINED + 1) + 10,
                "{part:?}: {}",
                clean.chars().count()
            );
            assert!(clean.graphemes(true).all(|sign| sign.trim().chars().count() <= MAX_JOINED), "{part:?}");
            // One that joins what follows it joins the sign of the cut, too.
            if part != "\u{111c2}" {
                assert_eq!(super::clean(&clean), clean, "{part:?}");
            }
        }
        let balinese = whole(&"\u{1b13}\u{1b44}".repeat(100));
        assert!(balinese.split(' ').all(|word| word.chars().count() <= MAX_JOINED), "{balinese}");
        let whole = whole(&"\u{1100}".repeat(100));
        assert_eq!(whole.chars().filter(|c| *c == '\u{1100}').count(), 100, "nothing is left out");
        for (longest, text) in [("old Hangul", "\u{1103}\u{1161}\u{11ab}"), ("a conjunct", "र्त्स्न्य"), ("a flag", "🇨🇳")]
        {
            assert_eq!(super::clean(text), text.nfc().collect::<String>(), "{longest}");
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        for text in [
            "e\u{301}\u{200d}\u{301}\u{301}\u{301}",
            "\u{301}a",
            "\u{1100}\u{115f}\u{1161}",
            "😀\u{fe0f}\u{200d}💻",
            " \u{202f} x",
        ] {
            assert_eq!(clean(&clean(text)), clean(text), "{text:?}");
        }
    }
}
