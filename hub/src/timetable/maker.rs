//! Carries the timetable out: stored lessons become those that follow from it.
//!
//! Idempotent: run at start, each hour, and in the transaction of every change.

use super::{AHEAD_DAYS, Changes, Plan, Stored, changes};
use crate::error::{Doing, Error};
use crate::store::session::{Session, Source};
use crate::store::{self, Tx};
use jiff::ToSpan;

use jiff::tz::TimeZone;
use uuid::Uuid;
use wire::Wall;

/// Which lessons are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// All of them.
    Everybody,
    /// Those of one period.
    Period(Uuid),
}

/// How many lessons were added, changed, removed.
pub type Made = (usize, usize, usize);

/// Makes the lessons of the days ahead.
///
/// # Errors
/// When the database fails.
pub fn make(tx: &Tx<'_>, of: Of, zone: &TimeZone, now: Wall) -> Result<Made, Error> {
    let today = crate::web::words::day(now, zone);
    let last = today.checked_add(AHEAD_DAYS.days()).doing("making lessons")?;
    let period = match of {
        Of::Everybody => None,
        Of::Period(id) => Some(id),
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
    apply(tx, changes(stored, &kept, wanted), now)
}

fn apply(tx: &Tx<'_>, changes: Changes, now: Wall) -> Result<Made, Error> {
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
