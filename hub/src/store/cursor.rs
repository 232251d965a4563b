//! Tables `cursor` and `receipt`: what has arrived of each outbox, and which content it was.

use super::{Tx, params};
use crate::error::{Doing, Error};
use std::collections::HashMap;
use wire::{DeviceId, Epoch, Ranges, RecordKey, Wall};

/// What has arrived of one outbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// Every number that is stored, set aside, or given up.
    pub ranges: Ranges,
    /// The highest number ever heard of.
    pub max_seq: u64,
}

/// The content that came with a number, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// See [`wire::Item::digest`].
    pub hash: Vec<u8>,
    /// One word; `dead:` and a code for what was set aside.
    pub disposition: String,
}

/// Where `epoch` of `device` stands.
///
/// # Errors
/// When the database fails or the row is damaged.
pub fn get(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<Cursor, Error> {
    let sql = "select ranges, max_seq from cursor where device = $1 and epoch = $2";
    let row = tx.row(sql, params![device.as_str(), epoch.0.to_vec()], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, super::unsigned(row, 1)?))
    })?;
    let Some((ranges, max_seq)) = row else { return Ok(Cursor::default()) };
    let ranges = postcard::from_bytes(&ranges).doing("reading a cursor")?;
    Ok(Cursor { ranges, max_seq })
}

/// Stores where `epoch` of `device` stands.
///
/// # Errors
/// When the database fails.
pub fn put(
    tx: &Tx<'_>,
    device: &DeviceId,
    epoch: Epoch,
    cursor: &Cursor,
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into cursor (device, epoch, ranges, cum, max_seq, updated_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (device, epoch) do update set ranges = excluded.ranges,
             cum = excluded.cum, max_seq = excluded.max_seq, updated_at = excluded.updated_at";
    let ranges = postcard::to_stdvec(&cursor.ranges).doing("storing a cursor")?;
    let (cum, max) = (signed(cursor.ranges.cumulative()), signed(cursor.max_seq));
    let key = (device.as_str(), epoch.0.to_vec());
    tx.execute(sql, params![key.0, key.1, ranges, cum, max, now.0]).map(drop)
}

/// What came with this number before.
///
/// # Errors
/// When the database fails.
pub fn receipt(tx: &Tx<'_>, key: &RecordKey) -> Result<Option<Receipt>, Error> {
    let sql = "select hash, disposition from receipt
         where device = $1 and epoch = $2 and seq = $3";
    let key = params![key.device.as_str(), key.epoch.0.to_vec(), signed(key.seq)];
    tx.row(sql, key, |row| Ok(Receipt { hash: row.get(0)?, disposition: row.get(1)? }))
}

/// What came with the numbers from `low` to `high`, by number.
///
/// # Errors
/// When the database fails.
pub fn receipts(
    tx: &Tx<'_>,
    device: &DeviceId,
    epoch: Epoch,
    low: u64,
    high: u64,
) -> Result<HashMap<u64, Receipt>, Error> {
    let sql = "select seq, hash, disposition from receipt
         where device = $1 and epoch = $2 and seq >= $3 and seq <= $4";
    let values = params![device.as_str(), epoch.0.to_vec(), signed(low), signed(high)];
    let rows = tx.query(sql, values, |row| {
        let receipt = Receipt { hash: row.get(1)?, disposition: row.get(2)? };
        Ok((super::unsigned(row, 0)?, receipt))
    })?;
    Ok(rows.into_iter().collect())
}

/// Remembers what came with this number: the row that makes twice the same as once.
///
/// # Errors
/// `Conflict` when there is one already.
pub fn add_receipt(
    tx: &Tx<'_>,
    key: &RecordKey,
    hash: &[u8; 16],
    disposition: &str,
) -> Result<(), Error> {
    let sql = "insert into receipt (device, epoch, seq, hash, disposition)
         values ($1, $2, $3, $4, $5)";
    let values = params![
        key.device.as_str(),
        key.epoch.0.to_vec(),
        signed(key.seq),
        hash.to_vec(),
        disposition
    ];
    tx.execute(sql, values).map(drop)
}

/// As a `bigint`; judging has refused numbers that are none.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
