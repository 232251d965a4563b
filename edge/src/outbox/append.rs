//! From draft to row: number, seal, store, in one transaction.

use super::book::Unsaved;
use super::{Book, OutboxError, Place, meta};
use crate::draft::Draft;
use crate::passing::Way;
use rand::rngs::StdRng;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use wire::record::{Anchor, Loss, LossCause, Watch, crop_hash};
use wire::seal::Part;
use wire::{
    Body, Direction, HubKey, Item, Ranges, Reason, RecordKey, SealError, Sighting, Stamp, StudentId,
};

/// A face crop is never larger, in bytes of JPEG.
const CROP_BYTES: usize = 12 * 1024;
/// Passages that wait in memory at most, about a megabyte.
const HELD: usize = 64;

/// Something to be recorded.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// Somebody may have passed.
    Passage(Box<Draft>),
    /// What the door could see.
    Health(Stamp, Watch),
    /// What time it is.
    Anchor(Stamp, Anchor),
}

/// Passages that the disk did not take: those that wait in memory, and those only counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) count: u64,
    from: Stamp,
    to: Stamp,
}

impl Entry {
    fn at(&self) -> Stamp {
        match self {
            Self::Passage(draft) => draft.at,
            Self::Health(at, _) | Self::Anchor(at, _) => *at,
        }
    }

    fn passed(&self) -> Option<StudentId> {
        match self {
            Self::Passage(draft) => draft.candidates.first().map(|candidate| candidate.student),
            _ => None,
        }
    }
}

impl Book {
    /// Stores all of `entries`, after those that wait in memory, and returns their numbers after
    /// COMMIT.
    ///
    /// # Errors
    /// [`OutboxError::Held`] when the disk did not take them, and passages among them: they wait
    /// in memory, or are counted for the loss ledger. Otherwise why they are not stored.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<u64>, OutboxError> {
        match self.fit(entries) {
            Err(why) if why.is_passing() => Err(self.hold(entries, why)),
            Err(OutboxError::Seal(why)) => {
                // Whoever waits cannot be sealed either: the loss ledger has them.
                self.held.clear();
                Err(OutboxError::Seal(why))
            }
            done => done,
        }
    }

    /// Tries again to store what waits in memory; whether there was anything.
    ///
    /// # Errors
    /// Why it still waits.
    pub fn catch_up(&mut self) -> Result<bool, OutboxError> {
        let waits = self.refused.is_some();
        if waits {
            self.append(&[])?;
        }
        Ok(waits)
    }

    /// Gives up one thing after the other until `entries` find room.
    fn fit(&mut self, entries: &[Entry]) -> Result<Vec<u64>, OutboxError> {
        if !self.spare(Self::make_room)? {
            return Err(OutboxError::Full);
        }
        loop {
            match self.spare(|book| book.store(entries)) {
                Err(error) if error.is_full() => {}
                done => return done,
            }
            if !self.sacrifice()? {
                return Err(OutboxError::Full);
            }
        }
    }

    fn store(&mut self, entries: &[Entry]) -> Result<Vec<u64>, OutboxError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.unsaved.save(&tx)?;
        let mut seq = self.max_seq;
        if let Some(refused) = self.refused {
            let lost = refused.count.saturating_sub(self.held.len() as u64);
            if lost > 0 {
                seq += 1;
                insert(&tx, &item(seq, refused.to, &refused.body(lost), None))?;
            }
            meta::remove(&tx, "refused")?;
        }
        let first = seq + 1 + self.held.len() as u64;
        for entry in self.held.iter().chain(entries) {
            seq += 1;
            let of = RecordKey { device: self.setup.device.clone(), epoch: self.epoch, seq };
            let (body, crop) = seal(entry, &of, &self.setup.key, &self.place, &mut self.rng)?;
            insert(&tx, &item(seq, entry.at(), &body, crop))?;
            if let Some(student) = entry.passed() {
                cool(&tx, student, &entry.at())?;
            }
        }
        if self.heard {
            meta::put_sent(&tx, seq)?;
        }
        tx.commit()?;
        if self.heard {
            self.sent = seq;
        }
        if !self.held.is_empty() {
            tracing::info!(stored = self.held.len(), "what waited in memory is stored");
        }
        self.unsaved = Unsaved::default();
        (self.refused, self.held) = (None, Vec::new());
        self.rows += seq - self.max_seq;
        self.max_seq = seq;
        Ok((first..=seq).collect())
    }

    /// Keeps the passages among `entries` in memory, and counts them in the loss ledger until
    /// they are stored: a power cut takes them from there.
    fn hold(&mut self, entries: &[Entry], why: OutboxError) -> OutboxError {
        for entry in entries.iter().filter(|entry| matches!(entry, Entry::Passage(_))) {
            let at = entry.at();
            let refused = self.refused.get_or_insert(Refused { count: 0, from: at, to: at });
            (refused.count, refused.to) = (refused.count + 1, at);
            if self.held.len() < HELD {
                self.held.push(entry.clone());
            }
        }
        let Some(refused) = self.refused else { return why };
        if let Err(error) = self.ledger(&refused) {
            tracing::error!(%error, "even the count of what waits is only in memory");
        }
        let held = self.held.len() as u64;
        OutboxError::Held { held, lost: refused.count.saturating_sub(held), why: Box::new(why) }
    }

    fn ledger(&self, refused: &Refused) -> Result<(), OutboxError> {
        match postcard::to_stdvec(refused) {
            Ok(bytes) => meta::put(&self.db, "refused", bytes),
            Err(_) => Ok(()),
        }
    }
}

