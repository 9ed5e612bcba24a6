//! Keystore files, version 3 (the "Web3 Secret Storage Definition"): one private key under a passphrase, as other wallets read and write it.
//!
//! What a file asks of us is bounded. A wrong passphrase and a damaged file look the same; nothing of either is said.

use aes::Aes128;
use alloy_primitives::{hex, keccak256};
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use scrypt::Params;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{KeysError, LockedKey, Secret, locked::then_scrub};

type Aes128Ctr = ctr::Ctr128BE<Aes128>;

/// No wallet writes a longer file.
const LONGEST: usize = 16 * 1024;
/// Memory and work that a file may ask for: 512 MiB, and about ten seconds.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;
const MOST_ROUNDS: u32 = 10_000_000;
/// What our own files ask for: 2^17, 8, 1, as geth's do nearly.
const LOG_N: u8 = 17;
const R: u32 = 8;

#[derive(Deserialize)]
struct File {
    version: u32,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    address: Option<String>,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfParams,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfParams {
    dklen: u32,
    salt: String,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<u32>,
    prf: Option<String>,
}

/// The private key of a keystore file.
pub(super) fn open(file: &[u8], passphrase: &Secret) -> Result<Secret, KeysError> {
    if file.len() > LONGEST {
        return Err(KeysError::NotAKeystore("it is too long"));
    }
    let file: File = serde_json::from_slice(file).map_err(|_| KeysError::NotAKeystore("it is no keystore file"))?;
    let (3, "aes-128-ctr") = (file.version, file.crypto.cipher.as_str()) else {
        return Err(KeysError::NotAKeystore("only version 3 with aes-128-ctr is known"));
    };
    let bytes = |text: &str| hex::decode(text).map_err(|_| KeysError::NotAKeystore("a part of it is not hex"));
    let (iv, sealed, mac) =
        (bytes(&file.crypto.cipherparams.iv)?, bytes(&file.crypto.ciphertext)?, bytes(&file.crypto.mac)?);
    let Ok(iv) = <[u8; 16]>::try_from(iv) else { return Err(KeysError::NotAKeystore("its iv is not 16 bytes")) };
    let derived = derive(&file.crypto.kdf, &file.crypto.kdfparams, &bytes(&file.crypto.kdfparams.salt)?, passphrase)?;
    if !bool::from(tag(&derived, &sealed).ct_eq(&mac)) {
        return Err(KeysError::WrongPassphrase);
    }
    let key = crypt(&derived, iv, &sealed);
    let found = LockedKey::new(&key).ok_or(KeysError::NotAKeystore("it holds no private key"))?;
    let said = file.address.map(|text| text.trim_start_matches("0x").to_ascii_lowercase());
    if said.is_some_and(|said| !said.is_empty() && said != hex::encode(found.address())) {
        return Err(KeysError::NotAKeystore("the key in it is not that of its address"));
    }
    Ok(key)
}

/// A keystore file of this key.
pub(super) fn close(key: &Secret, passphrase: &Secret) -> Result<String, KeysError> {
    close_at(key, passphrase, LOG_N)
}

fn close_at(key: &Secret, passphrase: &Secret, log_n: u8) -> Result<String, KeysError> {
    let address = LockedKey::new(key).ok_or(KeysError::NotAKey("zero, or beyond the order of secp256k1"))?.address();
    let (salt, iv, id) = (Secret::random(32)?, Secret::random(16)?, Secret::random(16)?);
    let iv: [u8; 16] = iv.expose().try_into().map_err(|_| super::NoRandomness)?;
    let asked =
        KdfParams { dklen: 32, salt: String::new(), n: Some(1 << log_n), r: Some(R), p: Some(1), c: None, prf: None };
    let derived = derive("scrypt", &asked, salt.expose(), passphrase)?;
    let sealed = crypt(&derived, iv, key.expose());
    let file: Value = json!({
        "version": 3,
        "id": uuid(id.expose()),
        "address": hex::encode(address),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": hex::encode(iv) },
            "ciphertext": hex::encode(sealed.expose()),
            "kdf": "scrypt",
            "kdfparams": { "dklen": 32, "n": 1u64 << log_n, "r": R, "p": 1, "salt": hex::encode(salt.expose()) },
            "mac": hex::encode(tag(&derived, sealed.expose())),
        },
    });
    Ok(file.to_string())
}

