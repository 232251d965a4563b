//! Follows what the hub offers while the daemon runs: gets it, and lets the next start try it; and
//! watches over the trial if this process is one.

use super::book::{Able, Answer, Book, Here, LIVED_MS};
use super::launch::Role;
use super::shelf::{Shelf, ShelfError};
use super::trial::{Facts, Trial, Verdict};
use crate::fetch::Fetch;
use crate::link::Backoff;
use crate::status::Say;
use anyhow::bail;
use rand::rngs::StdRng;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::program::{Offer, Program, Progress, Step, WHY_BYTES};
use wire::{Clock, Mono, record::CameraState};

/// How often a trial, or a door at which a program waits, is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After this it begins anyway: at a door where somebody always comes by.
const LATEST_MS: u64 = 6 * 3_600_000;

/// Everything the door's program is looked after with.
pub struct Updater {
    /// What this process runs.
    pub role: Role,
    /// Where programs lie.
    pub shelf: Shelf,
    /// What this unit is.
    pub here: Here,
    /// For how long a new one must be well, milliseconds.
    pub steady_ms: u64,
    /// For how long nobody must have come by before it is started, milliseconds: then the second
    /// without a daemon misses nobody.
    pub quiet_ms: u64,
    /// What the hub offers.
    pub offers: watch::Receiver<Option<Offer>>,
    /// What it is told.
    pub progress: watch::Sender<Option<Progress>>,
    /// Whether it hears.
    pub online: watch::Receiver<bool>,
    /// Asks the hub.
    pub fetch: Fetch,
    /// How the daemon is.
    pub say: Say,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Spreads what doors ask for.
    pub rng: StdRng,
}

