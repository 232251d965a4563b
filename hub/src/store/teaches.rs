//! Table `teaches`: who teaches a class, from which day to which.

use super::{Tx, audit, params};
use crate::error::Error;
use jiff::civil::Date;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// Lets an account teach a class for these days (the last inclusive, or until further notice).
/// False when it did so already.
///
/// # Errors
/// When the database fails.
pub fn add(
    tx: &Tx<'_>,
    class: Uuid,
    account: Uuid,
    (from, to): (Date, Option<Date>),
    actor: &str,
    now: Wall,
) -> Result<bool, Error> {
    let sql = "insert into teaches (class, teacher, from_day, to_day) values ($1, $2, $3, $4)
         on conflict (class, teacher, from_day) do update set to_day = excluded.to_day
         where coalesce(teaches.to_day, '') <> coalesce(excluded.to_day, '')";
    let (id, to) = (class.to_string(), to.map(|day| day.to_string()));
    let new = tx.execute(sql, params![id, account.to_string(), from.to_string(), to])? > 0;
    if new {
        noted(tx, "teach", &id, account, actor, now)?;
    }
    Ok(new)
}

/// Ends what an account teaches in a class, yesterday. False when it teaches nothing there.
///
/// # Errors
/// When the database fails.
pub fn stop(
    tx: &Tx<'_>,
    class: Uuid,
    account: Uuid,
    today: Date,
    actor: &str,
    now: Wall,
) -> Result<bool, Error> {
    let (id, yesterday) = (class.to_string(), today.yesterday().unwrap_or(today).to_string());
    let sql = "update teaches set to_day = $3
         where class = $1 and teacher = $2 and (to_day is null or to_day > $3)";
    let ended = tx.execute(sql, params![id, account.to_string(), yesterday])? > 0;
    if ended {
        noted(tx, "stop_teaching", &id, account, actor, now)?;
    }
    Ok(ended)
}

fn noted(
    tx: &Tx<'_>,
    action: &str,
    class: &str,
    account: Uuid,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let meta = json!({ "teacher": account });
    audit::add(tx, now, &audit::Entry { actor, action, table: "class", id: class, meta })
}
