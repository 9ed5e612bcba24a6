//! Where keys live: one port over the operating system's keyring, an encrypted file, or memory.
//!
//! Promises that a store is used by one thread only and never waited for beyond a limit, that a missing entry is a fault
//! and not a new wallet, and that no error, log line or `Debug` text carries a secret.

pub mod file;
pub mod harden;
mod keystore;
mod locked;
pub mod memory;
mod merchant;
pub mod os;
mod passphrase;
pub mod phrase;
mod secret;
mod store_thread;
mod stripe;
pub mod token;

use alloy_primitives::Address;
use countersign_core::asset::parse_address;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use zeroize::Zeroizing;

use crate::sign::Signer;
use file::Seal;
pub(crate) use locked::LockedKey;
pub use merchant::{Merchant, MerchantKey, merchant_public_key};
pub use passphrase::Guarded;
pub use secret::{NoRandomness, Secret};
use store_thread::StoreThread;
pub use stripe::{StripeProfile, is_payment_method, restricted};

/// How long a store may take: an unlock prompt stays open for as long as nobody answers it.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A place that keeps named secrets.
pub trait KeyStore: Send {
    /// The secret of this name; none if the store says there is no such entry.
    fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError>;
    /// Keeps a secret under this name, replacing what was there.
    fn set(&self, name: &str, value: &Secret) -> Result<(), KeyStoreError>;
    /// Forgets this name; a name that is not there is no error.
    fn delete(&self, name: &str) -> Result<(), KeyStoreError>;
    /// What kind of store this is: `os-keyring`, `encrypted-file`, `memory`.
    fn kind(&self) -> &'static str;
}

/// Why a store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// It is locked and nobody unlocked it.
    #[error("your keyring is locked: unlock it and try again")]
    Locked,
    /// There is none on this computer, or it cannot be reached.
    #[error("no keyring can be reached: {0}")]
    Absent(String),
    /// It runs but has no default collection.
    #[error("your keyring has no default collection: create one in your desktop's password settings")]
    NoCollection,
    /// The passphrase of the encrypted file is wrong.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// What it holds cannot be what was stored.
    #[error("damaged key store: {0}")]
    Damaged(String),
    /// Anything else.
    #[error("the key store failed: {0}")]
    Failed(String),
}

