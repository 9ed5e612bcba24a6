//! A merchant's RSA key at Alipay, kept with what belongs to it in one entry of the store.
//!
//! The key is in memory only while something is signed with it. Orders and questions are signed, nothing else: no bytes from outside.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::signable::alipay::{Order, Question};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Guarded, KeyStoreError, Keys, KeysError, Secret};

/// The entry of the store.
const ENTRY: &str = "merchant:alipay";
/// A PKCS#1 or PKCS#8 key of 8192 bits in base64 is shorter.
const LONGEST: usize = 16 * 1024;

/// All of a merchant but the private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// The app's number at Alipay.
    pub app_id: String,
    /// Where requests go.
    pub gateway: String,
    /// Whether money there is play money.
    pub sandbox: bool,
    /// Alipay's public key, as the person gave it.
    pub alipay_key: String,
    /// Our public key, which Alipay's console is given: base64 of a SubjectPublicKeyInfo.
    pub public_key: String,
    /// Where a buyer is sent after paying.
    pub return_url: Option<String>,
    /// Where Alipay tells the merchant's own server.
    pub notify_url: Option<String>,
}

#[derive(Deserialize)]
struct Kept<'a> {
    merchant: Merchant,
    #[serde(borrow)]
    key: &'a str,
}

#[derive(Serialize)]
struct Keeps<'a> {
    merchant: &'a Merchant,
    key: &'a str,
}

/// A merchant's private key, loaded to sign one thing. `Debug` shows the app only.
pub struct MerchantKey {
    app_id: String,
    pair: KeyPair,
}

impl MerchantKey {
    /// Signs an order of this app: SHA256withRSA, PKCS#1 v1.5, which is deterministic.
    pub(crate) fn order(&self, order: &Order) -> Option<Vec<u8>> {
        (order.app_id == self.app_id).then(|| self.sign(&order.text())).flatten()
    }

    /// Signs a question of this app.
    pub(crate) fn question(&self, question: &Question) -> Option<Vec<u8>> {
        (question.app_id == self.app_id).then(|| self.sign(&question.text())).flatten()
    }

    fn sign(&self, text: &str) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // The padding takes no randomness; the library asks for a source all the same.
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        Some(signature)
    }
}

impl std::fmt::Debug for MerchantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MerchantKey({})", self.app_id)
    }
}

/// The public key of a merchant's private key, as [`Merchant::public_key`] has it; keeps nothing.
pub fn merchant_public_key(key: &Secret) -> Result<String, KeysError> {
    public(&parse(key)?)
}

impl Keys {
    /// The merchant, without its key; none if none was set up.
    pub fn merchant(&self) -> Result<Option<Merchant>, KeysError> {
        let Some(kept) = self.secret(ENTRY)? else { return Ok(None) };
        let Kept { merchant, .. } = read(&kept)?;
        Ok(Some(merchant))
    }

    /// Keeps a merchant with its key, PKCS#1 or PKCS#8 in base64 or PEM; without one a key is made. The answer has our public key.
    pub fn set_merchant(&self, mut merchant: Merchant, key: Option<&Secret>) -> Result<Merchant, KeysError> {
        let pair = match key {
            Some(key) => parse(key)?,
            None => KeyPair::generate(KeySize::Rsa2048).map_err(|_| super::NoRandomness)?,
        };
        merchant.public_key = public(&pair)?;
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeysError::NotAnRsaKey)?;
        let private = Zeroizing::new(STANDARD.encode(private.as_ref()));
        // The text is wiped wherever it grows: it is written once, into room for all of it.
        let mut text = Zeroizing::new(Vec::with_capacity(2 * LONGEST));
        serde_json::to_writer(&mut *text, &Keeps { merchant: &merchant, key: &private })
            .map_err(|error| KeyStoreError::Failed(error.to_string()))?;
        self.set(ENTRY, Secret::copy_of(&text))?;
        match self.merchant()? {
            Some(kept) if kept == merchant => Ok(merchant),
            _ => Err(KeysError::NotKept),
        }
    }

    /// Forgets the merchant and its key; there need be none.
    pub fn remove_merchant(&self) -> Result<(), KeysError> {
        self.delete(ENTRY)
    }

    /// The merchant's key, for one signature. Not while the wallets are locked.
    pub(crate) fn merchant_key(&self) -> Result<MerchantKey, KeysError> {
        if self.guarded() == Guarded::Locked {
            return Err(KeysError::Locked);
        }
        let kept = self.secret(ENTRY)?.ok_or(KeysError::NoMerchant)?;
        let Kept { merchant, key } = read(&kept)?;
        let pair = parse(&Secret::copy_of(key.as_bytes()))?;
        Ok(MerchantKey { app_id: merchant.app_id, pair })
    }
}

