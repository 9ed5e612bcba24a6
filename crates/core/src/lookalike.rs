//! Whether a name or an account only looks like one the person knows. A finding warns; its absence promises nothing.
//!
//! Hosts are compared by their UTS #39 skeletons, letter case folded away: what a person reads as the same text has the same one.

use unicode_security::confusable_detection::skeleton;

use crate::origin::Origin;

/// Hex digits at each end of an account that people compare.
const SHOWN: usize = 4;

/// Whether `origin` could be read as `known`, though somebody else owns it.
pub fn host_looks_like(origin: &Origin, known: &Origin) -> bool {
    if origin.registrable() == known.registrable() {
        return false;
    }
    reads_as(origin.host()) == reads_as(known.host()) || reads_as(origin.registrable()) == reads_as(known.registrable())
}

/// Whether two different hex accounts begin and end alike, which is all that most people compare.
pub fn account_looks_like(account: &str, known: &str) -> bool {
    let (Some(a), Some(b)) = (hex_digits(account), hex_digits(known)) else { return false };
    a != b && a.len() == b.len() && a.get(..SHOWN) == b.get(..SHOWN) && last(&a) == last(&b)
}

fn last(digits: &str) -> Option<&str> {
    digits.get(digits.len().saturating_sub(SHOWN)..)
}

fn hex_digits(account: &str) -> Option<String> {
    let digits = account.strip_prefix("0x")?;
    let hex = digits.len() > SHOWN.saturating_mul(2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| digits.to_ascii_lowercase())
}

/// What a person reads: the skeleton, folded until letter case makes no difference (`0` is drawn like `O`, `1` like `l`).
/// Dots and hyphens are dropped, because `pay.example.com` and `pay-example.com` read alike.
fn reads_as(host: &str) -> String {
    let (text, _) = idna::domain_to_unicode(host);
    let mut text = text.to_lowercase();
    for _ in 0..3 {
        let next: String = skeleton(&text).flat_map(char::to_lowercase).collect();
        if next == text {
            break;
        }
        text = next;
    }
    text.chars().filter(|c| !matches!(c, '.' | '-')).map(|c| if c == 'i' { 'l' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters that are drawn alike in another script, with the ASCII letter they are mistaken for.
    const TWINS: &[(char, &str)] = &[
        ('a', "а"),
        ('c', "с"),
        ('d', "ԁ"),
        ('e', "е"),
        ('h', "һ"),
        ('i', "і"),
        ('j', "ј"),
        ('l', "1"),
        ('o', "о"),
        ('o', "ο"),
        ('o', "0"),
        ('p', "р"),
        ('s', "ѕ"),
        ('x', "х"),
        ('y', "у"),
        ('m', "rn"),
    ];

    fn origin(host: &str) -> Origin {
        format!("https://{host}/").parse().unwrap_or_else(|_| panic!("{host}"))
    }

    #[test]
    fn five_hundred_look_alike_hosts_are_all_noticed() {
        let mut pairs = 0;
        for word in [
            "openai",
            "example",
            "coinbase",
            "cloudshop",
            "dataplace",
            "searchapi",
            "payhome",
            "mapsdeluxe",
            "modelyard",
            "scholarly",
            "exchange",
            "paperhub",
            "jsonmill",
            "cachehouse",
            "proxydeal",
            "lexicon",
            "maildepot",
            "pixelshop",
            "scoopdesk",
            "hydraprice",
        ] {
            for end in ["com", "co.uk", "io", "example", "dev"] {
                let known = origin(&format!("api.{word}.{end}"));
                for (letter, twin) in TWINS {
                    for (at, _) in word.match_indices(*letter) {
                        let mut changed = word.to_owned();
                        changed.replace_range(at..=at, twin);
                        let other = origin(&format!("api.{changed}.{end}"));
                        assert!(host_looks_like(&other, &known), "{changed}.{end} against {word}.{end}");
                        assert_ne!(other, known, "an allow-list compares A-labels, so it never matches");
                        pairs += 1;
                    }
                }
            }
        }
        assert!(pairs >= 500, "{pairs}");
    }

    #[test]
    fn a_hyphen_for_a_dot_is_noticed_and_another_host_of_the_same_owner_is_not() {
        let known = origin("pay.example.com");
        assert!(host_looks_like(&origin("pay-example.com"), &known));
        assert!(!host_looks_like(&origin("docs.example.com"), &known));
        assert!(!host_looks_like(&known, &known));
        assert!(!host_looks_like(&origin("other.org"), &known));
    }

    #[test]
    fn accounts_that_begin_and_end_alike_are_noticed() {
        let known = "0x1111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2222";
        assert!(account_looks_like("0x1111bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2222", known));
        assert!(!account_looks_like(&known.replace('a', "A"), known), "letter case is no difference");
        assert!(!account_looks_like("0x1112bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2222", known));
        assert!(!account_looks_like("0x1111bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2223", known));
        for odd in ["", "0x", "0x1111", "2088102146225135", "0xé111bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2222"] {
            assert!(!account_looks_like(odd, known), "{odd}");
        }
    }
}
