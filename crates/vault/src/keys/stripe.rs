//! The person's key at Stripe, kept with the payment method that it pays with in one entry of the store.
//!
//! Only a restricted key is kept. Stripe wants it in a header, so it is the one key that leaves the store: for one request at a time,
//! and not while the wallets are locked.

use countersign_core::signable::spt::Spt;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Guarded, KeyStoreError, Keys, KeysError, Secret};

/// The entry of the store.
const ENTRY: &str = "api:stripe";
/// Keys and payment methods are shorter.
const LONGEST: usize = 255;

/// All of it but the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeProfile {
    /// What pays, `pm_…`.
    pub payment_method: String,
    /// Whether the key is for real money.
    pub live: bool,
    /// Where requests go instead of to Stripe: a double on this computer.
    pub api: Option<String>,
}

#[derive(Deserialize)]
struct Kept<'a> {
    profile: StripeProfile,
    #[serde(borrow)]
    key: &'a str,
}

#[derive(Serialize)]
struct Keeps<'a> {
    profile: &'a StripeProfile,
    key: &'a str,
}

/// Whether a restricted key is for real money; none if it is no restricted key. A secret key can move everything in its account,
/// which is more than a payment needs: it is never kept.
pub fn restricted(key: &Secret) -> Result<bool, KeysError> {
    let text = std::str::from_utf8(key.expose()).map_err(|_| KeysError::NotRestricted)?;
    let live = match (text.strip_prefix("rk_live_"), text.strip_prefix("rk_test_")) {
        (Some(rest), _) if word(rest) => true,
        (_, Some(rest)) if word(rest) => false,
        _ => return Err(KeysError::NotRestricted),
    };
    Ok(live)
}

/// Whether a text is a payment method's id.
pub fn is_payment_method(text: &str) -> bool {
    text.strip_prefix("pm_").is_some_and(word)
}

fn word(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Keys {
    /// The payment method at Stripe, without its key; none if none was set up.
    pub fn stripe(&self) -> Result<Option<StripeProfile>, KeysError> {
        let Some(kept) = self.secret(ENTRY)? else { return Ok(None) };
        let Kept { profile, .. } = read(&kept)?;
        Ok(Some(profile))
    }

    /// Keeps a payment method with its key, instead of the one before.
    pub fn set_stripe(&self, profile: &StripeProfile, key: &Secret) -> Result<(), KeysError> {
        if restricted(key)? != profile.live || !is_payment_method(&profile.payment_method) {
            return Err(KeysError::NotRestricted);
        }
        let text = std::str::from_utf8(key.expose()).map_err(|_| KeysError::NotRestricted)?;
        // Written once, into room for all of it, so that no part is left behind where it grew.
        let mut json = Zeroizing::new(Vec::with_capacity(8 * LONGEST));
        serde_json::to_writer(&mut *json, &Keeps { profile, key: text })
            .map_err(|error| KeyStoreError::Failed(error.to_string()))?;
        self.set(ENTRY, Secret::copy_of(&json))?;
        if self.stripe()?.as_ref() == Some(profile) { Ok(()) } else { Err(KeysError::NotKept) }
    }

    /// Forgets it and its key; there need be none.
    pub fn remove_stripe(&self) -> Result<(), KeysError> {
        self.delete(ENTRY)
    }

    /// Whether a token can be asked for: the key is there, and pays with the form's own payment method.
    pub(crate) fn can_issue(&self, spt: &Spt) -> Result<(), KeysError> {
        let (profile, _) = self.stripe_key()?;
        let same = profile.payment_method == spt.payment_method && profile.live == spt.live;
        if same { Ok(()) } else { Err(KeysError::OtherStripe) }
    }

    /// The payment method with its key, for one request. Not while the wallets are locked.
    pub(crate) fn stripe_key(&self) -> Result<(StripeProfile, Secret), KeysError> {
        if self.guarded() == Guarded::Locked {
            return Err(KeysError::Locked);
        }
        let kept = self.secret(ENTRY)?.ok_or(KeysError::NoStripe)?;
        let Kept { profile, key } = read(&kept)?;
        Ok((profile, Secret::copy_of(key.as_bytes())))
    }
}

fn read(kept: &Secret) -> Result<Kept<'_>, KeysError> {
    serde_json::from_slice(kept.expose())
        .map_err(|_| KeyStoreError::Damaged("the payment method at Stripe cannot be read".to_owned()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{file::Cost, memory::MemoryStore};

    fn secret(text: &str) -> Secret {
        Secret::copy_of(text.as_bytes())
    }

    #[test]
    fn only_a_restricted_key_is_kept_and_only_with_a_payment_method() {
        let keys = Keys::start(Box::new(MemoryStore::new()));
        let profile = StripeProfile { payment_method: "pm_card_visa".into(), live: false, api: None };
        assert_eq!(keys.stripe(), Ok(None));
        assert_eq!(keys.stripe_key().err(), Some(KeysError::NoStripe));
        for bad in ["", "sk_test_1", "sk_live_1", "pk_test_1", "rk_test_", "rk_test_a b", "rk_live_1", "rk_test_1\n"] {
            assert_eq!(keys.set_stripe(&profile, &secret(bad)), Err(KeysError::NotRestricted), "{bad}");
        }
        let nothing = StripeProfile { payment_method: "tok_1".into(), ..profile.clone() };
        assert_eq!(keys.set_stripe(&nothing, &secret("rk_test_1")), Err(KeysError::NotRestricted));
        assert_eq!(keys.stripe(), Ok(None));

        keys.set_stripe(&profile, &secret("rk_test_1")).unwrap();
        assert_eq!(keys.stripe_key(), Ok((profile, secret("rk_test_1"))));
        keys.remove_stripe().unwrap();
        assert_eq!(keys.stripe(), Ok(None));
    }

    #[test]
    fn locked_wallets_keep_the_key_from_every_request() {
        let keys = Keys::start(Box::new(MemoryStore::new()));
        let profile = StripeProfile { payment_method: "pm_1".into(), live: true, api: None };
        keys.set_stripe(&profile, &secret("rk_live_1")).unwrap();
        let wallet = keys.create().unwrap();
        let cheap = Cost { memory_kib: 8, passes: 1 };
        keys.set_passphrase_at(&[wallet], Some(&secret("words")), cheap).unwrap();
        keys.lock();
        assert_eq!(keys.stripe_key(), Err(KeysError::Locked));
    }
}
