//! Setting a merchant up, and checking it without moving anything.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use countersign_core::{
    approval,
    signable::alipay::{About, Question},
    text::clean,
};
use countersign_rails::alipay::{Expected, Notice, PublicKey, TradeFound, fen};
use countersign_vault::{
    Vault,
    keys::{Merchant, Secret},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};

use super::Alipay;

const PRODUCTION: &str = "https://openapi.alipay.com/gateway.do";
const SANDBOX: &str = "https://openapi-sandbox.dl.alipaydev.com/gateway.do";
/// Longest address, in bytes: Alipay takes no longer one.
const LONGEST_ADDRESS: usize = 256;
/// Longest public key as text: one of 8192 bits is shorter.
const LONGEST_KEY: usize = 4096;
/// A number no order of anybody has.
const NOBODYS: &str = "countersign-check-0";

/// What a person says of a merchant, but its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
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

impl Said {
    /// The merchant this is, its own public key still to come.
    pub fn merchant(&self) -> anyhow::Result<Merchant> {
        if !(1..=32).contains(&self.app_id.len()) || !self.app_id.bytes().all(|b| b.is_ascii_digit()) {
            bail!("an app's number is 1 to 32 digits");
        }
        let gateway = match self.gateway.as_str() {
            "prod" => PRODUCTION,
            "sandbox" => SANDBOX,
            other => other,
        };
        let url = address(gateway).context("--gateway takes prod, sandbox or an address")?;
        if self.alipay_key.len() > LONGEST_KEY {
            bail!("Alipay's public key has at most {LONGEST_KEY} characters");
        }
        PublicKey::parse(&self.alipay_key).context("Alipay's public key")?;
        for url in [&self.return_url, &self.notify_url].into_iter().flatten() {
            address(url).with_context(|| format!("the address {}", clean(url)))?;
        }
        let sandbox = gateway == SANDBOX;
        #[cfg(feature = "ui-automation")]
        if !sandbox {
            bail!("this build takes synthetic clicks (ui-automation) and moves play money only");
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
pub async fn keep(vault: &Vault, said: &Said, key: Secret) -> anyhow::Result<Value> {
    let key = (!key.expose().is_empty()).then_some(key);
    Ok(shown(&vault.set_merchant(said.merchant()?, key).await?))
}

/// The merchant, and that its key signs what its public key verifies. Asks nobody outside.
pub async fn check(vault: &Vault) -> anyhow::Result<Value> {
    let merchant =
        vault.merchant().await?.context("there is no Alipay profile; `countersign alipay setup` makes one")?;
    let about = About::Trade { out_trade_no: NOBODYS.to_owned() };
    let question = Question { app_id: merchant.app_id.clone(), at: 0, about };
    let signature = vault.sign_question(question.clone()).await?;
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    if !PublicKey::parse(&merchant.public_key)?.verifies(question.text().as_bytes(), &signature) {
        bail!("the key in the store is not that of the profile");
    }
    PublicKey::parse(&merchant.alipay_key)?;
    Ok(shown(&merchant))
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

impl Alipay {
    /// Asks the gateway about an order nobody has: an answer that verifies shows that both sides know the other's key.
    pub async fn try_it(&self) -> anyhow::Result<Value> {
        let profile = self.profile().map_err(|problem| anyhow::anyhow!(problem.detail))?;
        match self.trade(&profile, NOBODYS).await {
            Ok(TradeFound::Unknown | TradeFound::Known { .. }) => Ok(json!({"gateway": "answers", "keys": "match"})),
            Ok(TradeFound::Refused(why)) => bail!("the gateway refuses: {}", countersign_core::text::clean(&why)),
            Ok(TradeFound::Unclear) => bail!("the gateway answered, but has a fault; try again later"),
            Err(problem) => bail!(problem.detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_where_buyers_and_notices_go_and_too_long_a_setup_is_none() {
        let said = Said {
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
        assert!(said.merchant().is_err());
        assert!(address(&format!("https://shop.example/{}", "a".repeat(300))).is_err());
        assert!(address("https://shop.example/thanks").is_ok());
    }
}
