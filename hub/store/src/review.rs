//! What decisions read and write: the state of a sighting, the keys of its evidence, and the
//! steps that can be taken back.

use super::{Row, Tx, change, params, parsed, parsed_option};
use crate::evidence::{self, Evidence};
use rules::error::{Doing, Error};
use rules::review::{FormerReview, ReviewFacts, ReviewState, holder};
use uuid::Uuid;
use vision::Scale;
use wire::seal::Part;
use wire::{RecordId, StudentId, Wall};

/// Steps one account can take back.
pub const LEVELS: u32 = 100;

/// The sighting `id`, as a decision needs it.
///
/// # Errors
/// `NotFound` when there is none.
pub fn facts(tx: &Tx<'_>, id: RecordId) -> Result<ReviewFacts, Error> {
    let sql = "select s.version, s.predicted_student, s.review_status, s.decided_student,
             s.reviewer, s.reviewed_at, s.notes, s.confidence, s.session,
             (select u.name from user_account u where u.id = s.reviewer)
         from sighting s where s.id = $1";
    let ruled_out = ruled_out(tx, id)?;
    let candidates = candidates(tx, id)?;
    let read = |row: &Row<'_>| {
        let state = ReviewState {
            status: super::parsed(row, 2)?,
            predicted: parsed_option(row, 1)?,
            sure: row.get::<f64>(7)?.to_bits(),
            decided: parsed_option(row, 3)?,
            reviewer: row.get(4)?,
            reviewed_at: row.get::<Option<i64>>(5)?.map(Wall),
            notes: row.get(6)?,
            ruled_out,
        };
        let version = row.get(0)?;
        let lesson = parsed_option(row, 8)?;
        Ok(ReviewFacts {
            record: id,
            version,
            lesson,
            state,
            candidates,
            reviewer_name: row.get(9)?,
        })
    };
    tx.row(sql, params![id.to_string()], read)?.ok_or_else(|| Error::unknown("record", id))
}

fn ruled_out(tx: &Tx<'_>, id: RecordId) -> Result<Vec<StudentId>, Error> {
    let sql = "select other from cannot_link where sighting = $1 order by other";
    tx.query(sql, params![id.to_string()], |row| parsed(row, 0))
}

/// Who it may have been, best first, and how sure each is.
fn candidates(tx: &Tx<'_>, id: RecordId) -> Result<Vec<(StudentId, f64)>, Error> {
    let sql = "select c.student, c.score, s.model from candidate c
         join sighting s on s.id = c.sighting where c.sighting = $1 order by c.rank";
    tx.query(sql, params![id.to_string()], |row| {
        #[expect(clippy::cast_possible_truncation, reason = "a cosine has no more digits in f32")]
        let score = row.get::<f64>(1)? as f32;
        let scale = Scale::of(&row.get::<String>(2)?);
        Ok((parsed(row, 0)?, f64::from(scale.confidence(score))))
    })
}

/// Writes the new state of a sighting, one version later.
///
/// # Errors
/// `Conflict` when it is not at `version` any more.
pub fn set(tx: &Tx<'_>, id: RecordId, version: i64, state: &ReviewState) -> Result<(), Error> {
    let sql = "update sighting set review_status = $3, decided_student = $4, reviewer = $5,
             reviewed_at = $6, notes = $7, predicted_student = $8, confidence = $9,
             version = version + 1
         where id = $1 and version = $2";
    let text = |student: Option<StudentId>| student.map(|student| student.to_string());
    let at = state.reviewed_at.map(|at| at.0);
    let id = id.to_string();
    let status = state.status.as_str();
    let sure = f64::from_bits(state.sure);
    let decided = text(state.decided);
    let predicted = text(state.predicted);
    let values =
        params![id, version, status, decided, state.reviewer, at, state.notes, predicted, sure];
    if tx.execute(sql, values)? == 0 {
        return Err(Error::Conflict("this was changed meanwhile: look again".into()));
    }
    let seen = holder(state).into_iter();
    let pairs = seen.flat_map(|seen| state.ruled_out.iter().map(move |other| (seen, *other)));
    rule_out(tx, &id, pairs.collect())
}

