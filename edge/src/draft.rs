//! What the recogniser hands to the outbox: the one seam between light and record.
//!
//! Everything before it may be lost; nothing after it may. Templates and crops pass it in the
//! clear, in memory only: the outbox seals them before they touch the disk.

use crate::passing::Way;
use std::{error::Error, fmt};
use wire::{Candidate, ModelId, Mono, Quality, Reason, Stamp, StudentId, Verdict, record::Watch};

/// A passage that is to become a record: the outbox adds room and direction, numbers, seals and
/// stores it.
#[derive(Clone, PartialEq)]
pub struct Draft {
    /// When the best look was taken.
    pub at: Stamp,
    /// Which way they went, where two lines say so.
    pub way: Option<Way>,
    /// Best first, at most 5, each at or above the review line.
    pub candidates: Vec<Candidate>,
    /// Of the first candidate, 0..=1.
    pub confidence: f32,
    /// What the door makes of it.
    pub verdict: Verdict,
    /// Why it is not surer.
    pub reasons: Vec<Reason>,
    /// Of the best look.
    pub quality: Quality,
    /// Frames fused into the template.
    pub frames: u16,
    /// Version of the gallery it was matched in.
    pub gallery: u64,
    /// The network of the template.
    pub model: ModelId,
    /// The unit template, f16 little-endian.
    pub template_f16: Vec<u8>,
    /// The face as a JPEG of at most 12 KiB.
    pub crop_jpeg: Option<Vec<u8>>,
}

impl fmt::Debug for Draft {
    /// Neither template nor crop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("at", &self.at)
            .field("candidates", &self.candidates)
            .field("verdict", &self.verdict)
            .field("reasons", &self.reasons)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

/// Where records are kept.
pub trait Keep: Send {
    /// Stores all of them in one transaction and returns their numbers, only after COMMIT: the
    /// green light follows.
    ///
    /// # Errors
    /// When they are not stored yet: they wait with the supervisor, which stores or counts each of
    /// them once. Whoever passed is not to be offered again.
    fn keep(&mut self, drafts: Vec<Draft>) -> Result<Vec<u64>, KeepError>;

    /// Stores what the door could have recognised since the last time.
    ///
    /// # Errors
    /// When it is not stored.
    fn health(&mut self, at: Stamp, watch: Watch) -> Result<u64, KeepError>;

    /// Who passed lately, so that a restart does not make a second record of one passage.
    fn recent(&self) -> Vec<(StudentId, Stamp)>;
}

/// Dates moments of this boot: knows boot number, wall clock and how far to trust it.
pub trait Timing: Send + Sync {
    /// The stamp of the moment `at`, now or a little earlier.
    fn stamp(&self, at: Mono) -> Stamp;

    /// How far the wall time of that stamp may be off, milliseconds, where that is known.
    fn err_ms(&self, _at: Mono) -> Option<u32> {
        None
    }
}

/// A record could not be stored.
#[derive(Debug, thiserror::Error)]
#[error("the outbox has not stored the record")]
pub struct KeepError(#[source] pub Box<dyn Error + Send + Sync>);
