//! The rounds the hub makes of itself, twice a second: what the command line changed in people and
//! doors, leases that end, lessons ahead, pictures to be forgotten.

use crate::events::{Event, Events};
use crate::gallery::Galleries;
use crate::hubs::Hubs;
use crate::lessons::upkeep::LessonUpkeep;
use crate::online::Online;
use crate::snaps::Snaps;
use crate::tails::Tails;
use crate::upkeep::Upkeep;
use rules::care::AsideKind;
use rules::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::change::ChangeCounts;
use store::{Tx, device};
use tokio_util::sync::CancellationToken;
use wire::Mono;
use wire::pulse::Beat;

/// How often changes made by another process are looked for.
const POLL: Duration = Duration::from_millis(500);
/// How often leases of galleries and the lessons ahead are looked at: each hour.
const HOUR_MS: u64 = 3_600_000;

/// What goes the rounds; cheap to clone.
#[derive(Clone)]
pub struct Rounds {
    /// What makes lessons.
    pub lessons: LessonUpkeep,
    /// What makes galleries.
    pub galleries: Galleries,
    /// Pictures that doors showed.
    pub snaps: Snaps,
    /// What doors logged, when somebody asked.
    pub tails: Tails,
    /// This hub, among others.
    pub hubs: Hubs,
    /// Which doors are connected.
    pub online: Online,
    /// Who is told.
    pub events: Events,
    /// What fails is tried again.
    pub upkeep: Upkeep,
    /// Whether doors that were connected before the start are noted as gone.
    pub gone_noted: Arc<AtomicBool>,
}

/// What earlier rounds did.
struct RoundsDone {
    seen: Option<ChangeCounts>,
    followed: Mono,
    lessons: Option<Mono>,
}

impl Rounds {
    /// Goes the rounds until `stop`; what doors are told follows the releases
    /// ([`crate::device::follow`]).
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        // Between the first galleries and this moment another hub may have changed something.
        let seen = if self.hubs.is_alone() { self.changes().await } else { None };
        let mut done = RoundsDone { seen, followed: self.upkeep.clock.mono(), lessons: None };
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            beat.turn();
            self.snaps.sweep(self.upkeep.clock.mono());
            self.tails.sweep(self.upkeep.clock.mono());
            if !self.gone_noted.load(Ordering::Relaxed) {
                self.note_gone().await;
            }
            self.make_lessons(&mut done).await;
            self.make_galleries(&mut done).await;
        }
        Ok(())
    }

    /// Notes that doors which were connected before the start are gone; what fails is tried again
    /// on the next round.
    pub async fn note_gone(&self) {
        if !self.upkeep.is_due(AsideKind::Work, "noting doors that are gone") {
            return;
        }
        let (hub, connected) = (self.hubs.name().to_owned(), self.online.all());
        let note = move |tx: &Tx<'_>| device::offline_at(tx, &hub, &connected);
        let noted = self.upkeep.db.write_behind(note).await;
        let done = self.upkeep.tried("noting doors that are gone", noted);
        self.gone_noted.store(done.is_some(), Ordering::Relaxed);
    }

    async fn make_lessons(&self, done: &mut RoundsDone) {
        let now = self.upkeep.clock.mono();
        let due = done.lessons.is_none_or(|at| now.since(at) > HOUR_MS);
        if due && self.upkeep.is_ours() && self.upkeep.is_due(AsideKind::Work, "making lessons") {
            let made = self.upkeep.tried("making lessons", self.lessons.make().await);
            done.lessons = made.map(|()| now).or(done.lessons);
        }
    }

    async fn make_galleries(&self, done: &mut RoundsDone) {
        let now = self.upkeep.clock.mono();
        let seen = self.changes().await;
        let changed = seen.is_some() && seen != done.seen;
        let due = changed || now.since(done.followed) > HOUR_MS;
        if due && self.upkeep.is_due(AsideKind::Work, "making galleries") {
            let made = self.galleries.follow().await;
            if self.upkeep.tried("making galleries", made).is_some() {
                done.seen = seen;
                done.followed = now;
                self.events.say(Event::GalleryChanged);
            }
        }
    }

    async fn changes(&self) -> Option<ChangeCounts> {
        let read = self.upkeep.db.read(store::change::read).await;
        self.upkeep.tried("noticing changes", read)
    }
}
