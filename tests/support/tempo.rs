//! A Tempo chain with a shop of the official MPP server on it: `tests/stack/tempo-seller.mjs`.

use serde_json::{Value, json};
use std::process::Command;

use super::{
    announced::{Announced, client},
    world::stack,
};

/// The network it is.
pub const NETWORK: &str = "eip155:42431";

/// A running one.
pub struct Tempo(Announced);

impl Tempo {
    /// Starts it.
    pub fn start() -> Self {
        let mut command = Command::new("node");
        command.current_dir(stack()).arg("tempo-seller.mjs");
        Self(Announced::start(&mut command))
    }

    /// Its node, who is paid, and to whom a shared price goes besides.
    pub async fn place(&self) -> Place {
        let place: Value = self.get("/place").await;
        let text = |name: &str| place[name].as_str().expect("text").to_owned();
        Place { rpc: text("rpc"), pay_to: text("pay_to") }
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.0.url)
    }

    /// Pages that got a credential, and how many were paid.
    pub async fn seen(&self) -> Value {
        self.0.seen().await
    }

    /// How many credentials a page got.
    pub async fn sent(&self, page: &str) -> usize {
        let seen = self.seen().await;
        seen["credentials"].as_array().expect("a list").iter().filter(|sent| sent["page"] == page).count()
    }

    /// What an account holds, atomic units.
    pub async fn balance(&self, account: &str) -> u64 {
        let told = self.get(&format!("/balance/{account}")).await;
        told["balance"].as_str().and_then(|units| units.parse().ok()).expect("a number")
    }

    /// Gives an account 100 pathUSD.
    pub async fn fund(&self, account: &str) {
        self.0.becomes(&json!({"fund": account})).await;
    }

    /// Seconds and blocks pass.
    pub async fn mine(&self, blocks: u64, seconds: i64) {
        self.0.becomes(&json!({"mine": blocks, "seconds": seconds})).await;
    }

    async fn get(&self, path: &str) -> Value {
        client().get(self.page(path)).send().await.expect("an answer").json().await.expect("JSON")
    }
}

/// Where things are.
pub struct Place {
    /// The chain's node.
    pub rpc: String,
    /// Who is paid.
    pub pay_to: String,
}
