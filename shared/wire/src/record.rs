//! What a door reports: sightings, its health, what it lost, and what time it thinks it is.
//!
//! A record travels as an [`Item`]: the numbered, hashed bytes of one [`Body`]. The hub decodes
//! each body by itself, so that one bad record never stops those around it.

use crate::id::{Epoch, ModelId, StudentId};
use crate::seal::Sealed;
use crate::time::Stamp;
use serde::{Deserialize, Serialize};

/// One row of an outbox as it travels and is stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Number within the outbox epoch, from 1, never reused.
    pub seq: u64,
    /// When it was made.
    pub at: Stamp,
    /// Postcard bytes of a [`Body`]. See [`Item::body`].
    pub body: Vec<u8>,
    /// See [`Item::digest`].
    pub hash: [u8; 16],
    /// [`Sealed::encode`] of the face crop (JPEG ≤ 12 KiB before sealing): the part that may be
    /// dropped when space runs out. Its hash is in the sighting.
    pub crop: Option<Vec<u8>>,
}

impl Item {
    /// BLAKE3 of number, time and body, 128 bits. The crop is left out: it is detachable.
    #[must_use]
    pub fn digest(seq: u64, at: &Stamp, body: &[u8]) -> [u8; 16] {
        let mut hash = blake3::Hasher::new();
        hash.update(&seq.to_le_bytes());
        hash.update(&at.boot.to_le_bytes());
        hash.update(&at.mono.0.to_le_bytes());
        hash.update(&at.wall.map_or(i64::MIN, |w| w.0).to_le_bytes());
        hash.update(&[at.clock as u8]);
        hash.update(body);
        short(&hash)
    }

    /// The decoded body.
    ///
    /// # Errors
    /// When the bytes are no body this version knows, or when bytes are left over.
    pub fn body(&self) -> Result<Body, postcard::Error> {
        Body::decode(&self.body)
    }

    /// Whether the hash is that of the content.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.hash == Self::digest(self.seq, &self.at, &self.body)
    }
}

/// 128-bit BLAKE3 of a sealed crop, as a sighting names it.
#[must_use]
pub fn crop_hash(sealed: &[u8]) -> [u8; 16] {
    let mut hash = blake3::Hasher::new();
    hash.update(sealed);
    short(&hash)
}

fn short(hash: &blake3::Hasher) -> [u8; 16] {
    let mut out = [0; 16];
    hash.finalize_xof().fill(&mut out);
    out
}

/// What a record says. Append-only: postcard numbers the variants by their order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Body {
    /// Somebody in the gallery may have passed.
    Sighting(Sighting),
    /// The door could see, or could not, for a while.
    Health(Health),
    /// Records were lost, and this is the proof.
    Loss(Loss),
    /// Monotonic and wall time belong together.
    Anchor(Anchor),
    /// A record that an earlier life of this outbox had numbered.
    Moved(Moved),
    /// What the door could have recognised for a while.
    Watch(Watch),
}

impl Body {
    /// Postcard bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a body holds only what postcard can write")
    }

    /// The body in `bytes`, all of them.
    ///
    /// # Errors
    /// When the bytes are no body this version knows, or when bytes are left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        match postcard::take_from_bytes(bytes)? {
            (body, []) => Ok(body),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    /// 1 sighting, 2 health, 3 loss, 4 anchor, 5 moved, 6 watch: the outbox's `kind` column.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Sighting(_) => 1,
            Self::Health(_) => 2,
            Self::Loss(_) => 3,
            Self::Anchor(_) => 4,
            Self::Moved(_) => 5,
            Self::Watch(_) => 6,
        }
    }
}

/// One passage of one person who may be in the gallery.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sighting {
    /// Room behind the door, as the hub configured it; empty when it did not.
    pub room: String,
    /// Which way the door counts.
    pub direction: Direction,
    /// Best first, at most 5, each at or above the review line.
    pub candidates: Vec<Candidate>,
    /// Calibrated probability-like confidence of the first candidate, 0..=1.
    pub confidence: f32,
    /// What the door makes of it.
    pub verdict: Verdict,
    /// Why it is not surer.
    pub reasons: Vec<Reason>,
    /// How good the look was.
    pub quality: Quality,
    /// Frames fused into the template.
    pub frames: u16,
    /// Version of the gallery it was matched in.
    pub gallery: u64,
    /// The network of the template.
    pub model: ModelId,
    /// The unit template, f16 little-endian, sealed for the hub.
    pub template: Sealed,
    /// [`crop_hash`] of the sealed crop, if there was one.
    pub crop: Option<[u8; 16]>,
}

