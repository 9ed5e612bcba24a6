//! Sends a signed order, once each time it is told to, and tells the desk only what Alipay signed.

use async_trait::async_trait;
use countersign_core::{
    rail::Credential,
    signable::alipay::{Order, Ordered, yuan},
};
use countersign_desk::{carrier::Carrier, wire::Answer};
use countersign_rails::alipay::{Refunded, Said, Sent, page, refund};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{Alipay, Destination, Profile};

/// One order on its way.
#[derive(Debug)]
pub struct Sending {
    pub alipay: Arc<Alipay>,
    pub order: Ordered,
    /// Where it was priced for.
    pub to: Destination,
}

#[async_trait]
impl Carrier for Sending {
    async fn deliver(&self, credential: &Credential) -> Result<Answer, String> {
        let profile = self.profile()?;
        let sent = Sent::of(credential).ok_or("there is no signed order")?;
        let order = Order { app_id: profile.merchant.app_id.clone(), at: 0, what: self.order.clone() };
        match &self.order {
            Ordered::Link { amount, title, .. } => {
                let link = page(&profile.gateway, &sent);
                let markdown = format!("[{} CNY {}]({link})", bracketless(title), yuan(*amount));
                Ok(told(&profile, 200, &json!({"paymentLink": link, "markdown": markdown})))
            }
            Ordered::Refund { .. } => self.refund(&profile, &sent, &order).await,
        }
    }

    fn is_gone(&self) -> bool {
        self.profile().is_err()
    }
}

impl Sending {
    fn profile(&self) -> Result<Profile, String> {
        let profile = self.alipay.profile().map_err(|problem| problem.detail)?;
        if profile.destination() != self.to {
            return Err("another app or gateway was set up since this order was priced".to_owned());
        }
        Ok(profile)
    }

    async fn refund(&self, profile: &Profile, sent: &Sent, order: &Order) -> Result<Answer, String> {
        let answer = self.alipay.send(profile, sent).await.map_err(|error| error.to_string())?;
        if answer.too_large {
            return Err("the gateway's answer is too long to be one".to_owned());
        }
        let said = match Said::open(&profile.key, order.method(), answer.status, &answer.body) {
            Ok(said) => said,
            Err(error) => {
                tracing::warn!(%error, "the answer to a refund tells nothing; Alipay will be asked");
                return Ok(told(profile, 502, &json!({"refundResult": "unknown", "why": error.to_string()})));
            }
        };
        Ok(match refund(order, &said) {
            Refunded::Moved { trade_no } => {
                told(profile, 200, &json!({"tradeNo": trade_no, "refundResult": "success", "fundChange": "Y"}))
            }
            Refunded::Refused(why) => told(profile, 402, &json!({"refundResult": "refused", "refused": why})),
            Refunded::Unclear(why) => told(profile, 503, &json!({"refundResult": "unknown", "why": why})),
        })
    }
}

fn told(profile: &Profile, status: u16, body: &Value) -> Answer {
    Answer::told(status, Vec::new(), body.to_string().into(), profile.gateway.clone())
}

/// A title inside a link's text ends no link.
fn bracketless(title: &str) -> String {
    title.chars().filter(|c| !matches!(c, '[' | ']' | '(' | ')' | '\\' | '`' | '<' | '>')).collect()
}
