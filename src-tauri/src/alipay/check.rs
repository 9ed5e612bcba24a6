//! Checking the merchant without moving anything: its keys, and whether the gateway knows them.

use base64::Engine as _;
use countersign_core::{
    signable::alipay::{About, Question},
    text::clean,
};
use countersign_desk::problem::{Code, Problem};
use countersign_rails::alipay::{PublicKey, TradeFound};
use countersign_vault::{Vault, VaultError, keys::Merchant};
use thiserror::Error;

use super::Alipay;

/// A number no order of anybody has.
const NOBODYS: &str = "countersign-check-0";

/// Why the merchant cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotWorking {
    /// There is none.
    #[error("there is no Alipay profile; `countersign alipay setup` makes one")]
    NoMerchant,
    /// The private key is not the public key's.
    #[error("the key in the store is not that of the profile")]
    WrongKey,
    /// Nothing can be signed until the wallets are unlocked.
    #[error("the keyring is locked")]
    Locked,
    /// Alipay does not know the app, or not by this key.
    #[error("the gateway refuses: {0}")]
    Refused(String),
    /// It answered that it could not say.
    #[error("the gateway answered, but has a fault; try again later")]
    Fault,
    /// No answer came that Alipay signed.
    #[error("{0}")]
    Unreachable(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<VaultError> for NotWorking {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Locked => Self::Locked,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<Problem> for NotWorking {
    fn from(problem: Problem) -> Self {
        match problem.code {
            Code::NotFound => Self::NoMerchant,
            Code::Locked => Self::Locked,
            Code::SellerUnreachable => Self::Unreachable(problem.detail),
            _ => Self::Failed(problem.detail),
        }
    }
}

/// The merchant, once its key signed what its public key verifies. Asks nobody outside.
pub async fn keys(vault: &Vault) -> Result<Merchant, NotWorking> {
    let merchant = vault.merchant().await?.ok_or(NotWorking::NoMerchant)?;
    let about = About::Trade { out_trade_no: NOBODYS.to_owned() };
    let question = Question { app_id: merchant.app_id.clone(), at: 0, about };
    let signature = vault.sign_question(question.clone()).await?;
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    let key = |text: &str| PublicKey::parse(text).map_err(|error| NotWorking::Failed(error.to_string()));
    if !key(&merchant.public_key)?.verifies(question.text().as_bytes(), &signature) {
        return Err(NotWorking::WrongKey);
    }
    key(&merchant.alipay_key)?;
    Ok(merchant)
}

impl Alipay {
    /// Checks the keys, then asks the gateway about an order nobody has: an answer that verifies shows that both sides know the
    /// other's key.
    pub async fn check(&self) -> Result<Merchant, NotWorking> {
        let merchant = keys(&self.vault).await?;
        self.knock().await;
        match self.trade(&self.profile()?, NOBODYS).await? {
            TradeFound::Unknown | TradeFound::Known { .. } => Ok(merchant),
            TradeFound::Refused(why) => Err(NotWorking::Refused(clean(&why))),
            TradeFound::Unclear => Err(NotWorking::Fault),
        }
    }
}
