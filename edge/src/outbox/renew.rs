//! A new life: when the hub knows numbers that this card never sent, the card is an old copy.
//!
//! Every row gets a new number in a new epoch and says which record it was. The hub recognises
//! those it has; the others are stored.

use super::append::item;
use super::{Book, OutboxError, book, meta, pending, runs};
use rusqlite::{Connection, TransactionBehavior, params};
use wire::record::Moved;
use wire::{Body, Epoch, Item};

impl Book {
    /// Begins a new epoch, in one transaction. Only rows that a backup of the hub holds stay out.
    pub(super) fn renew(&mut self, hub: Epoch) -> Result<(), OutboxError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "delete from outbox where acked_at is not null and seq <= ?1";
        tx.execute(sql, [self.backed_up.cast_signed()])?;
        let epoch = book::new_epoch(&tx, &mut self.rng)?;
        let count = renumber(&tx, self.epoch)?;
        for key in ["cum", "backed_up", "told"] {
            meta::put(&tx, key, 0)?;
        }
        meta::put_sent(&tx, 0)?;
        let runs = runs::anew(&self.runs);
        meta::put_runs(&tx, &runs)?;
        meta::put(&tx, "hub_epoch", hub.0)?;
        tx.commit()?;
        tracing::warn!(old = %self.epoch, new = %epoch, count, "this card was rolled back");
        (self.epoch, self.hub_epoch, self.runs) = (epoch, Some(hub), runs);
        (self.cum, self.sent, self.backed_up, self.told) = (0, 0, 0, 0);
        self.unsaved.runs = None;
        (self.rows, self.max_seq, self.heard) = (count, count, false);
        Ok(())
    }
}

/// New numbers from 1. None is above the old one, so in ascending order none is taken.
fn renumber(db: &Connection, old: Epoch) -> Result<u64, OutboxError> {
    let sql = "select seq from outbox order by seq";
    let rows =
        db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut count = 0;
    for row in rows {
        count += 1;
        let moved = moved(old, pending::read(db, row.cast_unsigned())?, count);
        let sql = "update outbox set seq = ?2, kind = 5, lane = 1, body = ?3, hash = ?4,
                   acked_at = null, reject = null where seq = ?1";
        db.prepare_cached(sql)?.execute(params![
            row,
            count.cast_signed(),
            moved.body,
            moved.hash
        ])?;
    }
    let sql = "update sqlite_sequence set seq = ?1 where name = 'outbox'";
    db.execute(sql, [count.cast_signed()])?;
    Ok(count)
}

/// `old_item` of the epoch `old` as number `seq`; what was moved before keeps its first key.
pub(super) fn moved(old: Epoch, old_item: Item, seq: u64) -> Item {
    let body = match old_item.body() {
        Ok(Body::Moved(moved)) => Body::Moved(moved),
        _ => Body::Moved(Moved { epoch: old, seq: old_item.seq, body: old_item.body }),
    };
    item(seq, old_item.at, &body, old_item.crop)
}
