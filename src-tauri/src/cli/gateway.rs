//! `countersign gateway`: paid MCP servers behind the running Countersign.

use clap::Subcommand;

use super::{Exit, finish};
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
