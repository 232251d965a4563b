//! What the daemon counts, and how it is doing.
//!
//! Counters live in memory only and are shown to whoever may open the control socket: a stranger
//! leaves nothing on disk or wire.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wire::{Wall, link::Vitals, record::Blind};

macro_rules! counters {
    ($($name:ident $doc:literal)*) => {
        /// Counts since the start.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(#[doc = $doc] pub $name: AtomicU64,)*
        }

        /// [`Counters`] at one moment.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Counts {
            $(#[doc = $doc] pub $name: u64,)*
        }

        impl Counters {
            /// The counts now.
            #[must_use]
            pub fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    triggered "Times that a trigger of the door asked for a look."
    bursts "Bursts taken."
    empty_bursts "Bursts in which the camera gave no frame."
    dropped_bursts "Bursts of which too little was looked at, because recognition was behind."
    dropped_frames "Frames dropped because recognition was behind."
    frames "Frames looked at."
    rested_frames "Frames passed over while everybody in view had their record."
    copied_frames "Frames that repeated the one before and were left out."
    bad_frames "Frames that could not be decoded."
    faces "Faces found."
    poor_faces "Faces too poor to be compared."
    still_faces "Faces of somebody just recorded, still there and not compared again."
    went_in "Times that two lines saw somebody go in."
    went_out "Times that they saw somebody go out."
    turned_round "Times that they were broken in no clear order, or only one of them."
    passages "Passages decided."
    unknown "Of these, nobody the door knows."
    repeats "Of these, somebody recorded a moment ago."
    records "Records stored."
    refused "Records the outbox did not store."
}

/// How the daemon is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the daemon.
    pub software: String,
    /// What the camera is doing.
    pub camera: wire::record::CameraState,
    /// Frames since the start.
    pub camera_frames: u64,
    /// Version of the gallery in use, 0 if none.
    pub gallery: u64,
    /// People in it.
    pub people: u64,
    /// Why the gallery that the hub wants is not in use; empty if it is.
    pub gallery_trouble: String,
    /// Why the outbox does not take records; empty if it does.
    pub outbox_trouble: String,
    /// Why a configured line is not watched; empty if it is, or none is.
    #[serde(default)]
    pub line_trouble: String,
    /// What kind of trouble that of the gallery is, if there is any.
    #[serde(default)]
    pub gallery_lack: Option<Lack>,
    /// Why nobody could be recognised on the newest frame, if one came.
    #[serde(default)]
    pub blind: Option<Blind>,
    /// Records that wait for the hub.
    #[serde(default)]
    pub stock: Stock,
    /// How the way to the hub is.
    #[serde(default)]
    pub way: Road,
    /// The network.
    pub model: String,
    /// When the door's certificate ends.
    pub certificate_ends: Wall,
    /// Why it was not renewed when that was due; empty if it was, or is not due.
    pub certificate_trouble: String,
    /// From the start of the program until it was ready, milliseconds.
    pub ready_ms: u64,
    /// Most memory the program ever held, KiB; 0 if the system does not say.
    pub memory_peak_kb: u64,
    /// How the board is.
    #[serde(default)]
    pub vitals: Vitals,
    /// Counts since the start.
    pub counts: Counts,
}

/// Why the wanted gallery is not in use, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// It did not come.
    Missing,
    /// The hub has not given the key to what is on this disk.
    Key,
    /// The network it is for is not here.
    Model,
    /// Its lease is over.
    Lease,
    /// It came, and may not be used.
    Refused,
    /// This disk does not take it.
    Disk,
}

/// What an outbox holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stock {
    /// Records that the hub has not acknowledged.
    pub waiting: u64,
    /// When the oldest of them was made, if that is known.
    pub since: Option<Wall>,
    /// Of the space it may take, the share taken by what waits, in hundredths.
    pub full: u8,
}

/// The way to the hub, as the daemon finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Road {
    /// Whether the hub answers.
    pub online: bool,
    /// Why the last connection ended, or did not come about.
    pub trouble: String,
    /// Messages of the hub that this program does not know.
    pub strange: u64,
    /// By how much the machine's own clock is ahead of the hub's, milliseconds.
    pub ahead_ms: Option<i64>,
}

/// Reads how the daemon is.
pub type Say = Arc<dyn Fn() -> Status + Send + Sync>;

/// Peak resident memory of this program, KiB, as `VmHWM` in `/proc/self/status` has it.
#[must_use]
pub fn memory_peak_kb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_daemon_of_another_version_can_be_read() {
        let counts: Counts = serde_json::from_str(r#"{"frames": 7, "no_longer": 1}"#).unwrap();
        assert_eq!(counts, Counts { frames: 7, ..Counts::default() });
    }

    #[test]
    fn the_system_says_how_much_memory_was_needed() {
        let held = vec![1u8; 8 << 20];
        assert!(memory_peak_kb() > 8 << 10, "{}", held.len());
    }
}
