//! What a backup holds beside the ledger, and where that goes back to: the configuration, and how the windows look.

mod restore;
pub mod staged;

pub use restore::{moment, restore, told};

use anyhow::Context as _;
use countersign_core::Millis;
use countersign_vault::Settings;
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use crate::app::Place;

const CONFIG: &str = "config.toml";
const WINDOWS: &str = "windows.json";

/// Writes ledger and settings into a new file, also while a Countersign runs. No key of a wallet and no token is in it,
/// but the configuration is as it was written, with whatever stands in the addresses of nodes.
pub fn make(place: &Place, file: &Path, now: Millis) -> anyhow::Result<()> {
    let mut settings = Settings::new();
    for (name, path) in files(place) {
        match std::fs::read(&path) {
            Ok(body) => settings.push((name.to_owned(), body)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
    Ok(countersign_vault::backup(&place.dir, file, &settings, now)?)
}

/// A place where a test may end the program.
fn reached(_place: &str) {
    #[cfg(feature = "faults")]
    countersign_vault::reached(_place);
}

fn files(place: &Place) -> [(&'static str, PathBuf); 2] {
    [(CONFIG, place.config.clone()), (WINDOWS, place.dir.join(WINDOWS))]
}
