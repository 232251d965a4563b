//! What the end of a lesson says of those without a mark, and whether anybody can say it.
//!
//! A mark of absence is a statement about one student: every door they could have come in by must
//! have been able to recognise *them* for nearly all of the time that counts.

use super::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use wire::record::Blind;
use wire::{ModelId, Wall};

/// A door that could have recognised somebody for less of the time than this says nothing.
const ENOUGH: f64 = 0.9;
/// A clock that may be further off than this does not tell when a door watched, milliseconds.
const CLOCK_MS: i64 = 60_000;
/// Of so many looks one may be dropped.
const LOOKS_TO_ONE: u64 = 10;

/// Why a door could not have recognised a student.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = Why)]
pub enum ClosingWhy {
    /// The door said nothing of this time, or not yet.
    NoReport,
    /// Its software is too old to say what it could see.
    OldSoftware,
    /// Its camera gave no pictures.
    NoFrames,
    /// Its pictures were damaged.
    Undecodable,
    /// Its lens was covered, or it was dark.
    Covered,
    /// Its camera showed the same picture all the time.
    Frozen,
    /// It was too dark to recognise anybody.
    Dark,
    /// Its camera was out of focus.
    Unfocused,
    /// Nothing that makes it look works.
    NoTrigger,
    /// Nothing made it look in all that time.
    Idle,
    /// It had no time for the looks that it should have taken.
    Dropped,
    /// It lost records.
    Lost,
    /// Nobody knows how far its clock is off.
    Clock,
    /// It had no gallery, or its lease was over.
    NoGallery,
    /// Its gallery did not hold this student.
    NotInGallery,
    /// The student has been let go.
    Inactive,
    /// There is no consent.
    NoConsent,
    /// There is no picture of the student that counts.
    NotEnrolled,
    /// The student's pictures were not learned by the network that the door used.
    OtherModel,
    /// The student was enrolled after that time.
    EnrolledLater,
}

impl ClosingWhy {
    /// Whether it is about the student: no door can know them.
    #[must_use]
    pub fn is_personal(self) -> bool {
        self >= Self::Inactive
    }
}

impl From<Blind> for ClosingWhy {
    fn from(blind: Blind) -> Self {
        match blind {
            Blind::NoFrames => Self::NoFrames,
            Blind::Undecodable => Self::Undecodable,
            Blind::Covered => Self::Covered,
            Blind::Frozen => Self::Frozen,
            Blind::NoTrigger => Self::NoTrigger,
            Blind::NoGallery => Self::NoGallery,
            Blind::Dark => Self::Dark,
            Blind::Unfocused => Self::Unfocused,
        }
    }
}

/// A span that a door speaks of, and what it could have recognised in it.
#[derive(Clone, PartialEq, Debug)]
pub struct DoorReport {
    /// Start.
    pub from: Wall,
    /// End.
    pub to: Wall,
    /// How far both may be off, milliseconds.
    pub err_ms: i64,
    /// Milliseconds in which it could have recognised somebody; nothing from a door whose
    /// software does not say.
    pub usable_ms: Option<i64>,
    /// Of the rest, milliseconds of each cause.
    pub blind: Vec<(Blind, u64)>,
    /// The gallery in use, 0 if there was none.
    pub gallery: u64,
    /// The network in use.
    pub model: Option<ModelId>,
    /// How often it was made to look.
    pub fired: u64,
    /// Looks it took.
    pub looks: u64,
    /// Of those, the ones it had no time for.
    pub dropped: u64,
    /// Passages it could not store.
    pub refused: u64,
}

/// What a door that people come in by says of the time that counts.
#[derive(Clone, PartialEq, Debug)]
pub struct ClosingDoor {
    /// Which.
    pub id: String,
    /// Whether records of that time are lost.
    pub lost: bool,
    /// Whether somebody was recognised at it in that time.
    pub passed: bool,
    /// In any order.
    pub reports: Vec<DoorReport>,
}

/// How a student stands whom doors may know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pupil {
    /// Whether the school has them, and has not let them go.
    pub is_active: bool,
    /// Whether their consent stands.
    pub consents: bool,
    /// Templates that count: of which network, and since when.
    pub templates: Vec<(ModelId, Wall)>,
}

impl Pupil {
    /// Why no door can know them, whatever it sees.
    #[must_use]
    pub fn unknowable(&self) -> Option<ClosingWhy> {
        match self {
            Self { is_active: false, .. } => Some(ClosingWhy::Inactive),
            Self { consents: false, .. } => Some(ClosingWhy::NoConsent),
            Self { templates, .. } => templates.is_empty().then_some(ClosingWhy::NotEnrolled),
        }
    }

