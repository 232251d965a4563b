//! Whom another model would recognise: who has templates of it, among those recognised now.

use super::{Tx, params, parsed};
use rules::error::Error;
use wire::{ModelId, StudentId};

/// Somebody who has a template of one model and none of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncovered {
    /// Who.
    pub student: StudentId,
    /// Their number.
    pub number: String,
    /// Their name.
    pub name: String,
}

/// People whom the model `$1` recognises: active, with consent and an active template.
const RECOGNISED: &str = "s.is_active = 1
     and (select c.given from consent c where c.student = s.id order by c.n desc limit 1) = 1
     and exists (select 1 from enrolment e
                 where e.student = s.id and e.model = $1 and e.is_active = 1)";
/// Of whom the model `$2` has a template.
const COVERED: &str = "exists (select 1 from enrolment n
                 where n.student = s.id and n.model = $2 and n.is_active = 1)";

/// How many people `from` recognises, and how many of them `to` would.
pub fn count(tx: &Tx<'_>, from: &ModelId, to: &ModelId) -> Result<(usize, usize), Error> {
    let sql = format!(
        "select count(*), coalesce(sum(case when {COVERED} then 1 else 0 end), 0)
         from student s where {RECOGNISED}"
    );
    let found = tx.row(&sql, params![from.as_str(), to.as_str()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
    })?;
    let (all, covered) = found.unwrap_or_default();
    Ok((usize::try_from(all).unwrap_or(0), usize::try_from(covered).unwrap_or(0)))
}

/// The people whom `from` recognises and `to` would not, by number: at most `limit` after the
/// number `after`.
pub fn missing(
    tx: &Tx<'_>,
    (from, to): (&ModelId, &ModelId),
    after: &str,
    limit: u32,
) -> Result<Vec<Uncovered>, Error> {
    let sql = format!(
        "select s.id, s.student_number, s.first_name, s.last_name from student s
         where s.student_number > $3 and {RECOGNISED} and not {COVERED}
         order by s.student_number limit $4"
    );
    tx.query(&sql, params![from.as_str(), to.as_str(), after, limit], |row| {
        let (first, last): (String, String) = (row.get(2)?, row.get(3)?);
        let name = format!("{first} {last}").trim().to_owned();
        Ok(Uncovered { student: parsed(row, 0)?, number: row.get(1)?, name })
    })
}
