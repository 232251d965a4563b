//! Table `session`: one lesson of a class on one day.

use super::{Read, Row, Tx, params, parsed, parsed_option};
use crate::reader::Reader;
use jiff::civil::Date;
use rules::attendance::placing::{EARLY_MS, LONGEST_MS};
use rules::error::Error;
use rules::timetable::Source;
use uuid::Uuid;
use wire::Wall;

/// A lesson.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Own id.
    pub id: Uuid,
    /// Whose.
    pub class: Uuid,
    /// What people call it.
    pub name: String,
    /// The local date.
    pub day: Date,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
    /// Whoever arrives after this is late.
    pub late_after: Wall,
    /// Where.
    pub room: String,
    /// Why it is there.
    pub source: Source,
    /// The weekly period it was made from.
    pub period: Option<Uuid>,
    /// When everybody without a mark got one.
    pub closed_at: Option<Wall>,
    /// Counts changes.
    pub version: i64,
}

/// Columns of a session `s`, as [`read`] takes them.
const COLUMNS: &str = "s.id, s.class, s.name, s.day, s.starts, s.ends, s.late_after, s.room,
     s.source, s.period, s.closed_at, s.version";

/// Whether the reader (`$1` role, `$2` account, `$3` day) may see session `s`: that of a class
/// they teach now.
const VISIBLE: &str = "($1 = 'admin' or ($1 = 'teacher' and exists (select 1 from teaches t
     where t.class = s.class and t.teacher = $2 and t.from_day <= $3
       and (t.to_day is null or t.to_day >= $3))))";

/// The lesson `id`, if the reader may see it.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn find(tx: &Tx<'_>, reader: Reader, id: &str) -> Result<Session, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select {COLUMNS} from session s where {VISIBLE} and s.id = $4");
    let found = tx.row(&sql, params![role, user, today, id.trim()], read)?;
    found.ok_or_else(|| Error::unknown("lesson", id))
}

/// The lesson `id`, whoever asks.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Option<Session>, Error> {
    let sql = format!("select {COLUMNS} from session s where s.id = $1");
    tx.row(&sql, params![id.to_string()], read)
}

/// Whether any lesson was ever planned, by a timetable or by hand.
pub fn planned(tx: &Tx<'_>) -> Result<bool, Error> {
    let sql = "select 1 where exists (select 1 from period)
         or exists (select 1 from session where source <> 'adhoc')";
    Ok(tx.row(sql, [], |_| Ok(()))?.is_some())
}

/// Lessons in `room` whose window touches `span`.
pub fn in_room(tx: &Tx<'_>, room: &str, span: (Wall, Wall)) -> Result<Vec<Session>, Error> {
    let sql = format!(
        "select {COLUMNS} from session s where s.room = $1 and s.starts >= $2 and s.starts <= $3
             and s.ends >= $4 order by s.starts limit 50"
    );
    let (first, last) = (span.0.plus_ms(-LONGEST_MS), span.1.plus_ms(EARLY_MS));
    tx.query(&sql, params![room, first.0, last.0, span.0.0], read)
}

/// The lesson of `class` whose window is open at `at`: the one that runs, or else the next.
pub fn of_class_at(tx: &Tx<'_>, class: Uuid, at: Wall) -> Result<Option<Session>, Error> {
    let sql = format!(
        "select {COLUMNS} from session s where s.class = $1 and s.starts >= $2 and s.starts <= $3
             and s.ends >= $4 order by s.starts limit 1"
    );
    let (first, last) = (at.plus_ms(-LONGEST_MS), at.plus_ms(EARLY_MS));
    tx.row(&sql, params![class.to_string(), first.0, last.0, at.0], read)
}

/// The lesson of `class` in `room` that ended last before `starts`, if its window reaches it:
/// who was there need not have passed a door.
pub fn before(tx: &Tx<'_>, session: &Session) -> Result<Option<Session>, Error> {
    let sql = format!(
        "select {COLUMNS} from session s where s.class = $1 and s.starts >= $2 and s.starts < $3
             and s.ends >= $4 and s.room = $5 order by s.starts desc limit 1"
    );
    let starts = session.starts;
    let first = session.starts.plus_ms(-LONGEST_MS);
    let near = starts.plus_ms(-EARLY_MS).0;
    let values = params![session.class.to_string(), first.0, starts.0, near, session.room];
    tx.row(&sql, values, read)
}

