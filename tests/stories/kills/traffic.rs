//! The agents of the kill loop: most send payments for the caller to deliver, some fetch, a few want more than goes without asking.

use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{sync::Notify, task::JoinSet};

use super::{
    Seen,
    left::Left,
    seller::{MPP, long_offer},
};
use crate::support::{
    Client,
    client::{Answered, authorization, pay_body},
    hostile_seller::required,
};

/// Who pays, who fetches, and who asks.
pub const AGENTS: [&str; 4] = ["payer", "fetcher", "asker-0", "asker-1"];
const URL: &str = "https://api.example";

/// What the agents of one life of the service share.
#[derive(Clone)]
pub struct Traffic {
    clients: Vec<Client>,
    seller: String,
    left: Arc<Left>,
    /// Requests on their way.
    pub flying: Arc<AtomicUsize>,
    /// Refusals by the budget.
    pub over_budget: Arc<AtomicUsize>,
    /// A credential left.
    pub first: Arc<Notify>,
}

impl Traffic {
    /// For a service at this address, with one token for each of [`AGENTS`].
    pub fn new(client: &Client, url: &str, tokens: &[String], seller: &str, left: Arc<Left>) -> Self {
        let clients = tokens.iter().map(|token| client.of(url, token)).collect();
        let (flying, over_budget, first) = Default::default();
        Self { clients, seller: seller.to_owned(), left, flying, over_budget, first }
    }

    /// So many agents at once: a quarter of them fetches, half of those by MPP, two ask.
    pub fn start(&self, round: usize, agents: usize) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for agent in 0..agents {
            let way = match agent {
                0 => "ask-0",
                1 => "ask-1",
                n if n % 8 == 6 => MPP,
                n if n % 4 == 2 => "fetch",
                _ => "pay",
            };
            let own = self.clone();
            tasks.spawn(async move { own.drive(&format!("{way}-{round}-{agent}")).await });
        }
        tasks
    }

    /// New keys, and now and then the key before it again, until the service dies.
    async fn drive(&self, name: &str) {
        for n in 0.. {
            let key = format!("{name}-{}", if n % 4 == 3 { n - 1 } else { n });
            self.flying.fetch_add(1, Ordering::SeqCst);
            let answered = self.send(&key).await;
            self.flying.fetch_sub(1, Ordering::SeqCst);
            match answered {
                Ok((200, _)) => self.first.notify_one(),
                Ok((403, problem)) if problem["code"] == "over_budget" => {
                    self.over_budget.fetch_add(1, Ordering::SeqCst);
                }
                // Too many questions within a minute: enough were asked in this life.
                Ok((429, _)) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Sends the request that belongs to a key, and notes what left with its answer.
    async fn send(&self, key: &str) -> Result<Answered, reqwest::Error> {
        let (client, path, body) = if is_fetched(key) {
            let url = format!("{}/{key}", self.seller);
            (1, "/v1/fetch", json!({"url": url, "idempotency_key": key, "wait_seconds": 0}))
        } else if key.starts_with("ask") {
            (if key.starts_with("ask-0") { 2 } else { 3 }, "/v1/payments", pay(key, "20000", 20))
        } else {
            (0, "/v1/payments", pay(key, "10000", 0))
        };
        let answered = self.clients[client].try_send(reqwest::Method::POST, path, Some(&body)).await?;
        if let Some(signed) = authorization(&answered.1) {
            self.left.record(key, &signed);
        }
        Ok(answered)
    }

    /// Whatever left a credential is known to the ledger, and its key gets the same signature again: never another, never none.
    pub async fn derive_again(&self, keys: Vec<String>, seen: &mut Seen) {
        for key in keys {
            let (status, outcome) = self.send(&key).await.expect("an answer");
            let signed = authorization(&outcome).is_some();
            let known = if is_fetched(&key) {
                ["completed", "unknown"].iter().any(|word| outcome["status"] == *word)
            } else {
                outcome["status"] == "authorized" && signed
            };
            seen.derived += usize::from(known);
            if status != 200 || !known {
                seen.violations.push(format!(
                    "{key} left a credential, and the ledger does not know it: {status} {} {}",
                    outcome["status"], outcome["code"]
                ));
            }
        }
        self.left.take_fresh();
    }
}

/// Whether we make the paid request ourselves.
fn is_fetched(key: &str) -> bool {
    key.starts_with("fetch") || key.starts_with(MPP)
}

/// A payment the caller delivers itself; each key buys its own thing, so that none joins another.
fn pay(key: &str, amount: &str, wait: u64) -> Value {
    let url = format!("{URL}/{key}");
    let challenge = required(&url, vec![long_offer(amount)]);
    let mut body = pay_body(&url, &challenge, key);
    body["wait_seconds"] = json!(wait);
    body
}
