//! Whether whoever a balancer sends here would be served. Asked often, looked at once a second.

use crate::upkeep::Upkeep;
use rules::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;
use wire::Mono;

/// The database has so long to answer; a person would not wait longer either.
const BOUND: Duration = Duration::from_secs(2);
/// What was found counts for so long, milliseconds: ten balancers cost what one does.
const FRESH_MS: u64 = 1_000;

/// What the database says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DatabaseState {
    /// It takes what is written and answers what is read.
    Ok,
    /// It does neither, or not in time.
    Away,
    /// Its school is somewhere else now.
    Moved,
}

/// What was found at one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadyFound {
    /// What the database says.
    pub database: DatabaseState,
    /// Whether the clock leapt.
    pub leapt: bool,
}

/// Keeps what was found last, and whether the hub is closing; cheap to clone.
#[derive(Clone)]
pub struct Readiness(Arc<ReadinessKept>);

struct ReadinessKept {
    bound: Duration,
    closing: AtomicBool,
    /// Who asks while somebody looks waits for what is found.
    last: Mutex<Option<(Mono, ReadyFound)>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self::within(BOUND)
    }
}

impl Readiness {
    fn within(bound: Duration) -> Self {
        let (closing, last) = (AtomicBool::new(false), Mutex::default());
        Self(Arc::new(ReadinessKept { bound, closing, last }))
    }

    /// The hub was told to stop: from here on it is not ready.
    pub fn close(&self) {
        self.0.closing.store(true, Relaxed);
    }

    /// Whether it was.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.0.closing.load(Relaxed)
    }

    /// How it is, or was within the last second; once the hub is closing, how it was.
    pub async fn look(&self, upkeep: &Upkeep) -> ReadyFound {
        let mut last = self.0.last.lock().await;
        let now = upkeep.clock.mono();
        match *last {
            Some((at, found)) if now.since(at) < FRESH_MS || self.is_closing() => found,
            before => {
                let found = self.find(upkeep, before.map(|(_, found)| found.database)).await;
                *last = Some((upkeep.clock.mono(), found));
                found
            }
        }
    }

    async fn find(&self, upkeep: &Upkeep, before: Option<DatabaseState>) -> ReadyFound {
        let bound = self.0.bound;
        let late = || Error::Unavailable(format!("no answer within {} s", bound.as_secs()));
        let answered = timeout(bound, upkeep.db.answers()).await.unwrap_or_else(|_| Err(late()));
        let database = match &answered {
            Ok(()) => DatabaseState::Ok,
            Err(Error::Conflict(_)) => DatabaseState::Moved,
            Err(_) => DatabaseState::Away,
        };
        match answered {
            Err(why) if before != Some(database) => tracing::warn!(%why, "the hub is not ready"),
            Ok(()) if before.is_some_and(|before| before != database) => {
                tracing::info!("the hub is ready again");
            }
            _ => {}
        }
        // A clock that cannot be judged is told on Care, and keeps nobody out.
        let leap = async { upkeep.leap().await.ok().flatten().is_some() };
        let leapt = database == DatabaseState::Ok && timeout(bound, leap).await.unwrap_or(false);
        ReadyFound { database, leapt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timekeeper::Timekeeper;
    use crate::upkeep::Aside;
    use store::{Db, params};
    use wire::Wall;
    use wire::time::ManualClock;

    fn hub() -> (tempfile::TempDir, Arc<ManualClock>, Upkeep) {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Wall(1_772_441_130_000), Mono(1_000)));
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let (aside, timekeeper) = (Aside::default(), Timekeeper::default());
        (
            dir,
            clock.clone(),
            Upkeep { db, clock, aside, timekeeper, duty: store::line::Duty::default() },
        )
    }

    #[tokio::test]
    async fn a_school_that_moved_is_noticed_within_a_second_and_not_asked_after_before() {
        let (_dir, clock, upkeep) = hub();
        let readiness = Readiness::default();
        assert_eq!(readiness.look(&upkeep).await.database, DatabaseState::Ok);
        let moved = "insert into setting (name, value) values ('moved', 'elsewhere')";
        upkeep.db.write(move |tx| tx.execute(moved, params![])).await.unwrap();
        clock.advance(FRESH_MS - 1);
        assert_eq!(readiness.look(&upkeep).await.database, DatabaseState::Ok, "what was found");
        clock.advance(1);
        assert_eq!(readiness.look(&upkeep).await.database, DatabaseState::Moved);
    }

    #[tokio::test]
    async fn a_writer_that_stands_still_is_no_database_though_reads_go_on() {
        let (_dir, clock, upkeep) = hub();
        let readiness = Readiness::within(Duration::from_millis(50));
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let stuck = upkeep.db.write(move |_| {
            let _told = held.recv();
            Ok(())
        });
        let look = async {
            let found = readiness.look(&upkeep).await;
            go_on.send(()).unwrap();
            found
        };
        let (stuck, found) = tokio::join!(biased; stuck, look);
        stuck.unwrap();
        assert_eq!(found.database, DatabaseState::Away);
        clock.advance(FRESH_MS);
        let readiness = Readiness::default();
        assert_eq!(readiness.look(&upkeep).await.database, DatabaseState::Ok, "it goes on");
    }
}
