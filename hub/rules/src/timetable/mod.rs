//! The weekly timetable, and the lessons that follow from it.
//!
//! Everything here is a decision over facts: which lessons a period gives in a span of days, what
//! to do so that the stored ones become those, and whether two periods clash. Times of a period
//! are local; where a clock change swallows or repeats one, jiff's `compatible` rule decides
//! (later in a gap, the first in a fold). [`clash`] says what is in the way of a single lesson.

pub mod clash;
pub mod own;
#[cfg(test)]
mod tests;

use crate::error::Error;
use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;
use wire::Wall;

/// Days ahead, from today on, for which lessons are made.
pub const AHEAD_DAYS: i32 = 14;
/// Longest lesson.
pub const LONGEST_MIN: i64 = 12 * 60;

/// Why a lesson is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The weekly timetable.
    Timetable,
    /// Somebody planned it.
    Manual,
    /// Attendance was taken without a plan.
    Adhoc,
}

impl Source {
    /// As the database and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timetable => "timetable",
            Self::Manual => "manual",
            Self::Adhoc => "adhoc",
        }
    }
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Timetable, Self::Manual, Self::Adhoc]
            .into_iter()
            .find(|source| source.as_str() == text)
            .ok_or_else(|| format!("“{text}” is no source of a lesson"))
    }
}

/// The date of `at` in `zone`.
#[must_use]
pub fn day(at: Wall, zone: &TimeZone) -> Date {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(zone.clone()).date()
}

/// Midnight of `day`, and of the day after.
///
/// # Errors
/// `Invalid` for a day beyond all calendars.
pub fn day_of(day: Date, zone: &TimeZone) -> Result<(Wall, Wall), Error> {
    let next = day.tomorrow().map_err(|_| odd_day(day))?;
    Ok((moment(day, Time::midnight(), zone)?, moment(next, Time::midnight(), zone)?))
}

/// The moment of a local time; in a gap or fold of the clock as jiff's `compatible` says.
///
/// # Errors
/// `Invalid` for a day on which no school has lessons.
pub fn moment(day: Date, time: Time, zone: &TimeZone) -> Result<Wall, Error> {
    if !(1900..=9000).contains(&day.year()) {
        return Err(odd_day(day));
    }
    let at = day.to_datetime(time).to_zoned(zone.clone()).map_err(|_| odd_day(day))?;
    Ok(Wall(at.timestamp().as_millisecond()))
}

fn odd_day(day: Date) -> Error {
    Error::Invalid(format!("date: {day} is no day a school has lessons on"))
}

/// A lesson that comes each week.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Period {
    /// Own id.
    pub id: Uuid,
    /// Whose.
    pub class: Uuid,
    /// On which day.
    pub weekday: Weekday,
    /// Local time of its beginning.
    pub starts: Time,
    /// Local time of its end, later than its beginning.
    pub ends: Time,
    /// Where.
    pub room: String,
    /// First day it can be on.
    pub from: Date,
    /// Last day, inclusive; none until further notice.
    pub to: Option<Date>,
    /// Counts changes.
    pub version: i64,
}

/// What is different on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// There is no lesson.
    Cancelled,
    /// It is at another time or in another room.
    Moved {
        /// Local time of its beginning.
        starts: Time,
        /// Local time of its end.
        ends: Time,
        /// Where.
        room: String,
    },
}

/// Days without lessons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holiday {
    /// Own id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub to: Date,
}

/// A lesson as the timetable wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lesson {
    /// Of this period.
    pub period: Uuid,
    /// Of this class.
    pub class: Uuid,
    /// The local date.
    pub day: Date,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
    /// Where.
    pub room: String,
}

/// Everything that lessons follow from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The weekly periods.
    pub periods: Vec<Period>,
    /// What is different, by period and day.
    pub changes: HashMap<(Uuid, Date), Change>,
    /// Days without lessons.
    pub holidays: Vec<Holiday>,
    /// The site's time zone.
    pub zone: TimeZone,
}

impl Plan {
    /// Every lesson from `first` to `last`, both inclusive.
    #[must_use]
    pub fn lessons(&self, first: Date, last: Date) -> Vec<Lesson> {
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        let days = days.take_while(|day| *day <= last).filter(|day| !self.is_holiday(*day));
        days.flat_map(|day| self.periods.iter().filter_map(move |p| self.lesson(p, day))).collect()
    }

    /// Those of them that are at another time or place than usual.
    #[must_use]
    pub fn moved(&self, first: Date, last: Date) -> Vec<Lesson> {
        let days = self.changes.keys().map(|(_, day)| *day).collect::<BTreeSet<_>>();
        let days = days.range(first..=last).filter(|day| !self.is_holiday(**day));
        let on = days.flat_map(|day| self.periods.iter().map(move |period| (period, *day)));
        on.filter(|(period, day)| self.changes.contains_key(&(period.id, *day)))
            .filter_map(|(period, day)| self.lesson(period, day))
            .collect()
    }

    /// Whether nothing happens on `day`.
    #[must_use]
    pub fn is_holiday(&self, day: Date) -> bool {
        self.holidays.iter().any(|holiday| (holiday.from..=holiday.to).contains(&day))
    }

