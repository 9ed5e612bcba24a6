//! Recovery phrases (BIP-39, English): twelve new words, and the key that a phrase stands for.
//!
//! The key is the first account of the path that wallets agree on, `m/44'/60'/0'/0/0`. Phrases with a password of their own
//! (the "25th word") are not read.

use bip32::{DerivationPath, XPrv};
use bip39::{Language, Mnemonic};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeysError, NoRandomness, Secret, locked::then_scrub};

/// Where wallets look first.
const PATH: &str = "m/44'/60'/0'/0/0";
/// Bytes of randomness behind twelve words.
const ENTROPY: usize = 16;
/// Most words of a phrase, and the longest of them is eight letters.
const LONGEST: usize = 24 * 16;

/// Twelve new words with single spaces between them.
pub fn fresh() -> Result<Secret, KeysError> {
    let entropy = Secret::random(ENTROPY)?;
    then_scrub(|| {
        let mut mnemonic = Mnemonic::from_entropy(entropy.expose()).map_err(|_| NoRandomness)?;
        let mut text = Zeroizing::new(String::with_capacity(LONGEST));
        for (number, word) in mnemonic.words().enumerate() {
            if number > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        mnemonic.zeroize();
        Ok(Secret::copy_of(text.as_bytes()))
    })
}

/// The private key of a phrase of 12 to 24 words, whatever the spaces and capitals between them.
pub(super) fn key_of(phrase: &Secret) -> Result<Secret, KeysError> {
    let text = std::str::from_utf8(phrase.expose()).map_err(|_| KeysError::NotAPhrase("it is not text"))?;
    if text.len() > 4 * LONGEST {
        return Err(KeysError::NotAPhrase("it has 12, 15, 18, 21 or 24 words"));
    }
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    then_scrub(|| {
        let mut mnemonic = Mnemonic::parse_in_normalized(Language::English, &plain).map_err(why)?;
        let seed = Zeroizing::new(mnemonic.to_seed_normalized(""));
        mnemonic.zeroize();
        let bad = |_| KeysError::NotAPhrase("no key can be derived from it");
        let path: DerivationPath = PATH.parse().map_err(bad)?;
        let key = XPrv::derive_from_path(seed.as_slice(), &path).map_err(bad)?;
        let bytes = Zeroizing::new(key.to_bytes());
        Ok(Secret::copy_of(&*bytes))
    })
}

/// Never says which word: an error is shown and may be told on.
fn why(error: bip39::Error) -> KeysError {
    KeysError::NotAPhrase(match error {
        bip39::Error::UnknownWord(_) => "a word of it is not in the list",
        bip39::Error::InvalidChecksum => "a word of it is wrong or in the wrong place",
        _ => "it has 12, 15, 18, 21 or 24 words",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::LockedKey;

    fn address(phrase: &str) -> Result<String, KeysError> {
        let key = key_of(&Secret::copy_of(phrase.as_bytes()))?;
        Ok(LockedKey::new(&key).unwrap().address().to_string())
    }

    /// The first accounts of the phrases that anvil and hardhat, and ganache, are known by.
    #[test]
    fn known_phrases_give_the_accounts_that_other_wallets_give() {
        let junk = "test test test test test test test test test test test junk";
        assert_eq!(address(junk).unwrap(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        let ganache = "myth like bonus scare over problem client lizard pioneer submit female collect";
        assert_eq!(address(ganache).unwrap(), "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1");
        assert_eq!(address(&format!("  {}\n", junk.to_uppercase().replace(' ', " \t "))), address(junk));
    }

    #[test]
    fn a_new_phrase_is_twelve_words_that_mean_a_key_and_never_the_same() {
        let (one, two) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one, two);
        assert_eq!(std::str::from_utf8(one.expose()).unwrap().split(' ').count(), 12);
        assert_ne!(key_of(&one).unwrap(), key_of(&two).unwrap());
    }

    #[test]
    fn a_wrong_phrase_says_why_and_not_which_word() {
        for (text, why) in [
            ("test test test test test test test test test test test test", "wrong place"),
            ("test test test test test test test test test test test canary7141", "not in the list"),
            ("test test", "12, 15"),
            ("", "12, 15"),
            (&"test ".repeat(2000), "12, 15"),
        ] {
            let said = address(text).unwrap_err().to_string();
            assert!(said.contains(why) && !said.contains("canary"), "{said}");
        }
        assert!(key_of(&Secret::copy_of(&[0xff, 0xfe])).is_err());
    }
}
