//! The person's payment method at Stripe: tokens asked for where a payment was reserved, and asked about until they ended.
//!
//! Without one nothing is paid by method `stripe`. Nothing here decides or keeps money: what is asked for is what was written down.

mod issue;
mod provider;
pub mod setup;

use countersign_core::{
    rail::Card,
    signable::spt::{self, Spt},
};
use countersign_desk::wire::{Answer, Outgoing, Wire};
use countersign_rails::mpp::may_ask;
use countersign_vault::{
    Clock, Vault,
    keys::{KeysError, Secret, StripeProfile},
};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use url::Url;
use zeroize::Zeroize as _;

/// Where requests go.
const API: &str = "https://api.stripe.com";
/// The version whose words are read: tokens are in preview.
const VERSION: &str = "2026-07-29.preview";
/// Most bytes of an answer that are read; Stripe's are far shorter.
const MOST: usize = 64 * 1024;
/// How often a key store that did not tell what pays is tried: a keyring that is asked may open a prompt.
const TRY_EVERY: Duration = Duration::from_secs(30);
/// A token nobody has.
const NOBODYS: &str = "spt_countersigncheck0";

/// What the key store told of what pays.
#[derive(Debug)]
enum Told {
    /// This, or that there is none.
    Known(Option<StripeProfile>),
    /// Nothing. It is tried again, but not before this moment.
    Nothing { next: Instant },
}

/// Everything about Stripe that is shared.
pub struct Stripe {
    vault: Vault,
    wire: Wire,
    clock: Arc<dyn Clock>,
    told: RwLock<Told>,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stripe")
    }
}

/// One request, with what belongs to it alone.
struct Asking<'a> {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: &'a [u8],
}

impl Stripe {
    /// With what pays by this vault, if anything does.
    pub async fn open(vault: Vault, wire: &Wire, clock: Arc<dyn Clock>) -> Arc<Self> {
        let told = RwLock::new(Told::Known(None));
        let stripe = Self { vault, wire: wire.narrowed(MOST), clock, told };
        stripe.load().await.ok();
        Arc::new(stripe)
    }

    /// Reads again what pays: it was set up, or taken away.
    pub async fn load(&self) -> anyhow::Result<()> {
        let read = self.vault.stripe().await;
        let (told, read) = match read {
            Ok(profile) => (Told::Known(profile), Ok(())),
            Err(error) => {
                tracing::warn!(%error, "what pays at Stripe cannot be read; until it is, nothing is paid there");
                (Told::Nothing { next: Instant::now() + TRY_EVERY }, Err(error.into()))
            }
        };
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = told;
        read
    }

    /// Reads it again if the key store did not tell it, now and then: its owner may have unlocked it since.
    async fn try_again(&self) {
        match &mut *self.told.write().unwrap_or_else(PoisonError::into_inner) {
            Told::Nothing { next } if *next <= Instant::now() => *next = Instant::now() + TRY_EVERY,
            _ => return,
        }
        self.load().await.ok();
    }

    fn profile(&self) -> Option<StripeProfile> {
        match &*self.told.read().unwrap_or_else(PoisonError::into_inner) {
            Told::Known(profile) => profile.clone(),
            Told::Nothing { .. } => None,
        }
    }

    fn pays(&self) -> Option<Card> {
        self.profile().map(|profile| Card { payment_method: profile.payment_method, live: profile.live })
    }

    /// Whether the key may ask about tokens: it is asked about one that nobody has. Moves nothing.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub async fn check(&self) -> anyhow::Result<StripeProfile> {
        let (profile, key) = self.vault.stripe_key().await?;
        let asking = Asking {
            method: "GET",
            path: format!("{}/{NOBODYS}", spt::seen_at(profile.live)),
            headers: Vec::new(),
            body: &[],
        };
        let answer = self.send(&profile, &key, asking).await.map_err(anyhow::Error::msg)?;
        may_ask(answer.status, &answer.body).map_err(anyhow::Error::msg)?;
        Ok(profile)
    }

    /// What pays, with its key, if it is what this form was written for.
    async fn key_for(&self, form: &Spt) -> Result<(StripeProfile, Secret), KeysError> {
        let (profile, key) = self.vault.stripe_key().await?;
        let same = profile.payment_method == form.payment_method && profile.live == form.live;
        if same { Ok((profile, key)) } else { Err(KeysError::OtherStripe) }
    }

    async fn send(&self, profile: &StripeProfile, key: &Secret, asking: Asking<'_>) -> Result<Answer, String> {
        let at = format!("{}{}", profile.api.as_deref().unwrap_or(API), asking.path);
        let url = Url::parse(&at).map_err(|error| error.to_string())?;
        let key = std::str::from_utf8(key.expose()).map_err(|error| error.to_string())?;
        let mut headers = asking.headers;
        headers.push(("stripe-version".to_owned(), VERSION.to_owned()));
        headers.push(("authorization".to_owned(), format!("Bearer {key}")));
        let outgoing = Outgoing { method: asking.method, url: &url, headers: &headers, body: asking.body };
        let answer = self.wire.ask_once(&outgoing).await;
        headers.iter_mut().for_each(|(_, value)| value.zeroize());
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.too_large { Err("Stripe's answer is too long to be one".to_owned()) } else { Ok(answer) }
    }
}
