//! The merchant at Alipay: set up, looked at, asked for. None of it counts as a use of the wallets, so none keeps them from locking.

use countersign_core::signable::alipay::Question;

use super::{Vault, people::told};
use crate::{
    error::VaultError,
    keys::{KeyStoreError, KeysError, Merchant, Secret},
};

impl Vault {
    /// The merchant, without its key; none if none was set up.
    pub async fn merchant(&self) -> Result<Option<Merchant>, VaultError> {
        self.store(|keys| keys.merchant()).await.map_err(told)
    }

    /// Keeps a merchant with this key, or with one that is made; instead of the one before.
    pub async fn set_merchant(&self, merchant: Merchant, key: Option<Secret>) -> Result<Merchant, VaultError> {
        self.store(move |keys| keys.set_merchant(merchant, key.as_ref())).await.map_err(told)
    }

    /// Forgets the merchant and its key.
    pub async fn remove_merchant(&self) -> Result<(), VaultError> {
        self.store(|keys| keys.remove_merchant()).await.map_err(told)
    }

    /// Signs a request that only asks. What moves money goes through a reservation.
    pub async fn sign_question(&self, question: Question) -> Result<Vec<u8>, VaultError> {
        let signed = self.store(move |keys| {
            let signature = keys.merchant_key()?.question(&question);
            signature.ok_or_else(|| KeysError::Store(KeyStoreError::Failed("the key gave no signature".to_owned())))
        });
        signed.await.map_err(told)
    }
}
