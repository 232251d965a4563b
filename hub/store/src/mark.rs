//! Tables `mark` and `tally`: what is recorded of each student in each lesson, and its sums.
//!
//! The only writer of both: a mark and its sum change together, or not at all. Whether one mark
//! may replace another is decided before ([`attendance`](rules::attendance)).

use super::{Read, Row, Tx, Value, odd, params, parsed};
use rules::attendance::Counted;
use rules::attendance::closing::Grounds;
use rules::attendance::{Mark, Source, Status};
use rules::error::{Doing, Error};
use rules::reports::MarkTally;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;
use wire::{RecordId, StudentId, Wall};

const COLUMNS: &str = "status, source, sighting, arrived_at, by_whom, at, notes, version";

/// What is recorded of `student` in `session`.
pub fn get(tx: &Tx<'_>, session: Uuid, student: StudentId) -> Result<Option<Mark>, Error> {
    let sql = format!("select {COLUMNS} from mark where session = $1 and student = $2");
    tx.row(&sql, params![session.to_string(), student.to_string()], |row| read(row, 0))
}

/// Everything recorded in `session`, by student.
pub fn of_session(tx: &Tx<'_>, session: Uuid) -> Result<Vec<(StudentId, Mark)>, Error> {
    let sql = format!("select student, {COLUMNS} from mark where session = $1 order by student");
    tx.query(&sql, params![session.to_string()], |row| Ok((parsed(row, 0)?, read(row, 1)?)))
}

/// Marks of `session`, counted, in the order of [`Status::ALL`].
pub fn tally(tx: &Tx<'_>, session: Uuid) -> Result<MarkTally, Error> {
    let sql = format!("select {} from tally where session = $1", columns().join(", "));
    let read = |row: &Row<'_>| {
        let mut tally = MarkTally::default();
        for (n, count) in tally.0.iter_mut().enumerate() {
            *count = row.get(n)?;
        }
        Ok(tally)
    };
    Ok(tx.row(&sql, params![session.to_string()], read)?.unwrap_or_default())
}

/// Records `mark`, instead of whatever was recorded; its version follows from that.
pub fn put(tx: &Tx<'_>, session: Uuid, student: StudentId, mark: &Mark) -> Result<(), Error> {
    let before = get(tx, session, student)?;
    let sql = "insert into mark (session, student, status, source, sighting, arrived_at, by_whom,
             at, notes, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (session, student) do update set status = excluded.status,
             source = excluded.source, sighting = excluded.sighting,
             arrived_at = excluded.arrived_at, by_whom = excluded.by_whom, at = excluded.at,
             notes = excluded.notes, version = excluded.version, former = null, grounds = null";
    let values = params![
        session.to_string(),
        student.to_string(),
        mark.status.as_str(),
        mark.source.as_str(),
        mark.sighting.map(|id| id.to_string()),
        mark.arrived_at.map(|at| at.0),
        mark.by,
        mark.at.0,
        mark.notes,
        before.as_ref().map_or(1, |before| before.version + 1),
    ];
    tx.execute(sql, values)?;
    count(tx, session, before.map(|before| before.status), Some(mark.status))
}

/// A mark that counts by itself, as [`remember`] keeps it.
#[derive(Serialize, Deserialize)]
struct MarkFormer {
    status: Status,
    source: Source,
    arrived_at: Option<Wall>,
    by: String,
    at: Wall,
    notes: Option<String>,
}

/// Remembers what the mark of `student` replaced.
pub fn remember(
    tx: &Tx<'_>,
    session: Uuid,
    student: StudentId,
    former: Option<&Mark>,
) -> Result<(), Error> {
    let former = former.cloned().map(|mark| {
        let Mark { status, source, arrived_at, by, at, notes, .. } = mark;
        MarkFormer { status, source, arrived_at, by, at, notes }
    });
    let json = serde_json::to_string(&former).doing("remembering a mark")?;
    let sql = "update mark set former = $3 where session = $1 and student = $2";
    tx.execute(sql, params![session.to_string(), student.to_string(), json]).map(drop)
}

/// The mark that counted by itself before a person's word replaced it, if one did.
pub fn former(tx: &Tx<'_>, session: Uuid, student: StudentId) -> Result<Option<Mark>, Error> {
    let sql = "select former from mark where session = $1 and student = $2";
    let json: Option<Option<String>> =
        tx.row(sql, params![session.to_string(), student.to_string()], |row| row.get(0))?;
    let Some(json) = json.flatten() else { return Ok(None) };
    let former: Option<MarkFormer> = serde_json::from_str(&json).doing("reading a mark")?;
    Ok(former.map(|former| {
        let MarkFormer { status, source, arrived_at, by, at, notes } = former;
        Mark { status, source, sighting: None, arrived_at, by, at, notes, version: 1 }
    }))
}

