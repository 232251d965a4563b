//! Takes a burst: the frames that come after somebody asked, each handed on as it comes.

use super::shots::{Shots, Source};
use crate::capture::{Frame, Ring};
use crate::pulse::Beat;
use crate::report::Report;
use crate::status::Counters;
use std::{
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use wire::Mono;

/// Questions that may wait while a burst is taken; one more is dropped, since the burst under
/// way answers it as well as another would.
const ASKS: usize = 4;
/// How long frames are waited for: a camera that sends fewer is nearly blind.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a waiting loop turns.
const TURN: Duration = Duration::from_millis(500);

/// Why the door looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A GPIO line.
    Button,
    /// The interval has passed.
    Timer,
    /// Something moved.
    Motion,
    /// A technician or the hub asked.
    Snap,
    /// A picture of a list was shown.
    Picture,
}

/// The wish for a burst.
#[derive(Debug)]
pub struct Ask {
    /// Why.
    pub cause: Cause,
    /// When: only later frames count …
    pub at: Mono,
    /// … and those of so many milliseconds before, if nobody has looked at them.
    pub before_ms: u64,
    /// Who wants to hear what came of it.
    pub reply: Option<oneshot::Sender<Report>>,
}

impl Ask {
    /// The wish for frames taken after `at`, of which nobody wants to hear.
    #[must_use]
    pub fn new(cause: Cause, at: Mono) -> Self {
        Self { cause, at, before_ms: 0, reply: None }
    }
}

/// The queue of questions.
#[must_use]
pub fn asking() -> (SyncSender<Ask>, Receiver<Ask>) {
    sync_channel(ASKS)
}

/// Which frames make a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Frames in it.
    pub frames: usize,
    /// Time from one of them to the next, at least.
    pub spacing_ms: u64,
}

/// Turns questions into bursts.
pub struct Shutter {
    /// Where the frames are.
    pub ring: Arc<Ring>,
    /// Which frames.
    pub pace: Pace,
    /// Counts what is dropped.
    pub counters: Arc<Counters>,
    /// Turned even while nobody asks.
    pub beat: Beat,
    shots: Source,
}

impl Shutter {
    /// A shutter and the queue its frames go to.
    #[must_use]
    pub fn new(
        ring: Arc<Ring>,
        pace: Pace,
        counters: Arc<Counters>,
        beat: Beat,
    ) -> (Self, Arc<Shots>) {
        let shots = Shots::new(counters.clone());
        (Self { ring, pace, counters, beat, shots: Source(shots.clone()) }, shots)
    }

