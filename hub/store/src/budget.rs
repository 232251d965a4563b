//! What classes marked without a person, what people made of it since, and what follows for the
//! class: of tables `sighting` and `class` the columns about it.

use super::class::Class;
use super::{Row, Tx, params, parsed, parsed_option};
use rules::attendance::budget::{BudgetCount, PASSAGES, SPAN_MS};
use rules::attendance::placing::Policy;
use rules::error::Error;
use uuid::Uuid;
use wire::{RecordId, Wall};

/// A class that marks without a person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Auto {
    /// Wrong names per 1,000 passages that the school accepts.
    pub budget: f64,
    /// Since when they are counted.
    pub since: Wall,
}

/// The class whose policy approved `record` at once.
pub fn approved_by(tx: &Tx<'_>, record: RecordId) -> Result<Option<Uuid>, Error> {
    let sql = "select auto_class from sighting where id = $1";
    Ok(tx.row(sql, params![record.to_string()], |row| parsed_option(row, 0))?.flatten())
}

/// The class, if it marks without a person now.
pub fn at_work(tx: &Tx<'_>, class: Uuid) -> Result<Option<Auto>, Error> {
    let sql = "select error_budget, coalesce(auto_since, 0) from class
         where id = $1 and policy = 'auto' and suspended_at is null";
    let read = |row: &Row<'_>| {
        Ok(Auto { budget: row.get::<Option<f64>>(0)?.unwrap_or(0.0), since: Wall(row.get(1)?) })
    };
    tx.row(sql, params![class.to_string()], read)
}

/// The newest passages that `class` approved at once, and how many of those a person corrected: by
/// a rejection, by another name, or by saying that the student was absent.
pub fn count(tx: &Tx<'_>, class: Uuid, since: Wall, now: Wall) -> Result<BudgetCount, Error> {
    let sql = "select count(*), coalesce(sum(n.wrong), 0) from (
             select case when s.review_status <> 'approved'
                     or not exists (select 1 from candidate c where c.sighting = s.id
                         and c.rank = 1 and c.student = s.decided_student)
                     or exists (select 1 from mark m where m.session = s.session
                         and m.student = s.decided_student and m.source = 'manual'
                         and m.status = 'absent')
                 then 1 else 0 end as wrong
             from sighting s where s.auto_class = $1 and s.received_at > $2
             order by s.received_at desc limit $3) n";
    let since = since.max(now.plus_ms(-SPAN_MS));
    let values = params![class.to_string(), since.0 - 1, PASSAGES];
    let read = |row: &Row<'_>| Ok(BudgetCount { passages: row.get(0)?, errors: row.get(1)? });
    Ok(tx.row(sql, values, read)?.unwrap_or_default())
}

/// The same for a class as it stands; nothing where a person decides all.
pub fn of(tx: &Tx<'_>, class: &Class, now: Wall) -> Result<Option<BudgetCount>, Error> {
    match class.policy {
        Policy::Review => Ok(None),
        Policy::Auto { .. } => {
            count(tx, class.id, class.auto_since.unwrap_or(Wall(0)), now).map(Some)
        }
    }
}

/// Lets a person decide again in `class`.
pub fn suspend(tx: &Tx<'_>, class: Uuid, count: BudgetCount, now: Wall) -> Result<(), Error> {
    let sql = "update class set suspended_at = $2, suspended_errors = $3, suspended_of = $4,
             version = version + 1 where id = $1";
    tx.execute(sql, params![class.to_string(), now.0, count.errors, count.passages]).map(drop)
}

/// A class whose teachers have not been written to since it was suspended.
#[derive(Clone, PartialEq, Debug)]
pub struct Suspended {
    /// Which.
    pub class: Uuid,
    /// What people call it.
    pub class_name: String,
    /// Since when.
    pub at: Wall,
    /// What was counted then.
    pub count: BudgetCount,
    /// What the school accepts.
    pub budget: f64,
    /// Address of somebody who teaches it.
    pub recipient: String,
    /// Their account.
    pub teacher: Uuid,
}

/// Teachers who are to be told of a suspension after `since`.
pub fn to_tell(
    tx: &Tx<'_>,
    since: Wall,
    today: jiff::civil::Date,
    limit: u32,
) -> Result<Vec<Suspended>, Error> {
    let sql = "select c.id, c.class_name, c.suspended_at, c.suspended_of, c.suspended_errors,
             coalesce(c.error_budget, 0), u.email, u.id
         from class c join teaches t on t.class = c.id join user_account u on u.id = t.teacher
         where c.suspended_at > $1 and u.is_active = 1 and t.from_day <= $2
             and (t.to_day is null or t.to_day >= $2)
             and not exists (select 1 from mail m
                 where m.about = 'policy:' || c.id || ':' || c.suspended_at || ':' || u.id)
         group by c.id, u.id order by c.suspended_at, c.id, u.id limit $3";
    tx.query(sql, params![since.0, today.to_string(), limit], |row| {
        Ok(Suspended {
            class: parsed(row, 0)?,
            class_name: row.get(1)?,
            at: Wall(row.get(2)?),
            count: BudgetCount { passages: row.get(3)?, errors: row.get(4)? },
            budget: row.get(5)?,
            recipient: row.get(6)?,
            teacher: parsed(row, 7)?,
        })
    })
}
