//! What the two programs say to each other over MQTT, besides records.

use crate::id::{DeviceId, Epoch, ModelId, RecordKey};
use crate::ranges::Ranges;
use crate::record::Item;
use crate::seal::Sealed;
use crate::time::{Mono, Wall};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Records in one batch at most.
pub const BATCH_ITEMS: usize = 64;
/// Bytes of one encoded batch at most.
pub const BATCH_BYTES: usize = 96 * 1024;
/// Bytes of one MQTT packet at most.
pub const PACKET_BYTES: usize = 128 * 1024;
/// Un-acknowledged batches a door may have on the way.
pub const WINDOW: u16 = 8;
/// Bytes of the JPEG in a [`Snap`] at most: sealed and framed it is still no larger than a batch.
pub const SNAP_BYTES: usize = 95 * 1024;
/// Runs in one greeting at most.
pub const RUNS: usize = 64;
/// Ranges in one acknowledgement at most; the rest is acknowledged when it is asked about.
pub const ACK_RANGES: usize = 32;

/// Door → hub on `up`: records, oldest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The outbox these numbers belong to.
    pub epoch: Epoch,
    /// At most [`BATCH_ITEMS`].
    pub items: Vec<Item>,
}

/// Door → hub on `up`, first thing after every connect. The hub answers with [`Ack`],
/// [`Time`] and [`Desired`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The outbox's life.
    pub epoch: Epoch,
    /// Boot number.
    pub boot: u32,
    /// The last number given out in this epoch.
    pub max_seq: u64,
    /// What the door believes is acknowledged.
    pub cum: u64,
    /// The door's monotonic time, echoed in [`Time`].
    pub mono: Mono,
    /// Version of the daemon.
    pub software: String,
    /// Gallery in use, 0 if none.
    pub gallery: u64,
    /// Network in use.
    pub model: ModelId,
}

/// Door → hub on `up`, instead of a [`Hello`] to a hub that has said [`Heard`]: whose numbers those
/// are. An old copy of the door's card begins a run that the hub does not know.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Greeting {
    /// As ever.
    pub hello: Hello,
    /// The last run that the hub has heard of, as far as the door knows, and those after it; the
    /// running one is the last. At most [`RUNS`].
    pub runs: Vec<Run>,
}

/// One run of the door's program with its outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Random.
    pub id: u64,
    /// The first number that it could give out.
    pub first: u64,
}

/// Hub → door on `ack`, after the [`Ack`] of a greeting: the hub keeps runs, and this is the last
/// that it knows of the door. A door that does not know this kind of message goes on without.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heard {
    /// The outbox it is about.
    pub epoch: Epoch,
    /// [`Run::id`]; nothing where the door did not say.
    pub run: Option<u64>,
}

/// Hub → door on `ack`: what is stored, sent only after COMMIT.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// Changes when the hub's database was restored or made anew.
    pub hub_epoch: Epoch,
    /// The outbox it is about.
    pub epoch: Epoch,
    /// `1..=cum` are stored.
    pub cum: u64,
    /// Also stored, above `cum`; at most [`ACK_RANGES`]: those around the records of the batch that
    /// this answers first, then the lowest.
    pub ranges: Ranges,
    /// Consumed, but set aside as dead letters.
    pub rejects: Vec<(u64, Reject)>,
    /// `1..=backed_up` are in a backup of the hub.
    pub backed_up: u64,
    /// The highest number the hub has seen: above the door's own, the card was rolled back.
    pub max_seq: u64,
    /// Batches the door may have on the way; 0 = hold.
    pub window: u16,
}

/// Why a record became a dead letter. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// The body could not be decoded.
    Malformed,
    /// The hash is not that of the content.
    WrongHash,
    /// Another record with this number is stored: kept apart, never overwritten.
    Conflict,
    /// Values out of range (a score that is no number, too many candidates …).
    Invalid,
    /// The seal could not be opened.
    Unsealable,
    /// The template is of a model the hub does not run.
    WrongModel,
}

/// Door → hub on `status`, retained, and the will.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// False only in the will.
    pub online: bool,
    /// Rises with each connection of this boot; an older will says nothing about a newer connection.
    pub connection: u64,
    /// Boot number.
    pub boot: u32,
}

/// Door → hub on `reported`, retained: what the door runs now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reported {
    /// Gallery in use, 0 if none.
    pub gallery: u64,
    /// BLAKE3 of its manifest, zero if none.
    pub manifest: [u8; 32],
    /// Network in use.
    pub model: ModelId,
    /// Version of the daemon.
    pub software: String,
    /// Why the desired gallery is not in use, in a sentence; empty if it is.
    pub trouble: String,
}

