//! An answer of the gateway: an object and a signature over that object's bytes, exactly as they came.

use super::PublicKey;
use crate::json::Json;

/// Why an answer tells nothing. Whatever it says, nothing changes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// Another HTTP status than 200.
    #[error("the gateway answered with HTTP status {0}")]
    Status(u16),
    /// Not JSON we read, or not of the gateway's form.
    #[error("the gateway's answer has another form than its answers have")]
    Form,
    /// The gateway's own word that something failed before it looked at the request; it is never signed.
    #[error("the gateway answered with an unsigned error")]
    Unsigned,
    /// The signature is of other bytes, or by another key.
    #[error("the gateway's answer is not signed by Alipay's key in the profile")]
    Signature,
}

/// The object of an answer whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    /// Checks an answer to a request of this method.
    pub fn open(key: &PublicKey, method: &str, status: u16, body: &[u8]) -> Result<Self, Unverified> {
        if status != 200 {
            return Err(Unverified::Status(status));
        }
        let text = std::str::from_utf8(body).map_err(|_| Unverified::Form)?;
        let answer = Json::parse(text).map_err(|_| Unverified::Form)?;
        let name = format!("{}_response", method.replace('.', "_"));
        let known = |key: &str| key == name || matches!(key, "sign" | "alipay_cert_sn");
        let mut names = answer.names().ok_or(Unverified::Form)?;
        if names.any(|key| !known(key)) {
            let unsigned = answer.get("error_response").is_some();
            return Err(if unsigned { Unverified::Unsigned } else { Unverified::Form });
        }
        let object = answer.get(&name).filter(|object| object.is_object()).ok_or(Unverified::Form)?;
        let sign = answer.get("sign").and_then(Json::text).ok_or(Unverified::Unsigned)?;
        if !key.verifies(object.raw().as_bytes(), sign) {
            return Err(Unverified::Signature);
        }
        Ok(Self(object.raw().to_owned()))
    }

    /// The text of a member; numbers are not texts.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        Json::parse(&self.0).ok()?.get(name)?.text().map(str::to_owned)
    }

    /// The text of a member that the gateway writes as a text or as a number.
    pub(super) fn sum(&self, name: &str) -> Option<String> {
        let object = Json::parse(&self.0).ok()?;
        let member = object.get(name)?;
        member.text().or_else(|| member.number()).map(str::to_owned)
    }
}