/// A person it may have been.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub student: StudentId,
    /// Cosine to the person's mean template, −1..=1.
    pub score: f32,
}

/// Which way a door counts. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// People come in here.
    Entry,
    /// People go out here.
    Exit,
    /// One door for both.
    Both,
}

/// An open-set decision. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At or above the line for sure matches.
    High,
    /// A person should look.
    Review,
    /// Nobody in the gallery.
    Unknown,
}

/// Why a sighting waits for a person, or is not surer. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The score lies below the line for sure matches.
    BelowLine,
    /// Another person scores almost the same.
    CloseRunnerUp,
    /// The candidate has a known look-alike.
    LookAlike,
    /// The face is small: 12 to 20 pixels between the eyes.
    FaceSmall,
    /// The face is blurred.
    Blurred,
    /// The picture is dark.
    Dark,
    /// The picture is overexposed.
    Bright,
    /// The face is turned away.
    TurnedAway,
    /// The detector was not sure that it is a face.
    DetectorUnsure,
    /// Only one frame shows the face.
    SingleFrame,
    /// The door did not know the time.
    ClockUnset,
    /// The crop was given up for space.
    CropDropped,
    /// The hub's look at the whole gallery changed the candidates.
    ChangedByHub,
    /// The door's gallery was out of date.
    StaleGallery,
    /// A person ruled this match out before.
    RuledOut,
}

/// How good a look was.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Pixels between the eyes, in the frame.
    pub eye_px: f32,
    /// Variance of the Laplacian on the 150-pixel chip's luma.
    pub sharpness: f32,
    /// Mean luma of the chip, 0..=255.
    pub brightness: f32,
    /// Nose offset from the middle of the eyes ÷ eye distance, 0 = frontal.
    pub turn: f32,
    /// The detector's score, 0..=1.
    pub detector: f32,
}

/// That frames arrived between two moments of one boot, as doors said it before there was
/// [`Watch`]: it says nothing of what was on them, so it is no evidence of an absence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Health {
    /// Start of the span; its end is the record's own time.
    pub since: crate::time::Mono,
    /// Of that, milliseconds in which frames arrived.
    pub watched_ms: u64,
    /// What the camera is doing now.
    pub camera: CameraState,
    /// Free space where the outbox lies, MiB.
    pub disk_free_mb: u32,
}

/// What a door could have recognised between two moments of one boot: the evidence behind an
/// absence. It counts no faces, so that a stranger leaves no trace in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Start of the span; its end is the record's own time.
    pub since: crate::time::Mono,
    /// Of that, milliseconds in which somebody could have been recognised.
    pub usable_ms: u64,
    /// Of the rest, milliseconds of each cause.
    pub blind: Vec<(Blind, u64)>,
    /// What the camera is doing now.
    pub camera: CameraState,
    /// Free space where the outbox lies, MiB.
    pub disk_free_mb: u32,
    /// Version of the gallery in use all the time, 0 if there was none.
    pub gallery: u64,
    /// The network in use all the time.
    pub model: ModelId,
    /// How often its own triggers made it look, not a person far away.
    pub fired: u32,
    /// Looks that were taken.
    pub looks: u32,
    /// Of those, the ones that nobody had time for.
    pub dropped: u32,
    /// Passages that were recognised and could not be stored.
    pub refused: u32,
    /// How far the record's wall time may be off, milliseconds; nothing while there is none.
    pub err_ms: Option<u32>,
}

impl Watch {
    /// Causes that one report may name.
    pub const CAUSES: usize = 16;

    /// Whether it speaks of no more time than there was up to `end`.
    #[must_use]
    pub fn is_sound(&self, end: crate::time::Mono) -> bool {
        let told = self.blind.iter().map(|(_, ms)| *ms);
        let told = told.fold(self.usable_ms, u64::saturating_add);
        self.since <= end
            && told <= end.since(self.since)
            && self.blind.len() <= Self::CAUSES
            && i64::try_from(self.gallery).is_ok()
    }
}

