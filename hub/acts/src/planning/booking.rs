//! Asks the tables what is in the way of a lesson: lessons by hand, unplanned ones, and those of
//! the timetable with the days on which it differs, whether they are made already or not.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::error::{Doing, Error};
use rules::timetable::Source;
use rules::timetable::clash::{self, ClashSpan, ClashTaken};
use rules::timetable::{Change, Period, Plan, span};
use std::collections::HashMap;
use store::session::Session;
use store::{self, Tx, period, session};
use uuid::Uuid;
use wire::Wall;

/// Whether this lesson finds its class and its room free.
///
/// # Errors
/// `Conflict` naming what is there.
pub fn lesson(tx: &Tx<'_>, of: &Session, now: Wall, zone: &TimeZone) -> Result<(), Error> {
    let Session { id, class, day, starts, ends, room, .. } = of;
    let wanted = ClashSpan { class: *class, room: room.clone(), starts: *starts, ends: *ends };
    let mut there = of_timetable(tx, &wanted, *day, of.period, (now, zone))?;
    let stored = session::in_the_way(tx, *class, room, (*starts, *ends), *id)?;
    there.extend(stored.map(of_lesson));
    refuse(&[wanted], &there, zone)
}

/// Whether a period can be as it is on `day`: at its usual or its other time.
///
/// # Errors
/// `Conflict` naming what is there.
pub fn one_day(
    tx: &Tx<'_>,
    period: &Period,
    day: Date,
    change: Option<&Change>,
    (now, zone): (Wall, &TimeZone),
) -> Result<(), Error> {
    let (starts, ends, room) = match change {
        Some(Change::Cancelled) => return Ok(()),
        Some(Change::Moved { starts, ends, room }) => (*starts, *ends, room),
        None => (period.starts, period.ends, &period.room),
    };
    let Some((starts, ends)) = span(day, starts, ends, zone) else { return Ok(()) };
    let wanted = ClashSpan { class: period.class, room: room.clone(), starts, ends };
    let own = session::of_period(tx, period.id, day)?.unwrap_or(Uuid::nil());
    let mut there = of_timetable(tx, &wanted, day, Some(period.id), (now, zone))?;
    let stored = session::in_the_way(tx, period.class, room, (starts, ends), own)?;
    there.extend(stored.map(of_lesson));
    refuse(&[wanted], &there, zone)
}

/// Whether a weekly lesson finds its class and its room free in the year ahead: beside lessons
/// without a period, and the days on which other periods are elsewhere.
///
/// Other periods on their
/// usual days are [`fits`](rules::timetable::fits)' part.
///
/// # Errors
/// `Conflict` naming what is there.
pub fn weekly(tx: &Tx<'_>, period: &Period, now: Wall, zone: &TimeZone) -> Result<(), Error> {
    let first = period.from.max(rules::timetable::day(now, zone));
    let last = first.checked_add(1.year()).doing("looking at the timetable")?;
    let wanted = plan(tx, vec![period.clone()], (first, last), zone)?.lessons(first, last);
    let wanted: Vec<ClashSpan> =
        wanted.iter().filter(|lesson| lesson.starts > now).map(ClashSpan::from).collect();
    let (Some(from), Some(until)) =
        (wanted.iter().map(|span| span.starts).min(), wanted.iter().map(|span| span.ends).max())
    else {
        return Ok(());
    };
    let loose = session::loose(tx, period.class, &period.room, (from, until))?;
    let mut there: Vec<ClashTaken> = loose.into_iter().map(of_lesson).collect();
    let others = period::elsewhere(tx, period, (first, last))?;
    for lesson in plan(tx, others, (first, last), zone)?.moved(first, last) {
        there.push(of_period(tx, &lesson)?);
    }
    refuse(&wanted, &there, zone)
}

/// Lessons that the timetable wants on `day` beside `wanted` and that are not made yet. What has
/// begun was made, or never will be.
fn of_timetable(
    tx: &Tx<'_>,
    wanted: &ClashSpan,
    day: Date,
    but: Option<Uuid>,
    (now, zone): (Wall, &TimeZone),
) -> Result<Vec<ClashTaken>, Error> {
    let beside = period::on_day(tx, wanted.class, &wanted.room, day)?;
    let beside = beside.into_iter().filter(|period| Some(period.id) != but).collect();
    let mut there = Vec::new();
    let wanted = plan(tx, beside, (day, day), zone)?.lessons(day, day);
    for lesson in wanted.into_iter().filter(|lesson| lesson.starts > now) {
        if session::of_period(tx, lesson.period, day)?.is_none() {
            there.push(of_period(tx, &lesson)?);
        }
    }
    Ok(there)
}

fn plan(
    tx: &Tx<'_>,
    periods: Vec<Period>,
    (first, last): (Date, Date),
    zone: &TimeZone,
) -> Result<Plan, Error> {
    let mut changes = HashMap::new();
    for period in &periods {
        changes.extend(period::changes(tx, Some(period.id), first, last)?);
    }
    let holidays = store::holiday::between(tx, first, last)?;
    Ok(Plan { periods, changes, holidays, zone: zone.clone() })
}

fn of_period(tx: &Tx<'_>, lesson: &rules::timetable::Lesson) -> Result<ClashTaken, Error> {
    let (name, _) = period::lesson_of(tx, lesson.class)?;
    Ok(ClashTaken {
        span: ClashSpan::from(lesson),
        name,
        day: lesson.day,
        source: Source::Timetable,
    })
}

fn of_lesson(session: Session) -> ClashTaken {
    let Session { class, room, starts, ends, name, day, source, .. } = session;
    ClashTaken { span: ClashSpan { class, room, starts, ends }, name, day, source }
}

fn refuse(wanted: &[ClashSpan], there: &[ClashTaken], zone: &TimeZone) -> Result<(), Error> {
    match clash::find(wanted, there) {
        None => Ok(()),
        Some((span, taken)) => Err(Error::Conflict(clash::sentence(span, taken, zone))),
    }
}
