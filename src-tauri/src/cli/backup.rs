//! `countersign backup` and `countersign restore`: ledger and settings in one file, and the way back. Keys of wallets are in neither.

use anyhow::Context as _;
use clap::Args;
use countersign_core::approval::Said;
use countersign_vault::{Clock as _, Held, SystemClock};
use serde_json::json;
use std::path::{Path, PathBuf};

use super::{Exit, connect::agreed};
use crate::{
    app::{self, Place},
    backup,
    config::Config,
};

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
    let config = Config::load(&place.config)?;
    let held = Held::take(&place.dir, app::keys(place, &config)?)?;
    let told = backup::told(place, &held.check(&args.file)?);
    if !as_json {
        told.iter().for_each(|line| eprintln!("{line}"));
    }
    if !args.yes && !agreed(as_json)? {
        eprintln!("countersign: nothing was changed");
        return Ok(Exit::Denied);
    }
    let done = backup::restore(place, &held, &config, &args.file, None, SystemClock.wall())?;
    let lines = |lines: &[Said]| lines.iter().map(Said::to_string).collect::<Vec<_>>();
    if as_json {
        let (told, notes) = (lines(&told), lines(&done.notes));
        println!("{}", json!({"made": done.made.rfc3339(), "before": done.before, "told": told, "notes": notes}));
    } else {
        println!("{}", Said::RestoreDone { made: backup::moment(done.made) });
        done.notes.iter().for_each(|note| println!("{note}"));
        println!("{}", Said::RestoreNext {});
    }
    Ok(if done.whole { Exit::Done } else { Exit::Failed })
}
