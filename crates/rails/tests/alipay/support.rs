//! A gateway's key, and what it signs.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_rails::alipay::PublicKey;

/// Whoever signs answers.
pub struct Gateway(KeyPair);

impl Gateway {
    pub fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The key in the profile, as the console shows it.
    pub fn text(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        STANDARD.encode(der.as_ref())
    }

    pub fn key(&self) -> PublicKey {
        PublicKey::parse(&self.text()).unwrap()
    }

    pub fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    /// An answer as the gateway writes it.
    pub fn answer(&self, name: &str, object: &str) -> String {
        format!("{{\"{name}_response\":{object},\"sign\":\"{}\"}}", self.sign(object))
    }
}
