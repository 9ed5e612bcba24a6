//! `countersign gateway`: paid MCP servers behind the running Countersign.

use clap::Subcommand;
use countersign_vault::keys::Secret;
use std::path::PathBuf;
use url::Url;

use super::{Exit, finish, setup::read_key};
use crate::{
    app::Place,
    control::Op,
    gateway::{Name, Target},
};

#[derive(Debug, Subcommand)]
pub enum GatewayVerb {
    /// Adds one, after you have seen in the app exactly what is reached.
    Add {
        /// Your name for it: 1 to 40 of a-z, 0-9 and '-'.
        name: Name,
        /// Its address.
        #[arg(required_unless_present = "command")]
        url: Option<String>,
        /// Or the command that starts it.
        #[arg(last = true, conflicts_with = "url")]
        command: Vec<String>,
    },
    /// Logs in to one in your browser, after you have seen in the app where it goes.
    Login {
        /// Its name.
        name: Name,
        /// What its authorization server calls us, where you were given that; otherwise we register there.
        #[arg(long, value_name = "ID")]
        client_id: Option<String>,
        /// File with the secret that goes with it.
        #[arg(long, value_name = "FILE", requires = "client_id")]
        client_secret_file: Option<PathBuf>,
        /// Where a client metadata document lies that names us, for servers that take one.
        #[arg(long, value_name = "URL", conflicts_with = "client_id")]
        client_metadata: Option<Url>,
    },
    /// Forgets the login of one.
    Logout {
        /// Its name.
        name: Name,
    },
    /// Lists them.
    List,
    /// Takes one away.
    Remove {
        /// Its name.
        name: Name,
    },
}

pub fn run(place: &Place, verb: GatewayVerb, json: bool) -> anyhow::Result<Exit> {
    match verb {
        GatewayVerb::Add { name, url, command } => {
            let words = url.map_or(command, |url| vec![url]);
            let (target, said) = (Target::of_words(&words)?, name.clone());
            let done = move |_: &_| {
                println!("An MCP client reaches it with `countersign mcp --gateway {said}`, or at /mcp/{said}.")
            };
            finish(place, Op::GatewayAdd { name, target }, done, json)
        }
        GatewayVerb::Login { name, client_id, client_secret_file, client_metadata } => {
            let client_secret = match client_secret_file {
                Some(file) => read_key(Some(file))?,
                None => Secret::copy_of(b""),
            };
            let said = name.clone();
            let done = move |_: &_| println!("Logged in. Every agent uses {said} with this login.");
            finish(place, Op::GatewayLogin { name, client_id, client_secret, client_metadata }, done, json)
        }
        GatewayVerb::Logout { name } => {
            let said = name.clone();
            let done = move |_: &_| println!("The login of {said} is forgotten.");
            finish(place, Op::GatewayLogout { name }, done, json)
        }
        GatewayVerb::List => finish(
            place,
            Op::GatewayList,
            |list| {
                for upstream in list["upstreams"].as_array().into_iter().flatten() {
                    let command = upstream["target"]["command"].as_array();
                    let words = command
                        .map(|words| words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" "));
                    let what =
                        words.unwrap_or_else(|| upstream["target"]["url"].as_str().unwrap_or_default().to_owned());
                    println!("{}  {what}", upstream["name"].as_str().unwrap_or_default());
                }
            },
            json,
        ),
        GatewayVerb::Remove { name } => {
            let said = name.clone();
            finish(
                place,
                Op::GatewayRemove { name },
                move |_| println!("{said} is no longer behind Countersign."),
                json,
            )
        }
    }
}