/// Why a door could not have recognised anybody. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blind {
    /// The camera gave no frames.
    NoFrames,
    /// Its frames were no pictures.
    Undecodable,
    /// The lens was covered, or there was no light: nothing was to be seen. To a hub that does not
    /// know what comes last here, also what [`Blind::known`] says.
    Covered,
    /// The same picture came again and again.
    Frozen,
    /// Nothing that would make the door look works.
    NoTrigger,
    /// There was nobody to recognise: no gallery, or its lease was over.
    NoGallery,
    /// Something was to be seen, and too dark to recognise anybody.
    Dark,
    /// The picture was out of focus.
    Unfocused,
}

impl Blind {
    /// The cause in words that a hub of this [`crate::care::Grasp`] knows. In records it must be
    /// nothing else: it sets aside what it does not know.
    #[must_use]
    pub fn known(self, level: u16) -> Self {
        match self {
            Self::Dark | Self::Unfocused if level < crate::care::Grasp::CARE => Self::Covered,
            other => other,
        }
    }
}

/// What a camera is doing. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CameraState {
    /// Frames arrive.
    Watching,
    /// No frames: unplugged, refused, or silent.
    Blind,
}

/// Records that will never come, and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Loss {
    /// Numbers that were given out and given up; they count as arrived.
    pub gone: crate::ranges::Ranges,
    /// Passages that never got a number.
    pub unnumbered: u64,
    /// When it began and ended.
    pub from: Stamp,
    /// See `from`.
    pub to: Stamp,
    /// What happened.
    pub cause: LossCause,
}

/// Why records were lost. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossCause {
    /// The disk, or the outbox's own cap, was full.
    DiskFull,
    /// The outbox was damaged and not every row could be read.
    Damaged,
    /// Only health records were given up, for space.
    HealthTrimmed,
    /// The hub lost them with its disk, and the door no longer had them.
    HubRestored,
}

/// Wall and monotonic time read at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Anchor {
    /// How far the wall time may be off, milliseconds.
    pub err_ms: u32,
    /// Whether it was written because the wall clock stepped.
    pub stepped: bool,
}

/// A record that an earlier life of this outbox numbered, sent under a new number because the
/// outbox was rolled back or damaged.
///
/// It is the same record: one that the hub already stores under the old key with the same content
/// (`Item::digest(seq, at, body)`, `at` being the item's own) is a duplicate. Its seals, and the
/// numbers a loss names, are those of the old key; a loss that never had a number there has
/// `seq` 0.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// The life it was made in.
    pub epoch: Epoch,
    /// Its number in that life.
    pub seq: u64,
    /// Postcard bytes of the [`Body`] it had there, never itself `Moved`.
    pub body: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{ClockState, Mono, Wall};

    fn item() -> Item {
        let at = Stamp { boot: 3, mono: Mono(9), wall: Some(Wall(5)), clock: ClockState::Ntp };
        let body = Body::Anchor(Anchor { err_ms: 40, stepped: false }).encode();
        Item { seq: 7, at, hash: Item::digest(7, &at, &body), body, crop: None }
    }

    #[test]
    fn every_part_but_the_crop_is_in_the_hash() {
        assert!(item().is_intact());
        assert!(Item { crop: Some(vec![1]), ..item() }.is_intact());
        assert!(!Item { seq: 8, ..item() }.is_intact());
        assert!(!Item { at: Stamp { wall: None, ..item().at }, ..item() }.is_intact());
        assert!(!Item { body: vec![3, 41, 0], ..item() }.is_intact());
    }

    #[test]
    fn a_door_watches_no_longer_than_time_passes() {
        let watch = |usable_ms, covered| Watch {
            since: Mono(100),
            usable_ms,
            blind: vec![(Blind::Covered, covered)],
            camera: CameraState::Watching,
            disk_free_mb: 1,
            gallery: 1,
            model: "m-1".parse().unwrap(),
            fired: 0,
            looks: 0,
            dropped: 0,
            refused: 0,
            err_ms: None,
        };
        assert!(watch(60, 40).is_sound(Mono(200)) && !watch(60, 40).is_sound(Mono(199)));
        assert!(!watch(1, u64::MAX).is_sound(Mono(200)), "sums do not wrap");
        assert!(!watch(0, 0).is_sound(Mono(99)), "it ends before it begins");
    }

    #[test]
    fn bytes_left_over_are_refused() {
        let mut bytes = item().body;
        assert!(Body::decode(&bytes).is_ok());
        bytes.push(0);
        assert!(Body::decode(&bytes).is_err());
        assert!(Body::decode(&[99]).is_err(), "an unknown variant");
    }
}
