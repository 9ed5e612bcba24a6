//! This program and this user: the one file that asks the environment.

use anyhow::Context as _;
use countersign_core::payment::AgentName;
use std::{collections::BTreeMap, path::PathBuf};

use super::{
    Launch,
    client::Os,
    roots::{Roots, VARIABLES},
};
use crate::app::Place;

impl Launch {
    /// This very program as this agent's bridge. A client starts it with an environment of its own, so whatever is not
    /// the platform's default is said.
    ///
    /// # Errors
    /// Where a path is not Unicode, which configuration files cannot hold.
    pub fn of(place: &Place, agent: &AgentName) -> anyhow::Result<Self> {
        let text = |path: PathBuf| {
            path.into_os_string().into_string().map_err(|path| anyhow::anyhow!("{} is no Unicode", path.display()))
        };
        let program = text(std::env::current_exe().context("this program's own path")?)?;
        let mut args = vec!["mcp".to_owned(), "--agent".to_owned(), agent.to_string()];
        if Place::find(None, None).map_or(true, |usual| usual.dir != place.dir) {
            args.extend(["--data-dir".to_owned(), text(place.dir.clone())?]);
        }
        if place.config != place.dir.join("config.toml") {
            args.extend(["--config".to_owned(), text(std::path::absolute(&place.config)?)?]);
        }
        Ok(Self { program, args })
    }
}

impl Roots {
    /// The directories of the user who runs this.
    ///
    /// # Errors
    /// Where the user has no home directory.
    pub fn of_this_user() -> anyhow::Result<Self> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let home = home.context("this user has no home directory")?;
        let set = |name: &&'static str| Some((*name, PathBuf::from(std::env::var_os(name)?)));
        let variables: BTreeMap<_, _> =
            VARIABLES.iter().filter_map(set).filter(|(_, path)| path.is_absolute()).collect();
        let os = if cfg!(windows) {
            Os::Windows
        } else if cfg!(target_os = "macos") {
            Os::Mac
        } else {
            Os::Linux
        };
        Ok(Self { os, home, variables })
    }
}
