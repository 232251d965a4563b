//! Reads what the worries follow from: the database, the disk, and the running hub.

use super::Tally;
use crate::certificates::Certificates;
use crate::doors::boards::Boards;
use crate::doors::state::{self, DoorState};
use crate::pki::{Pki, ServerCertificateLife};
use crate::recogniser::Recogniser;
use crate::upkeep::{Upkeep, rest};
use rules::alerts::AlertKind;
use rules::care::CareFound;
use rules::care::{CareFacts, Fault, Worry, worries};
use rules::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::keys::Keys;
use store::{Db, Tx, alert, backed_up, care, certificate, clock, dead_letter, held, loss};
use tokio_util::sync::CancellationToken;
use wire::link::Vitals;
use wire::pulse::Beat;
use wire::{DeviceId, ModelId, Mono, Wall};

/// How often what waits for a person is counted.
const COUNT: Duration = Duration::from_secs(30);

/// A certificate that two units showed, or that nobody gave, is told of for so long, milliseconds:
/// thirty days.
const TWINS_MS: i64 = 30 * 24 * 3_600_000;
/// What is lost is told of for so long, milliseconds: a week, so that the lessons it is missing
/// from are looked at while people still know.
const LOST_MS: i64 = 7 * 24 * 3_600_000;

/// Where worries are read from; cheap to clone.
#[derive(Clone)]
pub struct Sources {
    /// The database.
    pub db: Db,
    /// The hub's keys.
    pub keys: Keys,
    /// The authority.
    pub pki: Pki,
    /// What is shown to people.
    pub certificates: Certificates,
    /// What looks at pictures.
    pub recogniser: Recogniser,
    /// Directory of the data.
    pub data: PathBuf,
    /// What fails is among them.
    pub upkeep: Upkeep,
    /// How many there were.
    pub tally: Tally,
    /// How doors' boards are.
    pub boards: Boards,
}

impl Sources {
    /// Counts what waits for a person, for every page, until `stop`.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        loop {
            beat.turn();
            self.upkeep.tried("counting what needs care", self.worries().await);
            rest(COUNT, &beat, &stop).await;
            if stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// What waits for a person now; the count in the navigation follows.
    pub async fn worries(&self) -> Result<Vec<Worry>, Error> {
        let now = self.upkeep.clock.wall();
        let facts = self.facts(now).await?;
        let found = worries(&facts, now);
        count(&self.tally, found.len());
        measure(&facts, now);
        Ok(found)
    }

    async fn facts(&self, now: Wall) -> Result<CareFacts, Error> {
        let model = self.recogniser.model().clone();
        let boards = self.boards.clone();
        let mono = self.upkeep.clock.mono();
        let board = move |door: &DeviceId| boards.of(door, mono).vitals;
        let stored = self.db.read(move |tx| stored(tx, &model, board, now)).await?;
        Ok(CareFacts {
            disk: disk(&self.data),
            aside: self.upkeep.aside.list(),
            leap: self.upkeep.leap().await?.map(|leap| leap.from),
            recognition: self.recogniser.trouble().map(str::to_owned),
            certificates: self.ends(),
            tls: self.certificates.state().trouble,
            behind: self.behind(now).await?,
            found: self.found(now).await?,
            replaced: self.keys.replaced()?,
            ..stored
        })
    }

    /// When the certificates that the hub shows end, by file.
    fn ends(&self) -> Vec<(&'static str, Wall)> {
        let shown = self.certificates.state().ends.map(|ends| ("server.pem", ends));
        let authority =
            ServerCertificateLife::of(&self.pki.ca()).ok().map(|life| ("ca.pem", life.to));
        shown.into_iter().chain(authority).collect()
    }

    /// Doors that did not follow to the next authority yet, and since when it signs doors.
    async fn behind(&self, now: Wall) -> Result<Vec<(String, Wall)>, Error> {
        if !self.pki.is_rotating() {
            return Ok(Vec::new());
        }
        let signer = self.pki.signer();
        let since = self.pki.since();
        let doors = self.db.read(move |tx| certificate::behind(tx, &signer, now)).await?;
        Ok(doors.into_iter().map(|door| (door.to_string(), since)).collect())
    }

