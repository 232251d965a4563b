//! Sums of lessons for reports: they read `tally`, never the marks.

use super::class::VISIBLE;
use super::{Read, Row, Tx, params, parsed};
use crate::reader::Reader;
use jiff::civil::Date;
use rules::attendance::Counted;
use rules::error::Error;
use rules::reports::Sums;
use rules::reports::analytics::Subject;
use uuid::Uuid;

/// One month of a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Month {
    /// The class.
    pub class: Uuid,
    /// `2024-01`.
    pub month: String,
    /// What was recorded.
    pub sums: Sums,
    /// Days with a mark that counts.
    pub days: i64,
}

/// The sums of what counts, and the lessons with anything that does: others are left out.
fn counted() -> (String, String) {
    let of = |what| super::mark::counted("t.", what);
    let [present, late, absent] = [Counted::InTime, Counted::Late, Counted::Away].map(of);
    let sum = |what: &String| format!("cast(sum({what}) as bigint)");
    let sums = [&present, &late, &absent].map(sum).join(", ");
    (sums, format!("{present} + {late} + {absent} > 0"))
}

fn days_sql() -> String {
    let (sums, counts) = counted();
    format!(
        "select s.day, {sums} from session s join tally t on t.session = s.id
         where s.class = $1 and s.day >= $2 and s.day <= $3 and {counts}
         group by s.day order by s.day"
    )
}

/// Each day of `class` from `from` to `to` inclusive, in order.
pub fn days(tx: &Tx<'_>, class: Uuid, from: Date, to: Date) -> Result<Vec<(Date, Sums)>, Error> {
    let keys = params![class.to_string(), from.to_string(), to.to_string()];
    tx.query(&days_sql(), keys, |row| Ok((parsed(row, 0)?, sums(row, 1)?)))
}

fn months_sql() -> String {
    let (sums, counts) = counted();
    format!(
        "select s.class, substr(s.day, 1, 7), {sums}, count(distinct s.day)
         from session s join tally t on t.session = s.id
         where s.class in (select c.id from class c
             where {VISIBLE} and (c.id = $4 or $4 is null)) and {counts}
         group by s.class, substr(s.day, 1, 7) order by substr(s.day, 1, 7), s.class"
    )
}

/// Each month of the classes the reader may see, or of one of them; by month, then class.
pub fn months(tx: &Tx<'_>, reader: Reader, class: Option<Uuid>) -> Result<Vec<Month>, Error> {
    let (role, user, today) = reader.keys();
    let class = class.map(|class| class.to_string());
    tx.query(&months_sql(), params![role, user, today, class], |row| {
        let class = parsed(row, 0)?;
        let month = row.get(1)?;
        Ok(Month { class, month, sums: sums(row, 2)?, days: row.get(5)? })
    })
}

fn subjects_sql() -> String {
    let (sums, counts) = counted();
    format!(
        "select s.class, (select c.class_name from class c where c.id = s.class),
             (select c.class_code from class c where c.id = s.class), {sums}, max(s.day)
         from session s join tally t on t.session = s.id
         where s.class in (select c.id from class c where {VISIBLE} and c.is_active = 1)
             and {counts}
         group by s.class"
    )
}

/// The classes the reader may see, each with everything that was ever recorded of it. A class
/// of which nothing is recorded has no percentage and is left out.
pub fn subjects(tx: &Tx<'_>, reader: Reader) -> Result<Vec<Subject>, Error> {
    let (role, user, today) = reader.keys();
    tx.query(&subjects_sql(), params![role, user, today], |row| {
        let class = parsed(row, 0)?;
        let name = row.get(1)?;
        let code = row.get(2)?;
        Ok(Subject { class, name, code, sums: sums(row, 3)?, last: parsed(row, 6)? })
    })
}

fn sums(row: &Row<'_>, column: usize) -> Read<Sums> {
    Ok(Sums { present: row.get(column)?, late: row.get(column + 1)?, absent: row.get(column + 2)? })
}

#[cfg(test)]
pub mod tests;
