//! Setting up what pays at Stripe, and what is said of it.

use countersign_core::approval::Said;
use countersign_vault::{
    Vault,
    keys::{Secret, StripeProfile, is_payment_method, restricted},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use url::{Host, Url};

/// What a person says of it, but the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeSetup {
    /// `pm_…`
    pub payment_method: String,
    /// A double of Stripe on this computer, for tests.
    pub api: Option<String>,
}

/// Why what a person says pays nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAMethod {
    /// What pays.
    #[error("a payment method's id begins with pm_")]
    Method,
    /// The key.
    #[error(
        "Countersign takes a restricted key only, rk_test_… or rk_live_…: a secret key could move all there is in its account. Make one in \
         Stripe's dashboard that may write shared payment tokens and nothing else"
    )]
    Key,
    /// Where requests would go.
    #[error(
        "--api takes an address such as http://127.0.0.1:8080, and only with a test key: real keys go to Stripe alone"
    )]
    Api,
    /// Nothing but test keys move play money.
    #[cfg(feature = "ui-automation")]
    #[error("this build takes synthetic clicks (ui-automation) and moves play money only")]
    PlayMoneyOnly,
}

impl StripeSetup {
    /// What is kept of it beside this key.
    pub fn profile(&self, key: &Secret) -> Result<StripeProfile, NotAMethod> {
        if !is_payment_method(&self.payment_method) {
            return Err(NotAMethod::Method);
        }
        let live = restricted(key).map_err(|_| NotAMethod::Key)?;
        #[cfg(feature = "ui-automation")]
        if live {
            return Err(NotAMethod::PlayMoneyOnly);
        }
        let api = self.api.as_deref().map(|api| here(api).filter(|_| !live).ok_or(NotAMethod::Api)).transpose()?;
        Ok(StripeProfile { payment_method: self.payment_method.clone(), live, api })
    }

    /// What a person is shown before it pays.
    pub fn lines(&self, key: &Secret) -> Vec<Said> {
        let live = restricted(key).unwrap_or(true);
        let mut lines = vec![Said::CardPays { method: countersign_core::text::clean(&self.payment_method) }];
        lines.push(if live { Said::CardLive {} } else { Said::CardPlay {} });
        lines.extend(self.api.iter().map(|api| Said::Address { url: countersign_core::text::clean(api) }));
        lines
    }
}

/// A port of this computer, as an address without a path.
fn here(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http")?;
    let Some(Host::Ipv4(ip)) = url.host() else { return None };
    let bare = format!("http://{ip}:{}", url.port()?);
    (ip.is_loopback() && text.trim_end_matches('/') == bare).then_some(bare)
}

/// Keeps what pays, with this key.
pub async fn keep(vault: &Vault, said: &StripeSetup, key: Secret) -> anyhow::Result<Value> {
    let profile = said.profile(&key)?;
    vault.set_stripe(profile.clone(), key).await?;
    Ok(shown(&profile))
}

/// What pays, for a person: all but its key.
pub fn shown(profile: &StripeProfile) -> Value {
    json!({"payment_method": profile.payment_method, "live": profile.live, "api": profile.api})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(method: &str, api: Option<&str>, key: &str) -> Result<StripeProfile, NotAMethod> {
        let said = StripeSetup { payment_method: method.into(), api: api.map(str::to_owned) };
        said.profile(&Secret::copy_of(key.as_bytes()))
    }

    #[test]
    fn a_key_that_could_do_more_than_pay_is_not_taken_and_a_real_one_goes_to_stripe_alone() {
        let play = StripeProfile { payment_method: "pm_1".into(), live: false, api: None };
        assert_eq!(kept("pm_1", None, "rk_test_1"), Ok(play.clone()));
        for key in ["sk_live_1", "sk_test_1", "pk_live_1", "rk_1", ""] {
            assert_eq!(kept("pm_1", None, key), Err(NotAMethod::Key), "{key}");
        }
        assert_eq!(kept("tok_1", None, "rk_test_1"), Err(NotAMethod::Method));
        let here = Some("http://127.0.0.1:8080".to_owned());
        assert_eq!(kept("pm_1", Some("http://127.0.0.1:8080/"), "rk_test_1"), Ok(StripeProfile { api: here, ..play }));
        for api in [
            "https://api.stripe.com",
            "http://api.stripe.example:8080",
            "http://192.168.0.1:8080",
            "http://127.0.0.1:8080/v1",
            "http://127.0.0.1",
            "http://u:p@127.0.0.1:8080",
            "ftp://127.0.0.1:8080",
        ] {
            assert_eq!(kept("pm_1", Some(api), "rk_test_1"), Err(NotAMethod::Api), "{api}");
        }
        #[cfg(not(feature = "ui-automation"))]
        assert_eq!(kept("pm_1", Some("http://127.0.0.1:8080"), "rk_live_1"), Err(NotAMethod::Api));
    }

    #[test]
    fn a_person_is_told_what_pays_and_whether_it_is_real_money() {
        let said = StripeSetup { payment_method: "pm_1".into(), api: None };
        let text = |key: &str| -> Vec<String> {
            said.lines(&Secret::copy_of(key.as_bytes())).iter().map(ToString::to_string).collect()
        };
        assert!(text("rk_live_1")[0].contains("pm_1") && text("rk_live_1")[1].contains("real money"));
        assert!(text("rk_test_1")[1].contains("play money"));
    }
}
