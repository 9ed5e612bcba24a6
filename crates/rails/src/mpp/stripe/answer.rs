//! What Stripe answers: to whoever asks for a token, and to whoever asks what became of one. Read strictly; what is not understood says
//! nothing.

use countersign_core::{money::Amount, signable::spt::Spt, text::clean};

use super::is_token;
use crate::json::Json;

/// What became of asking for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issued {
    /// This one, and it is what was asked for.
    Token(String),
    /// Refused, in Stripe's words: there is none that can be charged.
    Refused(String),
    /// There may be one.
    Unclear(String),
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// So much was charged, and no more can be.
    Charged(Amount),
    /// It ended, and nothing was charged.
    Unused,
    /// It can still be charged.
    Open,
    /// The answer does not tell.
    Unclear,
}

/// Reads the answer to asking for a form's token.
pub fn issued(form: &Spt, status: u16, body: &[u8]) -> Issued {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Ok(answer) = Json::parse(text) else { return Issued::Unclear(format!("Stripe answers {status} and no JSON")) };
    if matches!(status, 400..=404) {
        return refused(&answer);
    }
    if status != 200 {
        return Issued::Unclear(format!("Stripe answers {status}"));
    }
    let token = answer.get("id").and_then(Json::text).filter(|id| is_token(id));
    let Some(token) = token.filter(|_| is_as_asked(form, &answer)) else {
        return Issued::Unclear("Stripe issued another token than was asked for".to_owned());
    };
    match answer.given("status").map(Json::text) {
        None | Some(Some("active")) if answer.given("deactivated_at").is_none() => Issued::Token(token.to_owned()),
        Some(Some("requires_action")) => Issued::Refused("Stripe wants the person to confirm it first".to_owned()),
        _ => Issued::Unclear("Stripe issued a token that is over".to_owned()),
    }
}

/// An error that says that nothing was made. One about the repetition itself says nothing of the first time.
fn refused(answer: &Json<'_>) -> Issued {
    let error = answer.get("error");
    let said = |name: &str| error.and_then(|error| error.get(name)).and_then(Json::text);
    match (said("type"), said("message")) {
        (Some("idempotency_error"), _) | (None, _) => Issued::Unclear("Stripe could not say".to_owned()),
        // Of a card it is written for whoever pays. Others may name the account or show parts of the key, and the agent reads this.
        (Some("card_error"), Some(message)) => Issued::Refused(format!("Stripe refuses: {}", clean(message))),
        (Some(kind), _) => Issued::Refused(format!("Stripe refuses: {}", clean(said("code").unwrap_or(kind)))),
    }
}

/// Whether the key is one that may ask, by the answer to asking about a token that nobody has.
///
/// # Errors
/// Why not, in Stripe's words.
pub fn may_ask(status: u16, body: &[u8]) -> Result<(), String> {
    let answer = std::str::from_utf8(body).ok().and_then(|text| Json::parse(text).ok());
    let error = answer.as_ref().and_then(|answer| answer.get("error"));
    let said = |name: &str| error.and_then(|error| error.get(name)).and_then(Json::text);
    match (status, said("code"), said("message")) {
        (404, Some("resource_missing"), _) => Ok(()),
        (400..=404, _, Some(message)) => Err(format!("Stripe refuses: {}", clean(message))),
        _ => Err(format!("Stripe answers {status}")),
    }
}

/// Reads the answer to asking how a form's token stands.
pub fn standing(form: &Spt, token: &str, status: u16, body: &[u8]) -> Standing {
    let answer = std::str::from_utf8(body).ok().filter(|_| status == 200).and_then(|text| Json::parse(text).ok());
    let Some(answer) = answer else { return Standing::Unclear };
    let Some(charged) = charged(form, &answer) else { return Standing::Unclear };
    if answer.get("id").and_then(Json::text) != Some(token) || !is_as_asked(form, &answer) {
        return Standing::Unclear;
    }
    let ended = answer.given("deactivated_at").is_some();
    match (ended, answer.given("deactivated_reason").and_then(Json::text)) {
        _ if charged > form.amount => Standing::Unclear,
        _ if charged == form.amount => Standing::Charged(charged),
        (true, _) if !charged.is_zero() => Standing::Charged(charged),
        (true, Some("expired" | "revoked")) => Standing::Unused,
        (true, _) => Standing::Unclear,
        (false, _) => Standing::Open,
    }
}

/// Whether a token is worth what was asked for, to whom and until when.
fn is_as_asked(form: &Spt, answer: &Json<'_>) -> bool {
    let Some(limits) = answer.get("usage_limits") else { return false };
    let number = |name: &str| limits.get(name).and_then(Json::number);
    let seller = answer.given("seller_details").and_then(|details| details.given("network_business_profile"));
    limits.get("currency").and_then(Json::text) == Some(form.currency.as_str())
        && number("max_amount") == Some(form.amount.to_string().as_str())
        && number("expires_at") == Some(form.valid_before.to_string().as_str())
        && answer.get("livemode").and_then(Json::boolean) == Some(form.live)
        && seller.is_none_or(|seller| seller.text() == Some(form.seller.as_str()))
}

