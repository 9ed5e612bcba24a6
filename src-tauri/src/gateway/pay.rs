//! The paid part of a call: a price goes to the desk, a person may have to decide, and what was paid for comes back as if it had
//! been free. How the client learns that a person decides is what the product's own endpoint does.

use countersign_core::payment::IdempotencyKey;
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
    request::{self, Request as Purchase},
};
use rmcp::{
    ErrorData,
    model::{CallToolResponse, CallToolResult, MetaObject},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

use super::{
    call::broken,
    errand::{Ended, Errand, Going, Next, Paying, Work},
    face::can,
    left::{Again, Post},
    mail::BOX,
    price::Prices,
    retry::Retry,
    state::At,
};
use crate::mcp::{self, Delivery, Way};

/// Where a result says what was paid for it.
const PAID: &str = "org.countersign/payment";

impl Errand<'_> {
    /// Buys what costs this.
    pub(super) async fn buy(&self, prices: Prices, by_http: bool, post: Post) -> Result<Going, ErrorData> {
        let key = self.face.gateway.left.key(&self.calling.caller.agent, self.digest, by_http).map_err(broken)?;
        self.purchase(key, prices, by_http, post)
    }

    /// Takes up an earlier call like this one that was left without its answer.
    pub(super) fn again(&self, Again { key, by_http, post }: Again) -> Result<Going, ErrorData> {
        self.purchase(key, Prices::new(), by_http, post.unwrap_or_else(|| mpsc::channel(BOX)))
    }

    fn purchase(&self, key: IdempotencyKey, prices: Prices, by_http: bool, post: Post) -> Result<Going, ErrorData> {
        let (room, gateway) = (&self.face.room, &self.face.gateway);
        let retry = Retry {
            gateway: gateway.clone(),
            room: room.clone(),
            session: self.face.session.clone(),
            capabilities: can(self.context),
            call: self.sent.clone(),
            meta: self.context.meta.clone(),
            place: self.place.clone(),
            by_http,
            to: post.0.clone(),
        };
        let known = prices.is_empty();
        let waited = self.way() == Way::Wait;
        let request = Purchase::call(request::Call {
            carrier: Arc::new(retry),
            origin: room.target.origin(&room.name).map_err(broken)?,
            server: self.place.clone(),
            tool: &self.sent.name,
            arguments: &self.what,
            prices: prices.into_iter().map(|(rail, price)| (rail.to_owned(), price.to_string())).collect(),
            key: key.clone(),
            wait: if waited { mcp::patience(self.context) } else { 0 },
        });
        let work = self.desk(request.clone(), key.clone());
        let paying = Some(Box::new(Paying { key, by_http, request, known, waited }));
        Ok(Going { work, post, gone: None, paying })
    }

    fn way(&self) -> Way {
        Way::of(self.context, self.face.app.open())
    }

    /// Which payment it became is noted even if the client withdraws meanwhile.
    fn desk(&self, request: Purchase, key: IdempotencyKey) -> Work {
        let (app, caller) = (self.face.app.clone(), self.calling.caller.clone());
        let (gateway, digest) = (self.face.gateway.clone(), self.digest);
        Box::pin(async move {
            let paying = tokio::spawn(async move {
                let told = app.desk.pay(caller.clone(), request).await.result;
                gateway.left.note(&caller.agent, digest, &key, &told);
                told
            });
            let stopped = |_| Err(Problem::new(Code::StorageUnavailable, "Countersign stopped in the middle of this"));
            Ended::Paid(Box::new(paying.await.unwrap_or_else(stopped)))
        })
    }

    /// What the desk answered, told in the client's own way while a person decides.
    pub(super) async fn paid(&self, mut told: Result<Outcome, Problem>, mut going: Going) -> Result<Next, ErrorData> {
        let Some(paying) = going.paying.take() else {
            return Err(ErrorData::internal_error("there is no payment", None));
        };
        if let (true, Err(Problem { code: Code::MalformedOffer, outcome: None, .. })) = (paying.known, &told) {
            // Nothing is known of this key: the price has to be asked for.
            return self.free().await.map(Next::Go);
        }
        let (face, caller) = (self.face, &self.calling.caller);
        let mut response: Option<CallToolResponse> = None;
        if let (Some((payment, _)), false) = (mcp::waiting(&told), paying.waited) {
            let request = Purchase { wait: mcp::patience(self.context), ..paying.request.clone() };
            match self.way() {
                Way::Wait => {}
                Way::Task => response = Some(mcp::begin_task(&face.app, caller, &payment, mcp::CALL).await?.into()),
                Way::Link(page) => match self.shown.as_ref().filter(|(shown, _)| *shown == payment.as_str()) {
                    Some((_, true)) => told = face.app.desk.cancel(caller, &payment).await,
                    Some((_, false)) => {
                        let work = self.desk(request.clone(), paying.key.clone());
                        return Ok(Next::Go(going.paying(work, Paying { request, waited: true, ..*paying })));
                    }
                    None => {
                        let key = (paying.key.clone(), paying.by_http);
                        let sealed = self.seal(At::Shown(payment.as_str().to_owned()), Some(key));
                        response = Some(mcp::show(&payment, &page, sealed).into());
                    }
                },
                Way::Elicit(page) => {
                    let (app, context, caller) = (face.app.clone(), self.context.clone(), caller.clone());
                    let again = self.desk(request.clone(), paying.key.clone());
                    let work = async move { mcp::beside(&app, &context, &caller, (&payment, &page), again).await };
                    return Ok(Next::Go(going.paying(Box::pin(work), Paying { request, waited: true, ..*paying })));
                }
            }
        }
        // Nobody waits for a task on the stream of a call: what the upstream asks then, nobody answers.
        let post = (!matches!(response, Some(CallToolResponse::Task(_)))).then_some(going.post);
        if face.gateway.left.told(&caller.agent, self.digest, &paying.key, &told, post) {
            let (gateway, agent, digest, key) =
                (face.gateway.clone(), caller.agent.clone(), self.digest, paying.key.clone());
            Delivery::of(self.context).then(move || gateway.left.forget(agent, digest, &key));
        }
        let answered = || fitting(result(told), self.formed).into();
        Ok(Next::Say(response.unwrap_or_else(answered)))
    }
}

