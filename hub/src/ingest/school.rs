//! The whole school's gallery, as far as judging a record needs it.

use vision::Template;
use wire::{Candidate, ModelId, Reason, Verdict};

/// What the school makes of a template.
#[derive(Clone, PartialEq, Debug)]
pub struct Look {
    /// Sure, for review, or nobody.
    pub verdict: Verdict,
    /// Why it is not surer.
    pub reasons: Vec<Reason>,
    /// Best first, each at or above the review line; empty when it is nobody.
    pub candidates: Vec<Candidate>,
    /// Calibrated, of the first.
    pub confidence: f32,
}

/// Everybody who may be recognised: enrolled, active, and consenting.
pub trait School: Send + Sync {
    /// The network in use, absent before anybody is enrolled.
    fn model(&self) -> Option<&ModelId>;

    /// Who `template` may be, seen in so many frames with these doubts about the look.
    fn compare(&self, template: &Template, frames: u16, doubts: &[Reason]) -> Look;
}
