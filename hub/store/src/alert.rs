//! Table `door_alert`: what was wrong with doors, from when until when, and who is told of it.

use super::{Read, Row, Tx, params, parsed};
use rules::alerts::{AlertKind, Fault};
use rules::error::Error;
use std::collections::BTreeSet;
use uuid::Uuid;
use wire::{DeviceId, Wall};

/// Something that was wrong with a door, or is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// Own id.
    pub id: Uuid,
    /// The door.
    pub device: DeviceId,
    /// What.
    pub kind: AlertKind,
    /// Since when it held.
    pub since: Wall,
    /// Until when; nothing while it holds.
    pub until: Option<Wall>,
    /// The room behind the door, as it is called now.
    pub room: String,
}

/// Which to list; all if nothing is said.
#[derive(Clone, Default, Debug)]
pub struct AlertFilter {
    /// Of this door.
    pub device: Option<DeviceId>,
    /// Only those that hold, or only the others.
    pub open: Option<bool>,
}

/// Somebody who is told by mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertReader {
    /// Their account.
    pub account: Uuid,
    /// Their address.
    pub email: String,
}

const COLUMNS: &str = "a.id, a.device, a.kind, a.since, a.until, d.room";
const FROM: &str = "door_alert a join device d on d.id = a.device";

/// What has begun and not ended.
pub fn open(tx: &Tx<'_>) -> Result<BTreeSet<Fault>, Error> {
    let sql = "select device, kind from door_alert where until is null";
    let all = tx.query(sql, [], |row| Ok((parsed(row, 0)?, kind(row, 1)?)))?;
    Ok(all.into_iter().collect())
}

/// How many doors have an open alert of this kind.
pub fn count(tx: &Tx<'_>, kind: AlertKind) -> Result<u64, Error> {
    let sql = "select count(*) from door_alert where until is null and kind = $1";
    Ok(tx.row(sql, [kind.word()], |row| super::unsigned(row, 0))?.unwrap_or(0))
}

/// Begins an alert, told in the look `at`.
///
/// # Errors
/// `Conflict` when one is open.
pub fn begin(
    tx: &Tx<'_>,
    (device, kind): &Fault,
    since: Wall,
    at: Uuid,
    now: Wall,
) -> Result<(), Error> {
    let sql =
        "insert into door_alert (id, device, kind, since, began_in) values ($1, $2, $3, $4, $5)";
    let id = wire::id::v7(now).to_string();
    tx.execute(sql, params![id, device.as_str(), kind.word(), since.0, at.to_string()]).map(drop)
}

/// Ends the open alert, told in the look `at`.
pub fn end(tx: &Tx<'_>, (device, kind): &Fault, until: Wall, at: Uuid) -> Result<(), Error> {
    let sql =
        "update door_alert set until = case when since > $3 then since else $3 end, ended_in = $4
         where device = $1 and kind = $2 and until is null";
    tx.execute(sql, params![device.as_str(), kind.word(), until.0, at.to_string()]).map(drop)
}

/// What began in the look `at`, and what ended in it, by kind, room and door.
pub fn told(tx: &Tx<'_>, at: &str) -> Result<(Vec<Alert>, Vec<Alert>), Error> {
    let of = |column: &str| {
        let sql = format!(
            "select {COLUMNS} from {FROM} where a.{column} = $1 order by a.kind, d.room, a.device"
        );
        tx.query(&sql, params![at], read)
    };
    Ok((of("began_in")?, of("ended_in")?))
}

/// Alerts, the newest first, those before `before`.
pub fn list(
    tx: &Tx<'_>,
    filter: &AlertFilter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Alert>, Error> {
    let device = filter.device.as_ref().map_or("", |_| "and a.device = $3");
    let open = match filter.open {
        None => "",
        Some(true) => "and a.until is null",
        Some(false) => "and a.until is not null",
    };
    let sql = format!(
        "select {COLUMNS} from {FROM} where a.id < $1 {device} {open} order by a.id desc limit $2"
    );
    let before = before.map_or_else(|| "~".to_owned(), |id| id.to_string());
    match &filter.device {
        Some(id) => tx.query(&sql, params![before, limit, id.as_str()], read),
        None => tx.query(&sql, params![before, limit], read),
    }
}

/// When the first lesson of a span begins and the last one ends; of lessons that somebody planned.
pub fn lessons(tx: &Tx<'_>, (from, to): (Wall, Wall)) -> Result<Option<(Wall, Wall)>, Error> {
    let sql = "select min(starts), max(ends) from session
         where starts >= $1 and starts < $2 and source <> 'adhoc'";
    let span = tx.row(sql, params![from.0, to.0], |row| {
        Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?))
    })?;
    Ok(span.and_then(|(first, last)| Some((Wall(first?), Wall(last?)))))
}

/// Every admin who is told by mail: all but those who said no.
pub fn readers(tx: &Tx<'_>) -> Result<Vec<AlertReader>, Error> {
    let sql = "select a.id, a.email from user_account a
         where a.role = 'admin' and a.is_active = 1 and not exists (
             select 1 from mail_switch w where w.account = a.id and w.kind = $1 and w.is_on = 0)
         order by a.id";
    tx.query(sql, [super::preference::ALERTS], |row| {
        Ok(AlertReader { account: parsed(row, 0)?, email: row.get(1)? })
    })
}

fn kind(row: &Row<'_>, column: usize) -> Read<AlertKind> {
    let word: String = row.get(column)?;
    AlertKind::of(&word).ok_or_else(|| super::odd(column, "this is no kind of alert"))
}

fn read(row: &Row<'_>) -> Read<Alert> {
    Ok(Alert {
        id: parsed(row, 0)?,
        device: parsed(row, 1)?,
        kind: kind(row, 2)?,
        since: Wall(row.get(3)?),
        until: row.get::<Option<i64>>(4)?.map(Wall),
        room: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn alerts_and_the_lessons_of_a_day_are_found_by_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::Db::in_file(&dir.path().join("hub.db")).unwrap();
        let plans = |tx: &Tx<'_>| {
            let all = [
                "select device, kind from door_alert where until is null".to_owned(),
                format!("select {COLUMNS} from {FROM} where a.began_in = 'x'"),
                format!("select {COLUMNS} from {FROM} where a.ended_in = 'x'"),
                format!("select {COLUMNS} from {FROM} where a.id < '~' order by a.id desc limit 9"),
                format!(
                    "select {COLUMNS} from {FROM} where a.id < '~' and a.device = 'x'
                     order by a.id desc limit 9"
                ),
                "select min(starts), max(ends) from session where starts >= 1 and starts < 2"
                    .into(),
            ];
            let plan = |sql: &String| {
                let sql = format!("explain query plan {sql}");
                Ok(tx.query(&sql, [], |row| row.get::<String>(3))?.join("\n"))
            };
            all.iter().map(plan).collect::<Result<Vec<_>, Error>>()
        };
        for plan in db.read(plans).await.unwrap() {
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            assert!(plan.contains("INDEX") && !plan.contains("SCAN session"), "{plan}");
        }
    }
}
