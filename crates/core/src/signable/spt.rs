//! A shared payment token at Stripe: what a seller may charge, once, to the person's own payment method.
//!
//! Nothing of ours signs it: Stripe issues it to whoever has the person's key. It stands among the forms because it is treated as one:
//! judged, counted and written down before Stripe is asked, and the same form is the same token, however often it is asked for.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::tempo;
use crate::{money::Amount, payment::Digest};

/// What a seller may charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spt {
    /// The person's payment method, `pm_…`.
    pub payment_method: String,
    /// Whether the money is real.
    pub live: bool,
    /// The seller's profile at Stripe, which alone can charge it.
    pub seller: String,
    /// ISO 4217, in lower case as Stripe writes it.
    pub currency: String,
    /// The currency's smallest units, as Stripe counts them: the price, and the most that can be charged.
    pub amount: Amount,
    /// The challenge's realm.
    pub realm: String,
    /// The challenge's id.
    pub challenge: String,
    /// Unix seconds from which it can no longer be charged.
    pub valid_before: u64,
}

impl Spt {
    /// One challenge is one number: it can be paid once, by whatever method.
    pub fn number(&self) -> B256 {
        tempo::number(&self.realm, &self.challenge)
    }

    /// The account that pays, as a quote names it.
    pub fn account(&self) -> String {
        account(&self.payment_method)
    }

    /// What Stripe knows the request by: the same fields are the same request, for which it answers with the same token.
    pub fn key(&self) -> String {
        let fields = serde_json::to_vec(self).unwrap_or_default();
        format!("countersign-{}", Digest::of(&[b"spt", &fields]))
    }

    /// Where it is asked for.
    pub const fn path(&self) -> &'static str {
        if self.live { "/v1/shared_payment/issued_tokens" } else { "/v1/test_helpers/shared_payment/granted_tokens" }
    }

    /// What is asked for: exactly the price, for this seller, until then.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let seller = if self.live { "seller_details[network_business_profile]" } else { "seller_details[network_id]" };
        vec![
            ("payment_method", self.payment_method.clone()),
            ("usage_limits[currency]", self.currency.clone()),
            ("usage_limits[max_amount]", self.amount.to_string()),
            ("usage_limits[expires_at]", self.valid_before.to_string()),
            (seller, self.seller.clone()),
        ]
    }
}

/// Where tokens of real money, or of play money, can be looked at.
pub const fn seen_at(live: bool) -> &'static str {
    if live { "/v1/shared_payment/issued_tokens" } else { "/v1/shared_payment/granted_tokens" }
}

/// A payment method, as a quote names the account that pays.
pub fn account(payment_method: &str) -> String {
    format!("stripe:{payment_method}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Spt {
        Spt {
            payment_method: "pm_1".into(),
            live: false,
            seller: "profile_1".into(),
            currency: "usd".into(),
            amount: Amount::parse_atomic("150").unwrap(),
            realm: "shop.example".into(),
            challenge: "c1".into(),
            valid_before: 1_800_000_300,
        }
    }

    #[test]
    fn the_token_asked_for_is_worth_the_price_to_this_seller_until_then() {
        let expected = [
            ("payment_method", "pm_1"),
            ("usage_limits[currency]", "usd"),
            ("usage_limits[max_amount]", "150"),
            ("usage_limits[expires_at]", "1800000300"),
            ("seller_details[network_id]", "profile_1"),
        ];
        assert_eq!(form().parameters(), expected.map(|(name, value)| (name, value.to_owned())));
        let live = Spt { live: true, ..form() };
        assert_eq!(live.parameters()[4].0, "seller_details[network_business_profile]");
        assert!(form().path().contains("test_helpers") && !live.path().contains("test"));
    }

    #[test]
    fn the_same_form_is_the_same_request_and_any_other_is_another() {
        assert_eq!(form().key(), form().key());
        for other in [
            Spt { payment_method: "pm_2".into(), ..form() },
            Spt { live: true, ..form() },
            Spt { seller: "profile_2".into(), ..form() },
            Spt { currency: "eur".into(), ..form() },
            Spt { amount: Amount::parse_atomic("151").unwrap(), ..form() },
            Spt { challenge: "c2".into(), ..form() },
            Spt { realm: "other.example".into(), ..form() },
            Spt { valid_before: 1_800_000_301, ..form() },
        ] {
            assert_ne!(other.key(), form().key(), "{other:?}");
        }
        let dearer = Spt { amount: Amount::parse_atomic("151").unwrap(), ..form() };
        assert_eq!(dearer.number(), form().number(), "one challenge is paid once");
    }
}
