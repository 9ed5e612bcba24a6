//! One payment, request to receipt. Read it from the top: look up, price, admit, ask, sign, deliver.
//!
//! Runs in a task of its own: a caller that hangs up neither cancels nor repeats anything.

use countersign_core::{
    Millis,
    origin::Origin,
    payment::{AgentName, Caller, PaymentId, Quote},
    policy::Risk,
    rail::{Challenge, QuoteContext, QuoteError, Quoted, Rail},
    signable::Signable,
};
use countersign_vault::{Admit, Admitted, Health, Lookup, Record};
use std::{collections::BTreeMap, sync::Arc};
use tracing::Instrument as _;
use url::Url;

use crate::{
    desk::{Desk, vault_problem},
    event::{Event, Lack},
    issuer::Purse,
    outcome::{Outcome, ResponseView},
    problem::{Code, Problem},
    request::{Act, Request},
    story::{Followed, Found, Progress, Telling, Told, follow},
    view::{answer_of, outcome_of},
    wire::{Outgoing, WireError},
};

/// A price, and the protocol that reads it.
type Asked<'a> = (&'a dyn Rail, Challenge<'a>);

/// What a request turned out to cost.
enum Priced {
    /// Nothing: here is the answer.
    Free(Box<Outcome>),
    /// So much, at this address.
    At { quoted: Box<Quoted>, url: Url },
}

/// What became of a request that was priced.
enum Admission {
    /// There was nothing to pay.
    Free(Box<Outcome>),
    /// Judged, and written down; the price came from this address.
    Done(Box<Admitted>, Url),
}

impl Desk {
    /// Pays for one request if policy or a person allows; joins the same request if it runs already.
    pub async fn pay(self: &Arc<Self>, caller: Caller, request: Request) -> Told {
        let wait = request.wait;
        let (story, joined) = match self.stories.enter(&caller.agent, &request.key, request.digest) {
            Err(problem) => return Told { result: Err(problem), repeat: true },
            Ok(Found::Joined(story)) => (story, true),
            Ok(Found::Started(mut telling, story)) => {
                let desk = self.clone();
                let span = tracing::info_span!("payment", agent.id = %caller.agent, payment.id = tracing::field::Empty);
                let told = async move {
                    let agent = caller.agent.clone();
                    let result = desk.tell_story(caller, request, &mut telling).await;
                    if result.as_ref().is_err_and(|problem| problem.code == Code::Locked) {
                        desk.lacks(&agent, Lack::Key);
                    }
                    telling.ends(result);
                };
                tokio::spawn(told.instrument(span));
                (story, false)
            }
        };
        match follow(story, wait).await {
            Followed::Done(told) => Told { repeat: joined || told.repeat, ..*told },
            Followed::StillAsking(payment) => Told { result: self.pending(&payment).await, repeat: joined },
        }
    }

    async fn pending(&self, payment: &PaymentId) -> Result<Outcome, Problem> {
        match self.vault.payment(payment).await.map_err(vault_problem)? {
            Some(record) => answer_of(outcome_of(&record, &self.registry), &record),
            None => Err(Problem::new(Code::NotFound, "the payment is gone")),
        }
    }