/// Remembers what the mark of `student` at the end of the lesson stands on.
pub fn set_grounds(
    tx: &Tx<'_>,
    session: Uuid,
    student: StudentId,
    grounds: &Grounds,
) -> Result<(), Error> {
    let json = serde_json::to_string(grounds).doing("remembering the grounds of a mark")?;
    let sql = "update mark set grounds = $3 where session = $1 and student = $2";
    tx.execute(sql, params![session.to_string(), student.to_string(), json]).map(drop)
}

/// What the marks of `session` that its end made stand on.
pub fn grounds(tx: &Tx<'_>, session: Uuid) -> Result<HashMap<StudentId, Grounds>, Error> {
    let sql = "select student, grounds from mark where session = $1 and grounds is not null";
    let rows = tx.query(sql, params![session.to_string()], |row| {
        let json: String = row.get(1)?;
        Ok((parsed(row, 0)?, serde_json::from_str(&json).map_err(|why| odd(1, why))?))
    })?;
    Ok(rows.into_iter().collect())
}

/// Names of the accounts that marked somebody in `session`, by own id.
pub fn names(tx: &Tx<'_>, session: Uuid) -> Result<HashMap<String, String>, Error> {
    let sql = "select distinct u.id, u.name from mark m join user_account u on u.id = m.by_whom
         where m.session = $1";
    let rows = tx.query(sql, params![session.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.into_iter().collect())
}

/// Takes back what is recorded, as if nothing had been.
pub fn remove(tx: &Tx<'_>, session: Uuid, student: StudentId) -> Result<(), Error> {
    let Some(before) = get(tx, session, student)? else { return Ok(()) };
    let sql = "delete from mark where session = $1 and student = $2";
    tx.execute(sql, params![session.to_string(), student.to_string()])?;
    count(tx, session, Some(before.status), None)
}

/// Lets the mark that stands on the sighting `id` stand alone, before that one goes.
pub(super) fn release(tx: &Tx<'_>, id: RecordId) -> Result<(), Error> {
    let sql = "update mark set sighting = null where sighting = $1 and (session, student) =
             (select session, decided_student from sighting where id = $1)";
    tx.execute(sql, params![id.to_string()]).map(drop)
}

/// Takes out of the marks of an erased person what is not counted: notes, and which sighting.
/// Returns how many marks there are.
pub fn forget(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    let sql = "update mark set sighting = null, notes = null, former = null, grounds = null
         where student = $1";
    tx.execute(sql, params![student.to_string()])
}

fn count(
    tx: &Tx<'_>,
    session: Uuid,
    before: Option<Status>,
    after: Option<Status>,
) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    let step = |of: Status| i64::from(after == Some(of)) - i64::from(before == Some(of));
    let names = columns();
    let places = Status::ALL.map(|status| format!("${}", status as usize + 2));
    let more: Vec<_> = std::iter::zip(&names, &places)
        .map(|(name, place)| format!("{name} = tally.{name} + {place}"))
        .collect();
    let sql = format!(
        "insert into tally (session, {}) values ($1, {})
         on conflict (session) do update set {}",
        names.join(", "),
        places.join(", "),
        more.join(", ")
    );
    let steps = Status::ALL.map(|of| Value::from(step(of)));
    let values = std::iter::once(Value::from(session.to_string())).chain(steps);
    tx.execute(&sql, values.collect::<Vec<_>>()).map(drop)
}

/// The columns of `tally`.
fn columns() -> [&'static str; Status::ALL.len()] {
    Status::ALL.map(Status::as_str)
}

/// The columns of a tally named `of` that come to `what`, added up.
pub(super) fn counted(of: &str, what: Counted) -> String {
    let all = Status::ALL.into_iter().filter(|status| status.counted() == Some(what));
    let all: Vec<_> = all.map(|status| format!("{of}{}", status.as_str())).collect();
    all.join(" + ")
}

/// The kinds of mark that `wanted` takes, for an `in (…)`.
pub(super) fn kinds(wanted: impl Fn(Status) -> bool) -> String {
    let all = Status::ALL.into_iter().filter(|status| wanted(*status));
    let all: Vec<_> = all.map(|status| format!("'{}'", status.as_str())).collect();
    all.join(", ")
}

fn read(row: &Row<'_>, column: usize) -> Read<Mark> {
    let text = |n| row.get::<String>(column + n);
    let sighting: Option<String> = row.get(column + 2)?;
    let sighting = sighting.map(|id| id.parse().map_err(|why| odd(column + 2, why))).transpose()?;
    Ok(Mark {
        status: text(0)?.parse().map_err(|why: String| odd(column, why))?,
        source: text(1)?.parse().map_err(|why: String| odd(column + 1, why))?,
        sighting,
        arrived_at: row.get::<Option<i64>>(column + 3)?.map(Wall),
        by: text(4)?,
        at: Wall(row.get(column + 5)?),
        notes: row.get(column + 6)?,
        version: row.get(column + 7)?,
    })
}
