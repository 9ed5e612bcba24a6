//! `countersign alipay`: the merchant whose pages and refunds agents can ask for.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use countersign_vault::keys::{Secret, merchant_public_key};
use std::path::PathBuf;

use super::{Exit, finish, setup::read_longer};
use crate::{
    alipay::setup::MerchantSetup,
    app::Place,
    control::{self, Op, Reply},
};

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
    /// Shows the merchant and its public key.
    Show,
    /// Checks a notice that Alipay posted to a server of yours, and says what to answer.
    Notice {
        /// File with the form as it was posted; stdin if not given.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Your number of the order.
        #[arg(long, value_name = "NUMBER")]
        out_trade_no: String,
        /// What it costs, in yuan.
        #[arg(long, value_name = "YUAN")]
        amount: String,
        /// Your account at Alipay, 2088…
        #[arg(long, value_name = "ID")]
        seller_id: Option<String>,
    },
    /// Checks the keys; while Countersign runs, asks the gateway about an order nobody has. Moves nothing.
    Check,
    /// Forgets the merchant and its key.
    Remove,
    /// Asks Alipay no more about a page that is open. The page itself stays: a buyer can still pay there.
    Unwatch {
        /// Its payment id; `countersign history` shows them.
        payment: String,
    },
    /// Asks Alipay about such a page again.
    Watch {
        /// Its payment id.
        payment: String,
    },
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
            let said = MerchantSetup { app_id, gateway, alipay_key, return_url, notify_url };
            said.merchant()?;
            let done = move |made: &serde_json::Value| {
                println!("The merchant is set up. Its public key, for Alipay's console:");
                println!("{}", made["public_key"].as_str().unwrap_or_default());
            };
            finish(place, Op::AlipaySetup { said, key }, done, json)
        }
        AlipayVerb::Show => finish(
            place,
            Op::AlipayShow,
            |found| match found["app_id"].as_str() {
                Some(app) => {
                    println!("App {app} at {}. Its public key:", found["gateway"].as_str().unwrap_or_default());
                    println!("{}", found["public_key"].as_str().unwrap_or_default());
                }
                None => println!("No merchant is set up; `countersign alipay setup` does it."),
            },
            json,
        ),
        AlipayVerb::Notice { file, out_trade_no, amount, seller_id } => {
            let form = match file {
                Some(file) => std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?,
                None => std::io::read_to_string(std::io::stdin()).context("reading the notice from stdin")?,
            };
            let op = Op::AlipayNotice { form, out_trade_no, amount, seller_id };
            let done = |said: &serde_json::Value| {
                let what = if said["paid"] == true { "The order was paid." } else { "The order was not paid by this." };
                println!("Alipay sent this. {what} Answer it with exactly: success");
            };
            finish(place, op, done, json)
        }
        AlipayVerb::Check => finish(
            place,
            Op::AlipayCheck,
            |found| {
                println!(
                    "App {} at {}.",
                    found["app_id"].as_str().unwrap_or_default(),
                    found["gateway"].as_str().unwrap_or_default()
                );
                match found["tried"].is_object() {
                    true => println!("The gateway answers, and both sides know the other's key."),
                    false => println!("The keys can be used. Start Countersign to ask the gateway, too."),
                }
            },
            json,
        ),
        AlipayVerb::Unwatch { payment } => finish(
            place,
            Op::AlipayWatch { payment, watched: false },
            |_| println!("Alipay is asked about this page no more. A buyer can still pay there."),
            json,
        ),
        AlipayVerb::Watch { payment } => finish(
            place,
            Op::AlipayWatch { payment, watched: true },
            |_| println!("Alipay is asked about this page until it is paid or closed."),
            json,
        ),
        AlipayVerb::Remove => {
            finish(place, Op::AlipayRemove, |_| println!("The merchant and its key are forgotten."), json)
        }
    }
}

/// A merchant in the variables of the official server, for clients that start us in its place.
fn of_the_environment() -> Option<anyhow::Result<Op>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (app_id, key, alipay_key) = (variable("AP_APP_ID")?, variable("AP_APP_KEY")?, variable("AP_PUB_KEY")?);
    if variable("AP_ENCRYPTION_ALGO").is_some_and(|algorithm| algorithm != "RSA2") {
        return Some(Err(anyhow::anyhow!("AP_ENCRYPTION_ALGO must be RSA2; the older RSA is not used")));
    }
    let said = MerchantSetup {
        app_id,
        gateway: variable("AP_CURRENT_ENV").unwrap_or_else(|| "prod".to_owned()),
        alipay_key,
        return_url: variable("AP_RETURN_URL"),
        notify_url: variable("AP_NOTIFY_URL"),
    };
    Some(said.merchant().map(|_| Op::AlipaySetup { said, key: Secret::new(key.into_bytes()) }).map_err(Into::into))
}

/// Takes such a merchant over into the vault of the running Countersign where there is none yet, after its owner was asked. Says to
/// remove the variables only where the vault has this very key.
pub async fn take_over(place: &Place) {
    let Some(op) = of_the_environment() else { return };
    match taken_over(place, op).await {
        Ok(()) => eprintln!(
            "countersign: the Alipay merchant is in the vault; remove AP_APP_KEY and the other AP_ variables from this client's settings"
        ),
        Err(error) => eprintln!("countersign: the Alipay merchant of the AP_ variables is not taken over: {error:#}"),
    }
}

async fn taken_over(place: &Place, op: anyhow::Result<Op>) -> anyhow::Result<()> {
    let op = op?;
    let Op::AlipaySetup { said, key } = &op else { bail!("not a merchant") };
    let public = merchant_public_key(key)?;
    let call = async |op: &Op| match control::call(&place.dir, op, super::show).await? {
        Reply::Done(value) => Ok(value),
        Reply::Failed(why) | Reply::Refused(why) | Reply::Unanswered(why) => bail!(why),
    };
    let there = call(&Op::AlipayShow).await?;
    if there.is_null() {
        return call(&op).await.map(drop);
    }
    if there["app_id"] != said.app_id || there["public_key"] != public {
        bail!("another merchant or another key is set up; `countersign alipay setup` puts this one in its place");
    }
    Ok(())
}
