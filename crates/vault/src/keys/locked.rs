//! One signing key in memory: on pages of its own, kept out of swap where allowed, built in place, wiped on drop.

use alloy_primitives::Address;
use k256::ecdsa::SigningKey;
use std::hint::black_box;

use super::Secret;

/// At least one memory page, so that locking and unlocking it touches nothing else.
#[cfg_attr(target_os = "macos", repr(C, align(16384)))]
#[cfg_attr(not(target_os = "macos"), repr(C, align(4096)))]
struct Page(Option<SigningKey>);

/// A secp256k1 key that never moves.
pub(crate) struct LockedKey {
    // Dropped in this order, after it was wiped: a page that was given back could be somebody else's by the time it is unlocked.
    _lock: Option<region::LockGuard>,
    page: Box<Page>,
    address: Address,
}

impl Drop for LockedKey {
    fn drop(&mut self) {
        self.page.0 = None;
    }
}

impl LockedKey {
    /// Builds the key on its own page; none if the bytes are not 32, are zero or lie beyond the curve's order.
    pub(crate) fn new(bytes: &Secret) -> Option<Self> {
        let mut page = Box::new(Page(None));
        let lock = region::lock(&raw const *page, size_of::<Page>())
            .inspect_err(|error| tracing::warn!(%error, "keys.memory_not_locked"))
            .ok();
        let address = then_scrub(|| build(&mut page, bytes))?;
        Some(Self { _lock: lock, page, address })
    }

    /// The key's account.
    pub(crate) fn address(&self) -> Address {
        self.address
    }

    /// Runs `with` on the key and clears what it left on the stack.
    pub(crate) fn with<T>(&self, with: impl FnOnce(&SigningKey) -> T) -> Option<T> {
        let key = self.page.0.as_ref()?;
        Some(then_scrub(|| with(key)))
    }
}

fn build(page: &mut Page, bytes: &Secret) -> Option<Address> {
    page.0 = Some(SigningKey::from_slice(bytes.expose()).ok()?);
    page.0.as_ref().map(|key| Address::from_public_key(key.verifying_key()))
}

/// Runs `work` and clears the stack it used: ciphers and curve arithmetic leave copies of a key in frames that are gone.
pub(super) fn then_scrub<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    scrub_stack();
    result
}

#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn scrub_stack() {
    black_box(&mut [0u8; 64 * 1024]);
}
