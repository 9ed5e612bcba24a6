//! A public RSA key, as Alipay's console shows it: bare base64, or PEM.

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, PublicKeyX509Der},
    rsa,
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Bytes of a PKCS#1 key of 2048 bits with the usual exponent, less than which is a shorter key.
const SHORTEST: usize = 266;

/// Why a text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA public key of at least 2048 bits, as base64 or PEM")]
pub struct NotAKey;

/// Checks RSA2 signatures (SHA256withRSA, PKCS#1 v1.5).
#[derive(Debug, Clone)]
pub struct PublicKey {
    key: Vec<u8>,
    fingerprint: String,
}

impl PublicKey {
    /// Reads base64 DER with or without PEM's lines around it: a SubjectPublicKeyInfo or a PKCS#1 key.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).map_err(|_| NotAKey)?;
        let key = rsa::PublicKey::from_der(&der).map_err(|_| NotAKey)?;
        if key.as_ref().len() < SHORTEST {
            return Err(NotAKey);
        }
        let whole: PublicKeyX509Der<'_> = key.as_der().map_err(|_| NotAKey)?;
        Ok(Self { key: key.as_ref().to_vec(), fingerprint: grouped(digest(&SHA256, whole.as_ref()).as_ref()) })
    }

    /// The first 16 bytes of SHA-256 over the key's SubjectPublicKeyInfo, which is what the console's base64 is of, for people.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// Whether `signature`, in base64 with padding, is of these bytes.
    pub fn verifies(&self, signed: &[u8], signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.key);
        STANDARD.decode(signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok())
    }
}

/// As `12ab 34cd …`.
fn grouped(digest: &[u8]) -> String {
    let pairs = digest.chunks(2).take(8);
    pairs.map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect()).collect::<Vec<String>>().join(" ")
}
