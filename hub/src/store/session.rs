//! Table `session`: one lesson of a class on one day.

use super::desk::Reader;
use super::{Tx, params, parsed, parsed_option};
use crate::error::Error;
use jiff::civil::Date;
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
///
/// # Errors
/// When the database fails.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Option<Session>, Error> {
    let sql = format!("select {COLUMNS} from session s where s.id = $1");
    tx.row(&sql, params![id.to_string()], read)
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

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Session> {
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
        closed_at: row.get::<_, Option<i64>>(10)?.map(Wall),
        version: row.get(11)?,
    })
}
