//! From a tool's arguments to a request for the desk. A refund is priced by asking Alipay what its trade brought.

use countersign_core::{
    origin::Origin,
    payment::{Caller, Digest, IdempotencyKey},
    signable::alipay::{Ordered, Screen},
};
use countersign_desk::{
    Desk,
    problem::{Code, Problem},
    request::{Act, Call, Request},
};
use countersign_rails::alipay::{Terms, TradeFound};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

use super::{
    Alipay, Profile, Tool,
    carrier::Sending,
    shape::{self, PaymentBody, RefundBody, bad},
};
use crate::http::Pace;

impl Alipay {
    /// The request a tool stands for. The same numbers give the same key: a repeat is the same order, whoever lost its answer.
    pub async fn request(
        self: &Arc<Self>,
        desk: &Desk,
        caller: &Caller,
        tool: Tool,
        arguments: &str,
        (pace, wait): (Pace, u64),
    ) -> Result<Request, Problem> {
        self.knock().await;
        let profile = self.profile()?;
        match tool {
            Tool::Refund => self.refund(desk, caller, &profile, shape::read(arguments)?, (pace, wait)).await,
            Tool::CreateMobile => self.link(&profile, Screen::Mobile, tool, shape::read(arguments)?, wait),
            _ => self.link(&profile, Screen::Web, tool, shape::read(arguments)?, wait),
        }
    }

    fn link(
        self: &Arc<Self>,
        profile: &Profile,
        screen: Screen,
        tool: Tool,
        body: PaymentBody,
        wait: u64,
    ) -> Result<Request, Problem> {
        let amount = body.total_amount.fen()?;
        let order = Ordered::Link {
            screen,
            out_trade_no: body.out_trade_no,
            amount,
            title: body.order_title,
            return_url: profile.merchant.return_url.clone(),
            notify_url: profile.merchant.notify_url.clone(),
        };
        self.order(profile, tool, Priced::Now(order), wait)
    }

    async fn refund(
        self: &Arc<Self>,
        desk: &Desk,
        caller: &Caller,
        profile: &Profile,
        body: RefundBody,
        (pace, wait): (Pace, u64),
    ) -> Result<Request, Problem> {
        let amount = body.refund_amount.fen()?;
        let order = |of| Ordered::Refund {
            out_trade_no: body.out_trade_no.clone(),
            amount,
            out_request_no: body.out_request_no.clone(),
            reason: body.refund_reason.clone(),
            of,
        };
        let known = self.order(profile, Tool::Refund, Priced::Before(order(amount)), wait)?;
        if desk.knows(&caller.agent, &known).await? {
            return Ok(known);
        }
        // The question below is the caller's doing, too.
        pace.check()?;
        let of = match self.trade(profile, &body.out_trade_no).await? {
            TradeFound::Known { status: "TRADE_SUCCESS", amount, .. } => amount,
            TradeFound::Known { status, .. } => {
                return Err(cannot(format!(
                    "the trade is {status}; only one that was paid and is not finished can be"
                )));
            }
            TradeFound::Unknown => return Err(cannot("there is no such trade".to_owned())),
            TradeFound::Refused(why) => return Err(shape::refused(&why)),
            TradeFound::Unclear => return Err(shape::unclear()),
        };
        self.order(profile, Tool::Refund, Priced::Now(order(of)), wait)
    }

    fn order(self: &Arc<Self>, profile: &Profile, tool: Tool, priced: Priced, wait: u64) -> Result<Request, Problem> {
        let (order, prices) = match priced {
            Priced::Before(order) => (order, BTreeMap::new()),
            Priced::Now(order) => {
                let merchant = &profile.merchant;
                let terms = Terms { app_id: merchant.app_id.clone(), sandbox: merchant.sandbox, order: order.clone() };
                terms.check().map_err(bad)?;
                (order, [("alipay".to_owned(), json!(terms).to_string())].into())
            }
        };
        let (arguments, number, words) = match &order {
            // The same refund for another reason is the same refund.
            Ordered::Refund { out_trade_no, amount, out_request_no, reason, .. } => (
                json!([out_trade_no, amount, out_request_no]),
                [out_trade_no.as_str(), out_request_no.as_str()],
                reason.clone(),
            ),
            Ordered::Link { out_trade_no, amount, title, .. } => {
                (json!([out_trade_no, amount, title]), [out_trade_no.as_str(), ""], Some(title.clone()))
            }
        };
        let arguments = arguments.to_string();
        let call = Call {
            carrier: Arc::new(Sending { alipay: self.clone(), order: order.clone(), to: profile.destination() }),
            origin: Origin::of(&profile.gateway).map_err(bad)?,
            server: profile.gateway.clone(),
            tool: tool.name(),
            arguments: arguments.as_bytes(),
            prices,
            key: key(tool, &profile.merchant.app_id, number)?,
            wait,
        };
        let mut request = Request { reason: words, ..Request::call(call) };
        // The same sum for the same trade is the same thing bought, whatever number it comes under.
        if let (Act::Call { what, .. }, Ordered::Refund { out_trade_no, amount, .. }) = (&mut request.act, &order) {
            *what = json!([tool.name(), out_trade_no, amount]).to_string().into_bytes();
        }
        Ok(request)
    }
}

/// An order, priced or known from before.
enum Priced {
    Before(Ordered),
    Now(Ordered),
}

/// One key for one number at one app.
fn key(tool: Tool, app_id: &str, [one, other]: [&str; 2]) -> Result<IdempotencyKey, Problem> {
    let digest = Digest::of(&[tool.name().as_bytes(), app_id.as_bytes(), one.as_bytes(), other.as_bytes()]);
    format!("{}:{digest}", tool.name()).parse().map_err(bad)
}

fn cannot(why: String) -> Problem {
    Problem::new(Code::UnsupportedOffer, format!("this cannot be refunded: {why}"))
        .saying("Nothing was ordered. Look at the order with query-alipay-payment.")
}
