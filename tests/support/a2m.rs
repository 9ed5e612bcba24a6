//! A seller that is paid by Alipay's program for agents, with the program's stand-in: `tests/stack/a2m.mjs`.

use serde_json::Value;
use std::{os::unix::fs::PermissionsExt as _, process::Command};

use super::{
    Place,
    announced::{self, Announced},
    world::stack,
};

/// A running one.
pub struct A2m(Announced);

impl A2m {
    /// Starts it.
    pub fn start() -> Self {
        Self(Announced::start(Command::new("node").arg("a2m.mjs").current_dir(stack())))
    }

    /// A place with an agent's token, where purchases are on and the program stands in the data directory. `pinned`: the seller's key is
    /// known there.
    pub async fn place(&self, pinned: bool) -> (Place, String) {
        let place = Place::new("");
        let bot = place.path().join("alipay-bot");
        let script = stack().join("alipay-bot.mjs");
        std::fs::write(&bot, format!("#!/bin/sh\nexec node '{}' '{}' \"$@\"\n", script.display(), self.0.url))
            .expect("a file");
        std::fs::set_permissions(&bot, std::fs::Permissions::from_mode(0o700)).expect("a mode");
        let key: Value = announced::client()
            .get(format!("{}/key", self.0.url))
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        let sellers =
            if pinned { format!("sellers = {{ {} = {} }}\n", key["seller"], key["key"]) } else { String::new() };
        place.configure(&format!(
            "{}[alipay]\npurchases = true\nprogram = \"{}\"\n{sellers}",
            super::alipay::CONFIG,
            bot.display()
        ));
        let token = place.agent("buyer");
        (place, token)
    }

    /// The address of a thing.
    pub fn thing(&self, name: &str) -> String {
        format!("{}/buy/{name}", self.0.url)
    }

    /// Changes it.
    pub async fn becomes(&self, how: &Value) {
        self.0.becomes(how).await;
    }

    /// What arrived there.
    pub async fn seen(&self) -> Value {
        self.0.seen().await
    }

    /// How often the program was started with this verb.
    pub async fn runs(&self, verb: &str) -> usize {
        self.seen().await["runs"].as_array().expect("a list").iter().filter(|words| words[0] == verb).count()
    }
}