fn derive(kdf: &str, asked: &KdfParams, salt: &[u8], passphrase: &Secret) -> Result<Secret, KeysError> {
    let bad = KeysError::NotAKeystore("its key derivation is not one we carry out");
    if asked.dklen != 32 {
        return Err(bad);
    }
    let mut key = Secret::zeros(32);
    match (kdf, asked.n, asked.r, asked.p, asked.c, asked.prf.as_deref()) {
        ("scrypt", Some(n), Some(r), Some(p), ..) => {
            let memory = n.saturating_mul(u64::from(r)).saturating_mul(128).saturating_mul(u64::from(p.max(1)));
            if !n.is_power_of_two() || memory > MOST_MEMORY {
                return Err(bad);
            }
            let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
            let params = Params::new(log_n, r, p).map_err(|_| bad.clone())?;
            scrypt::scrypt(passphrase.expose(), salt, &params, key.expose_mut()).map_err(|_| bad)?;
        }
        ("pbkdf2", .., Some(c), Some("hmac-sha256")) if (1..=MOST_ROUNDS).contains(&c) => {
            then_scrub(|| pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.expose(), salt, c, key.expose_mut()));
        }
        _ => return Err(bad),
    }
    Ok(key)
}

fn tag(derived: &Secret, sealed: &[u8]) -> [u8; 32] {
    let half = derived.expose().get(16..).unwrap_or_default();
    let text = Zeroizing::new([half, sealed].concat());
    keccak256(&*text).0
}

/// Encrypts or decrypts: in this mode both are the same.
fn crypt(derived: &Secret, iv: [u8; 16], bytes: &[u8]) -> Secret {
    let mut out = Secret::copy_of(bytes);
    let mut key = Zeroizing::new([0u8; 16]);
    for (to, from) in key.iter_mut().zip(derived.expose()) {
        *to = *from;
    }
    then_scrub(|| Aes128Ctr::new((&*key).into(), &iv.into()).apply_keystream(out.expose_mut()));
    out
}

fn uuid(random: &[u8]) -> String {
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(random) {
        *to = *from;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::copy_of(text.as_bytes())
    }

    /// The two test vectors of the definition.
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},"ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},"mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

    #[test]
    fn the_vectors_of_the_definition_open() {
        for file in [PBKDF2, SCRYPT] {
            let key = open(file.as_bytes(), &secret("testpassword")).unwrap();
            assert_eq!(hex::encode(key.expose()), KEY);
        }
    }

    #[test]
    fn what_we_write_opens_with_its_passphrase_alone() {
        let key = Secret::new(hex::decode(KEY).unwrap());
        let file = close_at(&key, &secret("correct horse"), 4).unwrap();
        assert!(!file.contains(KEY) && file.contains("008aeeda4d805471df9b2a5b0f38a0c3bcba786b"), "{file}");
        assert_eq!(open(file.as_bytes(), &secret("correct horse")).unwrap(), key);
        assert_eq!(open(file.as_bytes(), &secret("correct horsf")), Err(KeysError::WrongPassphrase));
        let other =
            file.replace("008aeeda4d805471df9b2a5b0f38a0c3bcba786b", "108aeeda4d805471df9b2a5b0f38a0c3bcba786b");
        assert!(matches!(open(other.as_bytes(), &secret("correct horse")), Err(KeysError::NotAKeystore(_))));
        let id = &file[file.find("\"id\":\"").unwrap() + 6..][..36];
        assert_eq!((&id[14..15], id.matches('-').count()), ("4", 4), "{id}");
    }

    #[test]
    fn a_file_that_asks_too_much_or_is_none_is_refused_at_once() {
        for bad in [
            "",
            "{}",
            &SCRYPT.replace("\"version\":3", "\"version\":1"),
            &SCRYPT.replace("aes-128-ctr", "aes-128-cbc"),
            &SCRYPT.replace("262144", "67108864"),
            &SCRYPT.replace("262144", "262143"),
            &SCRYPT.replace("\"dklen\":32", "\"dklen\":64"),
            &PBKDF2.replace("262144", "99999999"),
            &PBKDF2.replace("hmac-sha256", "hmac-md5"),
            &PBKDF2.replace("6087dab2", "60"),
            &" ".repeat(LONGEST + 1),
        ] {
            assert!(matches!(open(bad.as_bytes(), &secret("x")), Err(KeysError::NotAKeystore(_))), "{bad}");
        }
    }
}
