//! The bytes of the key file.
//!
//! `"CSKEYS1\n" | m t p (u32 LE) | salt 16 | nonce 24 | sealed entries | SHA-256 of all before it`. Everything up to the salt
//! is authenticated with the entries. The plain checksum tells accidental damage from a wrong passphrase; it protects nothing.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::AeadInOut as _};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::keys::{KeyStoreError, Secret};

/// Named secrets, sorted.
pub(in crate::keys) type Entries = BTreeMap<String, Secret>;

const MAGIC: &[u8; 8] = b"CSKEYS1\n";
const SALT: usize = 16;
const NONCE: usize = 24;
const SUM: usize = 32;
/// Magic, parameters and salt.
const HEAD: usize = MAGIC.len() + 12 + SALT;

/// What one guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory, 8 to 1,048,576.
    pub memory_kib: u32,
    /// Passes over it, 1 to 16.
    pub passes: u32,
}

impl Cost {
    /// 64 MiB, 3 passes.
    pub const PRODUCTION: Self = Self { memory_kib: 64 * 1024, passes: 3 };

    /// A file must not make us allocate or compute without bound.
    fn bounded(self) -> bool {
        (8..=1024 * 1024).contains(&self.memory_kib) && (1..=16).contains(&self.passes)
    }
}

/// A derived key and the head of the one file it belongs to.
pub(in crate::keys) struct Seal {
    head: [u8; HEAD],
    key: Secret,
}

impl Seal {
    /// For a file that is not there yet.
    pub(in crate::keys) fn fresh(passphrase: &Secret, cost: Cost) -> Result<Self, KeyStoreError> {
        let mut head = [0; HEAD];
        let mut salt = [0; SALT];
        random(&mut salt)?;
        let fields =
            [&MAGIC[..], &cost.memory_kib.to_le_bytes(), &cost.passes.to_le_bytes(), &1u32.to_le_bytes(), &salt];
        for (to, from) in head.iter_mut().zip(fields.concat()) {
            *to = from;
        }
        Self::derive(head, passphrase)
    }

    /// For this file; the passphrase is not tried yet.
    pub(in crate::keys) fn of_file(file: &[u8], passphrase: &Secret) -> Result<Self, KeyStoreError> {
        let (head, _, _) = split(file)?;
        Self::derive(*head, passphrase)
    }

    fn derive(head: [u8; HEAD], passphrase: &Secret) -> Result<Self, KeyStoreError> {
        let (cost, salt) = read_head(&head)?;
        let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(|_| damaged("its parameters"))?;
        let mut key = Secret::zeros(32);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose(), salt, key.expose_mut())
            .map_err(|e| KeyStoreError::Failed(format!("the passphrase could not be used: {e}")))?;
        Ok(Self { head, key })
    }

    /// The entries of a file.
    pub(in crate::keys) fn open(&self, file: &[u8]) -> Result<Entries, KeyStoreError> {
        let (head, nonce, sealed) = split(file)?;
        if *head != self.head {
            return Err(damaged("it was replaced by another key file"));
        }
        let mut plain = Zeroizing::new(sealed.to_vec());
        // In place, within a buffer that is wiped: the tag is cut off, nothing is reallocated.
        self.cipher()?.decrypt_in_place(nonce, &self.head, &mut *plain).map_err(|_| KeyStoreError::WrongPassphrase)?;
        unpack(&plain).ok_or_else(|| damaged("its entries"))
    }

    /// The bytes of a file with these entries, under a fresh nonce.
    pub(in crate::keys) fn close(&self, entries: &Entries) -> Result<Vec<u8>, KeyStoreError> {
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        let mut sealed = pack(entries)?;
        self.cipher()?
            .encrypt_in_place(&XNonce::from(nonce), &self.head, &mut *sealed)
            .map_err(|_| KeyStoreError::Failed("the entries could not be sealed".into()))?;
        let mut file = [&self.head[..], &nonce, &sealed].concat();
        let sum = Sha256::digest(&file);
        file.extend_from_slice(&sum);
        Ok(file)
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, KeyStoreError> {
        XChaCha20Poly1305::new_from_slice(self.key.expose()).map_err(|_| KeyStoreError::Failed("no key".into()))
    }
}

fn split(file: &[u8]) -> Result<(&[u8; HEAD], &XNonce, &[u8]), KeyStoreError> {
    let cut = || damaged("it is cut short");
    let (body, sum) = file.split_last_chunk::<SUM>().ok_or_else(cut)?;
    if !body.starts_with(MAGIC) {
        return Err(damaged("it is no key file of this version"));
    }
    if !bool::from(Sha256::digest(body).ct_eq(sum)) {
        return Err(damaged("its checksum does not match"));
    }
    let (head, rest) = body.split_first_chunk::<HEAD>().ok_or_else(cut)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(cut)?;
    Ok((head, nonce.into(), sealed))
}

fn read_head(head: &[u8; HEAD]) -> Result<(Cost, &[u8]), KeyStoreError> {
    let number = |at: usize| head.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b));
    let fields = (number(8), number(12), number(16), head.get(20..));
    let (Some(memory_kib), Some(passes), Some(1), Some(salt)) = fields else {
        return Err(damaged("its parameters"));
    };
    let cost = Cost { memory_kib, passes };
    if cost.bounded() { Ok((cost, salt)) } else { Err(damaged("its parameters are out of bounds")) }
}

/// `name length u16 | name | value length u32 | value`, again and again.
fn pack(entries: &Entries) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
    let too_long = |_| KeyStoreError::Failed("a name or value is too long".into());
    // Room for everything and the tag, so that no copy is left behind by growing.
    let room = entries
        .iter()
        .map(|(n, v)| n.len().saturating_add(v.expose().len()).saturating_add(6))
        .fold(64, usize::saturating_add);
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    for (name, value) in entries {
        out.extend_from_slice(&u16::try_from(name.len()).map_err(too_long)?.to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&u32::try_from(value.expose().len()).map_err(too_long)?.to_le_bytes());
        out.extend_from_slice(value.expose());
    }
    Ok(out)
}

fn unpack(mut bytes: &[u8]) -> Option<Entries> {
    let mut entries = Entries::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let (length, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        entries.insert(std::str::from_utf8(name).ok()?.to_owned(), Secret::copy_of(value));
        bytes = rest;
    }
    Some(entries)
}

fn random(bytes: &mut [u8]) -> Result<(), KeyStoreError> {
    getrandom::fill(bytes).map_err(|_| KeyStoreError::Failed("the operating system gave no random bytes".into()))
}

fn damaged(what: &str) -> KeyStoreError {
    KeyStoreError::Damaged(format!("keys.enc: {what}"))
}