    /// Runs until every asker is gone. Blocking.
    pub fn run(self, asks: &Receiver<Ask>) {
        let mut covered = Mono(0);
        loop {
            match asks.recv_timeout(TURN) {
                // Asked while the last burst was being taken: it has been answered.
                Ok(ask) if ask.at <= covered && ask.reply.is_none() => self.count(ask.cause),
                Ok(ask) => {
                    self.count(ask.cause);
                    covered = self.take(ask, covered).unwrap_or(covered);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.beat.turn();
        }
    }

    /// Each frame of the ring is a burst of its own, and none is dropped: for pictures. Runs until
    /// `stopped` says so. Blocking.
    pub fn each(self, stopped: impl Fn() -> bool) {
        let mut number = 0;
        while !stopped() {
            self.beat.turn();
            let Some((next, frame)) = self.ring.next(number, TURN) else { continue };
            number = next;
            self.count(Cause::Picture);
            self.counters.bursts.fetch_add(1, Relaxed);
            self.shots.0.begin(Ask::new(Cause::Picture, frame.at));
            self.shots.0.push(frame);
            self.shots.0.end();
            while !self.shots.0.settle(TURN) && !stopped() {
                self.beat.turn();
            }
        }
    }

    /// What a person far away asks for says nothing about the triggers.
    fn count(&self, cause: Cause) {
        self.counters.triggered.fetch_add(u64::from(cause != Cause::Snap), Relaxed);
    }

    /// Hands on the frames that answer a question, but none of up to `covered`. When the last of
    /// them was taken, if any was.
    fn take(&self, ask: Ask, covered: Mono) -> Option<Mono> {
        self.counters.bursts.fetch_add(1, Relaxed);
        let deadline = Instant::now() + PATIENCE;
        let mut due = Mono(ask.at.0.saturating_sub(ask.before_ms).max(covered.0 + 1));
        let (mut number, mut taken) = (0, 0);
        let mut last: Option<Arc<Frame>> = None;
        self.shots.0.begin(ask);
        while taken < self.pace.frames {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some((next, frame)) = self.ring.next(number, left) else { break };
            number = next;
            if frame.at < due {
                continue;
            }
            if last.as_ref().is_some_and(|last| frame.is_copy_of(last)) {
                self.counters.copied_frames.fetch_add(1, Relaxed);
                continue;
            }
            due = Mono(frame.at.0 + self.pace.spacing_ms);
            taken += 1;
            last = Some(frame.clone());
            self.shots.0.push(frame);
        }
        self.shots.0.end();
        self.counters.empty_bursts.fetch_add(u64::from(taken == 0), Relaxed);
        last.map(|frame| frame.at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shots::Shot;
    use super::*;
    use crate::capture::Pixels;

    fn shutter() -> (Shutter, Arc<Shots>) {
        let pace = Pace { frames: 3, spacing_ms: 100 };
        Shutter::new(Arc::default(), pace, Arc::default(), Beat::default())
    }

    fn frame(at: u64) -> Frame {
        Frame::new(Mono(at), Pixels::Encoded(at.to_be_bytes().to_vec()))
    }

    fn ask(at: u64) -> Ask {
        Ask::new(Cause::Button, Mono(at))
    }

    /// When the frames of each burst were taken, all that is in the queue.
    fn bursts(shots: &Shots) -> Vec<Vec<u64>> {
        let (mut bursts, mut burst) = (Vec::new(), Vec::new());
        while let Ok(shot) = shots.next(Duration::ZERO) {
            match shot {
                Shot::Look(frame, _) => burst.push(frame.at.0),
                Shot::Done(..) => bursts.push(std::mem::take(&mut burst)),
            }
        }
        bursts
    }

    #[test]
    fn a_burst_holds_frames_taken_after_the_question_well_apart() {
        let (shutter, shots) = shutter();
        [100, 900, 1_000, 1_050, 1_100, 1_300]
            .into_iter()
            .for_each(|at| shutter.ring.push(frame(at)));
        assert_eq!(shutter.take(ask(950), Mono(0)), Some(Mono(1_300)));
        assert_eq!(bursts(&shots), [[1_000, 1_100, 1_300]]);
    }

    #[test]
    fn frames_from_just_before_the_question_count_if_nobody_looked_at_them() {
        let (shutter, shots) = shutter();
        [100, 400, 600, 800, 1_000].into_iter().for_each(|at| shutter.ring.push(frame(at)));
        let barrier = || Ask { before_ms: 500, ..ask(1_000) };
        shutter.take(barrier(), Mono(0));
        assert_eq!(bursts(&shots), [[600, 800, 1_000]]);
        shutter.ring.push(frame(1_200));
        shutter.ring.push(frame(1_400));
        shutter.take(barrier(), Mono(800));
        assert_eq!(bursts(&shots), [[1_000, 1_200, 1_400]]);
    }

    #[test]
    fn a_picture_that_is_repeated_counts_once() {
        let (shutter, shots) = shutter();
        for (at, picture) in [(10, 1), (110, 1), (210, 1), (310, 2), (410, 3)] {
            shutter.ring.push(Frame { at: Mono(at), ..frame(picture) });
        }
        shutter.take(ask(5), Mono(0));
        assert_eq!(bursts(&shots), [[10, 310, 410]]);
        assert_eq!(shutter.counters.copied_frames.load(Relaxed), 2);
    }

    #[test]
    fn a_question_asked_during_a_burst_is_answered_by_it() {
        let (shutter, shots) = shutter();
        [10, 110, 210, 310].into_iter().for_each(|at| shutter.ring.push(frame(at)));
        let (asks, asked) = asking();
        asks.send(ask(5)).unwrap();
        asks.send(ask(150)).unwrap();
        asks.send(Ask { cause: Cause::Snap, ..ask(160) }).unwrap();
        drop(asks);
        let counters = shutter.counters.clone();
        shutter.run(&asked);
        assert_eq!(bursts(&shots), [[10, 110, 210]]);
        assert_eq!(counters.triggered.load(Relaxed), 2, "a look from afar is no trigger");
    }
}