impl Refused {
    fn body(&self, lost: u64) -> Body {
        Body::Loss(Loss {
            gone: Ranges::default(),
            unnumbered: lost,
            from: self.from,
            to: self.to,
            cause: LossCause::DiskFull,
        })
    }
}

pub(super) fn item(seq: u64, at: Stamp, body: &Body, crop: Option<Vec<u8>>) -> Item {
    let body = body.encode();
    Item { seq, at, hash: Item::digest(seq, &at, &body), body, crop }
}

/// Writes one row, in the live lane. The kind is the body's first byte plus one: postcard writes
/// the variant's number first.
pub(super) fn insert(db: &Connection, item: &Item) -> Result<(), OutboxError> {
    let kind = item.body.first().map_or(0, |variant| i64::from(*variant) + 1);
    db.prepare_cached(
        "insert into outbox(seq, kind, lane, boot_no, mono_ms, wall_ms, clk, body, hash)
         values(?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        item.seq.cast_signed(),
        kind,
        item.at.boot,
        item.at.mono.0.cast_signed(),
        item.at.wall.map(|wall| wall.0),
        item.at.clock as i64,
        item.body,
        item.hash,
    ])?;
    if let Some(crop) = &item.crop {
        db.prepare_cached("insert into crop(seq, bytes) values(?1, ?2)")?
            .execute(params![item.seq.cast_signed(), crop])?;
    }
    Ok(())
}

fn cool(db: &Connection, student: StudentId, at: &Stamp) -> Result<(), OutboxError> {
    db.prepare_cached(
        "insert into cooldown(student, boot_no, mono_ms, wall_ms, clk) values(?1, ?2, ?3, ?4, ?5)
         on conflict(student) do update set boot_no = excluded.boot_no,
         mono_ms = excluded.mono_ms, wall_ms = excluded.wall_ms, clk = excluded.clk",
    )?
    .execute(params![
        student.0.into_bytes(),
        at.boot,
        at.mono.0.cast_signed(),
        at.wall.map(|wall| wall.0),
        at.clock as i64,
    ])?;
    Ok(())
}

fn seal(
    entry: &Entry,
    of: &RecordKey,
    key: &HubKey,
    place: &Place,
    rng: &mut StdRng,
) -> Result<(Body, Option<Vec<u8>>), SealError> {
    match entry {
        Entry::Passage(draft) => sighting(draft, of, key, place, rng),
        Entry::Health(_, watch) => Ok((Body::Watch(watch.clone()), None)),
        Entry::Anchor(_, anchor) => Ok((Body::Anchor(*anchor), None)),
    }
}

fn sighting(
    draft: &Draft,
    of: &RecordKey,
    key: &HubKey,
    place: &Place,
    rng: &mut StdRng,
) -> Result<(Body, Option<Vec<u8>>), SealError> {
    let template = key.seal(of, Part::Template, &draft.template_f16, rng)?;
    let jpeg = draft.crop_jpeg.as_ref().filter(|jpeg| jpeg.len() <= CROP_BYTES);
    let crop = jpeg.map(|jpeg| key.seal(of, Part::Crop, jpeg, rng)).transpose()?;
    let crop = crop.map(|sealed| sealed.encode());
    let mut reasons = draft.reasons.clone();
    if crop.is_none() && draft.crop_jpeg.is_some() {
        reasons.push(Reason::CropDropped);
    }
    let body = Body::Sighting(Sighting {
        room: place.room.clone(),
        direction: going(draft.way, place.direction),
        candidates: draft.candidates.clone(),
        confidence: draft.confidence,
        verdict: draft.verdict,
        reasons,
        quality: draft.quality,
        frames: draft.frames,
        gallery: draft.gallery,
        model: draft.model.clone(),
        template,
        crop: crop.as_deref().map(crop_hash),
    });
    Ok((body, crop))
}

/// Which way a passage counts: as the school said of the door, and surer where two lines saw somebody
/// come in. That they saw somebody go out says nothing of a face: whoever leaves shows their back, and
/// the face may be that of somebody who waits outside.
fn going(way: Option<Way>, door: Direction) -> Direction {
    match (way, door) {
        (Some(Way::In), Direction::Both) => Direction::Entry,
        _ => door,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_refine_what_a_door_for_both_ways_counts_and_never_keep_a_mark_away() {
        assert_eq!(going(Some(Way::In), Direction::Both), Direction::Entry);
        for door in [Direction::Both, Direction::Entry] {
            assert_eq!(going(Some(Way::Out), door), door, "an exit makes no mark");
            assert_eq!(going(None, door), door);
        }
        assert_eq!(going(Some(Way::In), Direction::Exit), Direction::Exit);
    }
}
