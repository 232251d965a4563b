//! What a burst came to, for whoever asked for it.

use super::{judge::Opinion, see::Poor};
use crate::report::Face;
use crate::track::Track;
use vision::Rect;
use wire::Verdict;

/// What is made of a track.
pub fn face(track: &Track, opinion: &Opinion) -> Face {
    Face {
        rect: corners(&track.place()),
        verdict: opinion.decision.verdict,
        candidates: opinion.decision.candidates.clone(),
        nearest: opinion.nearest,
        confidence: opinion.decision.confidence,
        reasons: opinion.decision.reasons.clone(),
        quality: opinion.best.quality,
        frames: opinion.frames,
    }
}

/// A face too poor to be compared.
pub fn poor(poor: &Poor) -> Face {
    Face {
        rect: corners(&poor.rect),
        verdict: Verdict::Unknown,
        candidates: Vec::new(),
        nearest: None,
        confidence: 0.0,
        reasons: poor.reasons.clone(),
        quality: poor.quality,
        frames: 0,
    }
}

fn corners(rect: &Rect) -> [f32; 4] {
    [rect.left, rect.top, rect.right, rect.bottom]
}
