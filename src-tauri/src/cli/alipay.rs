//! `countersign alipay`: the merchant whose pages and refunds agents can ask for.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use countersign_vault::keys::Secret;
use std::path::PathBuf;

use super::{Exit, finish, setup::read_longer};
use crate::{alipay::setup::Said, app::Place, control::Op};

/// No key in base64 is longer.
const MOST: usize = 16 * 1024;

#[derive(Debug, Subcommand)]
pub enum AlipayVerb {
    /// Keeps a merchant in the vault, in the place of the one before. Keys come from files or stdin, never from an argument.
    Setup {
        /// The app's number at Alipay.
        #[arg(long, value_name = "ID")]
        app_id: String,
        /// File with the app's private key: PKCS#1 or PKCS#8, base64 or PEM. From stdin if not given.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Makes a private key instead, and prints the public key for Alipay's console.
        #[arg(long, conflicts_with = "key_file")]
        generate: bool,
        /// File with Alipay's public key, as its console shows it.
        #[arg(long, value_name = "FILE")]
        alipay_key_file: PathBuf,
        /// `prod`, `sandbox` for Alipay's own test environment, or an address.
        #[arg(long, value_name = "URL", default_value = "prod")]
        gateway: String,
        /// Where a buyer is sent after paying.
        #[arg(long, value_name = "URL")]
        return_url: Option<String>,
        /// Where Alipay tells a server of yours.
        #[arg(long, value_name = "URL")]
        notify_url: Option<String>,
    },
    /// Checks the keys; while Countersign runs, asks the gateway about an order nobody has. Moves nothing.
    Check,
    /// Forgets the merchant and its key.
    Remove,
}

pub fn run(place: &Place, verb: AlipayVerb, json: bool) -> anyhow::Result<Exit> {
    match verb {
        AlipayVerb::Setup { app_id, key_file, generate, alipay_key_file, gateway, return_url, notify_url } => {
            let key = if generate { Secret::copy_of(b"") } else { read_longer(key_file, "private key", MOST)? };
            if !generate && key.expose().is_empty() {
                bail!("the private key is empty; `--generate` makes one");
            }
            let alipay_key = std::fs::read_to_string(&alipay_key_file)
                .with_context(|| format!("reading Alipay's public key from {}", alipay_key_file.display()))?;
            let alipay_key = alipay_key.trim().to_owned();
            let said = Said { app_id, gateway, alipay_key, return_url, notify_url };
            said.merchant()?;
            let done = move |made: &serde_json::Value| {
                println!("The merchant is set up. Its public key, for Alipay's console:");
                println!("{}", made["public_key"].as_str().unwrap_or_default());
            };
            finish(place, Op::AlipaySetup { said, key }, done, json)
        }
        AlipayVerb::Check => finish(
            place,
            Op::AlipayCheck,
            |found| {
                println!("App {} at {}.", found["app_id"].as_str().unwrap_or_default(), found["gateway"].as_str().unwrap_or_default());
                match found["tried"].is_object() {
                    true => println!("The gateway answers, and both sides know the other's key."),
                    false => println!("The keys can be used. Start Countersign to ask the gateway, too."),
                }
            },
            json,
        ),
        AlipayVerb::Remove => finish(place, Op::AlipayRemove, |_| println!("The merchant and its key are forgotten."), json),
    }
}
