//! Table `teaches`: who teaches a class, from which day to which.

use super::{Tx, audit, params, parsed, parsed_option};
use jiff::civil::Date;
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// Lets an account teach a class for these days (the last inclusive, or until further notice).
/// False when it did so already.
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
    let id = class.to_string();
    let to = to.map(|day| day.to_string());
    let new = tx.execute(sql, params![id, account.to_string(), from.to_string(), to])? > 0;
    if new {
        noted(tx, "teach", &id, account, actor, now)?;
    }
    Ok(new)
}

/// Ends what an account teaches in a class, yesterday. False when it teaches nothing there.
pub fn stop(
    tx: &Tx<'_>,
    class: Uuid,
    account: Uuid,
    today: Date,
    actor: &str,
    now: Wall,
) -> Result<bool, Error> {
    let id = class.to_string();
    let yesterday = today.yesterday().unwrap_or(today).to_string();
    let sql = "update teaches set to_day = $3
         where class = $1 and teacher = $2 and (to_day is null or to_day > $3)";
    let ended = tx.execute(sql, params![id, account.to_string(), yesterday])? > 0;
    if ended {
        noted(tx, "stop_teaching", &id, account, actor, now)?;
    }
    Ok(ended)
}

/// A class that an account teaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taught {
    /// Which.
    pub class: Uuid,
    /// What people call it.
    pub class_name: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive; none until further notice.
    pub to: Option<Date>,
}

/// What `account` teaches on `today` or later.
pub fn of(tx: &Tx<'_>, account: Uuid, today: Date) -> Result<Vec<Taught>, Error> {
    let sql = "select t.class, c.class_name, t.from_day, t.to_day from teaches t
         join class c on c.id = t.class
         where t.teacher = $1 and (t.to_day is null or t.to_day >= $2)
         order by c.class_name, t.from_day limit 500";
    tx.query(sql, params![account.to_string(), today.to_string()], |row| {
        let class = parsed(row, 0)?;
        let class_name = row.get(1)?;
        let from = parsed(row, 2)?;
        Ok(Taught { class, class_name, from, to: parsed_option(row, 3)? })
    })
}

/// Somebody who teaches a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Teacher {
    /// Their account.
    pub account: Uuid,
    /// What pages call them.
    pub name: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive; none until further notice.
    pub to: Option<Date>,
}

/// Who teaches `class` on `today` or later.
pub fn teachers(tx: &Tx<'_>, class: Uuid, today: Date) -> Result<Vec<Teacher>, Error> {
    let sql = "select t.teacher, u.name, t.from_day, t.to_day from teaches t
         join user_account u on u.id = t.teacher
         where t.class = $1 and (t.to_day is null or t.to_day >= $2)
         order by u.name, t.from_day limit 500";
    tx.query(sql, params![class.to_string(), today.to_string()], |row| {
        let account = parsed(row, 0)?;
        let name = row.get(1)?;
        let from = parsed(row, 2)?;
        Ok(Teacher { account, name, from, to: parsed_option(row, 3)? })
    })
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
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "class", id: class, meta })
}
