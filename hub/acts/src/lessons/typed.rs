//! A lesson that is planned or changed by hand: from what was typed to what is stored.

use jiff::civil::{Date, Time};
use jiff::{Timestamp, tz::TimeZone};
use rules::attendance::placing::LONGEST_MS;
use rules::error::Error;
use rules::timetable::{Change as Differs, Source, moment};
use store::reader::Reader;
use store::session::Session;
use store::{Tx, class, period};
use uuid::Uuid;
use wire::Wall;

/// A lesson without an end lasts this long, minutes.
const USUAL_MIN: i64 = 45;
/// Longest name, bytes.
const NAME: usize = 200;

/// A lesson that somebody plans.
#[derive(Clone, Debug)]
pub struct NewLesson {
    /// Own id or class code.
    pub class: String,
    /// What people call it; the class's name if it is left out.
    pub name: Option<String>,
    /// Today if it is left out.
    pub day: Option<Date>,
    /// Local time; now if it is left out.
    pub starts: Option<Time>,
    /// 45 minutes later if it is left out.
    pub ends: Option<Time>,
    /// The class's usual room if it is left out.
    pub room: Option<String>,
}

/// What changes about a lesson; what is left out stays.
#[derive(Clone, Debug)]
pub struct LessonChanges {
    /// Own id.
    pub lesson: String,
    /// What people call it.
    pub name: Option<String>,
    /// The local date.
    pub day: Option<Date>,
    /// Local time.
    pub starts: Option<Time>,
    /// Local time.
    pub ends: Option<Time>,
    /// Where.
    pub room: Option<String>,
    /// The version that was read.
    pub version: Option<i64>,
}

/// First and last moment of a lesson.
fn times(day: Date, (from, to): (Time, Time), zone: &TimeZone) -> Result<(Wall, Wall), Error> {
    if to <= from {
        return Err(Error::Invalid("end_time: a lesson ends after it starts, on one day".into()));
    }
    let (starts, ends) = (moment(day, from, zone)?, moment(day, to, zone)?);
    Ok((starts, ends.max(starts.plus_ms(60_000)).min(starts.plus_ms(LONGEST_MS))))
}

/// The lesson that was typed.
///
/// # Errors
/// `NotFound` for a class the reader does not see, `Invalid` for times that cannot be.
pub(super) fn plan(
    tx: &Tx<'_>,
    reader: Reader,
    new: NewLesson,
    zone: &TimeZone,
    now: Wall,
) -> Result<Session, Error> {
    let class = class::find(tx, reader, &new.class)?;
    let local = Timestamp::from_millisecond(now.0).unwrap_or_default().to_zoned(zone.clone());
    let minute = Time::constant(local.hour(), local.minute(), 0, 0);
    let from = new.starts.unwrap_or(minute);
    let usual = jiff::SignedDuration::from_mins(USUAL_MIN);
    let to = new.ends.unwrap_or_else(|| from.saturating_add(usual));
    let day = new.day.unwrap_or(reader.today);
    let (starts, ends) = times(day, (from, to), zone)?;
    Ok(Session {
        id: wire::id::v7(now),
        name: new.name.unwrap_or_else(|| class.class_name.clone()),
        class: class.id,
        day,
        starts,
        ends,
        late_after: starts.plus_ms(class.grace_min * 60_000),
        room: named(tx, &new.room.or(class.room).unwrap_or_default())?,
        source: Source::Manual,
        period: None,
        closed_at: None,
        version: 1,
    })
}

/// The name of a room that is typed: a name, known or new, or the own id of a known one.
fn named(tx: &Tx<'_>, typed: &str) -> Result<String, Error> {
    match store::room::find(tx, typed) {
        Ok(room) => Ok(room.name),
        Err(Error::NotFound(_)) => Ok(typed.trim().to_owned()),
        Err(error) => Err(error),
    }
}