/// The lesson of the same class in the same room that begins about when this one ends.
pub fn after(tx: &Tx<'_>, session: &Session) -> Result<Option<Session>, Error> {
    let sql = format!(
        "select {COLUMNS} from session s where s.class = $1 and s.starts > $2 and s.starts <= $3
             and s.room = $4 order by s.starts limit 1"
    );
    let starts = session.starts.0;
    let last = session.ends.plus_ms(EARLY_MS).0;
    tx.row(&sql, params![session.class.to_string(), starts, last, session.room], read)
}

/// Lessons that are over and not closed, the oldest first.
pub fn over(tx: &Tx<'_>, now: Wall, limit: u32) -> Result<Vec<Uuid>, Error> {
    let sql = "select id from session where closed_at is null and ends <= $1
         order by ends limit $2";
    tx.query(sql, params![now.0, limit], |row| parsed(row, 0))
}

/// Closes a lesson.
pub fn close(tx: &Tx<'_>, id: Uuid, now: Wall) -> Result<(), Error> {
    let sql = "update session set closed_at = $2 where id = $1";
    tx.execute(sql, params![id.to_string(), now.0]).map(drop)
}

/// Opens a lesson again.
pub fn open(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    let sql = "update session set closed_at = null where id = $1";
    tx.execute(sql, params![id.to_string()]).map(drop)
}

/// Opens lessons again in which a report of `room` about `span` may tell absence from blindness:
/// the next closing looks at them anew.
pub fn reopen(tx: &Tx<'_>, room: &str, span: (Wall, Wall)) -> Result<(), Error> {
    let sql = "update session set closed_at = null
         where room = $1 and starts >= $2 and starts <= $3 and late_after >= $4
             and closed_at is not null and exists (select 1 from tally t
                 where t.session = session.id and t.unverified > 0)";
    let (first, last) = (span.0.plus_ms(-LONGEST_MS), span.1.plus_ms(EARLY_MS));
    tx.execute(sql, params![room, first.0, last.0, span.0.0]).map(drop)
}

/// Which lessons to list.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Of this class.
    pub class: Option<Uuid>,
    /// In this room.
    pub room: Option<String>,
    /// Not starting before.
    pub from: Option<Wall>,
    /// Starting before.
    pub until: Option<Wall>,
    /// Start and id of the last one seen.
    pub after: Option<(Wall, Uuid)>,
}

/// Lessons the reader may see, by start.
pub fn list(
    tx: &Tx<'_>,
    reader: Reader,
    filter: &SessionFilter,
    limit: u32,
) -> Result<Vec<Session>, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select {COLUMNS} from session s where {VISIBLE}
             and (s.class = $4 or $4 is null) and (s.room = $5 or $5 is null)
             and s.starts >= $6 and s.starts < $7
             and (s.starts > $8 or (s.starts = $8 and s.id > $9))
         order by s.starts, s.id limit $10"
    );
    let class = filter.class.map(|id| id.to_string());
    let from = filter.from.map_or(i64::MIN, |at| at.0);
    let until = filter.until.map_or(i64::MAX, |at| at.0);
    let (after, id) =
        filter.after.map_or((i64::MIN, String::new()), |(at, id)| (at.0, id.to_string()));
    let values = params![role, user, today, class, filter.room, from, until, after, id, limit];
    tx.query(&sql, values, read)
}

/// The lesson that was made of `period` on `day`.
pub fn of_period(tx: &Tx<'_>, period: Uuid, day: Date) -> Result<Option<Uuid>, Error> {
    let sql = "select id from session where period = $1 and day = $2";
    tx.row(sql, params![period.to_string(), day.to_string()], |row| parsed(row, 0))
}