/// Writes who was seen and who that is not. Where it changes, doors get it with a new gallery.
fn rule_out(tx: &Tx<'_>, id: &str, mut pairs: Vec<(StudentId, StudentId)>) -> Result<(), Error> {
    pairs.sort_unstable_by_key(|(_, other)| *other);
    let sql = "select seen, other from cannot_link where sighting = $1 order by other";
    let before = tx.query(sql, params![id], |row| Ok((parsed(row, 0)?, parsed(row, 1)?)))?;
    if before == pairs {
        return Ok(());
    }
    tx.execute("delete from cannot_link where sighting = $1", params![id])?;
    for (seen, other) in pairs {
        let sql = "insert into cannot_link (sighting, seen, other) values ($1, $2, $3)";
        tx.execute(sql, params![id, seen.to_string(), other.to_string()])?;
    }
    change::bump(tx, change::GALLERY)
}

/// A part of the sighting, if it is kept.
pub fn evidence(tx: &Tx<'_>, id: RecordId, part: Part) -> Result<Option<Evidence>, Error> {
    let sql = "select student, wrapped, sealed from evidence
         where sighting = $1 and part = $2 and goes_at is null";
    tx.row(sql, params![id.to_string(), evidence::name(part)], |row| {
        Ok(Evidence { student: parsed(row, 0)?, wrapped: row.get(1)?, sealed: row.get(2)? })
    })
}

/// Replaces whose key wraps a part.
pub fn rewrap(tx: &Tx<'_>, id: RecordId, part: Part, new: &Evidence) -> Result<(), Error> {
    let sql = "update evidence set student = $3, wrapped = $4 where sighting = $1 and part = $2";
    let id = id.to_string();
    let part = evidence::name(part);
    let student = new.student.to_string();
    tx.execute(sql, params![id, part, student, new.wrapped]).map(drop)
}

/// Deletes crop and template, and with the rows their keys.
pub fn delete_evidence(tx: &Tx<'_>, id: RecordId) -> Result<(), Error> {
    tx.execute("delete from evidence where sighting = $1", params![id.to_string()]).map(drop)
}

/// Hides crop and template; at `goes` they are deleted. Without a moment they are shown again.
pub fn hide_evidence(tx: &Tx<'_>, id: RecordId, goes: Option<Wall>) -> Result<(), Error> {
    let sql = "update evidence set goes_at = $2 where sighting = $1";
    tx.execute(sql, params![id.to_string(), goes.map(|at| at.0)]).map(drop)
}

/// Deletes what was hidden and is due at `now`; says how much that was.
pub fn sweep_evidence(tx: &Tx<'_>, now: Wall) -> Result<usize, Error> {
    tx.execute("delete from evidence where goes_at <= $1", params![now.0])
}

/// Remembers a step of `account`; those beyond [`LEVELS`] are forgotten.
pub fn add_step(
    tx: &Tx<'_>,
    account: Uuid,
    former: &[FormerReview],
    now: Wall,
) -> Result<(), Error> {
    let text = serde_json::to_string(former).doing("remembering a step")?;
    let account = account.to_string();
    let sql = "insert into undo_step (account, at, former) values ($1, $2, $3)";
    tx.execute(sql, params![account, now.0, text])?;
    let sql = "delete from undo_step where account = $1 and n <=
         (select n from undo_step where account = $1 order by n desc limit 1 offset $2)";
    tx.execute(sql, params![account, LEVELS]).map(drop)
}

/// The newest step of `account`, or the newest that changed `record`: its number and what was.
pub fn last_step(
    tx: &Tx<'_>,
    account: Uuid,
    record: Option<RecordId>,
) -> Result<Option<(i64, Vec<FormerReview>)>, Error> {
    let sql = "select n, former from undo_step
         where account = $1 and (former like '%' || $2 || '%' or $2 is null)
         order by n desc limit 1";
    let record = record.map(|id| id.to_string());
    tx.row(sql, params![account.to_string(), record], |row| {
        let former = serde_json::from_str(&row.get::<String>(1)?);
        Ok((row.get(0)?, former.map_err(|why| super::odd(1, why))?))
    })
}

/// Forgets a step that was taken back.
pub fn forget_step(tx: &Tx<'_>, n: i64) -> Result<(), Error> {
    tx.execute("delete from undo_step where n = $1", params![n]).map(drop)
}

/// Whether `student` is somebody to record.
pub fn is_active(tx: &Tx<'_>, student: StudentId) -> Result<bool, Error> {
    let sql = "select is_active from student where id = $1";
    let active = tx.row(sql, params![student.to_string()], |row| row.get(0))?;
    Ok(active.unwrap_or(false))
}
