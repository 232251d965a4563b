//! The only queue that counts: what the door recognised stays here until the hub has stored it.
//!
//! SQLite in WAL mode with `synchronous=FULL`, one writer thread ([`Writer`]) owning the only
//! connection ([`Book`]), callers holding an [`Outbox`]. A row leaves only after the hub's own
//! acknowledgement, and stays as a tail until the hub's backup has it or space runs out.
//! Three things hold always: numbers rise and are never reused within an epoch; an un-acknowledged
//! record is never given up; whatever is given up is named by a loss record.

mod ack;
mod append;
mod book;
mod error;
mod meta;
mod pending;
mod renew;
mod room;
mod runs;
mod salvage;
mod schema;
mod stock;
#[cfg(test)]
mod tests;
mod writer;

pub use ack::Acked;
pub use append::Entry;
pub use book::{Book, Cursor};
pub use error::OutboxError;
pub use pending::Parcel;
pub(crate) use runs::anew;
pub use writer::{Outbox, Writer, open};

use std::path::{Path, PathBuf};
use wire::{DeviceId, Direction, HubKey, Wall};

/// How an outbox is kept.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The database file; its journal and reserve lie beside it.
    pub path: PathBuf,
    /// A registered SQLite file system other than the system's own, for fault tests.
    pub vfs: Option<String>,
    /// Who this door is.
    pub device: DeviceId,
    /// What crops and templates are sealed for.
    pub key: HubKey,
    /// Where the door is, until the hub says otherwise.
    pub place: Place,
    /// The kernel's id of this boot.
    pub boot_id: String,
    /// A new outbox counts boots from above this, see [`boots`].
    pub boots: u32,
    /// Whether a commit survives a power cut. Anything but [`Durability::Full`] is for tests.
    pub durability: Durability,
    /// Rows at most.
    pub max_rows: u64,
    /// Bytes of the file at most.
    pub max_bytes: u64,
    /// Bytes set aside on the disk, given back when it is full so that the loss can be written.
    pub reserve_bytes: u64,
}

/// Where a door is and which way it counts: what every sighting carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Room behind the door; empty when the hub did not say.
    pub room: String,
    /// Which way it counts.
    pub direction: Direction,
}

/// How far SQLite goes to keep a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// The journal is synced at every commit.
    Full,
    /// Commits may be lost with the power: the control of the power-cut test.
    Normal,
}

impl Setup {
    /// The caps and habits of a real door: 500,000 rows, 1 GiB, 8 MiB of reserve.
    #[must_use]
    pub fn new(path: &Path, device: DeviceId, key: HubKey, boot_id: String) -> Self {
        Self {
            path: path.to_owned(),
            vfs: None,
            device,
            key,
            place: Place { room: String::new(), direction: Direction::Both },
            boot_id,
            boots: 0,
            durability: Durability::Full,
            max_rows: 500_000,
            max_bytes: 1 << 30,
            reserve_bytes: 8 << 20,
        }
    }
}

/// More boots than the door can have had by `now`: where a card was replaced or emptied, the hub
/// knows the old one's, and must take none of them for a new one.
#[must_use]
pub fn boots(now: Wall) -> u32 {
    u32::try_from(now.0 / 60_000).unwrap_or(0)
}

/// The kernel's id of the running boot: a new one tells a reboot from a restart.
///
/// # Errors
/// When the kernel does not say.
pub fn boot_id() -> std::io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}
