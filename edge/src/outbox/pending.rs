//! What goes to the hub next: one batch, live records before the backlog.

use super::{Book, OutboxError, meta};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wire::link::{BATCH_BYTES, BATCH_ITEMS};
use wire::{Epoch, Item, Mono, Ranges, Stamp};

/// A record older than this waits behind newer ones.
const LIVE_MS: u64 = 10 * 60 * 1000;
/// How often records are looked through for that, at most.
const AGE_EVERY_MS: u64 = 60 * 1000;
/// Envelope, epoch and count around the items of a batch.
const BATCH_HEAD: usize = 64;
/// Numbers, times, hash and lengths around body and crop of an item.
const ITEM_HEAD: usize = 72;

/// Records for one batch, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct Parcel {
    /// The life of the outbox they belong to.
    pub epoch: Epoch,
    /// At most what fits one [`wire::link::Batch`]; empty when nothing waits.
    pub items: Vec<Item>,
    /// Whether they come from the backlog.
    pub backlog: bool,
}

impl Book {
    /// The next records that are neither acknowledged nor in `skip`: live ones, or else, if
    /// `backlog` may go now, older ones. Their numbers are marked as sent first.
    ///
    /// # Errors
    /// When the outbox cannot be read, or the mark not be written.
    pub fn pending(
        &mut self,
        skip: &Ranges,
        backlog: bool,
        now: &Stamp,
    ) -> Result<Parcel, OutboxError> {
        self.age(now)?;
        let epoch = self.epoch;
        let mut parcel = Parcel { epoch, items: self.waiting(0, skip)?, backlog: false };
        if parcel.items.is_empty() && backlog {
            parcel = Parcel { epoch, items: self.waiting(1, skip)?, backlog: true };
        }
        if let Some(last) = parcel.items.last() {
            self.mark_sent(last.seq)?;
        }
        Ok(parcel)
    }

    /// As many waiting records of a lane as one batch holds.
    fn waiting(&self, lane: i64, skip: &Ranges) -> Result<Vec<Item>, OutboxError> {
        let sql = "select seq from outbox where lane = ?1 and acked_at is null order by seq";
        let mut found = self.db.prepare_cached(sql)?;
        let mut rows = found.query([lane])?;
        let mut items = Vec::new();
        let mut room = BATCH_BYTES - BATCH_HEAD;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?.cast_unsigned();
            if skip.contains(seq) {
                continue;
            }
            let item = read(&self.db, seq)?;
            let size = ITEM_HEAD + item.body.len() + item.crop.as_ref().map_or(0, Vec::len);
            if items.len() == BATCH_ITEMS || size > room {
                break;
            }
            room -= size;
            items.push(item);
        }
        Ok(items)
    }

    /// A hub that knows a number above this mark shows that the card was rolled back.
    fn mark_sent(&mut self, seq: u64) -> Result<(), OutboxError> {
        if seq > self.sent {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            meta::put_sent(&tx, seq)?;
            tx.commit()?;
            self.sent = seq;
        }
        Ok(())
    }

    fn age(&mut self, now: &Stamp) -> Result<(), OutboxError> {
        if self.aged.is_some_and(|last| now.mono.since(last) < AGE_EVERY_MS) {
            return Ok(());
        }
        let Mono(before) = Mono(now.mono.0.saturating_sub(LIVE_MS));
        let old = "lane = 0 and acked_at is null
                   and (boot_no <> ?1 or mono_ms < ?2)";
        let values = params![now.boot, before.cast_signed()];
        let sql = format!("select 1 from outbox where {old} limit 1");
        if self.db.query_row(&sql, values, |_| Ok(())).optional()?.is_some() {
            self.db.execute(&format!("update outbox set lane = 1 where {old}"), values)?;
        }
        self.aged = Some(now.mono);
        Ok(())
    }
}

/// The row `seq` as it travels.
pub(super) fn read(db: &Connection, seq: u64) -> Result<Item, OutboxError> {
    let sql = "select boot_no, mono_ms, wall_ms, clk, body, hash, bytes
               from outbox left join crop using (seq) where outbox.seq = ?1";
    let item = db.prepare_cached(sql)?.query_row([seq.cast_signed()], |row| {
        let at = super::book::stamp(row)?;
        Ok(Item { seq, at, body: row.get(4)?, hash: row.get(5)?, crop: row.get(6)? })
    })?;
    Ok(item)
}
