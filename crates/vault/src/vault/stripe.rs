//! The payment method at Stripe: set up, looked at, used. As with the merchant, none of it keeps the wallets from locking.

use super::{Vault, people::told};
use crate::{
    error::VaultError,
    keys::{KeysError, Secret, StripeProfile},
};

impl Vault {
    /// What pays at Stripe, without its key; none if none was set up.
    pub async fn stripe(&self) -> Result<Option<StripeProfile>, VaultError> {
        self.store(|keys| keys.stripe()).await.map_err(told)
    }

    /// Keeps it with this key, instead of the one before.
    pub async fn set_stripe(&self, profile: StripeProfile, key: Secret) -> Result<(), VaultError> {
        self.store(move |keys| keys.set_stripe(&profile, &key)).await.map_err(told)
    }

    /// Forgets it and its key.
    pub async fn remove_stripe(&self) -> Result<(), VaultError> {
        self.store(|keys| keys.remove_stripe()).await.map_err(told)
    }

    /// What pays, with its key, for one request to Stripe; not while the wallets are locked. What is issued with it is issued for
    /// forms that were reserved: whoever asks here has one.
    pub async fn stripe_key(&self) -> Result<(StripeProfile, Secret), KeysError> {
        self.store(|keys| keys.stripe_key()).await
    }
}
