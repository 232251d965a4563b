//! Tables `period` and `period_exception`, and the sessions that are made from them.

use super::{Read, Row, Tx, audit, odd, params, parsed, parsed_option};
use crate::reader::Reader;
use jiff::civil::{Date, Time, Weekday};
use rules::error::Error;
use rules::timetable::{Change, Lesson, Period, Stored, fits};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use wire::Wall;

const COLUMNS: &str =
    "p.id, p.class, p.weekday, p.starts, p.ends, p.room, p.from_day, p.to_day, p.version";

/// Whether the reader (`$1` role, `$2` account, `$3` day) may see period `p`.
const VISIBLE: &str = "($1 = 'admin' or ($1 = 'teacher' and exists (select 1 from teaches t
     where t.class = p.class and t.teacher = $2 and t.from_day <= $3
       and (t.to_day is null or t.to_day >= $3))))";

/// Which periods to list.
#[derive(Clone, Debug, Default)]
pub struct PeriodFilter {
    /// Of this class.
    pub class: Option<Uuid>,
    /// In this room.
    pub room: Option<String>,
    /// After this id.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

/// Periods the reader may see, in the order of their ids.
pub fn list(tx: &Tx<'_>, reader: Reader, filter: &PeriodFilter) -> Result<Vec<Period>, Error> {
    let (role, user, today) = reader.keys();
    let mut sql = format!("select {COLUMNS} from period p where {VISIBLE} and p.id > $4");
    let class = filter.class.map(|id| id.to_string());
    let room = filter.room.clone();
    let after = filter.after.map(|id| id.to_string()).unwrap_or_default();
    sql += if class.is_some() { " and p.class = $5" } else { " and cast($5 as text) is null" };
    sql += if room.is_some() { " and p.room = $6" } else { " and cast($6 as text) is null" };
    sql += " order by p.id limit $7";
    tx.query(&sql, params![role, user, today, after, class, room, filter.limit], read)
}

/// The period `id`, if the reader may see it.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn find(tx: &Tx<'_>, reader: Reader, id: Uuid) -> Result<Period, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select {COLUMNS} from period p where {VISIBLE} and p.id = $4");
    let found = tx.row(&sql, params![role, user, today, id.to_string()], read)?;
    found.ok_or_else(|| Error::unknown("period", id))
}

/// Stores a period: a new one at version 1, or the next version of one that is there.
///
/// # Errors
/// `Invalid` for times that cannot be, `Conflict` when class or room are taken, or when it was
/// changed meanwhile.
pub fn put(tx: &Tx<'_>, period: &Period, actor: &str, now: Wall) -> Result<(), Error> {
    fits(period, &beside(tx, period)?).map_err(|unfit| match unfit {
        rules::timetable::Unfit::Times | rules::timetable::Unfit::Days => {
            Error::Invalid(unfit.to_string())
        }
        _ => Error::Conflict(unfit.to_string()),
    })?;
    super::room::ensure(tx, &period.room, now)?;
    let Period { id, class, weekday, starts, ends, room, from, to, version } = period;
    let sql = "insert into period (id, class, weekday, starts, ends, room, from_day, to_day,
             version) values ($1, $2, $3, $4, $5, $6, $7, $8, 1)
         on conflict (id) do update set weekday = excluded.weekday, starts = excluded.starts,
             ends = excluded.ends, room = excluded.room, from_day = excluded.from_day,
             to_day = excluded.to_day, version = period.version + 1
         where period.version = $9";
    let values = params![
        id.to_string(),
        class.to_string(),
        weekday.to_monday_one_offset(),
        clock(*starts),
        clock(*ends),
        room,
        from.to_string(),
        to.map(|day| day.to_string()),
        version,
    ];
    if tx.execute(sql, values)? == 0 {
        return Err(Error::Conflict("this was changed meanwhile: look again".into()));
    }
    noted(tx, "plan", *id, json!({ "class": class }), actor, now)
}

/// Takes a period out of the timetable: what took place stays, what lies ahead goes.
pub fn remove(tx: &Tx<'_>, id: Uuid, today: Date, actor: &str, now: Wall) -> Result<(), Error> {
    let of = Some(id);
    let key = id.to_string();
    let (stored, _) = made(tx, of, today, Date::MAX, now)?;
    stored.into_iter().try_for_each(|stored| unmake(tx, stored.id))?;
    let used = "select 1 from session where period = $1 limit 1";
    if tx.row(used, params![key], |_| Ok(()))?.is_some() {
        let yesterday = today.yesterday().unwrap_or(today).to_string();
        let sql = "update period set to_day = $2, version = version + 1 where id = $1";
        tx.execute(sql, params![key, yesterday])?;
    } else {
        tx.execute("delete from period_exception where period = $1", params![key])?;
        tx.execute("delete from period where id = $1", params![key])?;
    }
    noted(tx, "unplan", id, json!({}), actor, now)
}

