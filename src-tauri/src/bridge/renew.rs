//! Tokens in files are replaced a month before the end of their age; a bridge reads its file each time, and notices nothing.
//!
//! Whoever reads the new token could read the old one, which lives on to its own end: if the file cannot be written, nothing is lost.

use anyhow::Context as _;
use countersign_core::payment::AgentName;
use countersign_vault::Vault;
use std::{path::PathBuf, time::Duration};

use super::token;

const EVERY: Duration = Duration::from_secs(6 * 3600);

/// Looks at every token in a file, again and again.
pub async fn for_ever(vault: Vault, dir: PathBuf) {
    loop {
        for agent in token::agents(&dir) {
            if let Err(error) = one(&vault, &dir, &agent).await {
                tracing::warn!(error = format!("{error:#}"), %agent, "the token was not renewed");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn one(vault: &Vault, dir: &std::path::Path, agent: &AgentName) -> anyhow::Result<()> {
    let old = token::read(dir, agent)?;
    let Some(new) = vault.renew_token(std::str::from_utf8(old.expose())?).await? else { return Ok(()) };
    token::Blank::make(dir, agent)?.keep(std::str::from_utf8(new.expose()).context("the token is not text")?)?;
    tracing::info!(%agent, "its token was renewed");
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use countersign_core::{Millis, policy::Policy, registry::Registry};
    use countersign_vault::{
        ManualClock, Open, SetBy,
        keys::{Keys, Secret, memory::MemoryStore},
    };
    use std::sync::Arc;

    #[tokio::test]
    async fn a_bridges_token_is_renewed_in_its_file_and_a_broken_file_stops_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
        let (registry, policy) = (Arc::new(Registry::builtin("USD")), Policy::preset("everyday", "USD").unwrap());
        let keys = Keys::start(Box::new(MemoryStore::new()));
        let open = Open::new(dir.path().join("data"), clock.clone(), keys, registry, policy);
        let vault = Vault::open(Open { min_free_bytes: 0, ..open }).unwrap();
        let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
        let agents: Vec<AgentName> = ["a-broken", "b-bridged"].map(|name| name.parse().unwrap()).to_vec();
        let mut first = String::new();
        for agent in &agents {
            first = text(&vault.add_agent(agent, false, SetBy::Person).await.unwrap());
            token::Blank::make(dir.path(), agent).unwrap().keep(&first).unwrap();
        }
        std::fs::write(token::path(dir.path(), &agents[0]), "").unwrap();
        let kept = || text(&token::read(dir.path(), &agents[1]).unwrap());
        let look = async || {
            drop(tokio::time::timeout(Duration::from_millis(500), for_ever(vault.clone(), dir.path().to_owned())).await)
        };
        look().await;
        assert_eq!(kept(), first);
        for _ in 0..6 {
            clock.advance_ms(26 * 86_400_000);
            assert!(vault.authenticate(&first).is_some());
        }
        look().await;
        assert_ne!(kept(), first);
        assert_eq!(vault.authenticate(&kept()), Some(agents[1].clone()));
    }
}
