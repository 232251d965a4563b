//! The weekly timetable: an admin says which lesson is when, and on which days it differs. The
//! lessons of the days ahead follow.

use crate::planning::booking;
use crate::planning::maker::{MakeFor, make};
use crate::planning::takeover::{self, TakeoverDone, TakeoverPlan, Wishes};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use rules::error::Error;
use rules::timetable::{Change, Period};
use rules::version::as_read;
use store::reader::Reader;
use store::{Db, Tx, class, period};
use uuid::Uuid;
use wire::Wall;

/// Where the timetable is kept; cheap to clone.
#[derive(Clone)]
pub struct Timetable {
    /// The database.
    pub db: Db,
    /// By which clock the school lives.
    pub zone: TimeZone,
}

/// A new weekly lesson.
#[derive(Clone, Debug)]
pub struct NewPeriod {
    /// The class: own id or code.
    pub class: String,
    /// 1 is Monday.
    pub weekday: i8,
    /// Local time of its beginning.
    pub starts: Time,
    /// Local time of its end.
    pub ends: Time,
    /// The class's usual room if it is left out.
    pub room: Option<String>,
    /// First day it can be on; today if it is left out.
    pub from: Option<Date>,
    /// Last day, inclusive.
    pub to: Option<Date>,
}

/// What changes about a weekly lesson; what is left out stays.
#[derive(Clone, Debug)]
pub struct PeriodChanges {
    /// Which one.
    pub period: Uuid,
    /// 1 is Monday.
    pub weekday: Option<i8>,
    /// Local time of its beginning.
    pub starts: Option<Time>,
    /// Local time of its end.
    pub ends: Option<Time>,
    /// Where.
    pub room: Option<String>,
    /// First day it can be on.
    pub from: Option<Date>,
    /// Last day, inclusive.
    pub to: Option<Date>,
    /// The version that was read.
    pub version: Option<i64>,
}

/// How one day of a weekly lesson differs.
#[derive(Clone, Debug)]
pub struct OtherDay {
    /// Of which one.
    pub period: Uuid,
    /// Which day.
    pub day: Date,
    /// How.
    pub differs: Differs,
    /// The version of the weekly lesson that was read.
    pub version: Option<i64>,
}

/// Lessons and holidays that a file brings.
#[derive(Clone, Debug)]
pub struct TimetableFile {
    /// What it holds.
    pub plan: TakeoverPlan,
    /// The class whose lessons they are, where the file does not say it: own id or code.
    pub class: Option<String>,
}

/// What differs on a day.
#[derive(Clone, Debug)]
pub enum Differs {
    /// There is no lesson.
    Cancelled,
    /// It is then and there; what is left out is as usual.
    Moved {
        /// Local time of its beginning.
        starts: Option<Time>,
        /// Local time of its end.
        ends: Option<Time>,
        /// Where.
        room: Option<String>,
    },
}

