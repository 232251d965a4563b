//! The outbox as one thread sees it: the connection and the facts read from it at the start.
//!
//! Nothing here reads a clock: every call that needs the time takes a stamp.

use super::append::{Entry, Refused};
use super::{OutboxError, Place, Setup, meta, room, runs, salvage, schema};
use rand::{RngExt, rngs::StdRng};
use rusqlite::{Connection, TransactionBehavior};
use std::fmt;
use wire::link::Run;
use wire::{ClockState, Epoch, Mono, Stamp, StudentId, Wall};

/// The opened outbox. See the module above.
pub struct Book {
    pub(super) db: Connection,
    pub(super) setup: Setup,
    pub(super) rng: StdRng,
    pub(super) epoch: Epoch,
    pub(super) hub_epoch: Option<Epoch>,
    pub(super) boot: u32,
    /// See [`super::runs`].
    pub(super) runs: Vec<Run>,
    /// The hub keeps runs.
    pub(super) kept: bool,
    pub(super) max_seq: u64,
    /// The highest number that was ever handed to the link.
    pub(super) sent: u64,
    /// The hub has answered since the start and knows no number above that: what is stored from
    /// now on counts as sent at once.
    pub(super) heard: bool,
    pub(super) cum: u64,
    pub(super) backed_up: u64,
    /// What a restored hub lost is told up to here, because its acknowledgement named no more; 0
    /// where all of it is told.
    pub(super) told: u64,
    pub(super) rows: u64,
    pub(super) place: Place,
    /// What the disk did not take: in all, and of these the passages that wait here.
    pub(super) refused: Option<Refused>,
    pub(super) held: Vec<Entry>,
    /// Facts that the disk did not take: stored with the next record.
    pub(super) unsaved: Unsaved,
    /// The reserve was given back to the disk.
    pub(super) spent: bool,
    pub(super) aged: Option<Mono>,
    pub(super) pruned: Option<Mono>,
}

/// Facts that are still to be written.
#[derive(Default)]
pub(super) struct Unsaved {
    boot: Option<(u32, String)>,
    place: Option<Place>,
    pub(super) runs: Option<Vec<Run>>,
}

impl Unsaved {
    fn is_empty(&self) -> bool {
        self.boot.is_none() && self.place.is_none() && self.runs.is_none()
    }

    pub(super) fn save(&self, db: &Connection) -> Result<(), OutboxError> {
        if let Some((boot, id)) = &self.boot {
            meta::put(db, "boot", boot)?;
            meta::put(db, "boot_id", id)?;
        }
        if let Some(runs) = &self.runs {
            meta::put_runs(db, runs)?;
        }
        self.place.as_ref().map_or(Ok(()), |place| meta::put_place(db, place))
    }
}

/// Where an outbox stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Which life of it.
    pub epoch: Epoch,
    /// The device's boot number.
    pub boot: u32,
    /// The last number given out.
    pub max_seq: u64,
    /// `1..=cum` are acknowledged.
    pub cum: u64,
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("cursor", &self.cursor()).finish_non_exhaustive()
    }
}

impl Book {
    /// Opens or makes the outbox. A damaged file is moved aside and what can be read of it is
    /// taken over. `rng` makes epochs and seals: seed it only in tests.
    ///
    /// # Errors
    /// When the file cannot be opened, belongs to another device, or to a newer program.
    pub fn open(setup: Setup, rng: StdRng) -> Result<Self, OutboxError> {
        let mut book = match schema::connect(&setup) {
            Err(OutboxError::Damaged(why)) if setup.vfs.is_none() => {
                tracing::error!(%why, "the outbox is damaged; saving what can be read");
                salvage::move_aside(&setup.path)?;
                Self::load(schema::connect(&setup)?, setup, rng)?
            }
            Err(error) if error.is_full() => {
                room::give_back(&setup)?;
                Self::load(schema::connect(&setup)?, setup, rng)?
            }
            opened => Self::load(opened?, setup, rng)?,
        };
        match book.salvage() {
            Err(error) if error.is_passing() => {
                tracing::error!(%error, "what a damaged outbox left waits for the next start");
            }
            done => done?,
        }
        book.spent |= !book.reserve();
        Ok(book)
    }

    fn load(db: Connection, setup: Setup, mut rng: StdRng) -> Result<Self, OutboxError> {
        claim(&db, &setup)?;
        let epoch = meta::epoch(&db, "epoch")?;
        let (boot, new_boot) = count_boot(&db, &setup)?;
        let refused = meta::get::<Vec<u8>>(&db, "refused")?;
        let new_epoch = Epoch(rng.random());
        let max_seq = meta::max_seq(&db)?;
        let runs = runs::with(meta::runs(&db)?, Run { id: rng.random(), first: max_seq + 1 });
        let unsaved = Unsaved { boot: new_boot, place: None, runs: Some(runs.clone()) };
        let mut book = Self {
            epoch: epoch.unwrap_or(new_epoch),
            boot,
            runs,
            kept: meta::number(&db, "runs_kept")? > 0,
            hub_epoch: meta::epoch(&db, "hub_epoch")?,
            max_seq,
            sent: meta::sent(&db)?,
            heard: false,
            cum: meta::number(&db, "cum")?,
            backed_up: meta::number(&db, "backed_up")?,
            told: meta::number(&db, "told")?,
            rows: count(&db)?,
            place: meta::place(&db)?.unwrap_or_else(|| setup.place.clone()),
            refused: refused.and_then(|bytes| postcard::from_bytes(&bytes).ok()),
            held: Vec::new(),
            unsaved,
            spent: false,
            aged: None,
            pruned: None,
            db,
            setup,
            rng,
        };
        match book.spare(|book| book.born(epoch.is_none())) {
            Err(error) if epoch.is_some() && error.is_passing() => {
                tracing::warn!(%error, "the disk takes nothing: this boot is noted later");
            }
            done => done?,
        }
        Ok(book)
    }