fn charged(form: &Spt, answer: &Json<'_>) -> Option<Amount> {
    let captured = answer.get("usage_details")?.get("amount_captured")?;
    let same = captured.get("currency").and_then(Json::text) == Some(form.currency.as_str());
    Amount::parse_atomic(captured.get("value")?.number().filter(|_| same)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn form() -> Spt {
        Spt {
            payment_method: "pm_1".into(),
            live: true,
            seller: "profile_1".into(),
            currency: "usd".into(),
            amount: Amount::parse_atomic("150").unwrap(),
            realm: "shop.example".into(),
            challenge: "c1".into(),
            valid_before: 1_800_000_300,
        }
    }

    fn token() -> Value {
        json!({
            "id": "spt_1", "object": "shared_payment.issued_token", "livemode": true, "status": "active", "deactivated_at": null,
            "deactivated_reason": null, "seller_details": {"external_id": null, "network_business_profile": "profile_1"},
            "usage_details": {"amount_captured": {"value": 0, "currency": "usd"}},
            "usage_limits": {"currency": "usd", "expires_at": 1_800_000_300_u64, "max_amount": 150},
        })
    }

    fn with(pointer: &str, to: Value) -> Value {
        let mut token = token();
        *token.pointer_mut(pointer).unwrap() = to;
        token
    }

    #[test]
    fn a_token_counts_only_if_it_is_worth_what_was_asked_for() {
        let read = |answer: &Value| issued(&form(), 200, answer.to_string().as_bytes());
        assert_eq!(read(&token()), Issued::Token("spt_1".into()));
        for (pointer, to) in [
            ("/id", json!("pi_1")),
            ("/id", json!("spt_")),
            ("/id", json!("spt_\"")),
            ("/livemode", json!(false)),
            ("/status", json!("deactivated")),
            ("/deactivated_at", json!(1_800_000_000)),
            ("/usage_limits/max_amount", json!(151)),
            ("/usage_limits/max_amount", json!("150")),
            ("/usage_limits/currency", json!("eur")),
            ("/usage_limits/expires_at", json!(1_800_000_301_u64)),
            ("/seller_details/network_business_profile", json!("profile_2")),
        ] {
            assert!(matches!(read(&with(pointer, to)), Issued::Unclear(_)), "{pointer}");
        }
        assert!(matches!(read(&with("/status", json!("requires_action"))), Issued::Refused(_)));
    }

    #[test]
    fn only_a_plain_refusal_means_that_there_is_no_token() {
        let error = |status, kind: &str| {
            let body = json!({"error": {"type": kind, "message": "Your card was declined.\u{202e}"}});
            issued(&form(), status, body.to_string().as_bytes())
        };
        let refused = Issued::Refused("Stripe refuses: Your card was declined.".into());
        assert_eq!(error(402, "card_error"), refused);
        // What may name the account or the key stays here.
        let kind = Issued::Refused("Stripe refuses: invalid_request_error".into());
        assert_eq!(error(401, "invalid_request_error"), kind);
        for (status, kind) in [(400, "idempotency_error"), (409, "idempotency_error"), (429, "x"), (500, "api_error")] {
            assert!(matches!(error(status, kind), Issued::Unclear(_)), "{status} {kind}");
        }
        for body in ["", "<html>", "{}", "{\"error\":7}"] {
            assert!(matches!(issued(&form(), 402, body.as_bytes()), Issued::Unclear(_)), "{body}");
        }
    }

    #[test]
    fn nothing_but_stripes_plain_word_says_that_a_token_was_not_used() {
        let read = |answer: &Value| standing(&form(), "spt_1", 200, answer.to_string().as_bytes());
        let ended = |reason: &str, value: u64| {
            let mut token = with("/deactivated_reason", json!(reason));
            token["deactivated_at"] = json!(1_800_000_300);
            token["usage_details"]["amount_captured"]["value"] = json!(value);
            token
        };
        let units = |text| Amount::parse_atomic(text).unwrap();
        assert_eq!(read(&token()), Standing::Open);
        assert_eq!(read(&ended("expired", 0)), Standing::Unused);
        assert_eq!(read(&ended("revoked", 0)), Standing::Unused);
        assert_eq!(read(&ended("consumed", 150)), Standing::Charged(units("150")));
        assert_eq!(read(&ended("expired", 40)), Standing::Charged(units("40")));
        assert_eq!(read(&with("/usage_details/amount_captured/value", json!(40))), Standing::Open);
        for unclear in [
            ended("consumed", 0),
            ended("resolved", 0),
            ended("expired", 151),
            with("/usage_details", json!(null)),
            with("/usage_details/amount_captured/currency", json!("eur")),
            with("/id", json!("spt_2")),
            with("/usage_limits/max_amount", json!(15)),
        ] {
            assert_eq!(read(&unclear), Standing::Unclear, "{unclear}");
        }
        assert_eq!(standing(&form(), "spt_1", 404, token().to_string().as_bytes()), Standing::Unclear);
    }
}
