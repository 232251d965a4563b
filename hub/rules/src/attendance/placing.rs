//! Which lesson a sighting belongs to, and what it is worth: a decision over facts.
//!
//! A lesson's window opens [`EARLY_MS`] before it starts and closes with it. Before the school
//! has any timetable, every sighting waits for a person, as it is.

use crate::review::Status;
use uuid::Uuid;
use wire::{Direction, Reason, StudentId, Verdict, Wall};

/// How early people arrive: 15 minutes.
pub const EARLY_MS: i64 = 15 * 60 * 1000;
/// No lesson is longer: 24 hours.
pub const LONGEST_MS: i64 = 24 * 3600 * 1000;

/// A lesson in the room, about that time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlacingLesson {
    /// Which.
    pub id: Uuid,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
    /// Of the candidates, those on its roster.
    pub due: Vec<StudentId>,
}

/// What is known of a sighting besides the picture.
#[derive(Clone, Debug)]
pub struct PlacingFacts<'a> {
    /// Whether the school has any planned lesson.
    pub planned: bool,
    /// Whether the first candidate is staff.
    pub staff: bool,
    /// Which way the door counts.
    pub direction: Direction,
    /// When it was, where that is known.
    pub at: Option<Wall>,
    /// The earliest and the latest it can have been.
    pub span: (Wall, Wall),
    /// Who it may be, best first.
    pub candidates: &'a [StudentId],
    /// Whether the first is sure.
    pub sure: bool,
    /// Lessons in that room whose window touches the span.
    pub lessons: &'a [PlacingLesson],
}

/// Where a sighting belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlacingPlace {
    /// It counts, in this lesson if one is known; whoever is due there, the candidate at this
    /// index, comes first. Whether it waits for a person is [`worth`]'s to say.
    Waits(Option<Uuid>, usize),
    /// It is only a log entry: in school, but not in class; or staff; or somebody who left.
    Logged,
}

/// Where the sighting belongs.
#[must_use]
pub fn place(facts: &PlacingFacts<'_>) -> PlacingPlace {
    if !facts.planned {
        return PlacingPlace::Waits(None, 0);
    }
    if facts.staff || facts.direction == Direction::Exit {
        return PlacingPlace::Logged;
    }
    // Somebody sure is nobody else; of doubtful candidates those who are due come first.
    let known = facts.candidates.len().min(if facts.sure { 1 } else { usize::MAX });
    for (index, student) in facts.candidates[..known].iter().enumerate() {
        let own = facts.lessons.iter().filter(|lesson| lesson.due.contains(student));
        match (nearest(own.clone(), facts.at), facts.at) {
            (Some(lesson), Some(_)) => return PlacingPlace::Waits(Some(lesson.id), index),
            (Some(lesson), None) if own.count() == 1 => {
                return PlacingPlace::Waits(Some(lesson.id), index);
            }
            (Some(_), None) => return PlacingPlace::Waits(None, index),
            (None, _) => {}
        }
    }
    // When nobody knows the time, nobody knows that they were not due.
    if facts.at.is_none() { PlacingPlace::Waits(None, 0) } else { PlacingPlace::Logged }
}

/// The lesson that runs at `at`, or else the next one.
fn nearest<'a>(
    lessons: impl Iterator<Item = &'a PlacingLesson>,
    at: Option<Wall>,
) -> Option<&'a PlacingLesson> {
    let early = |lesson: &PlacingLesson| at.is_some_and(|at| at < lesson.starts);
    lessons.min_by_key(|lesson| (early(lesson), lesson.starts, lesson.id))
}

/// Whether the window of a lesson touches the span.
#[must_use]
pub fn touches((starts, ends): (Wall, Wall), span: (Wall, Wall)) -> bool {
    starts.plus_ms(-EARLY_MS) <= span.1 && span.0 <= ends
}

/// How a class treats what doors say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Policy {
    /// A person decides all.
    Review,
    /// A sure match marks at once.
    Auto {
        /// At or above this confidence, 0..=1.
        line: f64,
        /// Wrong names per 1,000 passages that the school accepted for it.
        budget: f64,
    },
}

/// Reasons that do not stand in the way of a mark without a person: they say nothing against
/// the match itself.
const HARMLESS: [Reason; 4] =
    [Reason::SingleFrame, Reason::CropDropped, Reason::ClockUnset, Reason::StaleGallery];

/// What a sighting in a lesson is worth at once.
#[must_use]
pub fn worth(policy: Policy, verdict: Verdict, confidence: f32, reasons: &[Reason]) -> Status {
    let Policy::Auto { line, .. } = policy else { return Status::Pending };
    let sure = verdict == Verdict::High && f64::from(confidence) >= line;
    let doubted = reasons.iter().any(|reason| !HARMLESS.contains(reason));
    if sure && !doubted { Status::Approved } else { Status::Pending }
}

#[cfg(test)]
#[path = "placing_tests.rs"]
mod tests;
