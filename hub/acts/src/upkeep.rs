//! What goes on by itself: tried, set aside when it fails, and tried again later. What cannot be
//! undone waits while the clock is not believed.

pub mod aside;

pub use aside::Aside;

use crate::timekeeper::{self, Timekeeper};
use rules::care::AsideKind;
use rules::clock::Leap;
use rules::error::Error;
use std::sync::Arc;
use std::time::Duration;
use store::line::Duty;
use store::{Db, is_passing};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;
use wire::{Clock, Mono, Wall};

/// How often a loop turns that waits.
const TURN: Duration = Duration::from_secs(2);

/// What every loop needs; cheap to clone.
#[derive(Clone)]
pub struct Upkeep {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What failed and is tried again later.
    pub aside: Aside,
    /// Whether the clock is believed.
    pub timekeeper: Timekeeper,
    /// Whether what is done once for a school is done here.
    pub duty: Duty,
}

impl Upkeep {
    /// This moment, on both clocks.
    #[must_use]
    pub fn now(&self) -> (Wall, Mono) {
        (self.clock.wall(), self.clock.mono())
    }

    /// What came of `work` that the hub does by itself; what failed is noted, and its next turn is
    /// the retry.
    pub fn tried<T>(&self, work: &'static str, done: Result<T, Error>) -> Option<T> {
        match done {
            Ok(done) => {
                self.aside.done(AsideKind::Work, work);
                Some(done)
            }
            Err(error) => {
                self.aside.failed(AsideKind::Work, work, &error, self.now());
                None
            }
        }
    }

    /// The same for one thing of many. A store that is busy or full is not its fault: it waits for
    /// the next turn like all others.
    ///
    /// # Errors
    /// What the store said.
    pub fn one<T>(
        &self,
        what: AsideKind,
        id: &str,
        done: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match done {
            Ok(done) => {
                self.aside.done(what, id);
                Ok(Some(done))
            }
            Err(error) if is_passing(&error) => Err(error),
            Err(error) => {
                self.aside.failed(what, id, &error, self.now());
                Ok(None)
            }
        }
    }

    /// Whether work that failed may be tried again.
    #[must_use]
    pub fn is_due(&self, what: AsideKind, id: &str) -> bool {
        self.aside.is_due(what, id, self.clock.mono())
    }

    /// The leap that keeps what cannot be undone from being done now, if there is one.
    ///
    /// # Errors
    /// When the database fails; then nothing should be done that cannot be undone.
    pub async fn leap(&self) -> Result<Option<Leap>, Error> {
        timekeeper::leap(&self.db, &self.timekeeper, self.now()).await
    }

    /// Whether this hub does what is done once for a school, and not another one.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.duty.is_ours()
    }

    /// Whether the clock is believed, so that what cannot be undone may be done.
    pub async fn is_believed(&self) -> bool {
        let leap = self.tried("looking after the clock", self.leap().await);
        leap.is_some_and(|leap| leap.is_none())
    }
}

/// Waits for so long, or until `stop`. Who waits still turns.
pub async fn rest(how_long: Duration, beat: &Beat, stop: &CancellationToken) {
    let ends = Instant::now() + how_long;
    while Instant::now() < ends && !stop.is_cancelled() {
        beat.turn();
        let next = ends.min(Instant::now() + TURN);
        stop.run_until_cancelled(tokio::time::sleep_until(next)).await;
    }
}