/// Lessons without a period that take this class or this room within a span, by start.
pub fn loose(
    tx: &Tx<'_>,
    class: Uuid,
    room: &str,
    (from, until): (Wall, Wall),
) -> Result<Vec<Session>, Error> {
    let mut found = Vec::new();
    for (column, value) in [("class", class.to_string()), ("room", room.to_owned())] {
        let sql = format!(
            "select {COLUMNS} from session s where s.{column} = $1 and s.starts >= $2
                 and s.starts < $3 and s.ends > $4 and s.period is null and s.{column} <> ''
             order by s.starts limit 2000"
        );
        let first = from.plus_ms(-LONGEST_MS).0;
        found.extend(tx.query(&sql, params![value, first, until.0, from.0], read)?);
    }
    Ok(found)
}

/// A lesson that takes the same class or the same room between `starts` and `ends`, other than
/// `but`; planned or not.
pub fn in_the_way(
    tx: &Tx<'_>,
    class: Uuid,
    room: &str,
    (starts, ends): (Wall, Wall),
    but: Uuid,
) -> Result<Option<Session>, Error> {
    for (column, value) in [("class", class.to_string()), ("room", room.to_owned())] {
        let sql = format!(
            "select {COLUMNS} from session s where s.{column} = $1 and s.starts >= $2
                 and s.starts < $3 and s.ends > $4 and s.id <> $5
             order by s.starts limit 1"
        );
        let first = starts.plus_ms(-LONGEST_MS).0;
        let found = tx.row(&sql, params![value, first, ends.0, starts.0, but.to_string()], read)?;
        if found.is_some() && !value.is_empty() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Writes a lesson as it is now, one version later.
///
/// # Errors
/// `Conflict` when it is not at its version any more.
pub fn change(tx: &Tx<'_>, session: &Session) -> Result<(), Error> {
    let sql = "update session set class = $3, name = $4, day = $5, starts = $6, ends = $7,
             late_after = $8, room = $9, source = $10, closed_at = $11, version = version + 1
         where id = $1 and version = $2";
    let values = params![
        session.id.to_string(),
        session.version,
        session.class.to_string(),
        session.name,
        session.day.to_string(),
        session.starts.0,
        session.ends.0,
        session.late_after.0,
        session.room,
        session.source.as_str(),
        session.closed_at.map(|at| at.0),
    ];
    match tx.execute(sql, values)? {
        0 => Err(Error::Conflict("this lesson was changed meanwhile: look again".into())),
        _ => Ok(()),
    }
}

/// Takes a lesson away, with its marks; its sightings stay, without a lesson.
pub fn remove(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    for sql in [
        "delete from mark where session = $1",
        "delete from tally where session = $1",
        "update sighting set session = null where session = $1",
        "update image set session = null where session = $1",
        "update face_crop set session = null where session = $1",
        "delete from session where id = $1",
    ] {
        tx.execute(sql, params![id.to_string()])?;
    }
    Ok(())
}

/// Adds a lesson as it is.
///
/// # Errors
/// When the database fails; `Conflict` when its period has one on that day.
pub fn add(tx: &Tx<'_>, session: &Session) -> Result<(), Error> {
    let sql = "insert into session (id, class, name, day, starts, ends, late_after, room, source,
             period, closed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let Session { id, class, name, day, room, source, period, version, .. } = session;
    let values = params![
        id.to_string(),
        class.to_string(),
        name,
        day.to_string(),
        session.starts.0,
        session.ends.0,
        session.late_after.0,
        room,
        source.as_str(),
        period.map(|id| id.to_string()),
        session.closed_at.map(|at| at.0),
        version,
    ];
    tx.execute(sql, values).map(drop)
}

fn read(row: &Row<'_>) -> Read<Session> {
    Ok(Session {
        id: parsed(row, 0)?,
        class: parsed(row, 1)?,
        name: row.get(2)?,
        day: parsed(row, 3)?,
        starts: Wall(row.get(4)?),
        ends: Wall(row.get(5)?),
        late_after: Wall(row.get(6)?),
        room: row.get(7)?,
        source: parsed(row, 8)?,
        period: parsed_option(row, 9)?,
        closed_at: row.get::<Option<i64>>(10)?.map(Wall),
        version: row.get(11)?,
    })
}
