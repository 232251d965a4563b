//! Tables `cursor` and `receipt`: what has arrived of each outbox, and which content it was.

use super::{Row, Tx, params};
use rules::error::{Doing, Error};
use std::collections::HashMap;
use wire::{DeviceId, Epoch, Ranges, RecordKey, Wall};

/// Receipts of reports that are kept of each outbox, by number: a day or more.
const REPORTS: i64 = 5_000;
/// The same of passages: months, so that an old copy of a door's card is recognised.
const PASSAGES: i64 = 100_000;
/// Numbers looked at in one transaction.
const STEP: i64 = 2_000;

/// What has arrived of one outbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// Every number that is stored, set aside, or given up.
    pub ranges: Ranges,
    /// The highest number ever heard of.
    pub max_seq: u64,
    /// Receipts up to here may be gone.
    pub forgotten: u64,
    /// Which life of its door's card this is: boot numbers are counted within one.
    pub life: i64,
    /// The boot in which the door greeted with it first, if it has.
    pub born: Option<u32>,
    /// From this number on an old copy of the card gave them out again, if there was one.
    pub parted: Option<u64>,
}

impl Cursor {
    /// Whether this number came, and its receipt may be gone.
    #[must_use]
    pub fn is_forgotten(&self, seq: u64) -> bool {
        seq <= self.forgotten && self.ranges.contains(seq)
    }

    /// Whether two lives had this number, for all that is known.
    #[must_use]
    pub fn is_shared(&self, seq: u64) -> bool {
        self.parted.is_some_and(|first| seq >= first)
    }
}

/// The content that came with a number, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// See [`wire::Item::digest`].
    pub hash: Vec<u8>,
    /// One word; `dead:` and a code for what was set aside.
    pub disposition: String,
}

/// Where `epoch` of `device` stands; one that was never heard of is the door's next life.
pub fn get(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<Cursor, Error> {
    let sql = "select ranges, max_seq, forgotten, life, born, parted from cursor
         where device = $1 and epoch = $2";
    let row = tx.row(sql, params![device.as_str(), epoch.0.to_vec()], |row| {
        let max_seq = super::unsigned(row, 1)?;
        let forgotten = super::unsigned(row, 2)?;
        let life = row.get(3)?;
        let born = row.get(4)?;
        let parted = row.get::<Option<i64>>(5)?.map(i64::cast_unsigned);
        let cursor = Cursor { ranges: Ranges::default(), max_seq, forgotten, life, born, parted };
        Ok((row.get::<Vec<u8>>(0)?, cursor))
    })?;
    let Some((ranges, cursor)) = row else {
        let sql = "select coalesce(max(life) + 1, 0) from cursor where device = $1";
        let life = tx.row(sql, [device.as_str()], |row| row.get(0))?.unwrap_or(0);
        return Ok(Cursor { life, ..Cursor::default() });
    };
    let ranges = postcard::from_bytes(&ranges).doing("reading a cursor")?;
    Ok(Cursor { ranges, ..cursor })
}

/// Which life `epoch` of `device` is, if it was heard of.
pub fn life(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<Option<i64>, Error> {
    let sql = "select life from cursor where device = $1 and epoch = $2";
    tx.row(sql, params![device.as_str(), epoch.0.to_vec()], |row| row.get(0))
}

/// Stores where `epoch` of `device` stands.
pub fn put(
    tx: &Tx<'_>,
    device: &DeviceId,
    epoch: Epoch,
    cursor: &Cursor,
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into cursor (device, epoch, ranges, cum, max_seq, updated_at, life)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (device, epoch) do update set ranges = excluded.ranges,
             cum = excluded.cum, max_seq = excluded.max_seq, updated_at = excluded.updated_at";
    let ranges = postcard::to_stdvec(&cursor.ranges).doing("storing a cursor")?;
    let cum = signed(cursor.ranges.cumulative());
    let max = signed(cursor.max_seq);
    let key = (device.as_str(), epoch.0.to_vec());
    tx.execute(sql, params![key.0, key.1, ranges, cum, max, now.0, cursor.life]).map(drop)
}

/// What came with this number before.
pub fn receipt(tx: &Tx<'_>, key: &RecordKey) -> Result<Option<Receipt>, Error> {
    let sql = "select hash, disposition from receipt
         where device = $1 and epoch = $2 and seq = $3";
    let key = params![key.device.as_str(), key.epoch.0.to_vec(), signed(key.seq)];
    tx.row(sql, key, |row| Ok(Receipt { hash: row.get(0)?, disposition: row.get(1)? }))
}

/// What came with the numbers from `low` to `high`, by number.
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

/// Forgets what came with this number, before it is settled anew.
pub fn remove_receipt(tx: &Tx<'_>, key: &RecordKey) -> Result<(), Error> {
    let sql = "delete from receipt where device = $1 and epoch = $2 and seq = $3";
    let key = params![key.device.as_str(), key.epoch.0.to_vec(), signed(key.seq)];
    tx.execute(sql, key).map(drop)
}

/// Lets receipts go that nobody will ask for: of reports long behind their outbox's cursor, and
/// in time those of passages too. One step; whether it found something to do.
pub fn forget_some(tx: &Tx<'_>) -> Result<bool, Error> {
    let sql = "select device, epoch, forgotten, cum from cursor where cum - forgotten > $1
         order by device, epoch limit 1";
    let read = |row: &Row<'_>| {
        Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?, row.get(2)?, row.get(3)?))
    };
    let Some((device, epoch, from, cum)) = tx.row(sql, params![REPORTS + STEP], read)? else {
        return Ok(false);
    };
    let from: i64 = from;
    let cum: i64 = cum;
    let to = (cum - REPORTS).min(from + STEP);
    let delete = "delete from receipt where device = $1 and epoch = $2 and seq > $3 and seq <= $4";
    let reports = format!("{delete} and disposition in ('health', 'anchor', 'loss', 'moved')");
    let older = PASSAGES - REPORTS;
    tx.execute(&reports, params![device, epoch, from, to])?;
    tx.execute(delete, params![device, epoch, from - older, to - older])?;
    let sql = "update cursor set forgotten = $3 where device = $1 and epoch = $2";
    tx.execute(sql, params![device, epoch, to])?;
    Ok(true)
}

