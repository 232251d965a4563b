//! What goes by itself, run by hand: at once, or as a job that can be stopped.

use crate::jobs::{JobProgress, Jobs};
use crate::privacy::retention;
use crate::timekeeper;
use crate::upkeep::Upkeep;
use rules::clock::Leap;
use rules::error::{Doing, Error};
use rules::retention::Swept;
use serde_json::json;
use store::job::Job;
use store::keys::Keys;
use store::{Db, Tx, audit};
use uuid::Uuid;
use wire::Wall;

/// The kind of job that takes away what is due.
pub const RUN: &str = "retention";

/// What takes away what is due; cheap to clone.
#[derive(Clone)]
pub struct Sweeper {
    /// The database, the clock, and what is set aside.
    pub upkeep: Upkeep,
    /// The keys of people.
    pub keys: Keys,
}

/// The same, as a job; cheap to clone.
#[derive(Clone)]
pub struct SweepingJob {
    /// What does it.
    pub sweeper: Sweeper,
    /// Long work.
    pub jobs: Jobs,
}

impl Sweeper {
    /// How many of each kind are due.
    pub async fn due(&self, now: Wall) -> Result<Vec<Swept>, Error> {
        retention::count(&self.upkeep.db, now).await
    }

    /// Takes away what is due, unless the clock leapt, and tells `gone` how many each piece was.
    /// What was erased is in no file then.
    ///
    /// # Errors
    /// `Conflict` while the clock is not believed; when the database, the key store or the disk
    /// fails: what went is gone, the rest goes with the next run.
    pub async fn run(
        &self,
        leap: Option<Leap>,
        by: &str,
        now: Wall,
        gone: &(impl Fn(u64) + Sync),
    ) -> Result<Vec<Swept>, Error> {
        timekeeper::refuse(leap)?;
        let Self { upkeep, keys } = self;
        let swept = retention::run(upkeep, keys, by, now, gone).await?;
        let db = upkeep.db.clone();
        let doing = "emptying the database's log";
        tokio::task::spawn_blocking(move || db.place().flush()).await.doing(doing)??;
        Ok(swept)
    }
}

impl SweepingJob {
    /// Begins to take away what is due. One at a time: whoever asks meanwhile sees the first.
    ///
    /// # Errors
    /// `Conflict` while the clock is not believed, `Unavailable` when too much waits.
    pub async fn start(&self, by: Uuid, now: Wall) -> Result<Job, Error> {
        if let Some(job) = self.jobs.unfinished(RUN).await? {
            return Ok(job);
        }
        let leap = self.sweeper.upkeep.leap().await?;
        timekeeper::refuse(leap)?;
        let total = self.sweeper.due(now).await?.iter().map(|swept| swept.rows).sum();
        let sweeper = self.sweeper.clone();
        let work = move |progress: JobProgress| async move {
            let by = by.to_string();
            let now = sweeper.upkeep.clock.wall();
            sweeper.run(leap, &by, now, &|rows| progress.advance(rows)).await
        };
        self.jobs.start(RUN, total, by, work).await
    }
}

/// Writes down that `job`, a run, was stopped: what went by then is gone, as of a whole run.
pub(super) async fn note_stopped(db: &Db, job: &Job, by: String, now: Wall) -> Result<(), Error> {
    let meta = json!({ "stopped": true, "rows": job.done });
    let note = move |tx: &Tx<'_>| {
        let actor = &by;
        let action = "sweep";
        let table = "setting";
        let id = RUN;
        audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
    };
    db.write(note).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upkeep::Aside;
    use rules::clock::ClockWitness;
    use std::fs;
    use std::sync::Arc;
    use wire::Mono;
    use wire::time::ManualClock;

    const NOW: Wall = Wall(1_790_000_000_000);

    #[tokio::test]
    async fn what_went_is_in_no_file_and_by_a_clock_that_leapt_nothing_goes() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), NOW).unwrap();
        let upkeep = Upkeep {
            db: Db::open(store::Database::File(dir.path().join("hub.db"))).unwrap(),
            clock: Arc::new(ManualClock::at(NOW, Mono(0))),
            aside: Aside::default(),
            timekeeper: timekeeper::Timekeeper::default(),
            duty: store::line::Duty::default(),
        };
        let sweeper = Sweeper { upkeep, keys };
        let log = || fs::metadata(dir.path().join("hub.db-wal")).unwrap().len();
        let leap = Leap { from: Wall(0), to: NOW, against: ClockWitness::Records };
        let refused = sweeper.run(Some(leap), "t", NOW, &|_| {}).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        retention::set(&sweeper.upkeep.db, Default::default(), "t".into(), NOW).await.unwrap();
        assert!(log() > 0, "what is written is in the log first");
        let swept = sweeper.run(None, "t", NOW, &|_| {}).await.unwrap();
        assert!(swept.iter().all(|swept| swept.rows == 0) && log() == 0, "{swept:?}");
    }
}