fn read(kept: &Secret) -> Result<Kept<'_>, KeysError> {
    serde_json::from_slice(kept.expose())
        .map_err(|_| KeyStoreError::Damaged("the Alipay profile cannot be read".to_owned()).into())
}

fn public(pair: &KeyPair) -> Result<String, KeysError> {
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeysError::NotAnRsaKey)?;
    Ok(STANDARD.encode(public.as_ref()))
}

/// Reads base64 DER, with or without PEM's lines around it.
fn parse(text: &Secret) -> Result<KeyPair, KeysError> {
    let bad = || KeysError::NotAnRsaKey;
    if text.expose().len() > LONGEST {
        return Err(bad());
    }
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.expose().len()));
    for line in text.expose().split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if !line.starts_with(b"-----") {
            base64.extend_from_slice(line);
        }
    }
    let mut der = Zeroizing::new(vec![0; base64.len()]);
    let length = STANDARD.decode_slice(&*base64, &mut der).map_err(|_| bad())?;
    let der = der.get(..length).ok_or_else(bad)?;
    KeyPair::from_pkcs8(der).or_else(|_| KeyPair::from_der(der)).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::memory::MemoryStore;
    use countersign_core::signable::alipay::About;

    fn merchant() -> Merchant {
        Merchant {
            app_id: "2021000000000001".into(),
            gateway: "https://openapi.alipay.com/gateway.do".into(),
            sandbox: false,
            alipay_key: String::new(),
            public_key: String::new(),
            return_url: None,
            notify_url: None,
        }
    }

    fn question(app_id: &str) -> Question {
        Question { app_id: app_id.into(), at: 0, about: About::Trade { out_trade_no: "A1".into() } }
    }

    #[test]
    fn a_key_that_was_made_signs_the_same_for_ever_and_for_its_own_app_only() {
        let keys = Keys::start(Box::new(MemoryStore::new()));
        assert_eq!(keys.merchant(), Ok(None));
        assert_eq!(keys.merchant_key().unwrap_err(), KeysError::NoMerchant);
        let made = keys.set_merchant(merchant(), None).unwrap();
        assert_eq!(keys.merchant(), Ok(Some(made.clone())));
        let key = keys.merchant_key().unwrap();
        let signed = key.question(&question(&made.app_id)).unwrap();
        assert_eq!(Some(&signed), keys.merchant_key().unwrap().question(&question(&made.app_id)).as_ref());
        assert_eq!((signed.len(), key.question(&question("2021000000000002"))), (256, None));
        keys.remove_merchant().unwrap();
        assert_eq!(keys.merchant(), Ok(None));
    }

    #[test]
    fn every_way_of_writing_a_key_is_read_and_nothing_else_is() {
        let keys = Keys::start(Box::new(MemoryStore::new()));
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // The PKCS#1 key is what PKCS#8 wraps: 26 bytes before it.
        let (bare, inner) = (STANDARD.encode(pkcs8.as_ref()), STANDARD.encode(&pkcs8.as_ref()[26..]));
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\r\n{}\r\n{}\r\n-----END PRIVATE KEY-----\r\n",
            &bare[..64],
            &bare[64..]
        );
        let public =
            |text: &str| keys.set_merchant(merchant(), Some(&Secret::copy_of(text.as_bytes()))).map(|m| m.public_key);
        let first = public(&bare).unwrap();
        assert_eq!((public(&inner), public(&pem)), (Ok(first.clone()), Ok(first.clone())));
        assert_eq!(merchant_public_key(&Secret::copy_of(bare.as_bytes())), Ok(first.clone()));
        for bad in ["", "AAAA", "not base64", &first, &"A".repeat(LONGEST + 1)] {
            assert_eq!(public(bad), Err(KeysError::NotAnRsaKey), "{}", bad.len());
        }
    }
}
