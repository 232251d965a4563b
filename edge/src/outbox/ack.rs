//! What the hub's acknowledgement frees, and what a restored hub asks for again.

use super::{Book, Cursor, OutboxError, meta};
use rusqlite::{Connection, TransactionBehavior, params};
use wire::link::Ack;
use wire::{Epoch, Stamp, Wall};

/// Acknowledged rows are kept this long for a hub that loses its disk.
const TAIL_MS: i64 = 14 * 24 * 3600 * 1000;
/// How often the tail is looked through, at most.
const PRUNE_EVERY_MS: u64 = 3600 * 1000;

/// What came of an acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acked {
    /// Where the outbox stands now.
    pub cursor: Cursor,
    /// The hub knew more than this card: a new epoch began, and everything goes out again.
    pub renewed: bool,
    /// The hub holds less than it once said: records were un-acknowledged.
    pub restored: bool,
}

impl Book {
    /// Applies an acknowledgement; one of another epoch changes nothing. `fresh` says that it
    /// answers a greeting of this connection: it is where the hub stands now, so that less than
    /// before means that the hub lost something, even if it does not know.
    ///
    /// # Errors
    /// When it cannot be stored; nothing has changed then.
    pub fn acknowledge(
        &mut self,
        ack: &Ack,
        fresh: bool,
        now: &Stamp,
    ) -> Result<Acked, OutboxError> {
        if ack.epoch != self.epoch {
            return Ok(Acked { cursor: self.cursor(), renewed: false, restored: false });
        }
        if ack.max_seq > self.sent {
            self.renew(ack.hub_epoch)?;
            return Ok(Acked { cursor: self.cursor(), renewed: true, restored: false });
        }
        let other = self.hub_epoch.is_some_and(|known| known != ack.hub_epoch);
        let restored = other || (fresh && ack.cum < self.cum);
        self.mark(ack, other || fresh, now)?;
        Ok(Acked { cursor: self.cursor(), renewed: false, restored })
    }

    /// Stores what `ack` says; if it is the `whole` truth, what it leaves out is not stored.
    fn mark(&mut self, ack: &Ack, whole: bool, now: &Stamp) -> Result<(), OutboxError> {
        let cum = ack.cum.min(self.max_seq);
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if whole {
            let sql = "update outbox set acked_at = null, reject = null where seq > ?1";
            tx.execute(sql, [cum.cast_signed()])?;
        }
        let at = now.wall.map_or(0, |wall| wall.0);
        free(&tx, self.cum.min(cum) + 1, cum, at)?;
        for (first, last) in ack.ranges.as_slice() {
            free(&tx, *first, *last, at)?;
        }
        for (seq, reject) in &ack.rejects {
            let sql = "update outbox set reject = ?2 where seq = ?1";
            tx.prepare_cached(sql)?.execute(params![seq.cast_signed(), *reject as i64])?;
        }
        let cum = if whole { cum } else { cum.max(self.cum) };
        remember(&tx, ack.hub_epoch, cum, ack.backed_up)?;
        let due = self.pruned.is_none_or(|last| now.mono.since(last) >= PRUNE_EVERY_MS);
        if due || ack.backed_up != self.backed_up {
            self.rows -= prune(&tx, cum, ack.backed_up, now.wall)?;
            self.pruned = Some(now.mono);
        }
        tx.commit()?;
        (self.hub_epoch, self.cum, self.backed_up) = (Some(ack.hub_epoch), cum, ack.backed_up);
        Ok(())
    }
}

/// Takes away the tail that the hub's backup holds, or that is two weeks old. A row acknowledged
/// while the time was unknown counts from the first time that is known.
fn prune(db: &Connection, cum: u64, backed_up: u64, now: Option<Wall>) -> Result<u64, OutboxError> {
    let sql = "delete from outbox where acked_at is not null and seq <= ?1";
    let mut gone = db.execute(sql, [backed_up.cast_signed()])?;
    if let Some(Wall(now)) = now {
        db.execute("update outbox set acked_at = ?1 where acked_at = 0", [now])?;
        let sql = "delete from outbox where acked_at < ?1 and seq <= ?2";
        gone += db.execute(sql, params![now.saturating_sub(TAIL_MS), cum.cast_signed()])?;
    }
    Ok(gone as u64)
}

fn free(db: &Connection, first: u64, last: u64, at: i64) -> Result<(), OutboxError> {
    if first <= last {
        let sql = "update outbox set acked_at = ?3
                   where acked_at is null and seq between ?1 and ?2";
        db.prepare_cached(sql)?.execute(params![first.cast_signed(), last.cast_signed(), at])?;
    }
    Ok(())
}

fn remember(db: &Connection, hub: Epoch, cum: u64, backed_up: u64) -> Result<(), OutboxError> {
    meta::put(db, "hub_epoch", hub.0)?;
    meta::put(db, "cum", cum.cast_signed())?;
    meta::put(db, "backed_up", backed_up.cast_signed())
}
