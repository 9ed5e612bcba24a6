//! The older era's sessions on disk: what a client said when it began, so that it need not begin again after a restart or a
//! long pause. No payment hangs on a session, and without the agent's token its id opens nothing.

use countersign_core::payment::AgentName;
use rmcp::transport::streamable_http_server::session::{
    SessionManager as _, SessionState, SessionStore, SessionStoreError, local::LocalSessionManager,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::io::AsyncWriteExt as _;

/// Sessions one agent may have; beyond it the one that was not used for longest ends.
const MOST: usize = 64;
/// A session that was not used for so long is over.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Between agent and id in a file's name; no agent's name has one.
const BETWEEN: char = '~';
const ENDING: &str = ".json";

/// The sessions of one agent: a file each, whose time of change is the time of last use.
pub struct Kept {
    folder: PathBuf,
    agent: AgentName,
    awake: Arc<LocalSessionManager>,
}

impl Kept {
    /// The sessions of this agent in this folder; `awake` holds those that are in memory.
    pub fn new(folder: PathBuf, agent: AgentName, awake: Arc<LocalSessionManager>) -> Self {
        Self { folder, agent, awake }
    }

    /// Notes that a session is in use.
    pub async fn used(&self, id: &str) {
        let Some(path) = self.path(id) else { return };
        if let Ok(file) = tokio::fs::OpenOptions::new().append(true).open(&path).await {
            let file = file.into_std().await;
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// Where a session of this id lies; nowhere if it is no id of ours.
    fn path(&self, id: &str) -> Option<PathBuf> {
        let ours = id.len() == 36 && id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
        ours.then(|| self.folder.join(format!("{}{BETWEEN}{id}{ENDING}", self.agent)))
    }

    async fn read(&self, path: &Path) -> io::Result<Option<SessionState>> {
        let bytes = match tokio::fs::read(path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let used = tokio::fs::metadata(path).await?.modified()?;
        match serde_json::from_slice(&bytes) {
            Ok(state) if !over(used) => Ok(Some(state)),
            read => {
                if let Err(error) = read {
                    tracing::warn!(%error, "a kept MCP session cannot be read; it is over");
                }
                tokio::fs::remove_file(path).await?;
                Ok(None)
            }
        }
    }

    async fn write(&self, path: &Path, state: &SessionState) -> io::Result<()> {
        let mut folder = tokio::fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        folder.mode(0o700);
        folder.create(&self.folder).await?;
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        options.mode(0o600);
        let fresh = path.with_extension("new");
        let mut file = options.open(&fresh).await?;
        file.write_all(&serde_json::to_vec(state)?).await?;
        file.flush().await?;
        drop(file);
        tokio::fs::rename(&fresh, path).await
    }

    /// Ends the sessions that were not used for longest until no more than allowed are left. Those that are over go in any case,
    /// whosever they were.
    async fn make_room(&self) -> io::Result<()> {
        let mut mine = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            // Another agent's sessions may be made room for at the same moment.
            let Ok(used) = entry.metadata().await.and_then(|about| about.modified()) else { continue };
            if over(used) {
                let _ = tokio::fs::remove_file(entry.path()).await;
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let id = name.strip_suffix(ENDING).and_then(|name| name.split_once(BETWEEN));
            if let Some((_, id)) = id.filter(|(agent, _)| *agent == self.agent.as_str()) {
                mine.push((used, id.to_owned()));
            }
        }
        mine.sort();
        for (_, id) in &mine[..mine.len().saturating_sub(MOST)] {
            self.delete(id).await.map_err(io::Error::other)?;
            let _ = self.awake.close_session(&id.as_str().into()).await;
        }
        Ok(())
    }
}

/// Whether what was last used then is over.
fn over(used: SystemTime) -> bool {
    SystemTime::now().duration_since(used).is_ok_and(|unused| unused > LONGEST)
}

#[async_trait::async_trait]
impl SessionStore for Kept {
    async fn load(&self, id: &str) -> Result<Option<SessionState>, SessionStoreError> {
        match self.path(id) {
            Some(path) => Ok(self.read(&path).await?),
            None => Ok(None),
        }
    }

    async fn store(&self, id: &str, state: &SessionState) -> Result<(), SessionStoreError> {
        let path = self.path(id).ok_or("the session's id is not of the usual form")?;
        self.write(&path, state).await?;
        Ok(self.make_room().await?)
    }

    async fn delete(&self, id: &str) -> Result<(), SessionStoreError> {
        let Some(path) = self.path(id) else { return Ok(()) };
        match tokio::fs::remove_file(path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Path, agent: &str) -> Kept {
        Kept::new(folder.to_owned(), agent.parse().unwrap(), Arc::default())
    }

    fn state(client: &str) -> SessionState {
        let hello = serde_json::json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": client, "version": "1"},
        });
        SessionState::new(serde_json::from_value(hello).unwrap())
    }

    fn id(number: usize) -> String {
        format!("00000000-0000-4000-8000-{number:012x}")
    }

    fn aged(kept: &Kept, id: &str, age: Duration) {
        let file = std::fs::OpenOptions::new().append(true).open(kept.path(id).unwrap()).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[tokio::test]
    async fn a_session_is_its_own_agents_and_survives_the_process() {
        let home = tempfile::tempdir().unwrap();
        of(home.path(), "a").store(&id(1), &state("one")).await.unwrap();
        let again = of(home.path(), "a").load(&id(1)).await.unwrap().unwrap();
        assert_eq!(again.initialize_params.client_info.name, "one");
        assert!(of(home.path(), "b").load(&id(1)).await.unwrap().is_none());
        of(home.path(), "b").delete(&id(1)).await.unwrap();
        of(home.path(), "a").delete(&id(1)).await.unwrap();
        assert!(of(home.path(), "a").load(&id(1)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_no_id_of_ours_names_no_file() {
        let home = tempfile::tempdir().unwrap();
        let kept = of(home.path(), "a");
        for odd in ["", "../../../../../../../../etc/passwd/..", "x", &id(1).replace('0', "/"), &"a".repeat(37)] {
            assert!(kept.path(odd).is_none() && kept.load(odd).await.unwrap().is_none(), "{odd}");
            assert!(kept.store(odd, &state("odd")).await.is_err(), "{odd}");
            kept.delete(odd).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_session_nobody_used_for_a_month_is_over_and_a_damaged_one_too() {
        let home = tempfile::tempdir().unwrap();
        let kept = of(home.path(), "a");
        kept.store(&id(1), &state("old")).await.unwrap();
        aged(&kept, &id(1), LONGEST - Duration::from_secs(60));
        assert!(kept.load(&id(1)).await.unwrap().is_some());
        aged(&kept, &id(1), LONGEST + Duration::from_secs(60));
        assert!(kept.load(&id(1)).await.unwrap().is_none());
        kept.store(&id(2), &state("damaged")).await.unwrap();
        std::fs::write(kept.path(&id(2)).unwrap(), "{").unwrap();
        assert!(kept.load(&id(2)).await.unwrap().is_none());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
        let gone = of(home.path(), "revoked");
        gone.store(&id(3), &state("old")).await.unwrap();
        aged(&gone, &id(3), LONGEST + Duration::from_secs(60));
        kept.store(&id(4), &state("new")).await.unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn the_session_not_used_for_longest_makes_room_for_a_new_one() {
        let home = tempfile::tempdir().unwrap();
        let (kept, other) = (of(home.path(), "a"), of(home.path(), "b"));
        other.store(&id(0), &state("other")).await.unwrap();
        for number in 0..MOST {
            kept.store(&id(number), &state("old")).await.unwrap();
            aged(&kept, &id(number), Duration::from_secs(1000 - number as u64));
        }
        aged(&other, &id(0), Duration::from_secs(5000));
        kept.used(&id(0)).await;
        kept.store(&id(MOST), &state("new")).await.unwrap();
        assert!(kept.load(&id(0)).await.unwrap().is_some(), "it was used lately");
        assert!(kept.load(&id(1)).await.unwrap().is_none(), "it was not used for longest");
        assert!(kept.load(&id(MOST)).await.unwrap().is_some());
        assert!(other.load(&id(0)).await.unwrap().is_some(), "another agent's sessions are its own");
    }
}
