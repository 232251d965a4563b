//! Table `backed_up`: how far each outbox is in a backup, so that its door may let go.

use super::{Tx, params};
use crate::error::Error;
use wire::{DeviceId, Epoch, Wall};

/// How far an outbox is: its door, its epoch, and `cum`.
pub type Reach = (String, Vec<u8>, i64);

/// `1..=n` of this outbox are in a backup.
///
/// # Errors
/// When the database fails.
pub fn of(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<u64, Error> {
    let sql = "select cum from backed_up where device = $1 and epoch = $2";
    let key = params![device.as_str(), epoch.0.to_vec()];
    Ok(tx.row(sql, key, |row| super::unsigned(row, 0))?.unwrap_or(0))
}

/// How far every outbox is, in a copy of the database.
///
/// # Errors
/// When the database fails.
pub fn reached(tx: &Tx<'_>) -> Result<Vec<Reach>, Error> {
    tx.query("select device, epoch, cum from cursor", [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

/// Remembers that a backup holds this much.
///
/// # Errors
/// When the database fails.
pub fn put(tx: &Tx<'_>, reached: &[Reach], now: Wall) -> Result<(), Error> {
    let sql = "insert into backed_up (device, epoch, cum, at) values ($1, $2, $3, $4)
         on conflict (device, epoch) do update set cum = excluded.cum, at = excluded.at";
    reached.iter().try_for_each(|(device, epoch, cum)| {
        tx.execute(sql, params![device, epoch, cum, now.0]).map(drop)
    })
}
