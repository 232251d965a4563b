//! Table `capture_token`: what a program at a door shows to send pictures as that door. Only its
//! hash is kept; a door has one at a time.

use super::{Tx, audit, device, params};
use crate::error::Error;
use serde_json::json;
use wire::{DeviceId, Wall};

/// Gives `id` a token; the one before it ends.
///
/// # Errors
/// `NotFound` when there is no such door, `Conflict` when it is cut off.
pub fn add(tx: &Tx<'_>, id: &DeviceId, digest: &[u8], actor: &str, now: Wall) -> Result<(), Error> {
    let door = device::get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    if !door.is_active {
        return Err(Error::Conflict(format!("“{id}” is cut off: let it join again first")));
    }
    end_all(tx, id, now)?;
    let sql = "insert into capture_token (digest, device, created_at) values ($1, $2, $3)";
    tx.execute(sql, params![digest, id.as_str(), now.0])?;
    noted(tx, id, "capture-token", actor, now)
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

/// Ends what `id` has, without a word in the audit chain. Returns how many.
///
/// # Errors
/// When the database fails.
pub(super) fn end_all(tx: &Tx<'_>, id: &DeviceId, now: Wall) -> Result<usize, Error> {
    let sql = "update capture_token set ended_at = $2 where device = $1 and ended_at is null";
    tx.execute(sql, params![id.as_str(), now.0])
}

/// The door whose token this is, if it counts.
///
/// # Errors
/// When the database fails.
pub fn holder(tx: &Tx<'_>, digest: &[u8]) -> Result<Option<DeviceId>, Error> {
    let sql = "select t.device from capture_token t join device d on d.id = t.device
         where t.digest = $1 and t.ended_at is null and d.is_active = 1";
    tx.row(sql, params![digest], |row| device::device_id(row, 0))
}

fn noted(tx: &Tx<'_>, id: &DeviceId, action: &str, actor: &str, now: Wall) -> Result<(), Error> {
    let (table, meta) = ("device", json!({}));
    audit::add(tx, now, &audit::Entry { actor, action, table, id: id.as_str(), meta })
}