/// Makes one day of a period different; twice is the newest.
///
/// # Errors
/// `Invalid` for times that cannot be or a day it is not on.
pub fn except(
    tx: &Tx<'_>,
    period: &Period,
    day: Date,
    change: &Change,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    if !period.is_on(day) {
        let say = format!("day: there is no such lesson on {day}");
        return Err(Error::Invalid(say));
    }
    let (kind, starts, ends, room) = match change {
        Change::Cancelled => ("cancelled", None, None, None),
        Change::Moved { starts, ends, room } => {
            rules::timetable::check_times(*starts, *ends)
                .map_err(|unfit| Error::Invalid(unfit.to_string()))?;
            super::room::ensure(tx, room, now)?;
            ("moved", Some(clock(*starts)), Some(clock(*ends)), Some(room.clone()))
        }
    };
    let sql = "insert into period_exception (id, period, day, kind, starts, ends, room)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (period, day) do update set kind = excluded.kind,
             starts = excluded.starts, ends = excluded.ends, room = excluded.room";
    let id = wire::id::v7(now).to_string();
    let values = params![id, period.id.to_string(), day.to_string(), kind, starts, ends, room];
    tx.execute(sql, values)?;
    differs(tx, period.id)?;
    noted(tx, "except", period.id, json!({ "day": day.to_string(), "kind": kind }), actor, now)
}

/// Makes one day of a period as usual again.
///
/// # Errors
/// `NotFound` when it is as usual.
pub fn unexcept(tx: &Tx<'_>, period: Uuid, day: Date, actor: &str, now: Wall) -> Result<(), Error> {
    let sql = "delete from period_exception where period = $1 and day = $2";
    if tx.execute(sql, params![period.to_string(), day.to_string()])? == 0 {
        return Err(Error::NotFound(format!("nothing is different on {day}")));
    }
    differs(tx, period)?;
    noted(tx, "unexcept", period, json!({ "day": day.to_string() }), actor, now)
}

/// What is different, by period and day, from `first` to `last`; of one period or all.
pub fn changes(
    tx: &Tx<'_>,
    period: Option<Uuid>,
    first: Date,
    last: Date,
) -> Result<HashMap<(Uuid, Date), Change>, Error> {
    let sql = format!(
        "select period, day, kind, starts, ends, room from period_exception
         where day >= $1 and day <= $2 and {}",
        only("period", period)
    );
    let of = period.map(|id| id.to_string());
    let rows = tx.query(&sql, params![first.to_string(), last.to_string(), of], |row| {
        let change = match row.get::<String>(2)?.as_str() {
            "cancelled" => Change::Cancelled,
            _ => Change::Moved { starts: time(row, 3)?, ends: time(row, 4)?, room: row.get(5)? },
        };
        Ok(((parsed(row, 0)?, parsed(row, 1)?), change))
    })?;
    Ok(rows.into_iter().collect())
}

/// Periods of active classes that may take this class or this room on `day`.
pub fn on_day(tx: &Tx<'_>, class: Uuid, room: &str, day: Date) -> Result<Vec<Period>, Error> {
    let sql = format!(
        "select {COLUMNS} from period p join class c on c.id = p.class and c.is_active = 1
         where p.id in (select q.id from period q where q.class = $1 and q.weekday = $3
                 union select q.id from period q where q.room = $2 and q.weekday = $3 and $2 <> ''
                 union select e.period from period_exception e
                     where e.room = $2 and e.day = $4 and $2 <> '')
             and p.from_day <= $4 and (p.to_day is null or p.to_day >= $4) order by p.id"
    );
    let weekday = day.weekday().to_monday_one_offset();
    tx.query(&sql, params![class.to_string(), room, weekday, day.to_string()], read)
}

/// Other periods of the same class, and those that are in the same room on one of these days only.
pub fn elsewhere(
    tx: &Tx<'_>,
    period: &Period,
    (first, last): (Date, Date),
) -> Result<Vec<Period>, Error> {
    let sql = format!(
        "select {COLUMNS} from period p join class c on c.id = p.class and c.is_active = 1
         where p.id in (select e.period from period q join period_exception e on e.period = q.id
                     where q.class = $1 and e.day >= $3 and e.day <= $4
                 union select e.period from period_exception e
                     where e.room = $2 and e.day >= $3 and e.day <= $4 and $2 <> '')
             and p.id <> $5 order by p.id limit 2000"
    );
    let class = period.class.to_string();
    let id = period.id.to_string();
    tx.query(&sql, params![class, period.room, first.to_string(), last.to_string(), id], read)
}

/// Periods of active classes that can be on between `first` and `last`; one or all.
pub fn to_make(
    tx: &Tx<'_>,
    period: Option<Uuid>,
    first: Date,
    last: Date,
) -> Result<Vec<Period>, Error> {
    let sql = format!(
        "select {COLUMNS} from period p join class c on c.id = p.class and c.is_active = 1
         where p.from_day <= $2 and (p.to_day is null or p.to_day >= $1) and {} order by p.id",
        only("p.id", period)
    );
    let of = period.map(|id| id.to_string());
    tx.query(&sql, params![first.to_string(), last.to_string(), of], read)
}

/// Lessons made before: those that may change, and (period, day) of those that have begun or hold
/// anything.
pub type PeriodMade = (Vec<Stored>, HashSet<(Uuid, Date)>);

