//! Table `holiday`: days without lessons.

use super::{Read, Row, Tx, audit, params, parsed};
use jiff::civil::Date;
use rules::error::Error;
use rules::timetable::Holiday;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// Longest name, bytes.
const NAME: usize = 200;
const COLUMNS: &str = "id, name, from_day, to_day";

/// Holidays that touch the days from `first` to `last`.
pub fn between(tx: &Tx<'_>, first: Date, last: Date) -> Result<Vec<Holiday>, Error> {
    let sql = format!(
        "select {COLUMNS} from holiday where from_day <= $2 and to_day >= $1 order by from_day, id"
    );
    tx.query(&sql, params![first.to_string(), last.to_string()], read)
}

/// Holidays in the order of their ids, after `after`.
pub fn list(tx: &Tx<'_>, after: Option<Uuid>, limit: u32) -> Result<Vec<Holiday>, Error> {
    let sql = format!("select {COLUMNS} from holiday where id > $1 order by id limit $2");
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    tx.query(&sql, params![after, limit], read)
}

/// The holiday `id`.
///
/// # Errors
/// `NotFound` when there is none.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Holiday, Error> {
    let sql = format!("select {COLUMNS} from holiday where id = $1");
    tx.row(&sql, params![id.to_string()], read)?.ok_or_else(|| Error::unknown("holiday", id))
}

/// Stores a holiday, new or changed.
///
/// # Errors
/// `Invalid` for a span or a name that cannot be.
pub fn put(tx: &Tx<'_>, holiday: &Holiday, actor: &str, now: Wall) -> Result<(), Error> {
    let name = holiday.name.trim();
    if name.is_empty() || name.len() > NAME {
        return Err(Error::Invalid(format!("name: give one of at most {NAME} bytes")));
    }
    if holiday.to < holiday.from {
        return Err(Error::Invalid("to_day: the last day is before the first".into()));
    }
    let sql = "insert into holiday (id, name, from_day, to_day) values ($1, $2, $3, $4)
         on conflict (id) do update set name = excluded.name, from_day = excluded.from_day,
             to_day = excluded.to_day";
    let id = holiday.id.to_string();
    let from = holiday.from.to_string();
    let to = holiday.to.to_string();
    tx.execute(sql, params![id, name, from, to])?;
    let meta = json!({ "from": from, "to": to });
    audit::add(
        tx,
        now,
        &audit::AuditEntry { actor, action: "put", table: "holiday", id: &id, meta },
    )
}

/// Removes a holiday.
///
/// # Errors
/// `NotFound` when there is none.
pub fn remove(tx: &Tx<'_>, id: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    let key = id.to_string();
    if tx.execute("delete from holiday where id = $1", params![key])? == 0 {
        return Err(Error::unknown("holiday", id));
    }
    let meta = json!({});
    audit::add(
        tx,
        now,
        &audit::AuditEntry { actor, action: "remove", table: "holiday", id: &key, meta },
    )
}

fn read(row: &Row<'_>) -> Read<Holiday> {
    let id = parsed(row, 0)?;
    let name = row.get(1)?;
    Ok(Holiday { id, name, from: parsed(row, 2)?, to: parsed(row, 3)? })
}
