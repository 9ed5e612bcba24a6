//! Alipay's tools: the merchant that was set up, the way to its gateway, and orders handed to the one desk.
//!
//! Without a merchant there is none of it. Nothing here decides, signs or keeps money: orders are payments like all others.

mod buyer;
mod carrier;
pub mod check;
mod names;
mod order;
mod provider;
pub mod setup;
pub mod shape;
#[cfg(test)]
mod tests;

use anyhow::Context as _;
use countersign_core::{
    origin::Origin,
    payment::Quote,
    signable::alipay::{About, Question},
};
use countersign_desk::{
    problem::{Code, Problem},
    wire::{Answer, Outgoing, Wire, WireError},
};
use countersign_rails::alipay::{PublicKey, Said, Sent, TradeFound, refund_found, trade_found};
use countersign_vault::{Clock, Vault, VaultError, keys::Merchant};
use serde_json::{Value, json};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use url::Url;

pub use buyer::AlipayBot;
pub use names::{Tool, is_ours};
use shape::{RefundQuery, TradeQuery};

/// Most bytes of an answer that are read; the gateway's are far shorter.
const MOST: usize = 64 * 1024;
/// How often a key store that did not tell the merchant is tried: a keyring that is asked may open a prompt.
const TRY_EVERY: Duration = Duration::from_secs(30);
/// How long what can also be shown later waits for the key store.
const A_MOMENT: Duration = Duration::from_millis(500);

/// The merchant as it is used.
#[derive(Debug, Clone)]
pub struct Profile {
    /// As it was set up.
    pub merchant: Merchant,
    /// Where requests go.
    pub gateway: Url,
    /// What answers are checked with.
    pub key: PublicKey,
}

/// Where an order goes: what was decided about one place is not sent to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    app_id: String,
    gateway: Url,
    sandbox: bool,
}

impl Profile {
    /// Where its orders go.
    fn destination(&self) -> Destination {
        let Merchant { app_id, sandbox, .. } = &self.merchant;
        Destination { app_id: app_id.clone(), gateway: self.gateway.clone(), sandbox: *sandbox }
    }

    /// Whether a payment was ordered for this profile's app at its gateway, which alone knows of it.
    fn ordered(&self, quote: &Quote) -> bool {
        quote.wallet == format!("alipay:{}", self.merchant.app_id)
            && Origin::of(&self.gateway).is_ok_and(|origin| origin == quote.payee.origin)
            && quote.testnet == self.merchant.sandbox
    }
}

/// What the key store told of the merchant.
#[derive(Debug)]
enum Told {
    /// There is one, or none.
    Known(Option<Box<Profile>>),
    /// Nothing: it was locked, or broke down. It is tried again, but not before this moment.
    Nothing { why: Problem, next: Instant },
}

/// Everything about Alipay that is shared.
pub struct Alipay {
    vault: Vault,
    wire: Wire,
    clock: Arc<dyn Clock>,
    told: RwLock<Told>,
}

impl std::fmt::Debug for Alipay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Alipay")
    }
}

impl Alipay {
    /// With the merchant of this vault, if there is one.
    pub async fn open(vault: Vault, wire: &Wire, clock: Arc<dyn Clock>) -> Arc<Self> {
        let alipay = Self { vault, wire: wire.narrowed(MOST), clock, told: RwLock::new(Told::Known(None)) };
        alipay.load().await.ok();
        Arc::new(alipay)
    }

    /// Reads the merchant again: it was set up, or taken away.
    pub async fn load(&self) -> anyhow::Result<()> {
        let (told, read) = match self.read().await {
            Ok(profile) => (Told::Known(profile.map(Box::new)), Ok(())),
            Err(error) => {
                tracing::warn!(%error, "the Alipay profile cannot be read; until it is, its tools are not offered");
                let why = match error.downcast_ref::<VaultError>() {
                    Some(VaultError::Locked) => locked(),
                    _ => Problem::new(Code::StorageUnavailable, format!("the Alipay profile: {error:#}")),
                };
                (Told::Nothing { why, next: Instant::now() }, Err(error))
            }
        };
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = told;
        read
    }

    /// Reads the merchant if the key store did not tell it, now and then: its owner may have unlocked it since.
    pub async fn knock(&self) {
        match &mut *self.told.write().unwrap_or_else(PoisonError::into_inner) {
            Told::Nothing { next, .. } if *next <= Instant::now() => *next = Instant::now() + TRY_EVERY,
            _ => return,
        }
        if self.load().await.is_err()
            && let Told::Nothing { next, .. } = &mut *self.told.write().unwrap_or_else(PoisonError::into_inner)
        {
            *next = Instant::now() + TRY_EVERY;
        }
    }