/// As a `bigint`; judging has refused numbers that are none.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, device};
    use wire::Direction;

    const EPOCH: Epoch = Epoch([1; 16]);

    /// A day of one door: a report a minute, and a passage for every tenth of them.
    fn day(tx: &Tx<'_>, device: &DeviceId, day: u64) -> Result<(), Error> {
        let (first, last) = (day * 1_600 + 1, (day + 1) * 1_600);
        let sql = "with recursive n(seq) as
                 (select cast($3 as bigint) union all select seq + 1 from n where seq < $4)
             insert into receipt (device, epoch, seq, hash, disposition)
             select $1, $2, seq, x'00',
                 case when seq % 10 = 0 then 'pending' else 'health' end from n";
        let key = (device.as_str(), EPOCH.0.to_vec());
        tx.execute(sql, params![key.0, key.1, signed(first), signed(last)])?;
        let mut cursor = get(tx, device, EPOCH)?;
        cursor.ranges.insert(1, last);
        put(tx, device, EPOCH, &cursor, Wall(0))
    }

    #[tokio::test]
    async fn receipts_of_a_year_stay_within_what_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let id: DeviceId = "a".parse().unwrap();
        let year = move |tx: &Tx<'_>| {
            let (room, location) = (String::new(), String::new());
            let place = device::DevicePlace { room, location, direction: Direction::Both };
            device::add(tx, &id, &place, "ada", Wall(0))?;
            let mut most = 0;
            for n in 0..365 {
                day(tx, &id, n)?;
                while forget_some(tx)? {}
                let sql = "select count(*) from receipt";
                most = most.max(tx.row(sql, [], |row| row.get::<i64>(0))?.unwrap_or(0));
            }
            let cursor = get(tx, &id, EPOCH)?;
            Ok((most, cursor.is_forgotten(7), cursor.is_forgotten(365 * 1_600)))
        };
        let (most, old, new) = db.write(year).await.unwrap();
        assert!(old && !new);
        let bound = REPORTS + STEP + 1_600 + (PASSAGES + STEP) / 10;
        assert!(most <= bound, "{most} receipts, of {} that came", 365 * 1_600);
        assert!(most > PASSAGES / 10, "{most}: passages are kept for months");
    }
}
