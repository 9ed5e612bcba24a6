//! `countersign policy`.

use anyhow::Context as _;
use clap::Subcommand;
use countersign_core::policy::Policy;
use std::path::PathBuf;

use super::{Exit, finish};
use crate::{app::Place, config::Config, control::Op};

#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Prints the policy in force.
    Show,
    /// Checks a file without using it.
    Check {
        /// The policy file.
        file: PathBuf,
    },
    /// Puts a file in force; a loosening while Countersign runs asks you there.
    Set {
        /// The policy file.
        file: PathBuf,
    },
    /// Says why a payment was allowed, asked or refused.
    Explain {
        /// The payment's id.
        payment: String,
    },
}

pub fn run(place: &Place, verb: PolicyVerb, json: bool) -> anyhow::Result<Exit> {
    match verb {
        PolicyVerb::Show => finish(
            place,
            Op::PolicyShow,
            |shown| {
                print!("{}", shown["toml"].as_str().unwrap_or_default());
                complain(&shown["warnings"]);
                for doubt in shown["doubts"].as_object().into_iter().flatten().filter_map(|(_, why)| why.as_str()) {
                    eprintln!("attention: {doubt}");
                }
            },
            json,
        ),
        PolicyVerb::Check { file } => check(place, &file, json),
        PolicyVerb::Set { file } => {
            let toml = read(&file)?;
            let name = file.display().to_string();
            finish(
                place,
                Op::PolicySet { toml },
                |set| {
                    match set["policy"].as_str() {
                        Some("same") => println!("{name} is the policy already."),
                        Some("unconfirmed") => {
                            println!("{name} is in force and looser than before:");
                            for why in set["reasons"].as_array().into_iter().flatten().filter_map(|r| r.as_str()) {
                                println!("  {why}");
                            }
                            println!(
                                "The desktop app asks about everything until you confirm it there; `countersign serve` accepts it."
                            );
                        }
                        _ => println!("{name} is in force."),
                    }
                    complain(&set["warnings"]);
                },
                json,
            )
        }
        PolicyVerb::Explain { payment } => finish(place, Op::PolicyExplain { payment }, explain, json),
    }
}

fn read(file: &std::path::Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
}

fn check(place: &Place, file: &std::path::Path, json: bool) -> anyhow::Result<Exit> {
    let config = Config::load(&place.config)?;
    let policy = Policy::parse(&read(file)?, &config.currency.reference)
        .with_context(|| format!("{} is not a valid policy", file.display()))?;
    let warnings = serde_json::json!(policy.told());
    if json {
        println!("{}", serde_json::json!({"valid": true, "warnings": warnings}));
    } else {
        println!("{} is a valid policy.", file.display());
        complain(&warnings);
    }
    Ok(Exit::Done)
}

fn complain(warnings: &serde_json::Value) {
    for warning in warnings.as_array().into_iter().flatten().filter_map(|w| w.as_str()) {
        eprintln!("warning: {warning}");
    }
}

fn explain(value: &serde_json::Value) {
    let record = &value["record"];
    let text = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    println!("{} is {}", text(&record["id"]), text(&record["status"]));
    for step in value["steps"].as_array().into_iter().flatten() {
        println!("{}  {}", text(&step["at"]), text(&step["event"]));
        let decision = &step["decision"];
        if decision.is_null() {
            continue;
        }
        println!("    {} by {}", text(&decision["effect"]), text(&decision["rule"]));
        for why in decision["because"].as_array().into_iter().flatten() {
            println!("    also {}", text(why));
        }
        for line in decision["budgets"].as_array().into_iter().flatten() {
            let max = line["max"].as_str().map_or_else(String::new, |m| format!(" of {m}"));
            println!("    budget {}: {} to {}{max}", text(&line["id"]), text(&line["before"]), text(&line["after"]));
        }
    }
}
