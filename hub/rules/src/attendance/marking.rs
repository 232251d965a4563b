//! What a lesson says of a student, from what was approved, noted and closed.
//!
//! A mark is never edited in place: it follows from what stands now, so that taking a decision
//! back takes its mark back too. In doubt it follows for the student: the earliest arrival
//! counts, and a time that is not known never makes anybody late.

use super::{Mark, Source, Status};
use wire::{RecordId, Wall};

/// Who marks when nobody decided.
pub const HUB: &str = "hub";

/// A passage that counts as the student's: somebody approved it, or the class's policy did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// The sighting.
    pub record: RecordId,
    /// A door, or a photo.
    pub source: Source,
    /// When it was, where that is known.
    pub at: Option<Wall>,
    /// The earliest it can have been.
    pub low: Option<Wall>,
    /// Account id of whoever approved it, or `hub`.
    pub by: String,
    /// When they did.
    pub decided_at: Wall,
}

impl Passage {
    /// The mark it makes in a lesson where whoever arrives after `late_after` is late.
    #[must_use]
    pub fn mark(&self, late_after: Wall) -> Mark {
        let surely_late = self.at.is_some() && self.low.is_some_and(|low| low > late_after);
        Mark {
            status: if surely_late { Status::Late } else { Status::Present },
            source: self.source,
            sighting: Some(self.record),
            arrived_at: self.at,
            by: self.by.clone(),
            at: self.decided_at,
            notes: None,
            version: 1,
        }
    }
}

/// What the end of a lesson says of a student without a mark.
#[must_use]
pub fn closed(status: Status, at: Wall) -> Mark {
    let source = Source::Close;
    let by = HUB.to_owned();
    let sighting = None;
    let arrived_at = None;
    let notes = None;
    Mark { status, source, sighting, arrived_at, by, at, notes, version: 1 }
}

/// Whether `new` may stand instead of `old`: a person's word over everything, a sighting over
/// the end of the lesson, and of two sightings the one that is better for the student.
#[must_use]
pub fn admits(old: Option<&Mark>, new: &Mark) -> bool {
    let Some(old) = old else { return true };
    match (old.source, new.source) {
        (_, Source::Manual) => true,
        (Source::Manual, _) => false,
        (_, Source::Close) => old.source == Source::Close,
        (Source::Close, _) => true,
        _ => order(new) < order(old),
    }
}

/// What should be recorded: `old` is what is, `passages` are all that count now, and `end` is
/// what the end of the lesson says, once it is over.
#[must_use]
pub fn settle(
    old: Option<&Mark>,
    passages: &[Passage],
    late_after: Wall,
    end: Option<&Mark>,
) -> Option<Mark> {
    // What a person said, or confirmed on a class photo, follows from no sighting; and what
    // followed from one that is kept no longer stays.
    let own = old.filter(|old| stands_alone(old));
    if let Some(manual) = own.filter(|own| own.source == Source::Manual) {
        return Some(manual.clone());
    }
    let seen = passages.iter().map(|passage| passage.mark(late_after));
    let best = seen.chain(own.cloned()).min_by_key(order);
    best.or_else(|| end.cloned())
}

/// Whether the mark is there without a sighting that carries it: it never had one, or the one it
/// had is kept no longer.
#[must_use]
pub fn stands_alone(mark: &Mark) -> bool {
    match mark.source {
        Source::Manual => true,
        Source::Door | Source::Photo => mark.sighting.is_none(),
        Source::Close => false,
    }
}

/// Better for the student first; the sighting's id only keeps the order whole.
fn order(mark: &Mark) -> (bool, Wall, Option<RecordId>) {
    (mark.status == Status::Late, mark.arrived_at.unwrap_or(Wall(i64::MAX)), mark.sighting)
}

#[cfg(test)]
#[path = "marking_tests.rs"]
mod tests;