    async fn tell_story(&self, caller: Caller, request: Request, telling: &mut Telling) -> Result<Outcome, Problem> {
        // A key is looked up first, but where pricing asks nobody: there admission looks it up anyway, and what hinders that
        // does not hinder the answer to a known key.
        let brought = matches!(request.act, Act::Pay { .. } | Act::Call { .. });
        let late = brought && self.vault.health() == Health::Ok && !self.settler.sees_any();
        if !late && let Some(known) = self.known(&caller.agent, &request, telling).await {
            return known;
        }
        let (admitted, url) = match self.admit(&caller, &request).await {
            Ok(Admission::Done(admitted, url)) => (*admitted, url),
            Ok(Admission::Free(outcome)) => return Ok(*outcome),
            Err(problem) if late => {
                return self.known(&caller.agent, &request, telling).await.unwrap_or(Err(problem));
            }
            Err(problem) => return Err(problem),
        };
        match admitted {
            Admitted::Reserved(reservation) => {
                self.tell_silent(reservation.record());
                self.deliver(&request, &url, *reservation, telling).await
            }
            Admitted::Waiting(waiting) => {
                let reservation = match self.ask_person(&request, &url, *waiting, telling).await? {
                    Ok(reservation) => reservation,
                    Err(record) => return answer_of(outcome_of(&record, &self.registry), &record),
                };
                self.deliver(&request, &url, reservation, telling).await
            }
            Admitted::Refused(record) => answer_of(outcome_of(&record, &self.registry), &record),
            Admitted::Same(record) => self.repeat(&request, *record, telling).await,
            Admitted::Joined(record) => self.join(&record, telling).await,
            Admitted::Conflict => Err(conflict()),
            Admitted::TooMany { retry_after_seconds } => {
                let mut problem = Problem::new(Code::RateLimited, "too many questions are waiting for the person");
                problem.retry_after = Some(retry_after_seconds);
                Err(problem)
            }
        }
    }

    /// The answer to a key that is known already; none for a new one.
    async fn known(
        &self,
        agent: &AgentName,
        request: &Request,
        telling: &mut Telling,
    ) -> Option<Result<Outcome, Problem>> {
        match self.vault.lookup(agent, &request.key, request.digest).await {
            Ok(Lookup::Conflict) => Some(Err(conflict())),
            Ok(Lookup::Same(record)) => Some(self.repeat(request, *record, telling).await),
            Ok(Lookup::New) => None,
            Err(error) => Some(Err(vault_problem(error))),
        }
    }

    /// Prices a request and has it judged and written down.
    async fn admit(&self, caller: &Caller, request: &Request) -> Result<Admission, Problem> {
        if self.vault.health() == Health::Locked {
            // Its owner may have unlocked the keyring since.
            self.vault.knock().await.ok();
        }
        self.health().check()?;
        let (quoted, url) = match self.price(&caller.agent, request).await? {
            Priced::Free(outcome) => return Ok(Admission::Free(outcome)),
            Priced::At { quoted, url } => (*quoted, url),
        };
        request.check_max(&quoted.quote, self.registry.reference())?;
        let signables = self.signables(&quoted.quote, &quoted.offer)?;
        self.check_buyer(request, &url, &signables)?;
        let payment = PaymentId::from_random(random()?);
        if let Err(short) = self.check_balance(&quoted.quote, &signables).await {
            // What policy refuses is refused as such: it says nothing about what the wallet holds.
            if !self.vault.denies(&payment, &quoted.quote, caller).await.map_err(vault_problem)? {
                self.lacks(&caller.agent, Lack::Money(quoted.quote.wallet.clone()));
                return Err(short);
            }
        }
        let admit = Admit {
            payment,
            caller: caller.clone(),
            key: request.key.clone(),
            request: request.digest,
            quoted,
            signables,
            reason: request.reason.clone(),
            url: url.to_string(),
        };
        let admitted = self.vault.admit(admit).await.map_err(vault_problem)?;
        Ok(Admission::Done(Box::new(admitted), url))
    }