    /// Why a door that used `model` from `at` on could not have known them; `holds` is whether its
    /// gallery held them.
    #[must_use]
    pub fn unknown_to(&self, model: Option<&ModelId>, at: Wall, holds: bool) -> Option<ClosingWhy> {
        let of = |(of, _): &&(ModelId, Wall)| model == Some(of);
        let mut fits = self.templates.iter().filter(of).peekable();
        match self.unknowable() {
            Some(why) => Some(why),
            None if fits.peek().is_none() => Some(ClosingWhy::OtherModel),
            None if holds => None,
            None if fits.all(|(_, since)| *since > at) => Some(ClosingWhy::EnrolledLater),
            None => Some(ClosingWhy::NotInGallery),
        }
    }
}

/// What one door's word about one student is worth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ground {
    /// The door.
    pub door: String,
    /// Of a thousand parts of the time that counts, those in which it could have recognised them.
    pub permille: u16,
    /// Why its word is not enough; nothing where it is.
    pub why: Option<ClosingWhy>,
}

/// What a mark at the end of a lesson stands on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Grounds {
    /// They were in the lesson before, in the same room, and need not have passed a door.
    pub stayed: bool,
    /// Each door that people come in by.
    pub doors: Vec<Ground>,
}

impl Grounds {
    /// Whether every door could have recognised them. A room without doors sees nobody.
    #[must_use]
    pub fn suffice(&self) -> bool {
        !self.doors.is_empty() && self.doors.iter().all(|door| door.why.is_none())
    }
}

/// What the word of `door` about one student is worth for the span.
///
/// `unknown` says why the gallery of a report could not have found them. Of a report that only
/// partly lies in the span, that part counts in proportion.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a lesson need few digits")]
pub fn ground(
    door: &ClosingDoor,
    (from, to): (Wall, Wall),
    unknown: impl Fn(&DoorReport) -> Option<ClosingWhy>,
) -> Ground {
    let mut known = 0;
    let mut told = 0;
    let mut lost = BTreeMap::<ClosingWhy, i64>::new();
    let mut reached = from;
    let mut reports: Vec<_> = door.reports.iter().collect();
    reports.sort_by_key(|report| (report.from, report.to));
    for report in reports {
        let inside = (report.to.min(to).0 - report.from.max(reached).0).max(0);
        reached = reached.max(report.to.min(to));
        told += inside;
        // What was good of it may all have been outside.
        let outside = (report.to.0 - report.from.0 - inside).max(0);
        let usable = (report.usable_ms.unwrap_or(0) - outside).clamp(0, inside);
        let mut lose = |why, ms: i64| *lost.entry(why).or_default() += ms;
        match report.usable_ms {
            None => lose(ClosingWhy::OldSoftware, inside),
            Some(_) if report.err_ms > CLOCK_MS => lose(ClosingWhy::Clock, inside),
            Some(_) => {
                for (blind, ms) in &report.blind {
                    lose((*blind).into(), i64::try_from(*ms).unwrap_or(inside).min(inside));
                }
                match unknown(report) {
                    None => known += usable,
                    Some(why) => lose(why, usable),
                }
            }
        }
    }
    let length = (to.0 - from.0).max(1);
    *lost.entry(ClosingWhy::NoReport).or_default() += (length - told).max(0);
    let share = (known as f64 / length as f64).min(1.0);
    let most = lost.into_iter().max_by_key(|(_, ms)| *ms).map(|(why, _)| why);
    let why = if share < ENOUGH { most } else { doubt(door, (from, to)) };
    Ground { door: door.id.clone(), permille: (share * 1000.0) as u16, why }
}

/// Why a door that could see may still have missed somebody. Of a report that only partly lies in
/// the span, whatever it counts may have been outside, if that is worse.
fn doubt(door: &ClosingDoor, (from, to): (Wall, Wall)) -> Option<ClosingWhy> {
    let inside = |report: &DoorReport| from <= report.from && report.to <= to;
    let sum =
        |of: &dyn Fn(&DoorReport) -> u64| door.reports.iter().map(of).fold(0, u64::saturating_add);
    let dropped = sum(&|report| report.dropped).saturating_mul(LOOKS_TO_ONE);
    let looks = |report: &DoorReport| if inside(report) { report.looks } else { report.dropped };
    let fired = |report: &DoorReport| if inside(report) { report.fired } else { 0 };
    if door.lost || sum(&|report| report.refused) > 0 {
        Some(ClosingWhy::Lost)
    } else if dropped > sum(&looks) {
        Some(ClosingWhy::Dropped)
    } else {
        (sum(&fired) == 0 && !door.passed).then_some(ClosingWhy::Idle)
    }
}

/// What the end of the lesson says of a student without a mark; `waits` is whether nobody decided
/// on a sighting that may be theirs. Absence needs evidence.
#[must_use]
pub fn say(waits: bool, grounds: &Grounds) -> Status {
    match grounds {
        _ if waits => Status::Undecided,
        Grounds { stayed: false, .. } if grounds.suffice() => Status::Absent,
        _ => Status::Unverified,
    }
}

#[cfg(test)]
#[path = "closing_tests.rs"]
mod tests;
