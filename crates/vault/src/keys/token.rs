//! Agent tokens: `cs1_<id>_<secret>`, 256 random bits, kept as a SHA-256 hash.
//!
//! A token buys "may ask"; it is no key. The hash needs no slow function because the secret is not guessable.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Secret;

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// How many random bytes [`mint_token`] wants.
pub const TOKEN_RANDOM: usize = ID_BYTES + SECRET_BYTES;

/// A fresh token. The text is shown or handed over once; only id and hash are kept.
#[derive(Debug)]
pub struct MintedToken {
    /// Public name of the token: 16 hex digits.
    pub id: String,
    /// The whole text.
    pub text: Secret,
    /// SHA-256 of the whole text.
    pub hash: [u8; 32],
}

/// A token as somebody presented it: well formed, not yet known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedToken {
    /// The id it claims.
    pub id: String,
    hash: [u8; 32],
}

/// Makes a token of random bytes, which the caller wipes.
pub fn mint_token(random: &[u8; TOKEN_RANDOM]) -> MintedToken {
    let (id, secret) = random.split_at(ID_BYTES);
    let id = alloy_primitives::hex::encode(id);
    let mut text = format!("cs1_{id}_").into_bytes();
    text.resize(text.len().saturating_add(SECRET_BYTES * 2), 0);
    let from = text.len().saturating_sub(SECRET_BYTES * 2);
    for (pair, byte) in text.split_at_mut(from).1.chunks_exact_mut(2).zip(secret) {
        pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
    }
    let hash = Sha256::digest(&text).into();
    MintedToken { id, text: Secret::new(text), hash }
}

/// Reads a token; anything but the exact form is none.
pub fn parse_token(text: &str) -> Option<PresentedToken> {
    let (id, secret) = text.strip_prefix("cs1_")?.split_once('_')?;
    let lower_hex = |t: &str, bytes: usize| {
        t.len() == bytes.saturating_mul(2) && t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    (lower_hex(id, ID_BYTES) && lower_hex(secret, SECRET_BYTES))
        .then(|| PresentedToken { id: id.to_owned(), hash: Sha256::digest(text).into() })
}

impl PresentedToken {
    /// Whether this is the token whose hash was kept; takes as long whichever byte differs.
    pub fn matches(&self, hash: &[u8; 32]) -> bool {
        self.hash.ct_eq(hash).into()
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.saturating_add(nibble) } else { b'a'.saturating_add(nibble).saturating_sub(10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minted(seed: u8) -> (MintedToken, String) {
        let minted = mint_token(&std::array::from_fn(|i| seed.wrapping_mul(31).wrapping_add(i as u8)));
        let text = String::from_utf8(minted.text.expose().to_vec()).unwrap();
        (minted, text)
    }

    #[test]
    fn a_minted_token_is_recognised_by_its_hash_alone() {
        let (token, text) = minted(1);
        assert!(text.starts_with(&format!("cs1_{}_", token.id)));
        assert_eq!(text.len(), 4 + 16 + 1 + 64);
        let presented = parse_token(&text).unwrap();
        assert_eq!(presented.id, token.id);
        assert!(presented.matches(&token.hash));
        assert!(!presented.matches(&minted(2).0.hash));
    }

    #[test]
    fn a_leaked_hash_does_not_log_in() {
        let (token, _) = minted(3);
        let forged = format!("cs1_{}_{}", token.id, alloy_primitives::hex::encode(token.hash));
        assert!(!parse_token(&forged).unwrap().matches(&token.hash));
    }

    #[test]
    fn another_text_is_no_token_or_another_one() {
        let (token, text) = minted(4);
        for bad in [
            "",
            "cs1_",
            "cs1__",
            &text[..text.len() - 1],
            &format!("{text}0"),
            &format!(" {text}"),
            &text.to_uppercase(),
            &text.replace("cs1", "cs2"),
        ] {
            assert_eq!(parse_token(bad), None, "{bad:?}");
        }
        for at in 4..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let matched = parse_token(std::str::from_utf8(&bytes).unwrap()).is_some_and(|p| p.matches(&token.hash));
            assert!(!matched, "byte {at}");
        }
    }

    #[test]
    fn a_hundred_thousand_wrong_tokens_are_refused() {
        let (token, _) = minted(5);
        for n in 0..100_000u32 {
            let guess = format!("cs1_{}_{n:064x}", token.id);
            assert!(!parse_token(&guess).unwrap().matches(&token.hash));
        }
    }
}