    /// Doors that showed a certificate which nobody here remembers giving.
    async fn found(&self, now: Wall) -> Result<Vec<CareFound>, Error> {
        let signer = self.pki.signer();
        let since = now.plus_ms(-TWINS_MS);
        self.db.read(move |tx| certificate::found(tx, &signer, since, now)).await
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of worries has few digits")]
fn count(tally: &Tally, worries: usize) {
    tally.set(worries);
    metrics::gauge!("care_waiting").set(worries as f64);
}

/// What an alert may be made of: how old the newest backup is, how long certificates still are
/// good, what waits.
#[expect(clippy::cast_precision_loss, reason = "nobody draws more than 2⁵³ of anything")]
fn measure(facts: &CareFacts, now: Wall) {
    let seconds = |from: Wall, to: Wall| (to.0 - from.0) as f64 / 1000.0;
    for (file, ends) in &facts.certificates {
        metrics::gauge!("certificate_seconds_left", "file" => *file).set(seconds(now, *ends));
    }
    // Without any it is as old as the hub.
    if let Some(backup) = facts.backup.or(facts.began) {
        metrics::gauge!("backup_age_seconds").set(seconds(backup, now));
    }
    metrics::gauge!("review_waiting").set(facts.waiting as f64);
    metrics::gauge!("dead_letters_waiting").set(facts.dead_letters.0 as f64);
    if let Some((free, _)) = facts.disk {
        metrics::gauge!("disk_free_bytes").set(free as f64);
    }
}

/// What the database knows; `board` says how a door's board is.
///
/// # Errors
/// When it fails.
pub fn stored(
    tx: &Tx<'_>,
    model: &ModelId,
    board: impl Fn(&DeviceId) -> Option<Vitals>,
    now: Wall,
) -> Result<CareFacts, Error> {
    let leap = rules::clock::judge(&clock::facts(tx)?, now, Mono(0)).map(|leap| leap.from);
    let (began, backup) = care::began_and_backup(tx)?;
    let twins = certificate::twins(tx, now.plus_ms(-TWINS_MS))?;
    let lost = loss::lately(tx, now.plus_ms(-LOST_MS))?;
    Ok(CareFacts {
        dead_letters: dead_letter::count(tx)?,
        held: held::list(tx, now)?,
        lost: lost.into_iter().map(|(door, count, at)| (door.to_string(), count, at)).collect(),
        offline: alert::count(tx, AlertKind::Offline)?,
        old_programs: alert::count(tx, AlertKind::OldProgram)?,
        doors: doors(tx, model, board, now)?,
        waiting: care::waiting(tx)?,
        mails: care::mails(tx, now)?,
        hooks: care::hooks(tx)?,
        began,
        leap,
        backup,
        backup_is_here: backed_up::newest(tx)?.is_some_and(|newest| newest.same_disk),
        twins: twins.into_iter().map(|twin| (twin.device.to_string(), twin.last)).collect(),
        ..CareFacts::default()
    })
}

/// Doors with a fault that does not mend itself.
fn doors(
    tx: &Tx<'_>,
    model: &ModelId,
    board: impl Fn(&DeviceId) -> Option<Vitals>,
    now: Wall,
) -> Result<Vec<Fault>, Error> {
    let mut found = Vec::new();
    for known in care::doors(tx)? {
        let board = board(&known.device.id);
        let grave = state::states(&known, board, model, now).into_iter().filter(|state| {
            matches!(
                state,
                DoorState::Blind
                    | DoorState::Unseeing
                    | DoorState::ClockUnset
                    | DoorState::DiskLow
                    | DoorState::Hot
                    | DoorState::Sagged
                    | DoorState::MemoryLow
                    | DoorState::Ended
                    | DoorState::EndsSoon
            )
        });
        found.extend(grave.map(|state| (known.device.id.to_string(), state.keys())));
    }
    Ok(found)
}

/// Free and all bytes of the disk that holds `path`.
#[must_use]
pub fn disk(path: &Path) -> Option<(u64, u64)> {
    let about = rustix::fs::statvfs(path).ok()?;
    Some((about.f_bavail * about.f_frsize, about.f_blocks * about.f_frsize))
}