    fn lesson(&self, period: &Period, day: Date) -> Option<Lesson> {
        if !period.is_on(day) {
            return None;
        }
        let (starts, ends, room) = match self.changes.get(&(period.id, day)) {
            Some(Change::Cancelled) => return None,
            Some(Change::Moved { starts, ends, room }) => (*starts, *ends, room),
            None => (period.starts, period.ends, &period.room),
        };
        let (from, to) = span(day, starts, ends, &self.zone)?;
        let (period, class) = (period.id, period.class);
        Some(Lesson { period, class, day, starts: from, ends: to, room: room.clone() })
    }
}

impl Period {
    /// Whether it takes place on `day`, holidays and exceptions aside.
    #[must_use]
    pub fn is_on(&self, day: Date) -> bool {
        day.weekday() == self.weekday && self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    /// Whether there can be a day on which both are on at the same time.
    fn meets(&self, other: &Self) -> bool {
        let days = |p: &Self| (p.from, p.to.unwrap_or(Date::MAX));
        let (a, b) = days(self);
        let (c, d) = days(other);
        let (first, last) = (a.max(c), b.min(d));
        let common = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(7);
        self.weekday == other.weekday
            && self.starts < other.ends
            && other.starts < self.ends
            && common.take_while(|day| *day <= last).any(|day| day.weekday() == self.weekday)
    }
}

/// First and last moment of a local span on `day`. A clock change never makes it empty: then it
/// keeps the length it has on other days.
#[must_use]
pub fn span(day: Date, starts: Time, ends: Time, zone: &TimeZone) -> Option<(Wall, Wall)> {
    let at = |time: Time| {
        let zoned = day.to_datetime(time).to_zoned(zone.clone()).ok()?;
        Some(Wall(zoned.timestamp().as_millisecond()))
    };
    let (from, to) = (at(starts)?, at(ends)?);
    let usual = starts.until(ends).ok()?.total(jiff::Unit::Millisecond).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "less than a day of milliseconds")]
    let to = if to > from { to } else { from.plus_ms(usual as i64) };
    Some((from, to))
}

/// Why a period cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// It ends before it begins, or lasts a day.
    #[error("starts, ends: a lesson ends after it begins, on the same day, within 12 hours")]
    Times,
    /// Its last day is before its first.
    #[error("to_day: the last day is before the first")]
    Days,
    /// The class is elsewhere then.
    #[error("the class already has a lesson then, from {0} to {1}")]
    Class(Time, Time),
    /// The room is taken.
    #[error("room {0} is already taken then, from {1} to {2}")]
    Room(String, Time, Time),
}

/// Whether `new` may stand beside `others` (those of its class and those of its room).
///
/// # Errors
/// See [`Unfit`].
pub fn fits(new: &Period, others: &[Period]) -> Result<(), Unfit> {
    check_times(new.starts, new.ends)?;
    if new.to.is_some_and(|to| to < new.from) {
        return Err(Unfit::Days);
    }
    match others.iter().filter(|other| other.id != new.id).find(|other| other.meets(new)) {
        None => Ok(()),
        Some(other) if other.class == new.class => Err(Unfit::Class(other.starts, other.ends)),
        Some(other) if other.room == new.room => {
            Err(Unfit::Room(other.room.clone(), other.starts, other.ends))
        }
        Some(_) => Ok(()),
    }
}

/// Whether a lesson may have these times.
///
/// # Errors
/// [`Unfit::Times`].
pub fn check_times(starts: Time, ends: Time) -> Result<(), Unfit> {
    let minutes = starts.until(ends).ok().and_then(|span| span.total(jiff::Unit::Minute).ok());
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let longest = LONGEST_MIN as f64;
    match minutes {
        Some(length) if length > 0.0 && length <= longest => Ok(()),
        _ => Err(Unfit::Times),
    }
}

/// A lesson that is stored, and may still be changed: it lies ahead and nothing was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The session's id.
    pub id: Uuid,
    /// What is stored.
    pub lesson: Lesson,
}

/// What to do so that the stored lessons become those of the timetable.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// To be stored.
    pub add: Vec<Lesson>,
    /// To be at another time or place.
    pub change: Vec<Stored>,
    /// To go.
    pub remove: Vec<Uuid>,
}

/// The way from `stored` to `wanted`. `kept` are periods and days whose lesson has begun or holds
/// marks: whatever the timetable says now, those stay as they were.
#[must_use]
pub fn changes(stored: Vec<Stored>, kept: &HashSet<(Uuid, Date)>, wanted: Vec<Lesson>) -> Changes {
    let key = |lesson: &Lesson| (lesson.period, lesson.day);
    let mut left: BTreeMap<_, _> = stored.into_iter().map(|s| (key(&s.lesson), s)).collect();
    let mut changes = Changes::default();
    for lesson in wanted {
        if kept.contains(&key(&lesson)) {
            continue;
        }
        match left.remove(&key(&lesson)) {
            None => changes.add.push(lesson),
            Some(stored) if stored.lesson == lesson => {}
            Some(stored) => changes.change.push(Stored { lesson, ..stored }),
        }
    }
    changes.remove = left.into_values().map(|stored| stored.id).collect();
    changes
}