    /// Finds the price: by making the request, or in the challenge the caller brought.
    async fn price(&self, agent: &AgentName, request: &Request) -> Result<Priced, Problem> {
        match &request.act {
            Act::Pay { rail, challenge } => {
                let asked = [(self.rail(rail)?, Challenge::Json(json(challenge)?))];
                let quoted = self.quote(agent, &asked, request, &request.url, true)?;
                Ok(Priced::At { quoted: Box::new(quoted), url: request.url.clone() })
            }
            Act::Call { prices, carrier, .. } => {
                let mut quoted = self.quote(agent, &self.stated(prices)?, request, &request.url, false)?;
                let rail = self.rail(&quoted.quote.rail)?;
                if let Some(name) = carrier.headers().iter().find(|name| rail.takes_header(&quoted.offer, name)) {
                    let why =
                        format!("the seller wants its payment in the header {name}, which the call carries already");
                    return Err(Problem::new(Code::UnsupportedOffer, why));
                }
                let odd = carrier.costs(&quoted.quote);
                quoted.quote.risks.extend(odd);
                Ok(Priced::At { quoted: Box::new(quoted), url: request.url.clone() })
            }
            Act::Fetch { headers, body } => {
                let outgoing = Outgoing { method: &request.method, url: &request.url, headers, body };
                let answer = self.wire.ask(&outgoing).await.map_err(wire_problem)?;
                self.compare_date(&answer).await;
                let asks = |rail: &&dyn Rail| rail.is_challenge(answer.status, &answer.headers, &answer.body);
                let rails: Vec<&dyn Rail> = self.rails.iter().map(AsRef::as_ref).filter(asks).collect();
                if rails.is_empty() {
                    if answer.status == 402 {
                        return Err(unknown_challenge(answer.too_large));
                    }
                    let mut view =
                        ResponseView::new(answer.status, &answer.headers, (!answer.too_large).then_some(&answer.body));
                    view.body_omitted = answer.too_large.then(|| "too_large".to_owned());
                    return Ok(Priced::Free(Box::new(Outcome::not_required(view))));
                }
                if answer.too_large {
                    return Err(unknown_challenge(true));
                }
                if let Some(issuer) = &self.issuer {
                    issuer.knock().await;
                }
                let challenge = Challenge::Http { status: answer.status, headers: &answer.headers, body: &answer.body };
                let asked: Vec<_> = rails.into_iter().map(|rail| (rail, challenge)).collect();
                let mut quoted = self.quote(agent, &asked, request, &answer.url, false)?;
                // Behind a redirect the caller's headers stay where they were meant for.
                let taken = |(name, _): &&(String, String)| {
                    self.rail(&quoted.quote.rail).is_ok_and(|rail| rail.takes_header(&quoted.offer, name))
                };
                if !answer.redirected
                    && let Some((name, _)) = headers.iter().find(taken)
                {
                    return Err(Problem::new(
                        Code::BadRequest,
                        format!(
                            "the seller wants its payment in the header {name}, which you set; leave it out to pay"
                        ),
                    ));
                }
                if answer.redirected {
                    quoted.quote.risks.insert(Risk::Redirected);
                }
                Ok(Priced::At { quoted: Box::new(quoted), url: answer.url })
            }
        }
    }

    /// The prices of a call, each with the protocol that reads it, in the order in which they are tried.
    fn stated<'a>(&'a self, prices: &'a BTreeMap<String, String>) -> Result<Vec<Asked<'a>>, Problem> {
        if prices.is_empty() {
            return Err(Problem::new(Code::MalformedOffer, "there is no price"));
        }
        let stated = self.rails.iter().filter_map(|rail| Some((rail.as_ref(), prices.get(rail.id())?)));
        stated.map(|(rail, price)| Ok((rail, Challenge::Json(json(price)?)))).collect()
    }

