//! Space: what is given up when the outbox is full, in which order, and how that is told.
//!
//! First the acknowledged tail, which the hub has, then the oldest crops (the card says so), then
//! health records (a loss record names them). Un-acknowledged records of other kinds never.

use super::append::{insert, item};
use super::{Book, OutboxError, Setup, book, schema};
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use wire::record::{Loss, LossCause};
use wire::{Body, Ranges, Stamp};

/// Crops, health records and tail rows given up at a time.
const STEP: i64 = 256;

impl Book {
    /// Gives up what may be given up until the caps hold; false when nothing is left for that.
    pub(super) fn make_room(&mut self) -> Result<bool, OutboxError> {
        while self.rows >= self.setup.max_rows || self.bytes()? >= self.soft_cap() {
            if !self.sacrifice()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives up one step of the least valuable rows; false when there are none. Crops free
    /// bytes, not rows, so they are spared when only rows are too many.
    pub(super) fn sacrifice(&mut self) -> Result<bool, OutboxError> {
        let rows_only = self.rows >= self.setup.max_rows && self.bytes()? < self.soft_cap();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut gone = drop_tail(&tx)?;
        let mut max_seq = self.max_seq;
        let crops = if rows_only || gone > 0 { 0 } else { drop_crops(&tx)? };
        if gone == 0 && crops == 0 {
            let health = drop_health(&tx, max_seq + 1)?;
            if health > 0 {
                (gone, max_seq) = (health - 1, max_seq + 1);
            }
        }
        tx.commit()?;
        let trimmed = max_seq > self.max_seq;
        (self.rows, self.max_seq) = (self.rows - gone, max_seq);
        tracing::warn!(crops, rows = gone, "the outbox is full: gave up the least valuable");
        Ok(crops > 0 || gone > 0 || trimmed)
    }

    pub(super) fn bytes(&self) -> Result<u64, OutboxError> {
        let pragma = |sql| self.db.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
        let pages = pragma("pragma page_count")? - pragma("pragma freelist_count")?;
        Ok(pages.cast_unsigned() * schema::PAGE)
    }

    /// Below the hard limit, so that giving up rows still has pages to work with.
    fn soft_cap(&self) -> u64 {
        self.setup.max_bytes - self.setup.max_bytes / 16
    }

    /// Sets disk space aside; whether it could. Without it the outbox works on, so a failure is
    /// only told, and tried again later.
    pub(super) fn reserve(&self) -> bool {
        let path = reserve_path(&self.setup.path);
        let wanted = self.setup.reserve_bytes;
        if self.setup.vfs.is_some() || wanted == 0 {
            return true;
        }
        let set_aside = allocate(&path, wanted);
        if let Err(error) = &set_aside {
            tracing::warn!(%error, "no space could be set aside for the outbox");
            // What was set aside in part is wanted more by the records.
            let _ = std::fs::remove_file(path);
        }
        set_aside.is_ok()
    }

    /// Sets space aside again that was given back, if the disk has it now.
    pub(super) fn refill(&mut self) {
        if self.spent && self.reserve() && schema::limit(&self.db, self.setup.max_bytes).is_ok() {
            self.spent = false;
        }
    }

    /// Gives the reserve back, to the disk and to the file's own limit.
    pub(super) fn free_reserve(&mut self) -> Result<(), OutboxError> {
        give_back(&self.setup)?;
        schema::limit(&self.db, self.setup.max_bytes + self.setup.reserve_bytes)?;
        if !std::mem::replace(&mut self.spent, true) {
            tracing::warn!("the disk is full: the outbox uses its reserve");
        }
        Ok(())
    }
}

/// Gives the reserve back to the disk.
pub(super) fn give_back(setup: &Setup) -> Result<(), OutboxError> {
    match std::fs::remove_file(reserve_path(&setup.path)) {
        Err(error) if setup.vfs.is_none() && error.kind() != std::io::ErrorKind::NotFound => {
            Err(error.into())
        }
        _ => Ok(()),
    }
}

fn drop_crops(db: &Connection) -> Result<u64, OutboxError> {
    let sql = "delete from crop where seq in (select seq from crop order by seq limit ?1)";
    Ok(db.execute(sql, [STEP])? as u64)
}

fn drop_tail(db: &Connection) -> Result<u64, OutboxError> {
    let sql = "delete from outbox where seq in
               (select seq from outbox where acked_at is not null order by seq limit ?1)";
    Ok(db.execute(sql, [STEP])? as u64)
}

/// Replaces health records by one loss record with number `seq`, at least two of them.
fn drop_health(db: &Connection, seq: u64) -> Result<u64, OutboxError> {
    let sql = "select boot_no, mono_ms, wall_ms, clk, seq from outbox
               where kind in (2, 6) and acked_at is null order by seq limit ?1";
    let mut found = db.prepare_cached(sql)?;
    let rows = found
        .query_map([STEP], |row| Ok((book::stamp(row)?, row.get::<_, i64>(4)?)))?
        .collect::<Result<Vec<(Stamp, i64)>, _>>()?;
    let (Some((from, first)), Some((to, last))) = (rows.first(), rows.last()) else {
        return Ok(0);
    };
    if first == last {
        return Ok(0);
    }
    let sql = "delete from outbox
               where kind in (2, 6) and acked_at is null and seq between ?1 and ?2";
    db.execute(sql, params![first, last])?;
    let numbers = rows.iter().map(|(_, seq)| (seq.cast_unsigned(), seq.cast_unsigned()));
    let gone = Ranges::from(numbers.collect::<Vec<_>>());
    let cause = LossCause::HealthTrimmed;
    let body = Body::Loss(Loss { gone, unnumbered: 0, from: *from, to: *to, cause });
    insert(db, &item(seq, *to, &body, None))?;
    Ok(rows.len() as u64)
}

fn reserve_path(outbox: &Path) -> PathBuf {
    outbox.with_file_name("reserve.bin")
}

fn allocate(path: &Path, bytes: u64) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
    file.sync_all()
}
