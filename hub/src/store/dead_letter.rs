//! Table `dead_letter`: what could not be used, kept for whoever looks into it.

use super::{Tx, cursor::signed, params};
use crate::error::Error;
use wire::{DeviceId, Epoch, Wall};

/// Bytes kept of one letter.
const BYTES: usize = 64 * 1024;
/// Letters kept of one door in a day; further ones are only counted.
const A_DAY: i64 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Something that could not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter<'a> {
    /// Whose number it had, if it had one.
    pub of: Option<(Epoch, u64)>,
    /// One word.
    pub error: &'a str,
    /// A sentence.
    pub detail: &'a str,
    /// As they came.
    pub bytes: &'a [u8],
}

/// Keeps a letter of `device`, or counts it where there are too many. Returns whether it is kept.
///
/// # Errors
/// When the database fails.
pub fn add(tx: &Tx<'_>, device: &DeviceId, letter: &Letter<'_>, now: Wall) -> Result<bool, Error> {
    metrics::counter!("rollcall_dead_letters_total").increment(1);
    let sql = "select count(*) from dead_letter where device = $1 and at > $2";
    let day = params![device.as_str(), now.plus_ms(-DAY_MS).0];
    if tx.row(sql, day, |row| row.get::<_, i64>(0))?.unwrap_or(0) >= A_DAY {
        tracing::warn!(%device, error = letter.error, "a dead letter beyond today's limit");
        return Ok(false);
    }
    let sql = "insert into dead_letter (device, epoch, seq, at, error, detail, software, bytes)
         values ($1, $2, $3, $4, $5, $6, coalesce((select software from device where id = $1), ''), $7)";
    let epoch = letter.of.map(|(epoch, _)| epoch.0.to_vec());
    let seq = letter.of.map(|(_, seq)| signed(seq));
    let bytes = &letter.bytes[..letter.bytes.len().min(BYTES)];
    let values = params![device.as_str(), epoch, seq, now.0, letter.error, letter.detail, bytes];
    tx.execute(sql, values)?;
    Ok(true)
}
