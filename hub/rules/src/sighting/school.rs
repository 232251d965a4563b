//! The whole school's gallery, as far as judging a record needs it.

use std::sync::Arc;
use vision::Template;
use wire::{Candidate, ModelId, Reason, StudentId, Verdict};

/// What the school makes of a template.
#[derive(Clone, PartialEq, Debug)]
pub struct SchoolLook {
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
    /// The network of its templates.
    fn model(&self) -> &ModelId;

    /// Whether it has a template of `student`.
    fn holds(&self, student: StudentId) -> bool;

    /// The people most like each of `probes`, best first: all are searched for in one go.
    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>>;

    /// Who it may be of those who are `nearest`, seen in so many frames with these doubts about
    /// the look.
    fn judge(&self, nearest: &[Candidate], frames: u16, doubts: &[Reason]) -> SchoolLook;
}

/// The school as each network sees it: the one in use first, then every older one of which there
/// still are templates, for what doors made with it. Nobody is in none.
pub type All = Arc<[Arc<dyn School>]>;
