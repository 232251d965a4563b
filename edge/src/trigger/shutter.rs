//! Gathers a burst: the frames taken after somebody asked.
//!
//! The queue of bursts is bounded and may drop: the recogniser is busy with people who came
//! earlier, and what is dropped is counted.

use crate::capture::{Frame, Ring};
use crate::pulse::Beat;
use crate::report::Report;
use crate::status::Counters;
use std::{
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use wire::Mono;

/// Questions that may wait while a burst is gathered; one more is dropped, since the burst under
/// way answers it as well as another would.
const ASKS: usize = 4;
/// Bursts that may wait for the recogniser; one more is dropped and counted.
const BURSTS: usize = 4;
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
    /// When: only later frames count.
    pub at: Mono,
    /// Who wants to hear what came of it.
    pub reply: Option<oneshot::Sender<Report>>,
}

/// Frames taken after one question.
#[derive(Debug)]
pub struct Burst {
    /// Why they were taken.
    pub cause: Cause,
    /// When they were asked for.
    pub asked: Mono,
    /// Oldest first; empty only if somebody waits for the reply.
    pub frames: Vec<Arc<Frame>>,
    /// Who wants to hear what came of it.
    pub reply: Option<oneshot::Sender<Report>>,
}

impl Burst {
    /// Whether the passage begins and ends with this burst, so that nothing of it is joined to
    /// what came before or comes after.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cause == Cause::Picture
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
    bursts: SyncSender<Burst>,
}

impl Shutter {
    /// A shutter and the queue its bursts go to.
    #[must_use]
    pub fn new(
        ring: Arc<Ring>,
        pace: Pace,
        counters: Arc<Counters>,
        beat: Beat,
    ) -> (Self, Receiver<Burst>) {
        let (bursts, queue) = sync_channel(BURSTS);
        (Self { ring, pace, counters, beat, bursts }, queue)
    }

    /// Runs until every asker is gone. Blocking.
    pub fn run(self, asks: &Receiver<Ask>) {
        let mut covered = Mono(0);
        loop {
            match asks.recv_timeout(TURN) {
                // Asked while the last burst was being gathered: it has been answered.
                Ok(ask) if ask.at <= covered && ask.reply.is_none() => self.count(ask.cause),
                Ok(ask) => {
                    self.count(ask.cause);
                    let burst = self.gather(ask);
                    covered = burst.frames.last().map_or(covered, |frame| frame.at);
                    if !self.send(burst) {
                        return;
                    }
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
            let asked = frame.at;
            let frames = vec![frame];
            let burst = Burst { cause: Cause::Picture, asked, frames, reply: None };
            if self.bursts.send(burst).is_err() {
                return;
            }
        }
    }

    /// What a person far away asks for says nothing about the triggers.
    fn count(&self, cause: Cause) {
        self.counters.triggered.fetch_add(u64::from(cause != Cause::Snap), Relaxed);
    }

    fn gather(&self, ask: Ask) -> Burst {
        let Ask { cause, at, reply } = ask;
        let deadline = Instant::now() + PATIENCE;
        let mut frames = Vec::<Arc<Frame>>::new();
        let mut number = 0;
        while frames.len() < self.pace.frames {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some((next, frame)) = self.ring.next(number, left) else { break };
            number = next;
            let due = frames.last().map_or(at, |last| Mono(last.at.0 + self.pace.spacing_ms));
            if frame.at >= due {
                frames.push(frame);
            }
        }
        Burst { cause, asked: at, frames, reply }
    }

    /// False when the recogniser is gone.
    fn send(&self, burst: Burst) -> bool {
        self.counters.bursts.fetch_add(1, Relaxed);
        if burst.frames.is_empty() {
            self.counters.empty_bursts.fetch_add(1, Relaxed);
            if burst.reply.is_none() {
                return true;
            }
        }
        match self.bursts.try_send(burst) {
            Ok(()) => true,
            Err(TrySendError::Full(burst)) => {
                self.counters.dropped_bursts.fetch_add(1, Relaxed);
                tracing::warn!(cause = ?burst.cause, "recognition is behind: dropped a burst");
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Pixels;

    fn shutter() -> (Shutter, Receiver<Burst>) {
        let pace = Pace { frames: 3, spacing_ms: 100 };
        Shutter::new(Arc::default(), pace, Arc::default(), Beat::default())
    }

    fn frame(at: u64) -> Frame {
        Frame { at: Mono(at), pixels: Pixels::Encoded(vec![]) }
    }

    fn ask(at: u64) -> Ask {
        Ask { cause: Cause::Button, at: Mono(at), reply: None }
    }

    #[test]
    fn a_burst_holds_frames_taken_after_the_question_well_apart() {
        let (shutter, _queue) = shutter();
        [100, 900, 1_000, 1_050, 1_100, 1_300]
            .into_iter()
            .for_each(|at| shutter.ring.push(frame(at)));
        let burst = shutter.gather(ask(950));
        assert_eq!(burst.frames.iter().map(|f| f.at.0).collect::<Vec<_>>(), [1_000, 1_100, 1_300]);
    }

    #[test]
    fn when_the_recogniser_is_behind_bursts_are_dropped_and_counted() {
        let (shutter, queue) = shutter();
        let burst = || Burst {
            cause: Cause::Motion,
            asked: Mono(0),
            frames: vec![Arc::new(frame(1))],
            reply: None,
        };
        assert!((0..BURSTS + 3).all(|_| shutter.send(burst())));
        assert_eq!(shutter.counters.dropped_bursts.load(Relaxed), 3);
        drop(queue);
        assert!(!shutter.send(burst()), "the recogniser is gone");
    }

    #[test]
    fn a_question_asked_during_a_burst_is_answered_by_it() {
        let (shutter, queue) = shutter();
        [10, 110, 210, 310].into_iter().for_each(|at| shutter.ring.push(frame(at)));
        let (asks, asked) = asking();
        asks.send(ask(5)).unwrap();
        asks.send(ask(150)).unwrap();
        asks.send(Ask { cause: Cause::Snap, ..ask(160) }).unwrap();
        drop(asks);
        let counters = shutter.counters.clone();
        shutter.run(&asked);
        assert_eq!(queue.iter().count(), 1);
        assert_eq!(counters.triggered.load(Relaxed), 2, "a look from afar is no trigger");
    }
}
