//! The operating system's keyring: Secret Service, Keychain or Credential Manager.
//!
//! Entries are named by the canonical data directory, so two directories never share a key. Values are hex text, because
//! some keyrings keep text only. "No entry" is reported as it is: what it means is the caller's to say.

use keyring_core::{Entry, Error, api::CredentialStore};
use std::{cell::RefCell, fmt::Write as _, path::Path, sync::Arc};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyStore, KeyStoreError, Secret};

const SERVICE: &str = "countersign";

/// The keyring entries of one data directory. Connects at the first call, on the thread that makes it.
pub struct OsStore {
    directory: String,
    // Stores of the library are opened here rather than through its process-wide default, which remembers a failed
    // connection for ever: a keyring daemon that was restarted is found again.
    connection: RefCell<Option<Arc<CredentialStore>>>,
}

impl OsStore {
    /// The entries that belong to this data directory, which must exist.
    pub fn new(data_dir: &Path) -> Result<Self, KeyStoreError> {
        let directory =
            data_dir.canonicalize().map_err(|e| KeyStoreError::Failed(format!("the data directory: {e}")))?;
        let directory =
            directory.to_str().ok_or_else(|| KeyStoreError::Failed("the data directory's name is not text".into()))?;
        Ok(Self { directory: directory.to_owned(), connection: RefCell::new(None) })
    }

    /// Runs `work` on an entry; a lost connection is opened once more.
    fn on_entry<T>(&self, name: &str, work: impl Fn(&Entry) -> Result<T, Error>) -> Result<T, Error> {
        let account = format!("{}/{name}", self.directory);
        let once = || work(&self.connection()?.build(SERVICE, &account, None)?);
        match once() {
            Err(Error::PlatformFailure(_)) if self.connection.take().is_some() => once(),
            result => result,
        }
    }

    fn connection(&self) -> Result<Arc<CredentialStore>, Error> {
        let mut connection = self.connection.borrow_mut();
        if let Some(open) = &*connection {
            return Ok(Arc::clone(open));
        }
        let open = connect()?;
        Ok(Arc::clone(connection.insert(open)))
    }
}

impl KeyStore for OsStore {
    fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        match self.on_entry(name, Entry::get_secret) {
            Ok(mut text) => {
                let secret = decode(&text);
                text.zeroize();
                secret.map(Some)
            }
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(error)),
        }
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), KeyStoreError> {
        let text = encode(value);
        self.on_entry(name, |entry| entry.set_secret(text.as_bytes())).map_err(explain)
    }

    fn delete(&self, name: &str) -> Result<(), KeyStoreError> {
        match self.on_entry(name, Entry::delete_credential) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(explain(error)),
        }
    }

    fn kind(&self) -> &'static str {
        "os-keyring"
    }
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

/// The Secret Service has no collection where new entries go, as for a user who never had a keyring.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn no_collection(inner: &(dyn std::error::Error + 'static)) -> bool {
    matches!(inner.downcast_ref(), Some(secret_service::Error::NoResult))
}

/// Only the Secret Service can be there without a place for entries.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn no_collection(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

#[cfg(target_os = "macos")]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

/// The library's errors in our words. Variants that carry the stored bytes are never formatted.
fn explain(error: Error) -> KeyStoreError {
    match error {
        Error::NoStorageAccess(inner) if no_collection(&*inner) => KeyStoreError::NoCollection,
        Error::NoStorageAccess(_) => KeyStoreError::Locked,
        Error::PlatformFailure(inner) => KeyStoreError::Absent(inner.to_string()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => not_ours(),
        Error::Ambiguous(_) => KeyStoreError::Damaged("two keyring entries have the same name".into()),
        Error::TooLong(..) => KeyStoreError::Failed("the name or value is too long for the keyring".into()),
        _ => KeyStoreError::Failed("the keyring refused".into()),
    }
}

fn not_ours() -> KeyStoreError {
    KeyStoreError::Damaged("the keyring entry is not one we wrote".into())
}

fn encode(value: &Secret) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(value.expose().len().saturating_mul(2)));
    for byte in value.expose() {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
    }
    text
}

fn decode(text: &[u8]) -> Result<Secret, KeyStoreError> {
    let mut secret = Secret::zeros(text.len() / 2);
    match alloy_primitives::hex::decode_to_slice(text, secret.expose_mut()) {
        Ok(()) => Ok(secret),
        Err(_) => Err(not_ours()),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod tests;