impl Timetable {
    /// A new weekly lesson, with its lessons of the days ahead.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound` without such a class, `Conflict` when class or room are taken, `Invalid` for
    /// times that cannot be.
    pub async fn add<T: Send + 'static>(
        &self,
        reader: Reader,
        new: NewPeriod,
        shown: impl FnOnce(&Tx<'_>, Period) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let class = class::find(tx, reader, &new.class)?;
            let period = Period {
                id: wire::id::v7(now),
                class: class.id,
                weekday: weekday(new.weekday)?,
                starts: new.starts,
                ends: new.ends,
                room: new.room.or(class.room).unwrap_or_default().trim().to_owned(),
                from: new.from.unwrap_or(reader.today),
                to: new.to,
                version: 1,
            };
            let made = put(tx, reader, &period, &zone, now)?;
            shown(tx, made)
        };
        self.db.write(work).await
    }

    /// Changes a weekly lesson.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// As [`Self::add`]; `Conflict` too when it was changed meanwhile.
    pub async fn change<T: Send + 'static>(
        &self,
        reader: Reader,
        to: PeriodChanges,
        shown: impl FnOnce(&Tx<'_>, Period) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let old = period::find(tx, reader, to.period)?;
            let period = Period {
                weekday: to.weekday.map_or(Ok(old.weekday), weekday)?,
                starts: to.starts.unwrap_or(old.starts),
                ends: to.ends.unwrap_or(old.ends),
                room: to.room.map_or(old.room, |room| room.trim().to_owned()),
                from: to.from.unwrap_or(old.from),
                to: to.to.or(old.to),
                version: to.version.unwrap_or(old.version),
                ..old
            };
            let changed = put(tx, reader, &period, &zone, now)?;
            shown(tx, changed)
        };
        self.db.write(work).await
    }

    /// Takes a weekly lesson out: what took place stays.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn end(
        &self,
        reader: Reader,
        id: Uuid,
        version: Option<i64>,
        now: Wall,
    ) -> Result<(), Error> {
        let work = move |tx: &Tx<'_>| {
            let period = period::find(tx, reader, id)?;
            as_read(period.version, version)?;
            period::remove(tx, period.id, reader.today, &reader.actor.user.to_string(), now)
        };
        self.db.write(work).await
    }

    /// Makes one day of a weekly lesson different.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when class or room are taken; `Invalid` for times that cannot be, or
    /// a day it is not on.
    pub async fn except<T: Send + 'static>(
        &self,
        reader: Reader,
        other: OtherDay,
        shown: impl FnOnce(&Tx<'_>, Period) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let period = period::find(tx, reader, other.period)?;
            as_read(period.version, other.version)?;
            let change = match other.differs {
                Differs::Cancelled => Change::Cancelled,
                Differs::Moved { starts, ends, room } => Change::Moved {
                    starts: starts.unwrap_or(period.starts),
                    ends: ends.unwrap_or(period.ends),
                    room: room.unwrap_or_else(|| period.room.clone()).trim().to_owned(),
                },
            };
            period::except(tx, &period, other.day, &change, &reader.actor.user.to_string(), now)?;
            booking::one_day(tx, &period, other.day, Some(&change), (now, &zone))?;
            make(tx, MakeFor::Period(period.id), &zone, now)?;
            shown(tx, period::find(tx, reader, period.id)?)
        };
        self.db.write(work).await
    }

    /// Makes one day of a weekly lesson as usual again.
    ///
    /// # Errors
    /// `NotFound`, for a day that is as usual too; `Conflict` when class or room are taken.
    pub async fn unexcept(
        &self,
        reader: Reader,
        id: Uuid,
        day: Date,
        version: Option<i64>,
        now: Wall,
    ) -> Result<(), Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let period = period::find(tx, reader, id)?;
            as_read(period.version, version)?;
            period::unexcept(tx, period.id, day, &reader.actor.user.to_string(), now)?;
            booking::one_day(tx, &period, day, None, (now, &zone))?;
            make(tx, MakeFor::Period(id), &zone, now).map(drop)
        };
        self.db.write(work).await
    }

    /// Takes the lessons and holidays of a file over.
    ///
    /// # Errors
    /// `Invalid` when nothing in it can be taken.
    pub async fn take_over(
        &self,
        reader: Reader,
        file: TimetableFile,
        by: String,
        now: Wall,
    ) -> Result<TakeoverDone, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let TimetableFile { plan, class } = &file;
            let wishes = Wishes { plan, class: class.as_deref(), zone: &zone, actor: &by };
            takeover::take(tx, reader, &wishes, now)
        };
        self.db.write(work).await
    }
}

fn weekday(n: i8) -> Result<Weekday, Error> {
    let wrong = |_| Error::Invalid("weekday: 1 is Monday and 7 is Sunday".into());
    Weekday::from_monday_one_offset(n).map_err(wrong)
}

/// Stores a period, and its lessons of the days ahead.
fn put(
    tx: &Tx<'_>,
    reader: Reader,
    period: &Period,
    zone: &TimeZone,
    now: Wall,
) -> Result<Period, Error> {
    period::put(tx, period, &reader.actor.user.to_string(), now)?;
    booking::weekly(tx, period, now, zone)?;
    make(tx, MakeFor::Period(period.id), zone, now)?;
    period::find(tx, reader, period.id)
}