    /// The same for whoever goes on without it after a moment: a keyring may have opened a prompt.
    pub async fn knock_briefly(self: &Arc<Self>) {
        let alipay = self.clone();
        let knocking = tokio::spawn(async move { alipay.knock().await });
        tokio::time::timeout(A_MOMENT, knocking).await.ok();
    }

    async fn read(&self) -> anyhow::Result<Option<Profile>> {
        let Some(merchant) = self.vault.merchant().await? else { return Ok(None) };
        let gateway = Url::parse(&merchant.gateway).context("its gateway")?;
        let key = PublicKey::parse(&merchant.alipay_key).context("Alipay's key")?;
        Ok(Some(Profile { merchant, gateway, key }))
    }

    /// Whether there is a merchant, as far as the key store told, so that there are tools.
    pub fn is_set_up(&self) -> bool {
        self.profile().is_ok()
    }

    /// For the page that shows it: the merchant as it is used, without its key; none if there is none.
    ///
    /// # Errors
    /// The key store does not tell.
    #[cfg(feature = "gui")]
    pub fn merchant(&self) -> Result<Option<Merchant>, Problem> {
        match &*self.told.read().unwrap_or_else(PoisonError::into_inner) {
            Told::Known(profile) => Ok(profile.as_ref().map(|profile| profile.merchant.clone())),
            Told::Nothing { why, .. } => Err(why.clone()),
        }
    }

    /// The merchant.
    fn profile(&self) -> Result<Profile, Problem> {
        match &*self.told.read().unwrap_or_else(PoisonError::into_inner) {
            Told::Known(Some(profile)) => Ok(Profile::clone(profile)),
            Told::Known(None) => Err(Problem::new(Code::NotFound, "there is no Alipay profile: a person sets one up")
                .saying("Ask the person to set the merchant up: `countersign alipay setup`.")),
            Told::Nothing { why, .. } => Err(why.clone()),
        }
    }

    /// Answers a tool that only asks.
    pub async fn look_up(&self, tool: Tool, arguments: &str) -> Result<Value, Problem> {
        self.knock().await;
        let profile = self.profile()?;
        if tool == Tool::QueryRefund {
            let RefundQuery { out_trade_no, out_request_no } = shape::read::<RefundQuery>(arguments)?.checked()?;
            let about = About::Refund { out_trade_no: out_trade_no.clone(), out_request_no: out_request_no.clone() };
            let said = self.ask(&profile, about).await?;
            return Ok(json!(shape::Refund::of(refund_found(&out_trade_no, &out_request_no, &said))?));
        }
        let TradeQuery { out_trade_no } = shape::read::<TradeQuery>(arguments)?.checked()?;
        Ok(json!(shape::Trade::of(self.trade(&profile, &out_trade_no).await?)?))
    }

    async fn trade(&self, profile: &Profile, out_trade_no: &str) -> Result<TradeFound, Problem> {
        let said = self.ask(profile, About::Trade { out_trade_no: out_trade_no.to_owned() }).await?;
        Ok(trade_found(out_trade_no, &said))
    }

    /// Asks the gateway, and hears only what Alipay signed.
    async fn ask(&self, profile: &Profile, about: About) -> Result<Said, Problem> {
        let question = Question { app_id: profile.merchant.app_id.clone(), at: self.clock.wall().seconds(), about };
        let (method, parameters) = (question.method(), question.parameters());
        let signature = self.vault.sign_question(question).await.map_err(|error| match error {
            VaultError::Locked => locked(),
            other => Problem::new(Code::StorageUnavailable, other.to_string()),
        })?;
        let answer = self.send(profile, &Sent::new(&parameters, &signature)).await;
        let unreachable = |why: String| shape::unlearnt(format!("Alipay's gateway: {why}"));
        let answer = answer.map_err(|error| unreachable(error.to_string()))?;
        Said::open(&profile.key, method, answer.status, &answer.body).map_err(|error| unreachable(error.to_string()))
    }

    async fn send(&self, profile: &Profile, sent: &Sent) -> Result<Answer, WireError> {
        let (url, body) = sent.at(&profile.gateway);
        let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded;charset=utf-8".to_owned())];
        self.wire.ask_once(&Outgoing { method: "POST", url: &url, headers: &headers, body }).await
    }
}

fn locked() -> Problem {
    Problem::new(Code::Locked, "the keyring is locked")
}
