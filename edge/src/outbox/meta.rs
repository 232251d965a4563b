//! The outbox's own facts: which life it is, which boot, and what the hub said last.

use super::{OutboxError, Place};
use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OptionalExtension, params};
use wire::link::Run;
use wire::{Direction, Epoch};

pub(super) fn get<T: FromSql>(db: &Connection, key: &str) -> Result<Option<T>, OutboxError> {
    let sql = "select v from meta where k = ?1";
    Ok(db.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?)
}

pub(super) fn put(db: &Connection, key: &str, value: impl ToSql) -> Result<(), OutboxError> {
    let sql = "insert into meta(k, v) values(?1, ?2) on conflict(k) do update set v = excluded.v";
    db.prepare_cached(sql)?.execute(params![key, value])?;
    Ok(())
}

pub(super) fn remove(db: &Connection, key: &str) -> Result<(), OutboxError> {
    db.prepare_cached("delete from meta where k = ?1")?.execute([key])?;
    Ok(())
}

pub(super) fn number(db: &Connection, key: &str) -> Result<u64, OutboxError> {
    Ok(get::<i64>(db, key)?.map_or(0, i64::cast_unsigned))
}

pub(super) fn epoch(db: &Connection, key: &str) -> Result<Option<Epoch>, OutboxError> {
    Ok(get::<[u8; 16]>(db, key)?.map(Epoch))
}

pub(super) fn place(db: &Connection) -> Result<Option<Place>, OutboxError> {
    let (Some(room), Some(direction)) = (get(db, "room")?, get::<i64>(db, "direction")?) else {
        return Ok(None);
    };
    let direction = match direction {
        0 => Direction::Entry,
        1 => Direction::Exit,
        _ => Direction::Both,
    };
    Ok(Some(Place { room, direction }))
}

pub(super) fn put_place(db: &Connection, place: &Place) -> Result<(), OutboxError> {
    put(db, "room", &place.room)?;
    put(db, "direction", place.direction as i64)
}

/// Those that are not readable are forgotten: then the hub goes by the run that begins now. If the
/// numbers before it are more than it heard of, it takes this card for what it is; otherwise for an
/// old copy, and no record is lost by that.
pub(super) fn runs(db: &Connection) -> Result<Vec<Run>, OutboxError> {
    let bytes = get::<Vec<u8>>(db, "runs")?.unwrap_or_default();
    Ok(postcard::from_bytes(&bytes).unwrap_or_default())
}

pub(super) fn put_runs(db: &Connection, runs: &[Run]) -> Result<(), OutboxError> {
    let bytes = postcard::to_stdvec(runs).expect("numbers are written");
    put(db, "runs", bytes)
}

/// The last number given out, even if its row is gone.
pub(super) fn max_seq(db: &Connection) -> Result<u64, OutboxError> {
    let sql = "select seq from sqlite_sequence where name = 'outbox'";
    let seq = db.query_row(sql, [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(seq.map_or(0, i64::cast_unsigned))
}

/// The highest number that was ever handed to the link. It lies beside the outbox's own counter,
/// on a page that every record writes anyway; older files have it among the other facts.
pub(super) fn sent(db: &Connection) -> Result<u64, OutboxError> {
    let sql = "select seq from sqlite_sequence where name = 'sent'";
    let beside = db.query_row(sql, [], |row| row.get::<_, i64>(0)).optional()?;
    beside.map_or_else(|| number(db, "sent"), |seq| Ok(seq.cast_unsigned()))
}

pub(super) fn put_sent(db: &Connection, seq: u64) -> Result<(), OutboxError> {
    let sql = "update sqlite_sequence set seq = ?1 where name = 'sent'";
    if db.prepare_cached(sql)?.execute([seq.cast_signed()])? == 0 {
        let sql = "insert into sqlite_sequence(name, seq) values('sent', ?1)";
        db.execute(sql, [seq.cast_signed()])?;
    }
    Ok(())
}
