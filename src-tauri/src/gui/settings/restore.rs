//! Restoring a backup from the page: which ones there are, what one holds, and the copy that waits for its owner.

use countersign_vault::{BackupError, Checked, Vault};
use std::path::{Path, PathBuf};

use super::{LimitsError, Room, SettingsSaved, Told, Waiting, failed, staged, wait_seconds};
use crate::{backup, gui::doubts};

/// So many of the newest are offered.
const OFFERED: usize = 5;

impl Room {
    /// The newest backups among the person's downloads, under the names that the page gives them.
    pub fn backups(&self, downloads: &Path) -> Vec<String> {
        let files = std::fs::read_dir(downloads).into_iter().flatten().filter_map(Result::ok);
        let ours = files.filter(|file| {
            let name = file.file_name();
            name.to_str().is_some_and(|name| name.starts_with("countersign-backup-") && name.ends_with(".sqlite"))
        });
        let mut found: Vec<_> = ours
            .filter_map(|file| {
                Some((file.metadata().ok().filter(|meta| meta.is_file())?.modified().ok()?, file.path()))
            })
            .collect();
        found.sort();
        found.into_iter().rev().take(OFFERED).map(|(_, path)| path.display().to_string()).collect()
    }

    /// Takes a copy of a backup, proves it, and lets its restoring wait for its owner.
    pub async fn restore(&self, vault: &Vault, file: &str) -> Told<SettingsSaved> {
        let _one = self.looking.lock().await;
        self.cancel();
        let file = PathBuf::from(file.trim());
        if !file.is_absolute() {
            return Err(LimitsError::WholePath);
        }
        let (copy, found) = match self.looked_at(vault, file).await {
            Ok(found) => found,
            Err(error) => {
                staged::forget(&self.place);
                return Err(LimitsError::Backup { says: vec![error.said()] });
            }
        };
        let lines = backup::told(&self.place, &found);
        let words: String = found.made.rfc3339().chars().take(10).collect();
        let id = doubts::id().ok_or(LimitsError::Over)?;
        self.owner.begin(&id, Waiting::Restore { copy, lines: lines.clone() }, &words);
        Ok(SettingsSaved::Restore { id, lines, words, wait_seconds: wait_seconds() })
    }

    async fn looked_at(&self, vault: &Vault, file: PathBuf) -> Result<(staged::Copy, Checked), BackupError> {
        let (place, shown) = (self.place.clone(), file.display().to_string());
        let copied = tokio::task::spawn_blocking(move || staged::take_in(&place, &file)).await;
        let copy = copied.map_err(|error| BackupError::Failed(error.to_string()))??;
        match vault.check_backup(copy.path.clone()).await {
            Ok(found) => Ok((copy, found)),
            Err(BackupError::NotABackup(_)) => Err(BackupError::NotABackup(shown)),
            Err(error) => Err(error),
        }
    }

    /// The person saw what came of the last restore.
    pub fn seen(&self) -> Told<()> {
        staged::seen(&self.place).map_err(failed)
    }
}
