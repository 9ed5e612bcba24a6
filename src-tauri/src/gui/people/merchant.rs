//! The merchant at Alipay on the page Wallets: looked at, tried and taken away. Its key is never here; it is set up in the window of secrets.

use anyhow::{Context as _, ensure};
use countersign_core::text::clean;
use countersign_desk::approver::Change;
use countersign_vault::keys::Merchant;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;
use url::Url;

use super::{PATIENCE, Room};
use crate::{
    alipay::{
        Alipay,
        check::NotWorking,
        setup::{PRODUCTION, SANDBOX},
    },
    control::Op,
};

/// The merchant, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct MerchantView {
    pub app_id: String,
    pub gateway: GatewayName,
    /// Its address.
    pub at: String,
    /// Money there is play money.
    pub test: bool,
    /// For Alipay's console.
    pub public_key: String,
    /// Where a buyer is sent after paying.
    pub return_url: Option<String>,
    /// Where Alipay tells a server of the person's.
    pub notify_url: Option<String>,
}

/// Where its requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum GatewayName {
    Production,
    /// Alipay's own test environment.
    Sandbox,
    /// An address a person gave.
    Custom,
}

/// What a check of the merchant found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum CheckedView {
    /// The gateway answers, and both sides know the other's key.
    Works,
    /// It was taken away meanwhile.
    NoMerchant,
    WrongKey,
    /// The wallets have to be opened first.
    Locked,
    Refused {
        text: String,
    },
    Fault,
    Unreachable {
        text: String,
    },
    Failed {
        text: String,
    },
}

impl MerchantView {
    /// What is shown of a merchant.
    pub fn of(merchant: &Merchant) -> Self {
        let gateway = match merchant.gateway.as_str() {
            PRODUCTION => GatewayName::Production,
            SANDBOX => GatewayName::Sandbox,
            _ => GatewayName::Custom,
        };
        Self {
            app_id: clean(&merchant.app_id),
            gateway,
            at: whole(&merchant.gateway),
            test: merchant.sandbox,
            // Base64 that this program wrote; a part of it would be of no use.
            public_key: merchant.public_key.clone(),
            return_url: merchant.return_url.as_deref().map(whole),
            notify_url: merchant.notify_url.as_deref().map(whole),
        }
    }
}

/// An address in full: what hides in one is written in signs that show.
fn whole(address: &str) -> String {
    Url::parse(address).map_or_else(|_| clean(address), String::from)
}

impl CheckedView {
    /// What came of a check.
    pub fn of(checked: Result<Merchant, NotWorking>) -> Self {
        match checked {
            Ok(_) => Self::Works,
            Err(NotWorking::NoMerchant) => Self::NoMerchant,
            Err(NotWorking::WrongKey) => Self::WrongKey,
            Err(NotWorking::Locked) => Self::Locked,
            Err(NotWorking::Refused(text)) => Self::Refused { text: clean(&text) },
            Err(NotWorking::Fault) => Self::Fault,
            Err(NotWorking::Unreachable(text)) => Self::Unreachable { text: clean(&text) },
            Err(NotWorking::Failed(text)) => Self::Failed { text: clean(&text) },
        }
    }
}

impl Room {
    /// Forgets the merchant and its key, once the person said yes in the window that asks. Its tools are gone with the answer.
    pub async fn merchant_remove(&self, alipay: &Alipay) -> anyhow::Result<()> {
        let (title, lines) = Op::AlipayRemove.loosens(None, "").context("it is put to a person")?;
        let change = Change { id: super::super::doubts::id().context("there is no randomness")?, title, lines };
        let asked = tokio::time::timeout(PATIENCE, self.approver.confirm(change)).await;
        ensure!(asked.unwrap_or(false), "It was not confirmed; the merchant stays.");
        self.vault.remove_merchant().await?;
        alipay.load().await
    }
}
