//! `countersign stripe`: the payment method with which sellers are paid by tokens of Stripe's.

use clap::Subcommand;
use serde_json::Value;
use std::path::PathBuf;

use super::{Exit, finish, setup::read_secret};
use crate::{app::Place, control::Op, stripe::setup::StripeSetup};

#[derive(Debug, Subcommand)]
pub enum StripeVerb {
    /// Keeps a payment method of your own Stripe account with a restricted key, in the place of the one before. The key comes from a
    /// file or stdin, never from an argument.
    Setup {
        /// The payment method's id, pm_….
        #[arg(long, value_name = "ID")]
        payment_method: String,
        /// File with a restricted key, rk_test_… or rk_live_…, that may write shared payment tokens. From stdin if not given.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// A double of Stripe on this computer, with a test key.
        #[arg(long, value_name = "URL", hide = true)]
        api: Option<String>,
    },
    /// Shows what pays.
    Show,
    /// Checks the key; while Countersign runs, asks Stripe about a token that nobody has. Moves nothing.
    Check,
    /// Forgets the payment method and its key.
    Remove,
}

pub fn run(place: &Place, verb: StripeVerb, json: bool) -> anyhow::Result<Exit> {
    match verb {
        StripeVerb::Setup { payment_method, key_file, api } => {
            let key = read_secret(key_file, "restricted key")?;
            let said = StripeSetup { payment_method, api };
            said.profile(&key)?;
            let done = |made: &Value| {
                println!("{} It is used once \"stripe/charge\" stands in `rails.mpp`.", what(made));
            };
            finish(place, Op::StripeSetup { said, key }, done, json)
        }
        StripeVerb::Show => finish(
            place,
            Op::StripeShow,
            |found| match found.is_null() {
                true => println!("No payment method is set up; `countersign stripe setup` does it."),
                false => println!("{}", what(found)),
            },
            json,
        ),
        StripeVerb::Check => finish(
            place,
            Op::StripeCheck,
            |found| match found["tried"].is_object() {
                true => println!("{} Stripe answers, and takes the key.", what(found)),
                false => println!("{} Start Countersign to ask Stripe, too.", what(found)),
            },
            json,
        ),
        StripeVerb::Remove => {
            finish(place, Op::StripeRemove, |_| println!("The payment method and its key are forgotten."), json)
        }
    }
}

fn what(found: &Value) -> String {
    let money = if found["live"] == true { "real" } else { "play" };
    format!("{} pays, with {money} money.", found["payment_method"].as_str().unwrap_or_default())
}
