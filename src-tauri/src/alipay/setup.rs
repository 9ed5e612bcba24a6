//! Setting a merchant up, and what is said of one.

use anyhow::{Context as _, bail};
use countersign_core::{approval, text::clean};
use countersign_rails::alipay::{Expected, Notice, PublicKey, fen};
use countersign_vault::{
    Vault,
    keys::{Merchant, Secret},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use url::{Host, Url};

/// Alipay's gateway, for real money.
pub const PRODUCTION: &str = "https://openapi.alipay.com/gateway.do";
/// That of Alipay's own test environment.
pub const SANDBOX: &str = "https://openapi-sandbox.dl.alipaydev.com/gateway.do";
/// Longest address, in bytes: Alipay takes no longer one.
const LONGEST_ADDRESS: usize = 256;
/// Longest public key as text: one of 8192 bits is shorter.
const LONGEST_KEY: usize = 4096;

/// What a person says of a merchant, but its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct MerchantSetup {
    /// The app's number.
    pub app_id: String,
    /// `prod`, `sandbox` or an address.
    pub gateway: String,
    /// Alipay's public key.
    pub alipay_key: String,
    /// Where a buyer is sent after paying.
    pub return_url: Option<String>,
    /// Where Alipay tells the merchant's own server.
    pub notify_url: Option<String>,
}

/// Why what a person says makes no merchant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAMerchant {
    /// Its number.
    #[error("an app's number is 1 to 32 digits")]
    App,
    /// Where requests would go.
    #[error("--gateway takes prod, sandbox or an address: {0}")]
    Gateway(String),
    /// Alipay's public key.
    #[error("Alipay's public key: {0}")]
    AlipayKey(String),
    /// Where buyers or notices would go.
    #[error("the address {0}: {1}")]
    Address(String, String),
    /// Nothing but Alipay's own test environment, or a double of it on this computer, moves play money.
    #[cfg(feature = "ui-automation")]
    #[error("this build takes synthetic clicks (ui-automation) and moves play money only")]
    PlayMoneyOnly,
}

impl MerchantSetup {
    /// The merchant this is, its own public key still to come.
    pub fn merchant(&self) -> Result<Merchant, NotAMerchant> {
        if !(1..=32).contains(&self.app_id.len()) || !self.app_id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAMerchant::App);
        }
        let gateway = match self.gateway.as_str() {
            "prod" => PRODUCTION,
            "sandbox" => SANDBOX,
            other => other,
        };
        let url = address(gateway).map_err(|error| NotAMerchant::Gateway(format!("{error:#}")))?;
        if self.alipay_key.len() > LONGEST_KEY {
            return Err(NotAMerchant::AlipayKey(format!("at most {LONGEST_KEY} characters")));
        }
        PublicKey::parse(&self.alipay_key).map_err(|error| NotAMerchant::AlipayKey(error.to_string()))?;
        for url in [&self.return_url, &self.notify_url].into_iter().flatten() {
            address(url).map_err(|error| NotAMerchant::Address(clean(url), format!("{error:#}")))?;
        }
        let mut sandbox = gateway == SANDBOX;
        if cfg!(feature = "ui-automation") {
            // The double of its stories; nobody else's gateway is on this computer.
            sandbox |= url.host_str() == Some("127.0.0.1");
        }
        #[cfg(feature = "ui-automation")]
        if !sandbox {
            return Err(NotAMerchant::PlayMoneyOnly);
        }
        Ok(Merchant {
            app_id: self.app_id.clone(),
            gateway: url.to_string(),
            sandbox,
            alipay_key: self.alipay_key.clone(),
            public_key: String::new(),
            return_url: self.return_url.clone(),
            notify_url: self.notify_url.clone(),
        })
    }

    /// What a person is shown before it replaces what was there.
    pub fn lines(&self) -> Vec<approval::Said> {
        let mut lines = vec![approval::Said::MerchantAt { app: clean(&self.app_id), gateway: clean(&self.gateway) }];
        let key = PublicKey::parse(&self.alipay_key).ok();
        lines.extend(key.map(|key| approval::Said::MerchantKey { fingerprint: key.fingerprint() }));
        lines.extend(self.return_url.iter().map(|url| approval::Said::MerchantReturns { url: clean(url) }));
        lines.extend(self.notify_url.iter().map(|url| approval::Said::MerchantNotifies { url: clean(url) }));
        lines.extend([approval::Said::MerchantPages {}, approval::Said::MerchantRefunds {}]);
        lines
    }
}

/// https without a user name or a query; http on this computer only.
fn address(text: &str) -> anyhow::Result<Url> {
    if text.len() > LONGEST_ADDRESS {
        bail!("an address here has at most {LONGEST_ADDRESS} characters");
    }
    let url = Url::parse(text)?;
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !plain || !(url.scheme() == "https" || (url.scheme() == "http" && here)) {
        bail!("an address here is https, without a user name, a query or a fragment");
    }
    Ok(url)
}

/// Keeps the merchant, with this key or one that is made.
pub async fn keep(vault: &Vault, said: &MerchantSetup, key: Secret) -> anyhow::Result<Value> {
    let key = (!key.expose().is_empty()).then_some(key);
    Ok(shown(&vault.set_merchant(said.merchant()?, key).await?))
}

/// Whether a notice is Alipay's, about this order, and says that it was paid.
pub async fn notice(
    vault: &Vault,
    form: &str,
    (out_trade_no, amount, seller_id): (&str, &str, Option<&str>),
) -> anyhow::Result<Value> {
    let merchant =
        vault.merchant().await?.context("there is no Alipay profile; `countersign alipay setup` makes one")?;
    let parameters: Vec<(String, String)> = url::form_urlencoded::parse(form.trim().as_bytes()).into_owned().collect();
    let expected = Expected { app_id: &merchant.app_id, out_trade_no, amount: fen(amount)?, seller_id };
    let said = Notice::read(&PublicKey::parse(&merchant.alipay_key)?, &parameters, expected)?;
    Ok(json!({"paid": said == Notice::Paid, "answer": "success"}))
}

/// The merchant for a person: all but its private key.
pub fn shown(merchant: &Merchant) -> Value {
    json!({
        "app_id": merchant.app_id, "gateway": merchant.gateway, "sandbox": merchant.sandbox, "public_key": merchant.public_key,
        "return_url": merchant.return_url, "notify_url": merchant.notify_url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_where_buyers_and_notices_go_and_too_long_a_setup_is_none() {
        let said = MerchantSetup {
            app_id: "2021000000000001".into(),
            gateway: "sandbox".into(),
            alipay_key: "A".repeat(LONGEST_KEY + 1),
            return_url: Some("https://shop.example/thanks".into()),
            notify_url: Some("https://shop.example/notice".into()),
        };
        let text: Vec<String> = said.lines().iter().map(ToString::to_string).collect();
        for url in [&said.return_url, &said.notify_url].into_iter().flatten() {
            assert!(text.iter().any(|line| line.contains(url.as_str())), "{text:?}");
        }
        assert!(matches!(said.merchant(), Err(NotAMerchant::AlipayKey(_))));
        assert!(address(&format!("https://shop.example/{}", "a".repeat(300))).is_err());
        assert!(address("https://shop.example/thanks").is_ok());
    }
}
