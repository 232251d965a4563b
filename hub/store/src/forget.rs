//! Takes people out of what doors saw: guesses, crops and templates, across their tables; and
//! table `key_to_erase`, which says what a crash left undone.

use super::{Tx, odd, params, parsed};
use rules::error::{Doing, Error};
use vision::Scale;
use wire::{Candidate, Reason, RecordId, StudentId, Wall};

/// Sightings that wait for a person and name `student`, each with everybody it names, best first.
pub fn waiting_of(
    tx: &Tx<'_>,
    student: StudentId,
) -> Result<Vec<(RecordId, Vec<Candidate>)>, Error> {
    let sql = "select c.sighting from candidate c join sighting s on s.id = c.sighting
         where c.student = $1 and s.review_status = 'pending'";
    let records: Vec<RecordId> =
        tx.query(sql, params![student.to_string()], |row| parsed(row, 0))?;
    let with = |record| Ok((record, candidates(tx, record)?));
    records.into_iter().map(with).collect()
}

fn candidates(tx: &Tx<'_>, record: RecordId) -> Result<Vec<Candidate>, Error> {
    let sql = "select student, score from candidate where sighting = $1 order by rank";
    tx.query(sql, params![record.to_string()], |row| {
        #[expect(clippy::cast_possible_truncation, reason = "it was an f32")]
        let score = row.get::<f64>(1)? as f32;
        Ok(Candidate { student: parsed(row, 0)?, score })
    })
}

/// Names `candidates` instead of whom the sighting named. If another one `moved_up`, a person
/// must look: the door's words were about somebody else.
pub fn rank(
    tx: &Tx<'_>,
    record: RecordId,
    candidates: &[Candidate],
    moved_up: bool,
) -> Result<(), Error> {
    let id = record.to_string();
    tx.execute("delete from candidate where sighting = $1", params![id])?;
    let sql = "insert into candidate (sighting, rank, student, score) values ($1, $2, $3, $4)";
    for (rank, one) in (1i64..).zip(candidates) {
        tx.execute(sql, params![id, rank, one.student.to_string(), f64::from(one.score)])?;
    }
    let Some(best) = candidates.first().filter(|_| moved_up) else { return Ok(()) };
    let sql = "select reasons, model from sighting where id = $1";
    let row = tx.row(sql, params![id], |row| {
        let reasons = serde_json::from_str::<Vec<Reason>>(&row.get::<String>(0)?);
        Ok((reasons.map_err(|why| odd(0, why))?, row.get::<String>(1)?))
    })?;
    let Some((mut reasons, model)) = row else { return Ok(()) };
    reasons.push(Reason::ChangedByHub);
    reasons.sort_unstable();
    reasons.dedup();
    let sql = "update sighting set predicted_student = $2, confidence = $3, verdict = 'review',
             reasons = $4, version = version + 1 where id = $1";
    let reasons = serde_json::to_string(&reasons).doing("storing a sighting")?;
    let sure = f64::from(Scale::of(&model).confidence(best.score));
    tx.execute(sql, params![id, best.student.to_string(), sure, reasons]).map(drop)
}

/// Forgets a sighting: of it stays that its number came, and `why` nothing else does.
pub fn sighting(tx: &Tx<'_>, record: RecordId, why: &str) -> Result<(), Error> {
    let id = record.to_string();
    let sql = "update receipt set disposition = $2 where (device, epoch, seq) =
             (select device, epoch, seq from sighting where id = $1)";
    tx.execute(sql, params![id, why])?;
    for table in ["evidence", "candidate", "cannot_link"] {
        tx.execute(&format!("delete from {table} where sighting = $1"), params![id])?;
    }
    tx.execute("delete from sighting where id = $1", params![id]).map(drop)
}

/// Sightings that a person or the hub took to be `student`, whatever became of them.
pub fn seen_as(tx: &Tx<'_>, student: StudentId) -> Result<Vec<RecordId>, Error> {
    let sql = "select id from sighting where decided_student = $1
         union select id from sighting where predicted_student = $1 and decided_student is null";
    tx.query(sql, params![student.to_string()], |row| parsed(row, 0))
}

/// Deletes every crop and template of a sighting that `student`'s key wraps.
pub fn evidence_of(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    tx.execute("delete from evidence where student = $1", params![student.to_string()])
}

/// Blanks the faces in class photos that are taken to be `student`, and drops the photos they
/// are in. Returns how many faces.
pub fn faces_of(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    let id = student.to_string();
    let sql = "update image set sealed = null, version = version + 1,
             state = case when state = 'confirmed' then state else 'expired' end
         where sealed is not null and id in (select image from face_crop where student = $1
             union select image from face_crop where proposed = $1)";
    tx.execute(sql, params![id])?;
    let sql = "update face_crop set crop = null, template = null, proposed = null,
             proposed_score = null, student = null, assigned_as = null, assigned_by = null,
             assigned_at = null, cluster = null, version = version + 1
         where student = $1 or (proposed = $1 and student is null)";
    let gone = tx.execute(sql, params![id])?;
    let sql = "update face_crop set proposed = null, proposed_score = null where proposed = $1";
    tx.execute(sql, params![id])?;
    Ok(gone)
}

/// What a person ruled out about somebody.
pub(super) const RULED_OUT: &str = "delete from cannot_link where seen = $1 or other = $1";

/// Deletes every guess that names `student`, and what a person ruled out about them.
pub fn guesses_of(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    let id = student.to_string();
    let sql = "delete from cannot_link where sighting in
             (select sighting from candidate where student = $1) and (seen = $1 or other = $1)";
    tx.execute(sql, params![id])?;
    tx.execute("delete from candidate where student = $1", params![id])
}

/// Says nowhere any more that a door took somebody for `student`.
pub fn predictions_of(tx: &Tx<'_>, student: StudentId) -> Result<(), Error> {
    let sql = "update sighting set predicted_student = null where predicted_student = $1";
    let id = student.to_string();
    tx.execute(sql, params![id])?;
    tx.execute(RULED_OUT, params![id])?;
    tx.execute("delete from undo_step where former like '%' || $1 || '%'", params![id]).map(drop)
}

/// Remembers that the key of `student` is to be erased.
pub fn mark_key(tx: &Tx<'_>, student: StudentId, now: Wall) -> Result<(), Error> {
    let sql = "insert into key_to_erase (student, since) values ($1, $2)
         on conflict (student) do nothing";
    tx.execute(sql, params![student.to_string(), now.0]).map(drop)
}

/// Whether the key of `student` was to be erased; now it counts as done.
pub fn unmark_key(tx: &Tx<'_>, student: StudentId) -> Result<bool, Error> {
    let sql = "delete from key_to_erase where student = $1";
    Ok(tx.execute(sql, params![student.to_string()])? > 0)
}

/// Everybody whose key is to be erased.
pub fn marked_keys(tx: &Tx<'_>) -> Result<Vec<StudentId>, Error> {
    tx.query("select student from key_to_erase", [], |row| parsed(row, 0))
}
