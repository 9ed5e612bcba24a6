//! `countersign backup` and `countersign restore`: ledger and settings in one file, and the way back. Keys of wallets are in neither.

use anyhow::Context as _;
use clap::Args;
use countersign_vault::{Clock as _, SystemClock};
use serde_json::json;
use std::path::{Path, PathBuf};

use super::{Exit, connect::agreed};
use crate::{app::Place, backup};

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// What `countersign backup` wrote.
    file: PathBuf,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
}

pub fn make(place: &Place, file: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let file = std::path::absolute(file).context("the file")?;
    backup::make(place, &file, SystemClock.wall())?;
    if as_json {
        println!("{}", json!({"file": file}));
    } else {
        println!("{}", file.display());
        eprintln!("Payments, limits and settings are in it, with the addresses of your nodes as you wrote them.");
        eprintln!("It is not encrypted: keep it in a safe place. No wallet's key and no agent's token is in it.");
    }
    Ok(Exit::Done)
}

pub fn restore(place: &Place, args: &RestoreArgs, as_json: bool) -> anyhow::Result<Exit> {
    if !args.yes {
        eprintln!("The ledger and the settings in {} are replaced and set aside.", place.dir.display());
        eprintln!("Every agent's token dies, and everything asks until you confirm the restored history.");
        eprintln!("Budgets that run now count as used up until they begin anew, also after you confirmed it.");
        if !agreed(as_json)? {
            eprintln!("countersign: nothing was changed");
            return Ok(Exit::Denied);
        }
    }
    let (restored, notes) = backup::restore(place, &args.file, SystemClock.wall())?;
    if as_json {
        println!("{}", json!({"made": restored.made.rfc3339(), "before": restored.before, "notes": notes}));
    } else {
        println!("Restored as of {}.", restored.made.rfc3339());
        notes.iter().for_each(|note| println!("{note}"));
        println!("Countersign asks at its next start whether to go on with this history; connect your agents again.");
    }
    Ok(Exit::Done)
}
