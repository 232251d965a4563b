//! What the hub's acknowledgement frees, and what a restored hub asks for again.

use super::append::{insert, item};
use super::{Book, Cursor, OutboxError, meta};
use rusqlite::{Connection, TransactionBehavior, params};
use wire::link::{ACK_RANGES, Ack};
use wire::record::{Loss, LossCause};
use wire::{Body, Epoch, Ranges, Stamp};

/// Ranges that one loss record names: it must fit into a batch.
const RANGES: usize = 2_000;
/// How often the tail is looked through, at most.
const PRUNE_EVERY_MS: u64 = 3600 * 1000;

/// What came of an acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acked {
    /// Where the outbox stands now.
    pub cursor: Cursor,
    /// The hub knew more than this card: a new epoch began, and everything goes out again.
    pub renewed: bool,
    /// The hub holds less than it once said: records were un-acknowledged, or told as lost.
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
        let told = self.mark(ack, (other || fresh, restored), now)?;
        Ok(Acked { cursor: self.cursor(), renewed: false, restored: restored || told })
    }

    /// Stores what `ack` says; if it is the `whole` truth, what it leaves out is not stored. Of a
    /// hub that was `restored` the numbers are told as lost that are no longer here either; whether
    /// there are any.
    fn mark(
        &mut self,
        ack: &Ack,
        (whole, restored): (bool, bool),
        now: &Stamp,
    ) -> Result<bool, OutboxError> {
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
        let from = if restored { cum } else { self.told.max(cum) };
        let (lost, told) = match restored || (self.told > 0 && names_all(ack)) {
            true => lost(&tx, ack, (from, self.max_seq), now)?,
            false => (vec![], self.told),
        };
        for (seq, body) in (self.max_seq + 1..).zip(&lost) {
            insert(&tx, &item(seq, *now, body, None))?;
        }
        let cum = if whole { cum } else { cum.max(self.cum) };
        remember(&tx, ack.hub_epoch, cum, ack.backed_up)?;
        if told != self.told {
            meta::put(&tx, "told", told.cast_signed())?;
        }
        let due = self.pruned.is_none_or(|last| now.mono.since(last) >= PRUNE_EVERY_MS);
        let look = due || ack.backed_up != self.backed_up;
        let gone = if look { prune(&tx, ack.backed_up)? } else { 0 };
        tx.commit()?;
        self.max_seq += lost.len() as u64;
        self.rows = self.rows + lost.len() as u64 - gone;
        if look {
            self.pruned = Some(now.mono);
            self.refill();
        }
        (self.heard, self.told) = (true, told);
        (self.hub_epoch, self.cum, self.backed_up) = (Some(ack.hub_epoch), cum, ack.backed_up);
        Ok(!lost.is_empty())
    }
}

/// Takes away the tail that the hub's backup holds. Whatever no backup holds stays until it is in
/// the way: the outbox's caps bound it.
fn prune(db: &Connection, backed_up: u64) -> Result<u64, OutboxError> {
    let sql = "delete from outbox where acked_at is not null and seq <= ?1";
    Ok(db.execute(sql, [backed_up.cast_signed()])? as u64)
}

/// Whether there are no more ranges than it names.
fn names_all(ack: &Ack) -> bool {
    ack.ranges.as_slice().len() < ACK_RANGES
}

/// What to say of the numbers after `from` up to `max_seq` that neither a restored hub has nor this
/// outbox; and up to where it is said, if the hub may have more than it named.
fn lost(
    db: &Connection,
    ack: &Ack,
    (from, max_seq): (u64, u64),
    now: &Stamp,
) -> Result<(Vec<Body>, u64), OutboxError> {
    let all = names_all(ack);
    let last = if all { max_seq } else { ack.ranges.max().min(max_seq) };
    let mut here = ack.ranges.clone();
    here.insert(1, from);
    let sql = "select seq from outbox where seq > ?1 and seq <= ?2";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![from.cast_signed(), last.cast_signed()])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        here.insert(seq, seq);
    }
    let holes = here.gaps(last);
    let told = |some: &[(u64, u64)]| {
        let gone = Ranges::from(some.to_vec());
        let cause = LossCause::HubRestored;
        Body::Loss(Loss { gone, unnumbered: 0, from: *now, to: *now, cause })
    };
    let bodies = holes.as_slice().chunks(RANGES).map(told).collect();
    Ok((bodies, if all { 0 } else { last }))
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