    /// Notes what a new file or a new boot changes, if anything.
    fn born(&mut self, new: bool) -> Result<(), OutboxError> {
        if !new && self.unsaved.is_empty() {
            return Ok(());
        }
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if new {
            meta::put(&tx, "version", schema::VERSION)?;
            meta::put(&tx, "device", self.setup.device.as_str())?;
            meta::put(&tx, "epoch", self.epoch.0)?;
        }
        self.unsaved.save(&tx)?;
        tx.execute("delete from cooldown where boot_no + 1 < ?1", [self.boot])?;
        tx.commit()?;
        self.unsaved = Unsaved::default();
        Ok(())
    }

    /// Does `work`; where there is no space, again with that of the reserve.
    pub(super) fn spare<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        match work(self) {
            Err(error) if error.is_full() => {
                self.free_reserve()?;
                work(self)
            }
            done => done,
        }
    }

    /// Where the outbox stands.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, boot: self.boot, max_seq: self.max_seq, cum: self.cum }
    }

    /// Remembers where the hub says the door is; later sightings carry it. If the disk does not
    /// take it, it is stored with the next record.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn set_place(&mut self, place: Place) -> Result<(), OutboxError> {
        if place == self.place {
            return Ok(());
        }
        self.place = place;
        self.unsaved.place = Some(self.place.clone());
        match self.spare(|book| book.born(false)) {
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "the disk takes nothing: the door's place is noted later");
                Ok(())
            }
            done => done,
        }
    }

    /// Who passed in this boot or the one before, and when.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn recent(&self) -> Result<Vec<(StudentId, Stamp)>, OutboxError> {
        let sql = "select boot_no, mono_ms, wall_ms, clk, student from cooldown order by student";
        let mut found = self.db.prepare_cached(sql)?;
        let rows = found.query_map([], |row| {
            let student = uuid::Uuid::from_bytes(row.get(4)?);
            Ok((StudentId(student), stamp(row)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The stamp in columns 0 to 3: boot, mono, wall, clock.
pub(super) fn stamp(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stamp> {
    let clock = match row.get::<_, i64>(3)? {
        1 => ClockState::Floor,
        2 => ClockState::Rtc,
        3 => ClockState::Ntp,
        4 => ClockState::Hub,
        _ => ClockState::Unset,
    };
    let mono = Mono(row.get::<_, i64>(1)?.cast_unsigned());
    Ok(Stamp { boot: row.get(0)?, mono, wall: row.get::<_, Option<i64>>(2)?.map(Wall), clock })
}

/// A new life: called inside the transaction that begins it.
pub(super) fn new_epoch(db: &Connection, rng: &mut StdRng) -> Result<Epoch, OutboxError> {
    let epoch = Epoch(rng.random());
    meta::put(db, "epoch", epoch.0)?;
    Ok(epoch)
}

fn count(db: &Connection) -> Result<u64, OutboxError> {
    let sql = "select count(*) from outbox";
    Ok(db.query_row(sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Whether this file is this door's, and not of a later time.
fn claim(db: &Connection, setup: &Setup) -> Result<(), OutboxError> {
    if let Some(newer) = meta::get::<i64>(db, "version")?.filter(|found| *found > schema::VERSION) {
        return Err(OutboxError::Newer(newer));
    }
    match meta::get::<String>(db, "device")? {
        Some(owner) if owner != setup.device.as_str() => match owner.parse() {
            Ok(owner) => Err(OutboxError::OtherDevice(owner)),
            Err(_) => Err(OutboxError::Damaged("its owner is no device".to_owned())),
        },
        _ => Ok(()),
    }
}

/// The number of this boot, and what is to be noted if it is a new one.
fn count_boot(db: &Connection, setup: &Setup) -> Result<(u32, Option<(u32, String)>), OutboxError> {
    let boot_id = setup.boot_id.as_str();
    let last = u32::try_from(meta::number(db, "boot")?).unwrap_or(u32::MAX);
    if last > 0 && meta::get::<String>(db, "boot_id")?.as_deref() == Some(boot_id) {
        return Ok((last, None));
    }
    let boot = if last == 0 { setup.boots } else { last }.saturating_add(1);
    Ok((boot, Some((boot, boot_id.to_owned()))))
}
