//! Table `backed_up`: how far each outbox is in a backup, so that its door may let go.

use super::{Tx, params, setting};
use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use wire::{DeviceId, Epoch, Wall};

/// The setting that remembers the newest backup.
const NEWEST: &str = "backup_newest";

/// The newest backup, as far as this hub knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Newest {
    /// When it was made.
    pub at: Wall,
    /// The folder of the copy of the data.
    pub place: String,
    /// Whether that lies on the disk of the data: lost with it.
    pub same_disk: bool,
}

/// Remembers the newest backup.
pub fn remember(tx: &Tx<'_>, newest: &Newest) -> Result<(), Error> {
    let text = serde_json::to_string(newest).doing("remembering a backup")?;
    setting::set(tx, NEWEST, &text)
}

/// The newest backup; nothing before the first.
pub fn newest(tx: &Tx<'_>) -> Result<Option<Newest>, Error> {
    let text = setting::get(tx, NEWEST)?;
    let read = |text: String| serde_json::from_str(&text).doing("reading which backup is newest");
    text.map(read).transpose()
}

/// How far an outbox is: its door, its epoch, and `cum`.
pub type BackupReach = (String, Vec<u8>, i64);

/// `1..=n` of this outbox are in a backup.
pub fn of(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<u64, Error> {
    let sql = "select cum from backed_up where device = $1 and epoch = $2";
    let key = params![device.as_str(), epoch.0.to_vec()];
    Ok(tx.row(sql, key, |row| super::unsigned(row, 0))?.unwrap_or(0))
}

/// How far every outbox is, in a copy of the database.
pub fn reached(tx: &Tx<'_>) -> Result<Vec<BackupReach>, Error> {
    tx.query("select device, epoch, cum from cursor", [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

/// Remembers that a backup holds this much.
pub fn put(tx: &Tx<'_>, reached: &[BackupReach], now: Wall) -> Result<(), Error> {
    let sql = "insert into backed_up (device, epoch, cum, at) values ($1, $2, $3, $4)
         on conflict (device, epoch) do update set cum = excluded.cum, at = excluded.at";
    reached.iter().try_for_each(|(device, epoch, cum)| {
        tx.execute(sql, params![device, epoch, cum, now.0]).map(drop)
    })
}
