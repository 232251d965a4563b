//! Carries the timetable out: stored lessons become those that follow from it.
//!
//! Idempotent: run at start and each hour for the periods that need it ([`stale`]), and in the
//! transaction of every change.

use jiff::ToSpan;
use jiff::tz::TimeZone;
use rules::error::{Doing, Error};
use rules::timetable::Source;
use rules::timetable::{AHEAD_DAYS, Changes, Plan, Stored, changes};
use std::collections::{BTreeSet, HashMap};
use store::session::Session;
use store::{self, Tx};
use uuid::Uuid;
use wire::Wall;

/// Which lessons are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MakeFor {
    /// All of them.
    Everybody,
    /// Those of one period.
    Period(Uuid),
}

/// How many lessons were added, changed, removed.
pub type LessonsMade = (usize, usize, usize);

/// Makes the lessons of the days ahead.
pub fn make(tx: &Tx<'_>, of: MakeFor, zone: &TimeZone, now: Wall) -> Result<LessonsMade, Error> {
    let (changes, _) = compare(tx, of, zone, now)?;
    apply(tx, changes, now)
}

/// The periods whose stored lessons are not those that follow from them: to be made one by one,
/// so that nobody waits for a whole school.
pub fn stale(tx: &Tx<'_>, zone: &TimeZone, now: Wall) -> Result<Vec<Uuid>, Error> {
    let (Changes { add, change, remove }, of) = compare(tx, MakeFor::Everybody, zone, now)?;
    let periods = add.iter().map(|lesson| lesson.period);
    let periods = periods.chain(change.iter().map(|stored| stored.lesson.period));
    let gone = remove.iter().filter_map(|id| of.get(id).copied());
    Ok(periods.chain(gone).collect::<BTreeSet<_>>().into_iter().collect())
}

/// What has to change, and the period of each stored lesson.
fn compare(
    tx: &Tx<'_>,
    of: MakeFor,
    zone: &TimeZone,
    now: Wall,
) -> Result<(Changes, HashMap<Uuid, Uuid>), Error> {
    let today = rules::timetable::day(now, zone);
    let last = today.checked_add(AHEAD_DAYS.days()).doing("making lessons")?;
    let period = match of {
        MakeFor::Everybody => None,
        MakeFor::Period(id) => Some(id),
    };
    let plan = Plan {
        periods: store::period::to_make(tx, period, today, last)?,
        changes: store::period::changes(tx, period, today, last)?,
        holidays: store::holiday::between(tx, today, last)?,
        zone: zone.clone(),
    };
    let (stored, kept) = store::period::made(tx, period, today, last, now)?;
    let lessons = plan.lessons(today, last).into_iter().filter(|lesson| lesson.starts > now);
    let wanted: Vec<_> = lessons.collect();
    let periods = stored.iter().map(|stored| (stored.id, stored.lesson.period)).collect();
    Ok((changes(stored, &kept, wanted), periods))
}

fn apply(tx: &Tx<'_>, changes: Changes, now: Wall) -> Result<LessonsMade, Error> {
    let Changes { add, change, remove } = changes;
    let made = (add.len(), change.len(), remove.len());
    if made != (0, 0, 0) {
        store::change::bump(tx, store::change::GALLERY)?; // doors are told who is due
    }
    for id in remove {
        store::period::unmake(tx, id)?;
    }
    for lesson in add {
        let (name, grace) = store::period::lesson_of(tx, lesson.class)?;
        let session = Session {
            id: wire::id::v7(now),
            class: lesson.class,
            name,
            day: lesson.day,
            starts: lesson.starts,
            ends: lesson.ends,
            late_after: lesson.starts.plus_ms(grace * 60_000),
            room: lesson.room,
            source: Source::Timetable,
            period: Some(lesson.period),
            closed_at: None,
            version: 1,
        };
        store::session::add(tx, &session)?;
    }
    for Stored { id, lesson } in change {
        let (_, grace) = store::period::lesson_of(tx, lesson.class)?;
        store::period::move_session(tx, id, &lesson, grace)?;
    }
    Ok(made)
}