/// Hub → door on `desired`, retained: what the door should run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Desired {
    /// Gallery release to fetch, 0 = none yet.
    pub gallery: u64,
    /// BLAKE3 of its signed manifest's bytes.
    pub manifest: [u8; 32],
    /// Where the door is; what sightings carry.
    pub room: String,
    /// Which way it counts.
    pub direction: crate::record::Direction,
}

/// Hub → door on `desired`: settings of the door, each counting instead of what its own file says.
/// A door that does not know this kind of message goes on with its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Smallest face looked for, pixels across.
    pub min_face: Option<u32>,
    /// Frames in a burst.
    pub frames: Option<u32>,
    /// How long an unsure look waits for a better one, milliseconds.
    pub hold_ms: Option<u32>,
    /// How long somebody must be unseen before the next passage counts, milliseconds.
    pub cooldown_ms: Option<u32>,
    /// Whether face crops are sent.
    pub crops: Option<bool>,
}

impl Settings {
    /// What `min_face` may be: with more, nobody in a doorway is seen, and all were absent.
    pub const MIN_FACE: RangeInclusive<u32> = 20..=150;
    /// What `frames` may be.
    pub const FRAMES: RangeInclusive<u32> = 1..=30;
    /// What `hold_ms` may be.
    pub const HOLD_MS: RangeInclusive<u32> = 0..=10_000;
    /// What `cooldown_ms` may be: at most ten minutes, or the next lesson's passage did not count.
    pub const COOLDOWN_MS: RangeInclusive<u32> = 0..=600_000;

    /// The first number that no door takes: its name, and what it may be.
    #[must_use]
    pub fn odd(&self) -> Option<(&'static str, RangeInclusive<u32>)> {
        let numbers = [
            ("min_face", self.min_face, Self::MIN_FACE),
            ("frames", self.frames, Self::FRAMES),
            ("hold_ms", self.hold_ms, Self::HOLD_MS),
            ("cooldown_ms", self.cooldown_ms, Self::COOLDOWN_MS),
        ];
        let odd =
            numbers.into_iter().find(|(_, value, may)| value.is_some_and(|v| !may.contains(&v)));
        odd.map(|(name, _, may)| (name, may))
    }
}

/// Hub → door on `desired`, after a greeting: this hub wants to hear how the board is. A door that
/// does not know this kind of message goes on without, and a hub that does not send it hears
/// nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interest {
    /// Seconds from one [`Vitals`] to the next, at least 10.
    pub every_s: u16,
}

/// Door → hub on `vitals`: how its board is. Nothing where the board does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vitals {
    /// Whole degrees Celsius of the processor.
    pub celsius: Option<i16>,
    /// Whether the supply sagged below what the board needs, since its start.
    pub sagged: Option<bool>,
    /// Whether the processor is slowed down now, by heat or by the supply.
    pub slowed: Option<bool>,
    /// MiB that programs can still have.
    pub memory_free_mb: Option<u32>,
    /// Seconds since the board started.
    pub up_s: Option<u32>,
}

impl Vitals {
    /// Degrees from which a Raspberry Pi slows its processor down.
    pub const HOT: i16 = 80;
    /// MiB of memory below which the system may end programs.
    pub const SCARCE_MB: u32 = 60;
}

/// Hub → door on `cmd`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Take a burst now, and show what the camera sees: the answer is a [`Snap`].
    Snap,
    /// End the process; its supervisor starts it again.
    Restart,
    /// Look again for the gallery to use.
    Reload,
    /// Say the newest lines of the log: the answer is a [`crate::care::Tail`].
    Log,
}

/// Hub → door on `time`, each minute and after a [`Hello`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Time {
    /// The hub's time.
    pub wall: Wall,
    /// The hello's `mono`, when this answers one: half the round trip is the error.
    pub echo: Option<Mono>,
}

/// Door → hub on `snap`, once for each [`Command::Snap`]. The hub drops one it did not ask for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Snap {
    /// What the camera sees.
    Picture {
        /// The outbox's life: what the seal is bound to, as [`Snap::key`].
        epoch: Epoch,
        /// A JPEG of at most [`SNAP_BYTES`] with a box around each face.
        jpeg: Sealed,
    },
    /// Nothing could be seen; why, in a sentence.
    Trouble(String),
}

impl Snap {
    /// What the picture of `device` is sealed as: number 0, which no record has.
    #[must_use]
    pub fn key(device: DeviceId, epoch: Epoch) -> RecordKey {
        RecordKey { device, epoch, seq: 0 }
    }
}