impl Updater {
    /// Works until `stop`.
    ///
    /// # Errors
    /// When a new program is to be started, or this one did not prove itself.
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let worked = stop.run_until_cancelled(self.work()).await;
        worked.unwrap_or(Ok(()))
    }

    async fn work(&mut self) -> anyhow::Result<()> {
        let mut book = self.shelf.book();
        if self.role == Role::Trial {
            self.trial(&mut book).await?;
        }
        self.shelf.tidy(&book);
        let lived = tokio::time::sleep(Duration::from_millis(LIVED_MS));
        let mut lived = std::pin::pin!(lived);
        loop {
            let offer = self.offers.borrow_and_update().clone();
            let followed = async {
                match offer {
                    Some(offer) => self.follow(&offer, &mut book).await,
                    None => Ok(()),
                }
            };
            followed.await?;
            let mut offers = self.offers.clone();
            tokio::select! {
                changed = offers.changed() => {
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                () = &mut lived, if !lived.is_elapsed() => self.lived(&mut book),
            }
        }
    }

    /// This program has run for long: it does not fall over.
    fn lived(&self, book: &mut Book) {
        if self.role != Role::Own
            && book.lived()
            && let Err(error) = self.shelf.keep(book)
        {
            tracing::warn!(%error, "that this program lives cannot be written down");
        }
    }

    /// Until this program has proven itself.
    async fn trial(&mut self, book: &mut Book) -> anyhow::Result<()> {
        let Some((_, able, rollout)) = book.trial() else { return Ok(()) };
        self.tell(rollout, Step::Trial, "");
        let mut trial = Trial::new(self.clock.mono(), able, self.steady_ms);
        loop {
            tokio::time::sleep(LOOK).await;
            match trial.look(self.facts(), self.clock.mono()) {
                Verdict::Open => {}
                Verdict::Proven => break,
                Verdict::Failed(why) => {
                    book.refuse(why);
                    // Else the next start is counted, and so the last.
                    let _counted = self.shelf.keep(book);
                    bail!("this program did not prove itself ({why}): the one before begins again");
                }
            }
        }
        book.settle();
        self.keep(book, rollout, Step::Trial).await;
        tracing::info!("this program has proven itself");
        self.tell(rollout, Step::Settled, "");
        Ok(())
    }

    fn facts(&self) -> Facts {
        let status = (self.say)();
        Facts {
            online: *self.online.borrow(),
            frames: status.camera_frames,
            keeps: status.outbox_trouble.is_empty(),
            knows: status.people > 0 && status.gallery_trouble.is_empty(),
        }
    }

    /// What the door can do now.
    fn able(&self) -> Able {
        let status = (self.say)();
        Able { sees: status.camera == CameraState::Watching, knows: status.people > 0 }
    }

    /// Writes `book` down, however long the disk takes nothing: the daemon goes on meanwhile.
    async fn keep(&mut self, book: &Book, rollout: u32, step: Step) {
        let mut backoff = Backoff::default();
        while let Err(error) = self.shelf.keep(book) {
            self.tell(rollout, step, &format!("it cannot be written down: {error}"));
            let pause = backoff.failed(self.clock.mono(), &mut self.rng);
            tokio::time::sleep(pause.max(LOOK)).await;
        }
    }

    /// Does what follows from `offer`, until it is done or another one comes.
    async fn follow(&mut self, offer: &Offer, book: &mut Book) -> anyhow::Result<()> {
        let program = match book.answer(offer, &self.here) {
            Answer::Fetch(program) => program,
            Answer::Rest(step, why) => {
                self.tell(offer.rollout, step, &why);
                return Ok(());
            }
        };
        self.tell(offer.rollout, Step::Fetching, "");
        let mut offers = self.offers.clone();
        tokio::select! {
            () = self.get(offer.rollout, &program) => {}
            _ = offers.changed() => return Ok(()),
        }
        self.tell(offer.rollout, Step::Waiting, "");
        tokio::select! {
            () = self.quiet() => {}
            _ = offers.changed() => return Ok(()),
        }
        let mut staged = book.clone();
        staged.stage(offer, self.able());
        tokio::select! {
            () = self.keep(&staged, offer.rollout, Step::Waiting) => {}
            _ = offers.changed() => return Ok(()),
        }
        bail!("version {} is here and is tried now", program.version)
    }

    /// Until the program is here, however often that fails.
    async fn get(&mut self, rollout: u32, program: &Program) {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.shelf.fetch(program, &self.fetch).await {
                Ok(()) => return,
                Err(error) => error,
            };
            if !matches!(&error, ShelfError::Fetch(_)) {
                tracing::warn!(%error, "version {} is not here", program.version);
            }
            self.tell(rollout, Step::Fetching, &error.to_string());
            let pause = backoff.failed(self.clock.mono(), &mut self.rng);
            tokio::time::sleep(pause).await;
        }
    }

    /// Until nobody has come by for a while.
    async fn quiet(&self) {
        let began = self.clock.mono();
        let mut last = (self.passed(), began);
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.clock.mono();
            let passed = self.passed();
            if passed != last.0 {
                last = (passed, now);
            }
            if is_time(began, (last.1, self.quiet_ms), now) {
                return;
            }
        }
    }

    /// What counts up while somebody is at the door.
    fn passed(&self) -> (u64, u64) {
        let counts = (self.say)().counts;
        (counts.faces, counts.triggered)
    }

    fn tell(&self, rollout: u32, step: Step, why: &str) {
        let running = self.shelf.runs().and_then(|name| blake3::Hash::from_hex(name).ok());
        let end = why.floor_char_boundary(WHY_BYTES);
        self.progress.send_replace(Some(Progress {
            // A door that trusts nobody runs no program of the hub.
            machine: self.here.machine.filter(|_| self.here.signer.is_some()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: running.map(|hash| *hash.as_bytes()),
            rollout,
            step,
            why: why[..end].to_owned(),
        }));
    }
}

/// Whether the door may be without its daemon for a moment.
fn is_time(began: Mono, (passed, quiet_ms): (Mono, u64), now: Mono) -> bool {
    now.since(passed) >= quiet_ms || now.since(began) >= LATEST_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_waits_until_nobody_came_by_for_a_while_and_not_for_ever() {
        let began = Mono(0);
        let passed = (Mono(600_000), 20_000);
        assert!(!is_time(began, passed, Mono(610_000)));
        assert!(is_time(began, passed, Mono(620_000)));
        let busy = (Mono(LATEST_MS - 1_000), 20_000);
        assert!(is_time(began, busy, Mono(LATEST_MS)));
    }
}
