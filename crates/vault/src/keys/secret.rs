//! Bytes nobody may see: zeroed when dropped, never printed, never copied by accident.

use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Secret bytes on the heap. No `Clone`, no `Serialize`; `Debug` shows nothing of them.
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes the bytes over; the vector they came in is zeroed.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        let secret = Self::copy_of(&bytes);
        bytes.zeroize();
        secret
    }

    /// A copy of bytes that the caller must wipe.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(Box::from(bytes)))
    }

    /// `len` zero bytes, to be filled in place.
    pub(crate) fn zeros(len: usize) -> Self {
        Self(Zeroizing::new(vec![0; len].into_boxed_slice()))
    }

    /// `len` bytes of the operating system's randomness.
    pub fn random(len: usize) -> Result<Self, NoRandomness> {
        let mut secret = Self::zeros(len);
        getrandom::fill(secret.expose_mut()).map_err(|_| NoRandomness)?;
        Ok(secret)
    }

    /// The bytes. Whatever they are copied into must be wiped too.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// The operating system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Takes as long whichever byte differs.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_compare_and_print_nothing() {
        let secret = Secret::new(b"canary-7141".to_vec());
        assert_eq!(secret, Secret::copy_of(b"canary-7141"));
        assert_ne!(secret, Secret::copy_of(b"canary-7142"));
        assert_ne!(secret, Secret::copy_of(b"canary-714"));
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret Secret");
    }

    #[test]
    fn two_random_secrets_differ() {
        assert_ne!(Secret::random(32).unwrap(), Secret::random(32).unwrap());
    }
}