/// Lessons made before, from `first` on.
pub fn made(
    tx: &Tx<'_>,
    period: Option<Uuid>,
    first: Date,
    last: Date,
    now: Wall,
) -> Result<PeriodMade, Error> {
    let sql = format!(
        "select s.id, s.period, s.class, s.day, s.starts, s.ends, s.room,
             (s.starts <= $3 or exists (select 1 from mark m where m.session = s.id)
                 or exists (select 1 from sighting g where g.session = s.id)
                 or exists (select 1 from image i where i.session = s.id))
         from session s where s.period is not null and s.day >= $1 and s.day <= $2 and {}",
        if period.is_some() {
            "s.period = $4 and cast($5 as bigint) is not null"
        } else {
            "cast($4 as text) is null and s.starts >= $5"
        }
    );
    // Local days begin at most 14 hours before those of UTC.
    let day = first.to_datetime(Time::midnight()).to_zoned(jiff::tz::TimeZone::UTC);
    let begin = day.map_or(0, |day| day.timestamp().as_millisecond()) - 14 * 3_600_000;
    let of = period.map(|id| id.to_string());
    let values = params![first.to_string(), last.to_string(), now.0, of, begin];
    let rows = tx.query(&sql, values, |row| {
        let lesson = Lesson {
            period: parsed(row, 1)?,
            class: parsed(row, 2)?,
            day: parsed(row, 3)?,
            starts: Wall(row.get(4)?),
            ends: Wall(row.get(5)?),
            room: row.get(6)?,
        };
        Ok((Stored { id: parsed(row, 0)?, lesson }, row.get::<bool>(7)?))
    })?;
    let (kept, free): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, fixed)| *fixed);
    let kept = kept.into_iter().map(|(s, _)| (s.lesson.period, s.lesson.day)).collect();
    Ok((free.into_iter().map(|(stored, _)| stored).collect(), kept))
}

/// Name and grace minutes of a class, for its lessons.
///
/// # Errors
/// `NotFound` without such a class.
pub fn lesson_of(tx: &Tx<'_>, class: Uuid) -> Result<(String, i64), Error> {
    let sql = "select class_name, grace_min from class where id = $1";
    let found = tx.row(sql, params![class.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.ok_or_else(|| Error::unknown("class", class))
}

/// Whether `class` has a lesson that begins at that very moment.
pub fn has_lesson(tx: &Tx<'_>, class: Uuid, starts: Wall) -> Result<bool, Error> {
    let sql = "select 1 from session where class = $1 and starts = $2 limit 1";
    Ok(tx.row(sql, params![class.to_string(), starts.0], |_| Ok(()))?.is_some())
}

/// Moves a lesson that lies ahead.
pub fn move_session(tx: &Tx<'_>, id: Uuid, to: &Lesson, grace_min: i64) -> Result<(), Error> {
    let sql = "update session set starts = $2, ends = $3, late_after = $4, room = $5,
             version = version + 1 where id = $1";
    let late = to.starts.plus_ms(grace_min * 60_000);
    tx.execute(sql, params![id.to_string(), to.starts.0, to.ends.0, late.0, to.room]).map(drop)
}

/// Removes a lesson that lies ahead and holds nothing.
pub fn unmake(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    super::session::remove(tx, id)
}

/// Periods of the same class or in the same room on that weekday.
fn beside(tx: &Tx<'_>, period: &Period) -> Result<Vec<Period>, Error> {
    let weekday = period.weekday.to_monday_one_offset();
    let mut all = Vec::new();
    for (column, value) in [("class", period.class.to_string()), ("room", period.room.clone())] {
        let sql = format!(
            "select {COLUMNS} from period p where p.{column} = $1 and p.weekday = $2 and p.{column} <> ''"
        );
        all.extend(tx.query(&sql, params![value, weekday], read)?);
    }
    Ok(all)
}

fn only(column: &str, of: Option<Uuid>) -> String {
    if of.is_some() { format!("{column} = $3") } else { "cast($3 as text) is null".into() }
}

/// Whoever read a weekly lesson read which days of it differ.
fn differs(tx: &Tx<'_>, period: Uuid) -> Result<(), Error> {
    let sql = "update period set version = version + 1 where id = $1";
    tx.execute(sql, params![period.to_string()]).map(drop)
}

fn noted(
    tx: &Tx<'_>,
    action: &str,
    id: Uuid,
    meta: serde_json::Value,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let id = id.to_string();
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "period", id: &id, meta })
}

/// `08:45`.
#[must_use]
pub fn clock(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

fn time(row: &Row<'_>, column: usize) -> Read<Time> {
    parsed(row, column)
}

fn read(row: &Row<'_>) -> Read<Period> {
    let weekday = Weekday::from_monday_one_offset(row.get(2)?).map_err(|why| odd(2, why))?;
    Ok(Period {
        id: parsed(row, 0)?,
        class: parsed(row, 1)?,
        weekday,
        starts: time(row, 3)?,
        ends: time(row, 4)?,
        room: row.get(5)?,
        from: parsed(row, 6)?,
        to: parsed_option(row, 7)?,
        version: row.get(8)?,
    })
}
