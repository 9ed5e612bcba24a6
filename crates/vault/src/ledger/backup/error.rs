//! Why there is no backup, or why it was not restored.

use countersign_core::approval::Said;
use rusqlite::ErrorCode;

use super::super::{db::Bad, tx::Stop};
use crate::{error::OpenError, keys::KeysError};

/// Why there is no backup, or why it was not restored. Nothing was changed, unless it says where the ledger lies.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data directory cannot be taken.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something else than a backup of ours.
    #[error("{0} is not a backup of Countersign")]
    NotABackup(String),
    /// A link, a directory, a device.
    #[error("{0} is a link, or no plain file; choose the file itself")]
    NotPlain(String),
    /// The key that guards this ledger is not here.
    #[error(
        "the key that guards this ledger is not in this key store: a backup can be restored only where it was made"
    )]
    OtherKeyStore,
    /// Another key guards it.
    #[error("the backup was made by another Countersign, or was changed since: this one's key does not guard it")]
    OtherLedger,
    /// The key store cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// It is not as it was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// There is no room for it: so many bytes are needed.
    #[error("the backup needs {} MB of free space in the data directory; make room and try again", megabytes(*.0))]
    Large(u64),
    /// The disk or the database said no.
    #[error("{0}")]
    Failed(String),
}

impl BackupError {
    /// The same as a sentence that every language has; words of the system stay as they are.
    pub fn said(&self) -> Said {
        match self {
            Self::NotABackup(file) => Said::BackupNot { file: file.clone() },
            Self::NotPlain(file) => Said::BackupPlain { file: file.clone() },
            Self::OtherKeyStore => Said::BackupNoKey {},
            Self::OtherLedger => Said::BackupOther {},
            Self::Damaged(why) => Said::BackupDamaged { why: why.clone() },
            Self::Open(OpenError::Newer { .. }) => Said::BackupNewer {},
            Self::Large(bytes) => Said::BackupLarge { needs: megabytes(*bytes).to_string() },
            Self::Open(_) | Self::Keys(_) | Self::Failed(_) => Said::Told { text: self.to_string() },
        }
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<std::io::Error> for BackupError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Stop> for BackupError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Sql(error) => error.into(),
            Stop::Told(error) => Self::Failed(error.to_string()),
        }
    }
}

impl From<Bad> for BackupError {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::Refused(error) => Self::Open(error),
            Bad::ViewOnly(why) => Self::Damaged(why),
            Bad::Storage(why) => Self::Failed(why),
        }
    }
}
