//! What can go wrong with the outbox, and which of it is final.

use rusqlite::ErrorCode;
use std::path::PathBuf;
use wire::{DeviceId, SealError};

/// Why the outbox could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The file cannot be opened or made.
    #[error("cannot open the outbox {}: is its folder writable, and no other rollcall-edge running?", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The linked SQLite has the WAL-reset bug.
    #[error("SQLite {0} can damage the outbox: build with 3.51.3 or newer")]
    OldSqlite(&'static str),
    /// A pragma did not take.
    #[error("the outbox cannot be kept safely: {what} is “{got}”")]
    Pragma {
        /// Which one.
        what: &'static str,
        /// What it is instead.
        got: String,
    },
    /// The card was used under another name.
    #[error("the outbox holds records of “{0}”: join under that name again, or move the file away")]
    OtherDevice(DeviceId),
    /// Made by a newer program.
    #[error("the outbox was written by a newer version ({0}): update rollcall-edge")]
    Newer(i64),
    /// Everything that may be given up has been.
    #[error("the outbox is full and nothing in it may be given up: reconnect the hub")]
    Full,
    /// Passages wait in memory until the disk takes them.
    #[error("{held} passages wait in memory for the outbox, {lost} more are only counted")]
    Held {
        /// Stored as soon as that is possible.
        held: u64,
        /// Too many to wait: the loss ledger names them.
        lost: u64,
        /// Why they are not stored.
        #[source]
        why: Box<Self>,
    },
    /// The file is not, or no longer, a sound database.
    #[error("the outbox is damaged: {0}")]
    Damaged(String),
    /// The disk did not do what it was told. SQLite writes the same pages again at the next try.
    #[error("the disk failed under the outbox: replace the card if it happens again")]
    Disk(#[source] rusqlite::Error),
    /// SQLite refused a statement.
    #[error("the outbox could not be read or written")]
    Sql(#[source] rusqlite::Error),
    /// Files beside the database.
    #[error("the outbox's folder could not be changed")]
    Files(#[from] std::io::Error),
    /// The hub's key does not work.
    #[error("a record could not be sealed for the hub")]
    Seal(#[from] SealError),
    /// The writer thread ended.
    #[error("the outbox's writer has stopped")]
    Stopped,
}

impl OutboxError {
    /// Whether the process must end: a damaged file is only mended by opening it anew.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Held { why, .. } => why.is_final(),
            _ => matches!(self, Self::Damaged(_) | Self::Stopped),
        }
    }

    /// Whether the same may work later: there was no space, somebody had the file, or a call
    /// to the disk failed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Full | Self::Held { .. } | Self::Disk(_) | Self::Sql(_) | Self::Files(_)
        )
    }

    /// Whether there was no space.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }
}

impl From<rusqlite::Error> for OutboxError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Sql(error),
        }
    }
}
