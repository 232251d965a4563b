//! Sightings as a reviewer sees them: read-only joins, each with its reader in it.
//!
//! A teacher sees sightings of the students of the classes they teach on that day, and among the
//! candidates only those; a student sees what was decided to be them; an admin sees all. What
//! somebody may not see is as if it were not there.

use super::{Tx, odd, params, parsed};
use crate::auth::{Actor, Role};
use crate::error::Error;
use jiff::civil::Date;
use uuid::Uuid;
use wire::{Reason, RecordId, StudentId, Wall};

/// Who reads, on which day of the school.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The account.
    pub actor: Actor,
    /// The local date, for the dates of `teaches`.
    pub today: Date,
}

/// A sighting with everything a person needs to decide it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its id.
    pub id: RecordId,
    /// Counts decisions.
    pub version: i64,
    /// The door.
    pub device: String,
    /// Where the door hangs.
    pub location: String,
    /// The room behind it.
    pub room: String,
    /// `entry`, `exit` or `both`.
    pub direction: String,
    /// When it happened, if that is known.
    pub at: Option<Wall>,
    /// When it happened, or else when it came.
    pub order_at: Wall,
    /// How the time is known.
    pub clock: String,
    /// Of the first candidate, 0..=1.
    pub confidence: f64,
    /// Why it waits.
    pub reasons: Vec<Reason>,
    /// `pending`, `approved`, `rejected` or `logged`.
    pub status: String,
    /// Who the hub thinks it was.
    pub predicted: Option<Person>,
    /// Who a person said it was.
    pub decided: Option<Person>,
    /// The account that decided, and its name.
    pub reviewer: Option<(String, String)>,
    /// When it was decided.
    pub reviewed_at: Option<Wall>,
    /// What the reviewer noted.
    pub notes: Option<String>,
    /// Whether a crop is kept.
    pub crop: bool,
    /// Best first.
    pub candidates: Vec<Candidate>,
}

/// Somebody enrolled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Own id.
    pub student: StudentId,
    /// Number in the register.
    pub number: String,
    /// Full name.
    pub name: String,
}

/// A person it may have been.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who.
    pub person: Person,
    /// Cosine to the mean template.
    pub score: f64,
}

/// Which sightings to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this state.
    pub status: Option<String>,
    /// Of this door.
    pub device: Option<String>,
    /// Predicted or decided to be this person.
    pub student: Option<StudentId>,
    /// Of a student of this class.
    pub class: Option<Uuid>,
    /// Not before.
    pub from: Option<Wall>,
    /// Before.
    pub until: Option<Wall>,
}

/// A page: newest first, those after `after`.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Time and id of the last one seen.
    pub after: Option<(Wall, RecordId)>,
    /// At most this many.
    pub limit: u32,
}

const COLUMNS: &str = "s.id, s.version, s.device, d.location, s.room, s.direction, s.at,
     s.order_at, s.clock, s.confidence, s.reasons, s.review_status,
     p.id, p.student_number, trim(p.first_name || ' ' || p.last_name),
     q.id, q.student_number, trim(q.first_name || ' ' || q.last_name),
     s.reviewer, (select u.name from user_account u where u.id = s.reviewer), s.reviewed_at,
     s.notes, exists (select 1 from evidence e where e.sighting = s.id and e.part = 'crop')";
const TABLES: &str = "sighting s join device d on d.id = s.device
     left join student p on p.id = s.predicted_student
     left join student q on q.id = s.decided_student";

/// What `$1` (role), `$2` (account) and `$3` (day) let a reader see of student `{student}`.
fn visible_student(student: &str) -> String {
    format!(
        "($1 = 'admin'
          or ($1 = 'teacher' and exists (select 1 from roster r join teaches t on t.class = r.class
                where r.student = {student} and t.teacher = $2 and t.from_day <= $3
                  and (t.to_day is null or t.to_day >= $3)))
          or ($1 = 'student' and exists (select 1 from user_account me
                where me.id = $2 and me.student = {student})))"
    )
}

fn visible_sighting() -> String {
    visible_student("coalesce(s.decided_student, s.predicted_student)")
}

impl Reader {
    /// Role, account and day: `$1`, `$2`, `$3` of every query with a reader in it.
    #[must_use]
    pub fn keys(self) -> (&'static str, String, String) {
        let Actor { user, role } = self.actor;
        (role.as_str(), user.to_string(), self.today.to_string())
    }

    /// Whether they see everything anyway.
    #[must_use]
    pub fn sees_all(self) -> bool {
        self.actor.role == Role::Admin
    }
}