/// Whether a lesson can be as it is typed, wherever others are.
///
/// # Errors
/// `Invalid` naming the field.
pub(super) fn check(tx: &Tx<'_>, session: &Session) -> Result<(), Error> {
    if session.name.trim().is_empty() || session.name.len() > NAME {
        return Err(Error::Invalid(format!("name: give 1 to {NAME} bytes")));
    }
    store::room::ensure(tx, &session.room, session.starts)
}

/// Whether it is at another time or in another room now.
#[must_use]
pub(super) fn is_moved(old: &Session, new: &Session) -> bool {
    (old.starts, old.ends, &old.room) != (new.starts, new.ends, &new.room)
}

/// A lesson with what was typed over it.
///
/// # Errors
/// `Conflict` when it was changed meanwhile, `Invalid` for times that cannot be.
pub(super) fn patched(
    tx: &Tx<'_>,
    old: &Session,
    to: LessonChanges,
    zone: &TimeZone,
    now: Wall,
) -> Result<Session, Error> {
    let stale = || Error::Conflict("this lesson was changed meanwhile: look again".into());
    if to.version.is_some_and(|version| version != old.version) {
        return Err(stale());
    }
    let day = to.day.unwrap_or(old.day);
    if old.period.is_some() && day != old.day {
        let say = "date: a lesson of the timetable stays on its day: cancel it and add another";
        return Err(Error::Invalid(say.into()));
    }
    let mut new = Session {
        name: to.name.unwrap_or_else(|| old.name.clone()),
        day,
        room: to.room.map_or_else(|| Ok(old.room.clone()), |room| named(tx, &room))?,
        ..old.clone()
    };
    if to.day.is_some() || to.starts.is_some() || to.ends.is_some() {
        let span = (typed(to.starts, old.starts, zone), typed(to.ends, old.ends, zone));
        (new.starts, new.ends) = times(day, span, zone)?;
    }
    if (new.starts, new.ends) != (old.starts, old.ends) {
        new.late_after = late_after(tx, old, &new)?;
        new.closed_at = old.closed_at.filter(|_| new.ends <= now);
    }
    Ok(new)
}

/// The time that was typed; the old one where it is that to the minute, as it is shown.
fn typed(said: Option<Time>, old: Wall, zone: &TimeZone) -> Time {
    let old = local(old, zone);
    let minute = |at: Time| (at.hour(), at.minute());
    said.filter(|said| minute(*said) != minute(old)).unwrap_or(old)
}

/// From when on whoever comes is late once a lesson has other times: one that begins when it did
/// keeps the grace it had.
fn late_after(tx: &Tx<'_>, old: &Session, new: &Session) -> Result<Wall, Error> {
    if new.starts == old.starts {
        return Ok(old.late_after.min(new.ends));
    }
    let (_, grace) = period::lesson_of(tx, old.class)?;
    Ok(new.starts.plus_ms(grace * 60_000))
}

/// The timetable remembers that this day of it differs, so that the lesson stays as it was made.
pub(super) fn differ(
    tx: &Tx<'_>,
    old: &Session,
    new: &Session,
    zone: &TimeZone,
    reader: Reader,
    now: Wall,
) -> Result<(), Error> {
    let Some(of) = old.period.filter(|_| is_moved(old, new) && old.starts > now) else {
        return Ok(());
    };
    let (starts, ends) = (local(new.starts, zone), local(new.ends, zone));
    let change = Differs::Moved { starts, ends, room: new.room.clone() };
    except(tx, of, new.day, &change, reader, now)
}

/// The timetable remembers how this day of it differs.
pub(super) fn except(
    tx: &Tx<'_>,
    of: Uuid,
    day: Date,
    change: &Differs,
    reader: Reader,
    now: Wall,
) -> Result<(), Error> {
    match period::find(tx, reader, of) {
        Ok(period) if period.is_on(day) => {
            period::except(tx, &period, day, change, &reader.actor.user.to_string(), now)
        }
        Ok(_) | Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn local(at: Wall, zone: &TimeZone) -> Time {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone()).time()
}
