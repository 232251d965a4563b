//! Table `capture_token`: what a program at a door shows to send pictures as that door. Only its
//! hash is kept. A door has one, and for the time of a change the one before.

use crate::{Tx, audit, device, params};
use rules::error::Error;
use serde_json::json;
use wire::{DeviceId, Wall};

/// How long a token counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenLife {
    /// From when on.
    pub from: Wall,
    /// Until when.
    pub until: Wall,
    /// Until when the one before counts besides, so that a program can be changed over.
    pub overlap: Wall,
}

/// Gives `id` a token; the one before it ends, and those that are over are forgotten.
///
/// # Errors
/// `NotFound` when there is no such door, `Conflict` when it is cut off.
pub fn add(
    tx: &Tx<'_>,
    id: &DeviceId,
    digest: &[u8],
    life: TokenLife,
    actor: &str,
) -> Result<(), Error> {
    let door = device::get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    if !door.is_active {
        return Err(Error::Conflict(format!("“{id}” is cut off: let it join again first")));
    }
    let sql = "delete from capture_token where device = $1
         and (expires_at <= $2 or ended_at <= $2)";
    tx.execute(sql, params![id.as_str(), life.from.0])?;
    end_all(tx, id, life.overlap)?;
    let sql = "insert into capture_token (digest, device, created_at, expires_at)
         values ($1, $2, $3, $4)";
    tx.execute(sql, params![digest, id.as_str(), life.from.0, life.until.0])?;
    noted(tx, id, "capture-token", actor, life.from)
}

/// When the newest token of `id` ends, if it has one that counts.
pub fn until(tx: &Tx<'_>, id: &DeviceId, now: Wall) -> Result<Option<Wall>, Error> {
    let sql = "select expires_at from capture_token
         where device = $1 and ended_at is null and expires_at > $2";
    tx.row(sql, params![id.as_str(), now.0], |row| Ok(Wall(row.get(0)?)))
}

/// Ends the token of `id`.
///
/// # Errors
/// `NotFound` when there is no such door.
pub fn end(tx: &Tx<'_>, id: &DeviceId, actor: &str, now: Wall) -> Result<(), Error> {
    device::get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    if end_all(tx, id, now)? == 0 {
        return Ok(());
    }
    noted(tx, id, "end-capture-token", actor, now)
}

/// Ends what `id` has at `at`, without a word in the audit chain. Returns how many.
pub(super) fn end_all(tx: &Tx<'_>, id: &DeviceId, at: Wall) -> Result<usize, Error> {
    let sql = "update capture_token set ended_at = $2
         where device = $1 and (ended_at is null or ended_at > $2)";
    tx.execute(sql, params![id.as_str(), at.0])
}

/// Ends every token, whichever door has it.
pub fn end_everywhere(tx: &Tx<'_>, now: Wall) -> Result<(), Error> {
    let sql = "update capture_token set ended_at = $1 where ended_at is null or ended_at > $1";
    tx.execute(sql, params![now.0]).map(drop)
}

/// The door whose token this is, if it counts now.
pub fn holder(tx: &Tx<'_>, digest: &[u8], now: Wall) -> Result<Option<DeviceId>, Error> {
    let sql = "select t.device from capture_token t join device d on d.id = t.device
         where t.digest = $1 and t.expires_at > $2 and (t.ended_at is null or t.ended_at > $2)
             and d.is_active = 1";
    tx.row(sql, params![digest, now.0], |row| device::device_id(row, 0))
}

fn noted(tx: &Tx<'_>, id: &DeviceId, action: &str, actor: &str, now: Wall) -> Result<(), Error> {
    let table = "device";
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id: id.as_str(), meta })
}