/// What the last call found out about the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// Nothing was asked yet.
    Unknown,
    /// It answers.
    Available,
    /// It is locked, or did not answer in time.
    Locked,
    /// It cannot be reached.
    Absent,
    /// It has no default collection.
    NoCollection,
    /// It answers with a fault.
    Faulty,
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The store did not answer in time; an unlock prompt may be open. A change that was asked for may still happen.
    #[error("the key store did not answer within {} s: unlock your keyring and try again", .0.as_secs())]
    Slow(Duration),
    /// The store says it has no key for this wallet.
    #[error(
        "the key store has no key for wallet {0}: it may be another keyring than the one the wallet was made in; nothing was changed"
    )]
    NoEntry(String),
    /// The store's key belongs to another address.
    #[error("the key stored for wallet {0} is not its key; nothing was signed")]
    WrongKey(String),
    /// Not an address.
    #[error("not a wallet address")]
    NotAnAddress,
    /// The text given is not a private key.
    #[error("not a private key: {0}")]
    NotAKey(&'static str),
    /// The text given is not a recovery phrase.
    #[error("not a recovery phrase: {0}")]
    NotAPhrase(&'static str),
    /// The text given is not a keystore file.
    #[error("not a keystore file: {0}")]
    NotAKeystore(&'static str),
    /// Not the passphrase of the wallets, or of the file.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// A passphrase is set and was not typed yet.
    #[error("the wallets are locked: unlock them with your passphrase")]
    Locked,
    /// There is a wallet of this key.
    #[error("there is a wallet {0} already")]
    Exists(String),
    /// The store took a key but does not give it back.
    #[error("the key store did not keep the new key: no wallet was made")]
    NotKept,
    /// The text given is not a merchant's private key.
    #[error("not an RSA private key of 2048 to 8192 bits, as base64 or PEM, PKCS#1 or PKCS#8")]
    NotAnRsaKey,
    /// No merchant was set up.
    #[error("there is no Alipay profile; `countersign alipay setup` makes one")]
    NoMerchant,
    /// The text given is no restricted key, or not one that goes with the payment method.
    #[error("not a restricted key of Stripe's with its payment method: rk_test_… or rk_live_…, and pm_…")]
    NotRestricted,
    /// No payment method at Stripe was set up.
    #[error("there is no payment method at Stripe; `countersign stripe setup` keeps one")]
    NoStripe,
    /// Another one was set up since a payment was priced.
    #[error("another payment method at Stripe was set up since this payment was priced")]
    OtherStripe,
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The store's own word.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
}

/// The keys of this process: a cheap handle to the one thread that owns the store, and the keys loaded so far.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    thread: StoreThread,
    held: Mutex<Held>,
    /// Whether a passphrase is set, as far as is known.
    guarded: AtomicBool,
    /// Names of the keys stored by this process in entries of their own, whether or not a ledger came to list them.
    made: Arc<Mutex<BTreeSet<String>>>,
}

/// What is in memory: the keys loaded so far, and what opens the others while a passphrase is set.
#[derive(Default)]
struct Held {
    loaded: HashMap<Address, Signer>,
    seal: Option<Arc<Seal>>,
    /// How often it was wiped: what was being loaded meanwhile is not kept.
    wiped: u64,
}

impl Held {
    fn wipe(&mut self) {
        self.wiped = self.wiped.wrapping_add(1);
        for (_, signer) in self.loaded.drain() {
            signer.wipe();
        }
    }

    fn wipe_one(&mut self, address: Address) {
        self.wiped = self.wiped.wrapping_add(1);
        if let Some(signer) = self.loaded.remove(&address) {
            signer.wipe();
        }
    }
}

impl Keys {
    /// Gives the store its own thread.
    pub fn start(store: Box<dyn KeyStore>) -> Self {
        Self::start_with_limit(store, LIMIT)
    }

    /// [`Self::start`] with another limit for each call.
    pub fn start_with_limit(store: Box<dyn KeyStore>, limit: Duration) -> Self {
        Self(Arc::new(Inner {
            thread: StoreThread::start(store, limit),
            held: Mutex::default(),
            guarded: AtomicBool::new(false),
            made: Arc::default(),
        }))
    }

    /// A named secret; none if the store says there is no such entry.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>, KeysError> {
        let name = name.to_owned();
        self.0.thread.call(move |store| store.get(&name))
    }

    /// Keeps a named secret.
    pub fn set(&self, name: &str, value: Secret) -> Result<(), KeysError> {
        let name = name.to_owned();
        self.0.thread.call(move |store| store.set(&name, &value))
    }

    /// Forgets a named secret, and the signing key if the name is a wallet's.
    pub fn delete(&self, name: &str) -> Result<(), KeysError> {
        let name = name.to_owned();
        let Some(address) = name.strip_prefix("wallet:").and_then(|a| parse_address(a).ok()) else {
            return self.0.thread.call(move |store| store.delete(&name));
        };
        self.held().wipe_one(address);
        let gone = self.delete_key(name);
        // Somebody may have loaded it once more before it was gone.
        self.held().wipe_one(address);
        gone
    }

    /// Makes a secp256k1 key of the operating system's randomness and stores it; the answer is its EIP-55 address.
    pub fn create(&self) -> Result<String, KeysError> {
        // A random string of 32 bytes is no key once in 2^128.
        for _ in 0..8 {
            let bytes = Secret::random(32)?;
            if let Some(key) = LockedKey::new(&bytes) {
                return self.keep(key, bytes);
            }
        }
        Err(NoRandomness.into())
    }

    /// Stores a key given as 64 hex digits, with or without `0x`; the answer is its EIP-55 address.
    pub fn import(&self, hex: &Secret) -> Result<String, KeysError> {
        self.import_bytes(parse_key(hex)?)
    }

    /// Stores the key that a recovery phrase stands for; the answer is its EIP-55 address.
    pub fn import_phrase(&self, phrase: &Secret) -> Result<String, KeysError> {
        self.import_bytes(phrase::key_of(phrase)?)
    }

    /// Stores the key of a keystore file; the answer is its EIP-55 address.
    pub fn import_keystore(&self, file: &[u8], passphrase: &Secret) -> Result<String, KeysError> {
        self.import_bytes(keystore::open(file, passphrase)?)
    }

    fn import_bytes(&self, bytes: Secret) -> Result<String, KeysError> {
        let key = LockedKey::new(&bytes).ok_or(KeysError::NotAKey("zero, or beyond the order of secp256k1"))?;
        self.keep(key, bytes)
    }

    /// The signer of a known wallet. A store that has no entry for it is at fault: nothing is ever created here.
    pub(crate) fn signer(&self, address: &str) -> Result<Signer, KeysError> {
        let address = parse_address(address).map_err(|_| KeysError::NotAnAddress)?;
        loop {
            let before = {
                let held = self.held();
                if let Some(signer) = held.loaded.get(&address) {
                    return Ok(signer.clone());
                }
                held.wiped
            };
            let bytes = self.bytes_of(&address.to_string())?;
            let key = LockedKey::new(&bytes).ok_or_else(|| KeysError::WrongKey(address.to_string()))?;
            let mut held = self.held();
            if held.wiped == before {
                // Two callers may have loaded it at once; both use the one that came first.
                return Ok(held.loaded.entry(address).or_insert_with(|| Signer::new(key)).clone());
            }
        }
    }

    /// The signer of this account if its key is in memory.
    pub(crate) fn loaded_signer(&self, account: Address) -> Option<Signer> {
        self.held().loaded.get(&account).cloned()
    }

    /// Wipes every loaded signing key; signers handed out before refuse from here on.
    pub fn forget_cached(&self) {
        self.held().wipe();
    }

    /// What kind of store this is.
    pub fn kind(&self) -> &'static str {
        self.0.thread.kind()
    }

    /// What the last call found out about the store.
    pub fn state(&self) -> StoreState {
        self.0.thread.state()
    }

    /// Stores a key and believes in it only after reading it back.
    fn keep(&self, key: LockedKey, bytes: Secret) -> Result<String, KeysError> {
        let (address, before) = (key.address(), self.held().wiped);
        if !self.keep_bytes(entry_of(address), bytes)? {
            return Err(KeysError::NotKept);
        }
        let mut held = self.held();
        if held.wiped == before {
            held.loaded.entry(address).or_insert_with(|| Signer::new(key));
        }
        Ok(address.to_string())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name a wallet's key is stored under.
fn entry_of(address: Address) -> String {
    format!("wallet:{address}")
}

fn parse_key(hex: &Secret) -> Result<Secret, KeysError> {
    let digits = hex.expose().trim_ascii();
    let digits = digits.strip_prefix(b"0x").or_else(|| digits.strip_prefix(b"0X")).unwrap_or(digits);
    if digits.len() != 64 {
        return Err(KeysError::NotAKey("it must be 64 hex digits, with or without 0x"));
    }
    let mut bytes = Zeroizing::new([0u8; 32]);
    alloy_primitives::hex::decode_to_slice(digits, &mut *bytes)
        .map_err(|_| KeysError::NotAKey("only 0-9 and a-f may stand in it"))?;
    Ok(Secret::copy_of(&*bytes))
}

#[cfg(test)]
mod tests;
