//! How an order ended, in Alipay's signed words.

use async_trait::async_trait;
use countersign_core::signable::{
    Signable,
    alipay::{About, Ordered},
};
use countersign_desk::provider::{Provider, Seen};
use countersign_rails::alipay::{RefundFound, TradeFound, refund_found, trade_found};
use countersign_vault::{Outcome, Record};

use super::Alipay;

#[async_trait]
impl Provider for Alipay {
    async fn look(&self, record: &Record, forms: &[Signable]) -> Result<Seen, String> {
        if let [Signable::Handed(_)] = forms {
            // Only its program knows, and it is asked when the agent asks. What never reached it has not moved.
            return Ok(if record.outcome == Some(Outcome::Failed) { Seen::NotMoved } else { Seen::Open });
        }
        let [Signable::Alipay(order)] = forms else { return Err("there is no order".to_owned()) };
        self.knock().await;
        let profile = self.profile().map_err(|problem| problem.detail)?;
        if profile.merchant.app_id != order.app_id || !profile.ordered(&record.quote) {
            return Err("it was ordered for another app or gateway than the one that is set up".to_owned());
        }
        let ask = async |about| self.ask(&profile, about).await.map_err(|problem| problem.detail);
        match &order.what {
            Ordered::Refund { out_trade_no, amount, out_request_no, .. } => {
                let (trade, refund) = (out_trade_no.clone(), out_request_no.clone());
                let said = ask(About::Refund { out_trade_no: trade, out_request_no: refund }).await?;
                match refund_found(out_trade_no, out_request_no, &said) {
                    RefundFound::Done { trade_no, amount: done } if done == *amount => {
                        Ok(Seen::Moved { transaction: Some(trade_no), amount: done })
                    }
                    RefundFound::Done { .. } => {
                        Err("Alipay shows a refund of another sum under this number".to_owned())
                    }
                    RefundFound::NotDone => Ok(Seen::NotMoved),
                    RefundFound::Unclear => Err("Alipay could not say".to_owned()),
                }
            }
            Ordered::Link { out_trade_no, amount, .. } => {
                let said = ask(About::Trade { out_trade_no: out_trade_no.clone() }).await?;
                match trade_found(out_trade_no, &said) {
                    TradeFound::Known { amount: paid, .. } if paid != *amount => {
                        Err("Alipay shows a trade of another sum under this number".to_owned())
                    }
                    TradeFound::Known { status: "WAIT_BUYER_PAY", .. } | TradeFound::Unknown => Ok(Seen::Open),
                    TradeFound::Known { status: "TRADE_CLOSED", .. } => Ok(Seen::Over),
                    TradeFound::Known { trade_no, amount, .. } => {
                        Ok(Seen::Moved { transaction: Some(trade_no), amount })
                    }
                    TradeFound::Refused(why) => Err(why),
                    TradeFound::Unclear => Err("Alipay could not say".to_owned()),
                }
            }
        }
    }

    fn can_look(&self, record: &Record) -> bool {
        self.profile().is_ok_and(|profile| profile.ordered(&record.quote))
    }
}
