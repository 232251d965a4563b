//! From draft to row: number, seal, store, in one transaction.

use super::{Book, OutboxError, Place, meta};
use crate::draft::Draft;
use rand::rngs::StdRng;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use wire::record::{Anchor, Loss, LossCause, Watch, crop_hash};
use wire::seal::Part;
use wire::{Body, HubKey, Item, Ranges, Reason, RecordKey, SealError, Sighting, Stamp, StudentId};

/// A face crop is never larger, in bytes of JPEG.
const CROP_BYTES: usize = 12 * 1024;

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

/// Passages that found no room, until a loss record can say so.
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
    /// Stores all of `entries` and returns their numbers, after COMMIT.
    ///
    /// # Errors
    /// [`OutboxError::Full`] when there is no room and nothing left to give up: the passages
    /// are counted for the loss ledger. Otherwise what SQLite says; nothing is stored then.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<u64>, OutboxError> {
        match self.make_room() {
            Ok(true) => {}
            Err(error) if !error.is_full() => return Err(error),
            _ => return Err(self.refuse(entries)),
        }
        match self.store(entries) {
            Err(error) if error.is_full() => {
                self.free_reserve()?;
                self.squeeze(entries)
            }
            stored => stored,
        }
    }

    /// Gives up one thing after the other until `entries` find room.
    fn squeeze(&mut self, entries: &[Entry]) -> Result<Vec<u64>, OutboxError> {
        loop {
            match self.sacrifice() {
                Ok(true) => {}
                Err(error) if !error.is_full() => return Err(error),
                _ => return Err(self.refuse(entries)),
            }
            match self.store(entries) {
                Err(error) if error.is_full() => {}
                stored => return stored,
            }
        }
    }

    fn store(&mut self, entries: &[Entry]) -> Result<Vec<u64>, OutboxError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut seq = self.max_seq;
        if let Some(refused) = self.refused {
            seq += 1;
            insert(&tx, &item(seq, refused.to, &refused.body(), None))?;
            meta::remove(&tx, "refused")?;
        }
        let first = seq + 1;
        for entry in entries {
            seq += 1;
            let of = RecordKey { device: self.setup.device.clone(), epoch: self.epoch, seq };
            let (body, crop) = seal(entry, &of, &self.setup.key, &self.place, &mut self.rng)?;
            insert(&tx, &item(seq, entry.at(), &body, crop))?;
            if let Some(student) = entry.passed() {
                cool(&tx, student, &entry.at())?;
            }
        }
        tx.commit()?;
        self.refused = None;
        self.rows += seq - self.max_seq;
        self.max_seq = seq;
        Ok((first..=seq).collect())
    }

    fn refuse(&mut self, entries: &[Entry]) -> OutboxError {
        for entry in entries.iter().filter(|entry| matches!(entry, Entry::Passage(_))) {
            let at = entry.at();
            let refused = self.refused.get_or_insert(Refused { count: 0, from: at, to: at });
            refused.count += 1;
            refused.to = at;
        }
        let count = self.refused.map_or(0, |refused| refused.count);
        if let Some(Ok(bytes)) = self.refused.map(|refused| postcard::to_stdvec(&refused))
            && let Err(error) = meta::put(&self.db, "refused", bytes)
        {
            tracing::error!(%error, count, "even the count of what was lost is only in memory");
        }
        OutboxError::Full(count)
    }
}

impl Refused {
    fn body(&self) -> Body {
        Body::Loss(Loss {
            gone: Ranges::default(),
            unnumbered: self.count,
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
        direction: place.direction,
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
