//! Table `dead_letter`: what could not be used, kept whole for whoever looks into it, to be
//! replayed when its cause is mended.

use super::{Read, Row, Tx, audit, cursor::signed, loss, params, parsed};
use rules::error::{Doing, Error};
use serde_json::json;
use wire::{DeviceId, Epoch, Item, RecordKey, Wall};

/// Bytes kept of what is no message: more than a packet holds.
const BYTES: usize = 160 * 1024;
/// Letters kept of one door in a day; what comes on top of them is a loss that is shown.
const A_DAY: i64 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Something that could not be used.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadLetterLetter<'a> {
    /// What came.
    pub content: DeadLetterContent<'a>,
    /// One word.
    pub error: &'a str,
    /// A sentence.
    pub detail: &'a str,
}

/// What a letter holds.
#[derive(Clone, PartialEq, Debug)]
pub enum DeadLetterContent<'a> {
    /// A record of this epoch as it came, its seals and its crop with it.
    Record(Epoch, &'a Item),
    /// Bytes that are no message; their door still has what they say.
    Bytes(&'a [u8]),
}

/// A letter that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetterKept {
    /// Its number here.
    pub n: i64,
    /// Whose.
    pub device: DeviceId,
    /// Epoch and number of its record, where it is one.
    pub of: Option<(Epoch, u64)>,
    /// When it came.
    pub at: Wall,
    /// One word.
    pub error: String,
    /// A sentence.
    pub detail: String,
    /// What the door ran.
    pub software: String,
    /// Bytes it takes.
    pub bytes: u64,
    /// When it was replayed.
    pub replayed_at: Option<Wall>,
}

/// Keeps a letter of `device`. Beyond the day's limit it is not kept: a record is told as a loss,
/// bytes are only counted, because their door sends them again. Returns whether it is kept.
pub fn add(
    tx: &Tx<'_>,
    device: &DeviceId,
    letter: &DeadLetterLetter<'_>,
    now: Wall,
) -> Result<bool, Error> {
    metrics::counter!("rollcall_dead_letters_total").increment(1);
    let sql = "select count(*) from dead_letter where device = $1 and at > $2";
    let day = params![device.as_str(), now.plus_ms(-DAY_MS).0];
    if tx.row(sql, day, |row| row.get::<i64>(0))?.unwrap_or(0) >= A_DAY {
        tracing::warn!(%device, error = letter.error, "a dead letter beyond today's limit");
        if let DeadLetterContent::Record(epoch, item) = letter.content {
            let key = RecordKey { device: device.clone(), epoch, seq: item.seq };
            loss::note(tx, &key, loss::NOT_KEPT, item.at.wall, now)?;
        }
        return Ok(false);
    }
    let sql = "insert into dead_letter
             (device, epoch, seq, at, error, detail, software, bytes, item)
         values ($1, $2, $3, $4, $5, $6,
             coalesce((select software from device where id = $1), ''), $7, $8)";
    let (of, bytes, item) = match letter.content {
        DeadLetterContent::Record(epoch, item) => {
            let whole = postcard::to_stdvec(item).doing("keeping a dead letter")?;
            (Some((epoch.0.to_vec(), signed(item.seq))), &[][..], Some(whole))
        }
        DeadLetterContent::Bytes(bytes) => (None, &bytes[..bytes.len().min(BYTES)], None),
    };
    let (epoch, seq) = of.unzip();
    let error = letter.error;
    let detail = letter.detail;
    tx.execute(sql, params![device.as_str(), epoch, seq, now.0, error, detail, bytes, item])?;
    Ok(true)
}

const COLUMNS: &str = "n, device, epoch, seq, at, error, detail, software,
     length(bytes) + coalesce(length(item), 0), replayed_at";

/// Letters that nobody has replayed, those after number `after`, oldest first.
pub fn waiting(tx: &Tx<'_>, after: i64, limit: u32) -> Result<Vec<DeadLetterKept>, Error> {
    let sql = format!(
        "select {COLUMNS} from dead_letter where replayed_at is null and n > $1
         order by n limit $2"
    );
    tx.query(&sql, params![after, limit], read)
}

/// How many letters nobody has replayed, and when the oldest came.
pub fn count(tx: &Tx<'_>) -> Result<(u64, Option<Wall>), Error> {
    let sql = "select count(*), min(at) from dead_letter where replayed_at is null";
    let read = |row: &Row<'_>| Ok((super::unsigned(row, 0)?, row.get::<Option<i64>>(1)?.map(Wall)));
    Ok(tx.row(sql, [], read)?.unwrap_or_default())
}

/// The letter `n`.
///
/// # Errors
/// `NotFound` when there is none.
pub fn get(tx: &Tx<'_>, n: i64) -> Result<DeadLetterKept, Error> {
    let sql = format!("select {COLUMNS} from dead_letter where n = $1");
    tx.row(&sql, params![n], read)?.ok_or_else(|| Error::unknown("dead letter", n))
}

/// The record in letter `n`, as it came; nothing where there is none, or none any more.
pub fn item(tx: &Tx<'_>, n: i64) -> Result<Option<Item>, Error> {
    let sql = "select item from dead_letter where n = $1";
    let bytes = tx.row(sql, params![n], |row| row.get::<Option<Vec<u8>>>(0))?.flatten();
    bytes.map(|bytes| postcard::from_bytes(&bytes).doing("reading a dead letter")).transpose()
}

/// Letter `n` was replayed: its record is stored, and the copy goes.
pub fn replayed(tx: &Tx<'_>, n: i64, actor: &str, now: Wall) -> Result<(), Error> {
    let sql = "update dead_letter set replayed_at = $2, item = null, bytes = x'' where n = $1";
    tx.execute(sql, params![n, now.0])?;
    noted(tx, n, "replay", actor, now)
}

/// Lets letter `n` go, and what it holds with it.
///
/// # Errors
/// `NotFound` when there is none.
pub fn remove(tx: &Tx<'_>, n: i64, actor: &str, now: Wall) -> Result<(), Error> {
    if tx.execute("delete from dead_letter where n = $1", params![n])? == 0 {
        return Err(Error::unknown("dead letter", n));
    }
    noted(tx, n, "drop", actor, now)
}

fn noted(tx: &Tx<'_>, n: i64, action: &str, actor: &str, now: Wall) -> Result<(), Error> {
    let id = n.to_string();
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "dead_letter", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<DeadLetterKept> {
    let epoch = row.get::<Option<[u8; 16]>>(2)?.map(Epoch);
    let seq = row.get::<Option<i64>>(3)?.map(i64::cast_unsigned);
    Ok(DeadLetterKept {
        n: row.get(0)?,
        device: parsed(row, 1)?,
        of: epoch.zip(seq),
        at: Wall(row.get(4)?),
        error: row.get(5)?,
        detail: row.get(6)?,
        software: row.get(7)?,
        bytes: super::unsigned(row, 8)?,
        replayed_at: row.get::<Option<i64>>(9)?.map(Wall),
    })
}
