//! What is known of the people of a roster: whether a teacher verified their face, and what they
//! were marked so far. Columns of table `roster`, counts of table `mark`.

use super::{Tx, audit, odd, params, parsed};
use rules::attendance::Status;
use rules::error::Error;
use rules::reports::Sums;
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Marks of one member in one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemberCounts {
    /// Lessons they were there or away.
    pub sums: Sums,
    /// When anything was marked last.
    pub last: Option<Wall>,
}

/// Says that the face `student` is enrolled with is theirs, or takes that back.
///
/// # Errors
/// `NotFound` when they are not on the roster, `Invalid` where there is no face to verify.
pub fn verify(
    tx: &Tx<'_>,
    class: Uuid,
    student: StudentId,
    verified: bool,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let enrolled = "select 1 from enrolment where student = $1 and is_active = 1 limit 1";
    let enrolled = tx.row(enrolled, params![student.to_string()], |row| row.get::<i64>(0))?;
    if verified && enrolled.is_none() {
        return Err(Error::Invalid("verified: there is no photo to verify yet: enrol one".into()));
    }
    let by = verified.then(|| (actor.to_owned(), now.0));
    let (who, at) = by.unzip();
    let sql = "update roster set verified = $3, verified_by = $4, verified_at = $5
         where class = $1 and student = $2";
    if tx.execute(sql, params![class.to_string(), student.to_string(), verified, who, at])? == 0 {
        return Err(Error::unknown("student on this roster", student));
    }
    let action = if verified { "verify" } else { "unverify" };
    let id = class.to_string();
    let meta = json!({ "student": student });
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "class", id: &id, meta })
}

/// Another photo counts from now on: whoever verified has not seen it.
pub fn another_face(tx: &Tx<'_>, student: StudentId) -> Result<(), Error> {
    let sql = "update roster set verified = 0, verified_by = null, verified_at = null
         where student = $1 and verified = 1";
    tx.execute(sql, params![student.to_string()]).map(drop)
}

/// What the members of a class were marked so far. Whoever was never marked is left out.
pub fn counts(tx: &Tx<'_>, class: Uuid) -> Result<HashMap<StudentId, MemberCounts>, Error> {
    let sql = "select m.student, m.status, count(*), max(m.at)
         from session s join mark m on m.session = s.id
         where s.class = $1 group by m.student, m.status";
    let rows = tx.query(sql, params![class.to_string()], |row| {
        let status: String = row.get(1)?;
        let status: Status = status.parse().map_err(|why: String| odd(1, why))?;
        let many: i64 = row.get(2)?;
        Ok((parsed(row, 0)?, status, many, Wall(row.get(3)?)))
    })?;
    let mut all = HashMap::<StudentId, MemberCounts>::new();
    for (student, status, many, at) in rows {
        let counts = all.entry(student).or_default();
        counts.last = counts.last.max(Some(at));
        counts.sums.count(status, many);
    }
    Ok(all)
}