/// Sightings, newest first.
///
/// # Errors
/// When the database fails.
pub fn list(tx: &Tx<'_>, reader: Reader, filter: &Filter, page: Page) -> Result<Vec<Seen>, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select {COLUMNS} from {TABLES}
         where {visible}
           and ($4 is null or s.review_status = $4)
           and ($5 is null or s.device = $5)
           and ($6 is null or coalesce(s.decided_student, s.predicted_student) = $6)
           and ($7 is null or exists (select 1 from roster c where c.class = $7
                 and c.student = coalesce(s.decided_student, s.predicted_student)))
           and ($8 is null or s.order_at >= $8) and ($9 is null or s.order_at < $9)
           and ($10 is null or s.order_at < $10 or (s.order_at = $10 and s.id < $11))
         order by s.order_at desc, s.id desc limit $12",
        visible = visible_sighting()
    );
    let student = filter.student.map(|id| id.to_string());
    let class = filter.class.map(|id| id.to_string());
    let after_at = page.after.map(|(at, _)| at.0);
    let after_id = page.after.map(|(_, id)| id.to_string());
    let (from, until) = (filter.from.map(|at| at.0), filter.until.map(|at| at.0));
    let values = params![
        role,
        user,
        today,
        filter.status,
        filter.device,
        student,
        class,
        from,
        until,
        after_at,
        after_id,
        page.limit
    ];
    let mut rows = tx.query(&sql, values, read)?;
    for row in &mut rows {
        row.candidates = candidates(tx, reader, row.id)?;
    }
    Ok(rows)
}

/// The sighting `id`, if the reader may see it.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn one(tx: &Tx<'_>, reader: Reader, id: RecordId) -> Result<Seen, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select {COLUMNS} from {TABLES}
         where {visible} and s.id = $4",
        visible = visible_sighting()
    );
    let row = tx.row(&sql, params![role, user, today, id.to_string()], read)?;
    let mut row = row.ok_or_else(|| Error::unknown("record", id))?;
    row.candidates = candidates(tx, reader, id)?;
    Ok(row)
}

/// Whether the reader may see the sighting `id`.
///
/// # Errors
/// When the database fails.
pub fn visible(tx: &Tx<'_>, reader: Reader, id: RecordId) -> Result<bool, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select 1 from sighting s where {} and s.id = $4", visible_sighting());
    Ok(tx.row(&sql, params![role, user, today, id.to_string()], |_| Ok(()))?.is_some())
}

/// Whether the reader may see the student `id`.
///
/// # Errors
/// When the database fails.
pub fn visible_to(tx: &Tx<'_>, reader: Reader, id: StudentId) -> Result<bool, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select 1 from student p where {} and p.id = $4", visible_student("p.id"));
    Ok(tx.row(&sql, params![role, user, today, id.to_string()], |_| Ok(()))?.is_some())
}

/// How many wait for this reader.
///
/// # Errors
/// When the database fails.
pub fn waiting(tx: &Tx<'_>, reader: Reader) -> Result<i64, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select count(*) from sighting s where s.review_status = 'pending' and {}",
        visible_sighting()
    );
    Ok(tx.row(&sql, params![role, user, today], |row| row.get(0))?.unwrap_or(0))
}

/// People with a template, doors that joined, classes this reader teaches.
///
/// # Errors
/// When the database fails.
pub fn house(tx: &Tx<'_>, reader: Reader) -> Result<(i64, i64, i64), Error> {
    let (_, user, today) = reader.keys();
    let sql = "select
         (select count(distinct e.student) from enrolment e where e.is_active = 1),
         (select count(*) from device d where d.is_active = 1),
         (select count(*) from teaches t where t.teacher = $1 and t.from_day <= $2
             and (t.to_day is null or t.to_day >= $2))";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    Ok(tx.row(sql, params![user, today], read)?.unwrap_or_default())
}

fn candidates(tx: &Tx<'_>, reader: Reader, id: RecordId) -> Result<Vec<Candidate>, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select p.id, p.student_number, trim(p.first_name || ' ' || p.last_name), c.score
         from candidate c join student p on p.id = c.student
         where {} and c.sighting = $4 order by c.rank",
        visible_student("p.id")
    );
    tx.query(&sql, params![role, user, today, id.to_string()], |row| {
        let score = row.get(3)?;
        let nobody = || odd(0, "a candidate without a student");
        Ok(Candidate { person: person(row, 0)?.ok_or_else(nobody)?, score })
    })
}

/// Id, number and name from three columns on.
fn person(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Person>> {
    let id: Option<String> = row.get(column)?;
    let Some(id) = id else { return Ok(None) };
    let student = id.parse().map_err(|why| odd(column, why))?;
    Ok(Some(Person { student, number: row.get(column + 1)?, name: row.get(column + 2)? }))
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Seen> {
    let reasons: String = row.get(10)?;
    let reasons = serde_json::from_str(&reasons).map_err(|why| odd(10, why))?;
    let reviewer: Option<String> = row.get(18)?;
    let name: Option<String> = row.get(19)?;
    let wall = |ms: Option<i64>| ms.map(Wall);
    Ok(Seen {
        id: parsed(row, 0)?,
        version: row.get(1)?,
        device: row.get(2)?,
        location: row.get(3)?,
        room: row.get(4)?,
        direction: row.get(5)?,
        at: wall(row.get(6)?),
        order_at: Wall(row.get(7)?),
        clock: row.get(8)?,
        confidence: row.get(9)?,
        reasons,
        status: row.get(11)?,
        predicted: person(row, 12)?,
        decided: person(row, 15)?,
        reviewer: reviewer.map(|id| (id.clone(), name.unwrap_or(id))),
        reviewed_at: wall(row.get(20)?),
        notes: row.get(21)?,
        crop: row.get(22)?,
        candidates: Vec::new(),
    })
}
