//! The whole school's gallery, as far as judging a record needs it.

use std::sync::Arc;
use tokio::sync::watch;
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

    /// The people most like each of `probes`, best first: all are searched for in one go.
    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>>;

    /// Who it may be of those who are `nearest`, seen in so many frames with these doubts about
    /// the look.
    fn look(&self, nearest: &[Candidate], frames: u16, doubts: &[Reason]) -> Look;
}

/// The school as it is now; cheap to clone. Whoever changes the gallery sets it.
#[derive(Clone)]
pub struct Schools(watch::Sender<Arc<dyn School>>);

impl Default for Schools {
    /// Before anybody is enrolled.
    fn default() -> Self {
        Self(watch::Sender::new(Arc::new(Nobody)))
    }
}

impl Schools {
    /// The newest.
    #[must_use]
    pub fn now(&self) -> Arc<dyn School> {
        self.0.borrow().clone()
    }

    /// Replaces it.
    pub fn set(&self, school: Arc<dyn School>) {
        self.0.send_replace(school);
    }
}

/// A school where nobody is enrolled.
struct Nobody;

impl School for Nobody {
    fn model(&self) -> Option<&ModelId> {
        None
    }

    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>> {
        vec![Vec::new(); probes.len()]
    }

    fn look(&self, _: &[Candidate], _: u16, _: &[Reason]) -> Look {
        let (reasons, candidates) = (Vec::new(), Vec::new());
        Look { verdict: Verdict::Unknown, reasons, candidates, confidence: 0.0 }
    }
}