impl Going {
    fn paying(self, work: Work, paying: Paying) -> Self {
        Self { work, paying: Some(Box::new(paying)), ..self }
    }
}

/// A payment's outcome as the tool's own result, or how it stands.
pub fn result(told: Result<Outcome, Problem>) -> CallToolResult {
    goods(&told).unwrap_or_else(|| mcp::answer(told))
}

/// What was paid for, with a summary of what was paid; none where there is nothing to hand out.
fn goods(told: &Result<Outcome, Problem>) -> Option<CallToolResult> {
    let outcome = told.as_ref().ok().filter(|outcome| outcome.status == OutcomeStatus::Completed)?;
    let mut result: CallToolResult = serde_json::from_str(outcome.response.as_ref()?.body.as_ref()?).ok()?;
    let payment = outcome.payment.as_ref()?;
    let part = |name: &str| payment.get(name).cloned().unwrap_or(Value::Null);
    let summary = json!({
        "payment_id": part("id"), "amount": part("amount"), "payee": part("payee"), "transaction": part("transaction"),
        "settlement": part("settlement"),
    });
    result.meta.get_or_insert_with(MetaObject::new).0.insert(PAID.to_owned(), summary);
    Some(result)
}

/// Where a tool's own answers have a form that ours could not be added to, ours is told as an error, which no client checks.
fn fitting(mut result: CallToolResult, formed: bool) -> CallToolResult {
    if result.structured_content.is_none() && formed && result.is_error != Some(true) {
        result.is_error = Some(true);
    }
    result
}
