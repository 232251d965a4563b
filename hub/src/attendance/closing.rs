//! What the end of a lesson says of those without a mark, and whether anybody can say it.

use super::Status;
use wire::Wall;

/// A door that watched less of the time than this was blind.
const WATCHED: f64 = 0.9;

/// A span that a door speaks of, and how much of it it watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watch {
    /// Start.
    pub from: Wall,
    /// End.
    pub to: Wall,
    /// Milliseconds between them with an eye on the door.
    pub watched_ms: i64,
}

/// The share of `span` that one door watched, 0..=1. What was watched of a report that only
/// partly lies in the span counts in that proportion.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a lesson need few digits")]
pub fn share((from, to): (Wall, Wall), reports: &[Watch]) -> f64 {
    let length = (to.0 - from.0).max(1) as f64;
    let part = |report: &Watch| {
        let whole = (report.to.0 - report.from.0).max(1) as f64;
        let inside = report.to.0.min(to.0) - report.from.0.max(from.0);
        inside.max(0) as f64 * (report.watched_ms as f64 / whole).min(1.0)
    };
    (reports.iter().map(part).sum::<f64>() / length).min(1.0)
}

/// Whether the room was watched: every door that people come in by, nearly all the time. A room
/// without doors is not.
#[must_use]
pub fn covered(doors: &[f64]) -> bool {
    !doors.is_empty() && doors.iter().all(|share| *share >= WATCHED)
}

/// What is known of a student without a mark when a lesson ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Nobody decided on a sighting that may be theirs.
    pub waits: bool,
    /// They were in the lesson before, in the same room, and need not have passed a door.
    pub stayed: bool,
    /// The room was watched.
    pub covered: bool,
}

/// What the end of the lesson says of them. Absence needs evidence.
#[must_use]
pub fn say(missing: Missing) -> Status {
    match missing {
        Missing { waits: true, .. } => Status::Undecided,
        Missing { stayed: false, covered: true, .. } => Status::Absent,
        _ => Status::Unverified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(from: i64, to: i64, watched_ms: i64) -> Watch {
        Watch { from: Wall(from), to: Wall(to), watched_ms }
    }

    #[test]
    fn a_door_that_was_blind_for_a_tenth_is_not_believed() {
        let span = (Wall(1000), Wall(2000));
        assert!(covered(&[share(span, &[watch(0, 1500, 1500), watch(1500, 2500, 1000)])]));
        assert!(covered(&[share(span, &[watch(1000, 1900, 900)])]));
        assert!(!covered(&[share(span, &[watch(1000, 1899, 899)])]));
        assert!(!covered(&[share(span, &[watch(0, 3000, 2400)])]), "blind somewhere in it");
        assert!(!covered(&[1.0, 0.5]), "they may have come in by the other door");
        assert!(!covered(&[]), "no door");
    }

    #[test]
    fn absence_needs_evidence() {
        let (waits, stayed, covered) = (false, false, true);
        assert_eq!(say(Missing { waits, stayed, covered }), Status::Absent);
        assert_eq!(say(Missing { waits, stayed, covered: false }), Status::Unverified);
        assert_eq!(say(Missing { waits, stayed: true, covered }), Status::Unverified);
        assert_eq!(say(Missing { waits: true, stayed, covered }), Status::Undecided);
    }
}