    /// The price in the first of these protocols in which it can be paid.
    fn quote(
        &self,
        agent: &AgentName,
        asked: &[Asked<'_>],
        request: &Request,
        at: &Url,
        claimed: bool,
    ) -> Result<Quoted, Problem> {
        let origin = match &request.act {
            Act::Call { origin, .. } => origin.clone(),
            Act::Fetch { .. } | Act::Pay { .. } => {
                Origin::of(at).map_err(|e| Problem::new(Code::BadRequest, e.to_string()))?
            }
        };
        let own = self.vault.wallets_of(agent);
        let card = self.issuer.as_ref().and_then(|issuer| issuer.card());
        let wallets = Purse { own: own.as_ref(), card };
        let resource = request.resource(at);
        let context = QuoteContext {
            registry: &self.registry,
            wallets: &wallets,
            now: self.now(),
            origin: &origin,
            claimed,
            resource: &resource,
        };
        let quoted = first_payable(asked, context)?;
        if claimed && quoted.quote.risks.contains(&Risk::OtherResource) {
            return Err(Problem::new(Code::OriginMismatch, "`url` and the challenge name different hosts"));
        }
        Ok(quoted)
    }

    pub(crate) fn rail(&self, id: &str) -> Result<&dyn Rail, Problem> {
        let known = self.rails.iter().find(|r| r.id() == id);
        known.map(AsRef::as_ref).ok_or_else(|| {
            let all: Vec<String> = self.rails.iter().map(|rail| format!("\"{}\"", rail.id())).collect();
            Problem::new(Code::BadRequest, format!("`rail` must be {}", all.join(" or ")))
        })
    }

    /// Everything to be signed, with a window from now.
    pub(crate) fn signables(&self, quote: &Quote, offer: &str) -> Result<Vec<Signable>, Problem> {
        self.rail(&quote.rail)?.signables(quote, offer, self.now(), random()?).map_err(quote_problem)
    }

    /// The price anew, after it expired while a person decided. Only one that is the same may be signed on that person's word.
    pub(crate) async fn renew(&self, request: &Request, at: &Url, record: &Record) -> Result<Quoted, Problem> {
        let expired = |detail: &str| Problem::new(Code::OfferExpired, detail);
        match request.act {
            Act::Fetch { .. } => {}
            Act::Pay { .. } => {
                return Err(expired("the price expired while the person decided; bring a new one under a new key"));
            }
            // The unpaid call would have to be made again, and nobody knows what it does.
            Act::Call { .. } => {
                return Err(expired("the price expired while the person decided; make the call again for a new one"));
            }
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            let method = &request.method;
            return Err(expired(&format!(
                "the price expired while the person decided, and a {method} is not repeated for a new one"
            )));
        }
        let said = self.vault.detail(&record.id, "seller").await.map_err(vault_problem)?;
        let why = match self.price(&record.agent, request).await {
            Ok(Priced::At { quoted, url }) if url == *at && is_as_shown(&quoted, record, said.as_deref()) => {
                return Ok(*quoted);
            }
            Ok(_) => "the seller's new one is another".to_owned(),
            Err(problem) => problem.detail,
        };
        Err(expired(&format!("the price expired while the person decided, and there is no such price any more: {why}")))
    }

    /// Refuses what the wallet cannot pay, where a node can tell. A node that does not answer is no reason to refuse.
    async fn check_balance(&self, quote: &Quote, signables: &[Signable]) -> Result<(), Problem> {
        let Some(network) = &quote.network else { return Ok(()) };
        let rail = self.rail(&quote.rail)?;
        for evidence in signables.iter().filter_map(|s| rail.evidence(s)) {
            if self.settler.can_pay(network, &evidence, quote.exposure.amount).await == Some(false) {
                let wanted = quote.asset_text();
                return Err(Problem::new(
                    Code::InsufficientBalance,
                    format!("the wallet {} does not hold {wanted}", quote.wallet),
                ));
            }
        }
        Ok(())
    }

    /// Refuses what a program of somebody else would have to pay, and cannot: before anybody is asked.
    fn check_buyer(&self, request: &Request, url: &Url, signables: &[Signable]) -> Result<(), Problem> {
        let Some(Signable::Handed(handed)) = signables.first() else { return Ok(()) };
        let taken = match (self.buyers.get(handed.program.as_str()), &request.act) {
            (Some(_), Act::Fetch { .. }) if *url != request.url => {
                Err("the price came from behind a redirect; ask for that address itself".to_owned())
            }
            (Some(buyer), Act::Fetch { headers, body }) => {
                buyer.takes(&Outgoing { method: &request.method, url, headers, body })
            }
            _ => Err(format!("{} pays only for a page that is fetched here", handed.program)),
        };
        taken.map_err(|why| Problem::new(Code::UnsupportedOffer, why))
    }

    /// Follows the payment this key now means.
    async fn join(&self, record: &Record, telling: &mut Telling) -> Result<Outcome, Problem> {
        telling.is_repeat();
        telling.says(Progress::Asking(record.id.clone()));
        if let Some(story) = self.stories.of(&record.id)
            && let Followed::Done(told) = follow(story, u64::from(u32::MAX)).await
        {
            return told.result;
        }
        let record = self.vault.payment(&record.id).await.map_err(vault_problem)?.unwrap_or_else(|| record.clone());
        answer_of(self.full_outcome(&record, true).await?, &record)
    }

    fn lacks(&self, agent: &AgentName, lack: Lack) {
        self.tell(Event::Lacking { agent: agent.to_string(), lack });
    }

    fn tell_silent(&self, record: &Record) {
        let quote = &record.quote;
        let reference = self.registry.reference();
        self.tell(Event::Silent {
            payment: record.id.clone(),
            agent: record.agent.to_string(),
            amount: quote.exposure_value.map_or_else(|| quote.asset_text(), |v| format!("{v} {reference}")),
            micros: quote.exposure_value.map(|v| v.0),
        });
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Problem::new(Code::StorageUnavailable, format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// Whether the window of a form is over at `now`.
pub(crate) fn window_over(record: &Record, now: Millis) -> bool {
    record.valid_before.is_none_or(|end| now.seconds() >= end)
}

/// Whether a price is the one a person saw, in its terms and in the seller's words. One that names another host names it in no
/// term, so it is never the same.
fn is_as_shown(new: &Quoted, record: &Record, said: Option<&[u8]>) -> bool {
    new.quote.same_terms(&record.quote)
        && new.seller_says.as_deref().map(str::as_bytes) == said
        && !new.quote.risks.contains(&Risk::OtherResource)
}

fn json(price: &str) -> Result<&serde_json::value::RawValue, Problem> {
    serde_json::from_str(price).map_err(|_| Problem::new(Code::MalformedOffer, "the challenge is not JSON"))
}

fn conflict() -> Problem {
    Problem::new(Code::IdempotencyConflict, "this key was used for a different request")
}

fn unknown_challenge(too_large: bool) -> Problem {
    if too_large {
        Problem::new(Code::MalformedOffer, "the seller's 402 answer is larger than 64 KB")
    } else {
        Problem::new(Code::UnsupportedOffer, "the seller asks for payment in a way Countersign does not know")
    }
}

/// Asks each protocol in turn. A price that is broken or bad ends the search; one that this build or this person cannot pay does not.
fn first_payable(asked: &[Asked<'_>], context: QuoteContext<'_>) -> Result<Quoted, Problem> {
    let mut refused: Vec<QuoteError> = Vec::new();
    for (rail, challenge) in asked {
        match rail.quote(*challenge, context) {
            Ok(quoted) => return Ok(quoted),
            Err(error) if error.leaves_others() => refused.push(error),
            Err(error) => return Err(quote_problem(error)),
        }
    }
    if refused.iter().any(|error| *error != QuoteError::NotThisRail) {
        refused.retain(|error| *error != QuoteError::NotThisRail);
    }
    let words: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let problem = quote_problem(refused.into_iter().next().unwrap_or(QuoteError::NotThisRail));
    Err(if words.len() > 1 { Problem { detail: words.join("; "), ..problem } } else { problem })
}

fn quote_problem(error: QuoteError) -> Problem {
    let problem = Problem::new(Code::from_word(error.code()).unwrap_or(Code::UnsupportedOffer), error.to_string());
    match error {
        QuoteError::NoCard => {
            problem.saying("Ask the person to set up what pays at Stripe: `countersign stripe setup`.")
        }
        _ => problem,
    }
}

fn wire_problem(error: WireError) -> Problem {
    let code = match error {
        WireError::Private(_) => Code::PrivateHost,
        WireError::Redirect(_) => Code::RedirectRefused,
        WireError::Unreachable(_) => Code::SellerUnreachable,
    };
    Problem::new(code, error.to_string())
}
