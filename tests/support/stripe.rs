//! A double of Stripe with a shop of the official MPP server on it: `tests/stack/stripe-seller.mjs`.

use serde_json::Value;
use std::process::Command;

use super::{Place, announced::Announced, world::stack};

/// What a place needs to pay there.
pub const ON: &str =
    "[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n[rails]\nmpp = [\"evm/charge\", \"stripe/charge\"]\n";

/// A running one.
pub struct StripeShop(Announced);

impl StripeShop {
    /// Starts it.
    pub fn start() -> Self {
        Self(Announced::start(Command::new("node").arg("stripe-seller.mjs").current_dir(stack())))
    }

    /// Sets a payment method up in a place: what `countersign stripe setup` printed.
    pub fn set_up(&self, place: &Place) -> Value {
        let key = place.path().join("stripe-key");
        std::fs::write(&key, "rk_test_countersign\n").expect("a file");
        let key = key.display().to_string();
        let words = ["stripe", "setup", "--payment-method", "pm_card_visa", "--key-file", &key, "--json"];
        place.ok(&[&words[..], &["--api", &self.0.url]].concat())
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.0.url)
    }

    /// Bends it.
    pub async fn becomes(&self, how: &Value) {
        self.0.becomes(how).await;
    }

    /// What arrived there.
    pub async fn seen(&self) -> Value {
        self.0.seen().await
    }

    /// How many tokens it made, how many credentials it was shown, and how often it took money.
    pub async fn counts(&self) -> [usize; 3] {
        let seen = self.seen().await;
        ["minted", "credentials", "charges"].map(|name| seen[name].as_array().expect("a list").len())
    }
}
