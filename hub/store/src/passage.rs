//! Sightings as lessons see them: where they fell, and what was approved.

use super::session::Session;
use super::{Row, Tx, params, parsed, parsed_option};
use rules::attendance::marking::{HUB, Passage};
use rules::attendance::{Source, placing};
use rules::error::Error;
use uuid::Uuid;
use wire::{Direction, RecordId, StudentId, Wall};

/// Where and when a sighting was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Where {
    /// The room behind the door.
    pub room: String,
    /// Which way the door counts.
    pub direction: Direction,
    /// When it was, where that is known.
    pub at: Option<Wall>,
    /// The earliest and the latest it can have been.
    pub span: (Wall, Wall),
    /// The lesson it fell into.
    pub session: Option<Uuid>,
}

/// Where the sighting `id` was.
///
/// # Errors
/// `NotFound` when there is none.
pub fn place(tx: &Tx<'_>, id: RecordId) -> Result<Where, Error> {
    let sql = "select coalesce(nullif(s.room, ''), d.room), s.direction, s.at, s.at_low,
             coalesce(s.at_high, s.received_at), s.session
         from sighting s join device d on d.id = s.device where s.id = $1";
    let read = |row: &Row<'_>| {
        let high = Wall(row.get(4)?);
        let low = row.get::<Option<i64>>(3)?;
        let low = low.map_or(high.plus_ms(-placing::LONGEST_MS), Wall);
        Ok(Where {
            room: row.get(0)?,
            direction: direction(&row.get::<String>(1)?),
            at: row.get::<Option<i64>>(2)?.map(Wall),
            span: (low, high),
            session: parsed_option(row, 5)?,
        })
    };
    tx.row(sql, params![id.to_string()], read)?.ok_or_else(|| Error::unknown("record", id))
}

/// Says which lesson a sighting fell into.
pub fn set_session(tx: &Tx<'_>, id: RecordId, session: Option<Uuid>) -> Result<(), Error> {
    let sql = "update sighting set session = $2 where id = $1";
    tx.execute(sql, params![id.to_string(), session.map(|id| id.to_string())]).map(drop)
}

/// The approved passages of `student` into the lesson `session`.
pub fn approved(tx: &Tx<'_>, session: Uuid, student: StudentId) -> Result<Vec<Passage>, Error> {
    let sql = "select id, device, at, at_low, reviewer, coalesce(reviewed_at, received_at)
         from sighting where session = $1 and review_status = 'approved'
             and decided_student = $2 and direction <> 'exit'";
    tx.query(sql, params![session.to_string(), student.to_string()], |row| {
        let wall = |n| row.get::<Option<i64>>(n).map(|at| at.map(Wall));
        let device: String = row.get(1)?;
        let at = wall(2)?;
        let low = wall(3)?;
        Ok(Passage {
            record: parsed(row, 0)?,
            source: if device == crate::device::PHOTOS { Source::Photo } else { Source::Door },
            at,
            low,
            by: row.get::<Option<String>>(4)?.unwrap_or_else(|| HUB.to_owned()),
            decided_at: Wall(row.get(5)?),
        })
    })
}

/// Students of whom a sighting in `session` still waits.
pub fn waiting(tx: &Tx<'_>, session: Uuid) -> Result<Vec<StudentId>, Error> {
    let sql = "select distinct predicted_student from sighting
         where session = $1 and review_status = 'pending' and predicted_student is not null";
    tx.query(sql, params![session.to_string()], |row| parsed(row, 0))
}

/// Somebody of a class who was seen in another place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PassageElsewhere {
    /// Who.
    pub student: StudentId,
    /// When.
    pub at: Wall,
    /// The room, or else the door.
    pub place: String,
    /// Whether they went out by it.
    pub left: bool,
}

/// Who of the class of `session` was seen in `span` other than for this lesson: of each the last
/// time, without what was rejected or still waits.
pub fn elsewhere(
    tx: &Tx<'_>,
    session: &Session,
    (from, until): (Wall, Wall),
) -> Result<Vec<PassageElsewhere>, Error> {
    let sql = "select r.student, s.order_at, coalesce(nullif(s.room, ''), s.device), s.direction
         from roster r join sighting s on s.id = (select g.id from sighting g
             where g.predicted_student = r.student and g.order_at >= $2 and g.order_at < $3
                 and g.review_status in ('logged', 'approved')
                 and coalesce(g.decided_student, r.student) = r.student
                 and (g.session is null or g.session <> $4)
             order by g.order_at desc, g.id desc limit 1)
         where r.class = $1";
    let values = params![session.class.to_string(), from.0, until.0, session.id.to_string()];
    tx.query(sql, values, |row| {
        let left = direction(&row.get::<String>(3)?) == Direction::Exit;
        Ok(PassageElsewhere {
            student: parsed(row, 0)?,
            at: Wall(row.get(1)?),
            place: row.get(2)?,
            left,
        })
    })
}

/// Sightings of `room` in `span` that were only logged, of somebody on the roster of `class`.
pub fn logged(
    tx: &Tx<'_>,
    class: Uuid,
    room: &str,
    (from, to): (Wall, Wall),
) -> Result<Vec<(RecordId, StudentId)>, Error> {
    let sql =
        "select s.id, r.student from sighting s join roster r on r.student = s.predicted_student
         where s.room = $1 and s.order_at >= $2 and s.order_at <= $3 and r.class = $4
             and s.review_status = 'logged' and s.session is null and s.direction <> 'exit'
             and s.at is not null
         order by s.order_at limit 5000";
    let values = params![room, from.0, to.0, class.to_string()];
    tx.query(sql, values, |row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
}

/// Lets a log entry wait for a person after all, in `session`.
pub fn adopt(tx: &Tx<'_>, id: RecordId, session: Uuid) -> Result<(), Error> {
    let sql = "update sighting set review_status = 'pending', session = $2, authority = null,
             version = version + 1
         where id = $1 and review_status = 'logged'";
    tx.execute(sql, params![id.to_string(), session.to_string()]).map(drop)
}

/// Deletes a sighting with everything that hangs on it.
pub fn remove(tx: &Tx<'_>, id: RecordId) -> Result<(), Error> {
    for sql in [
        "delete from candidate where sighting = $1",
        "delete from evidence where sighting = $1",
        "delete from cannot_link where sighting = $1",
        "delete from sighting where id = $1",
    ] {
        tx.execute(sql, params![id.to_string()])?;
    }
    Ok(())
}

/// Whether the person is staff.
pub fn is_staff(tx: &Tx<'_>, person: StudentId) -> Result<bool, Error> {
    let sql = "select 1 from student where id = $1 and kind = 'staff'";
    Ok(tx.row(sql, params![person.to_string()], |_| Ok(()))?.is_some())
}

/// The room of a door, as the hub has it; empty when nobody said.
pub fn room_of(tx: &Tx<'_>, device: &str) -> Result<String, Error> {
    let sql = "select room from device where id = $1";
    Ok(tx.row(sql, params![device], |row| row.get(0))?.unwrap_or_default())
}

fn direction(text: &str) -> Direction {
    match text {
        "entry" => Direction::Entry,
        "exit" => Direction::Exit,
        _ => Direction::Both,
    }
}
