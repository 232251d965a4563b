//! The queue from the shutter to the recogniser: frame by frame, while their burst still comes.
//!
//! It is bounded and may drop: where the recogniser is behind, the oldest frame that waits goes
//! first, since whoever is on it has had other looks or will not come again; each is counted.

use super::{Ask, Cause};
use crate::capture::Frame;
use crate::report::Report;
use crate::status::Counters;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use vision::decide::FUSED;
use wire::Mono;

/// Frames that may wait: some five bursts, a few megabytes.
const FRAMES: usize = 24;
/// Bursts that may wait, with frames or without.
const BURSTS: usize = 16;
/// Frames that are looked at after the shutter is gone: the daemon stops, and nobody waits longer.
const LAST: usize = 5;

/// What the recogniser does next.
#[derive(Debug)]
pub enum Shot {
    /// Look at a frame.
    Look(Arc<Frame>, Burst),
    /// Say what came of the frames of a burst; nothing more comes of it.
    Done(Burst, Option<oneshot::Sender<Report>>),
}

/// What is known of a burst while its frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Why it was taken.
    pub cause: Cause,
    /// When it was asked for.
    pub asked: Mono,
    /// Whether somebody waits to hear what came of it.
    pub told: bool,
    /// Frames handed out so far.
    pub frames: usize,
    /// Frames dropped so far.
    pub dropped: usize,
}

impl Burst {
    /// One that nobody has looked at.
    #[must_use]
    pub fn new(cause: Cause, asked: Mono) -> Self {
        Self { cause, asked, told: false, frames: 0, dropped: 0 }
    }

    /// Whether the passage begins and ends with this burst, so that nothing of it is joined to
    /// what came before or comes after.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cause == Cause::Picture
    }
}

/// A burst in the queue.
struct Waiting {
    burst: Burst,
    frames: VecDeque<Arc<Frame>>,
    reply: Option<oneshot::Sender<Report>>,
    has_ended: bool,
}

#[derive(Default)]
struct Queue {
    /// Oldest first; the recogniser is at the first.
    bursts: VecDeque<Waiting>,
    is_closed: bool,
}

/// The queue, shared by shutter and recogniser.
#[derive(Default)]
pub struct Shots {
    queue: Mutex<Queue>,
    changed: Condvar,
    counters: Arc<Counters>,
}

/// Closes the queue when the shutter is gone.
pub struct Source(pub Arc<Shots>);

impl Drop for Source {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        self.0.trim(&mut queue, LAST);
        self.0.changed.notify_all();
    }
}

impl Shots {
    /// An empty queue that counts what it drops.
    #[must_use]
    pub fn new(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { counters, ..Self::default() })
    }

    /// A burst begins: its frames follow.
    pub fn begin(&self, ask: Ask) {
        let Ask { cause, at, reply, .. } = ask;
        let burst = Burst { told: reply.is_some(), ..Burst::new(cause, at) };
        let mut queue = self.lock();
        queue.bursts.push_back(Waiting { burst, frames: VecDeque::new(), reply, has_ended: false });
        // Never the first: the recogniser is at it.
        while queue.bursts.len() > BURSTS {
            let lost = queue.bursts.remove(1).map_or(0, |waiting| waiting.frames.len());
            self.counters.dropped_frames.fetch_add(lost as u64, Relaxed);
            self.counters.dropped_bursts.fetch_add(1, Relaxed);
        }
    }

    /// The next frame of the burst that began last.
    pub fn push(&self, frame: Arc<Frame>) {
        let mut queue = self.lock();
        let Some(last) = queue.bursts.back_mut() else { return };
        last.frames.push_back(frame);
        self.trim(&mut queue, FRAMES);
        self.changed.notify_all();
    }

    /// Drops the oldest frames until no more than `most` wait.
    fn trim(&self, queue: &mut Queue, most: usize) {
        while queue.frames() > most {
            queue.drop_oldest();
            self.counters.dropped_frames.fetch_add(1, Relaxed);
        }
    }

    /// The burst that began last is complete.
    pub fn end(&self) {
        if let Some(last) = self.lock().bursts.back_mut() {
            last.has_ended = true;
        }
        self.changed.notify_all();
    }

    /// Waits until nothing waits here, or `limit` has passed: for those who drop nothing.
    pub fn settle(&self, limit: Duration) -> bool {
        let queue = self.lock();
        let busy = |queue: &mut Queue| !queue.bursts.is_empty();
        let waited = self.changed.wait_timeout_while(queue, limit, busy);
        waited.unwrap_or_else(PoisonError::into_inner).0.bursts.is_empty()
    }

    /// What to do next, waited for until `limit`.
    ///
    /// # Errors
    /// When nothing came, or nothing will come any more.
    pub fn next(&self, limit: Duration) -> Result<Shot, Nothing> {
        let deadline = Instant::now() + limit;
        let mut queue = self.lock();
        loop {
            if let Some(shot) = queue.take() {
                self.changed.notify_all();
                self.count(&shot);
                return Ok(shot);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if queue.is_closed {
                return Err(Nothing::Ever);
            }
            if left.is_zero() {
                return Err(Nothing::Now);
            }
            let waited = self.changed.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A burst of which less was looked at than a fused look needs says little about who passed.
    fn count(&self, shot: &Shot) {
        let Shot::Done(burst, _) = shot else { return };
        if burst.dropped == 0 {
            return;
        }
        let is_lost = burst.frames < usize::from(FUSED);
        self.counters.dropped_bursts.fetch_add(is_lost.into(), Relaxed);
        let Burst { cause, frames, dropped, .. } = burst;
        tracing::warn!(?cause, frames, dropped, "recognition is behind: dropped frames of a burst");
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// Nothing came yet.
    Now,
    /// The shutter is gone.
    Ever,
}

impl Queue {
    fn frames(&self) -> usize {
        self.bursts.iter().map(|waiting| waiting.frames.len()).sum()
    }

    fn drop_oldest(&mut self) {
        if let Some(waiting) = self.bursts.iter_mut().find(|waiting| !waiting.frames.is_empty()) {
            waiting.frames.pop_front();
            waiting.burst.dropped += 1;
        }
    }

    /// A frame of the first burst; when there is none and none will come, its end. What began is
    /// ended by whatever begins after it, or by the end of all.
    fn take(&mut self) -> Option<Shot> {
        let is_over = self.bursts.len() > 1 || self.is_closed;
        let first = self.bursts.front_mut()?;
        if let Some(frame) = first.frames.pop_front() {
            first.burst.frames += 1;
            return Some(Shot::Look(frame, first.burst));
        }
        if !first.has_ended && !is_over {
            return None;
        }
        let Waiting { burst, reply, .. } = self.bursts.pop_front()?;
        Some(Shot::Done(burst, reply))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Pixels;
    use proptest::prelude::*;

    fn frame(at: u64) -> Arc<Frame> {
        Arc::new(Frame::new(Mono(at), Pixels::Encoded(vec![])))
    }

    fn ask(at: u64) -> Ask {
        Ask::new(Cause::Motion, Mono(at))
    }

    fn next(shots: &Shots) -> Result<Shot, Nothing> {
        shots.next(Duration::ZERO)
    }

    #[test]
    fn a_frame_is_handed_out_before_its_burst_is_complete() {
        let shots = Shots::new(Arc::default());
        shots.begin(ask(5));
        assert_eq!(next(&shots).unwrap_err(), Nothing::Now);
        shots.push(frame(10));
        assert!(matches!(next(&shots), Ok(Shot::Look(frame, _)) if frame.at == Mono(10)));
        assert_eq!(next(&shots).unwrap_err(), Nothing::Now, "more of it may come");
        shots.end();
        assert!(matches!(next(&shots), Ok(Shot::Done(burst, None)) if burst.frames == 1));
        drop(Source(shots.clone()));
        assert_eq!(next(&shots).unwrap_err(), Nothing::Ever);
    }

    #[test]
    fn where_the_recogniser_is_behind_the_oldest_frame_goes_and_is_counted() {
        let shots = Shots::new(Arc::default());
        for burst in 0..4 {
            shots.begin(ask(burst * 100));
            (0..8).for_each(|n| shots.push(frame(burst * 100 + n)));
            shots.end();
        }
        assert_eq!(shots.counters.dropped_frames.load(Relaxed), 8);
        let Ok(Shot::Done(first, None)) = next(&shots) else { panic!("all of it was dropped") };
        assert_eq!((first.frames, first.dropped), (0, 8));
        assert_eq!(shots.counters.dropped_bursts.load(Relaxed), 1);
        assert!(matches!(next(&shots), Ok(Shot::Look(frame, _)) if frame.at == Mono(100)));
    }

    #[test]
    fn a_burst_of_which_too_little_was_looked_at_counts_as_dropped() {
        let shots = Shots::new(Arc::default());
        for burst in 0..40 {
            shots.begin(ask(burst));
            (0..5).for_each(|n| shots.push(frame(burst * 10 + n)));
            shots.end();
            // Two frames in the time of five: what is handed out is ever more of what is left.
            (0..2).for_each(|_| drop(next(&shots)));
        }
        let counts = shots.counters.read();
        assert!(counts.dropped_frames > 80, "{counts:?}");
        assert!(counts.dropped_bursts * 10 > 40, "{counts:?}: the hub must hear of it");
    }

    #[test]
    fn at_the_end_only_the_newest_frames_are_looked_at_and_the_rest_is_counted() {
        let shots = Shots::new(Arc::default());
        shots.begin(ask(0));
        (0..20).for_each(|n| shots.push(frame(n)));
        drop(Source(shots.clone()));
        assert!(matches!(next(&shots), Ok(Shot::Look(frame, _)) if frame.at == Mono(15)));
        assert_eq!(shots.counters.dropped_frames.load(Relaxed), 15);
    }

    #[test]
    fn a_recogniser_that_stands_still_costs_no_more_memory_with_time() {
        let shots = Shots::new(Arc::default());
        for burst in 0..1_000 {
            shots.begin(ask(burst));
            shots.push(frame(burst));
            shots.end();
        }
        let queue = shots.lock();
        assert!(queue.bursts.len() == BURSTS && queue.frames() <= FRAMES);
        let counters = &shots.counters;
        assert_eq!(counters.dropped_bursts.load(Relaxed), 1_000 - BURSTS as u64);
    }

    proptest! {
        /// Whatever is pushed is handed out in order, or dropped and counted.
        #[test]
        fn no_frame_is_lost_uncounted(
            acts in prop::collection::vec((0u8..4, 0u8..3), 0..300),
        ) {
            let shots = Shots::new(Arc::default());
            let (mut pushed, mut at, mut got, mut said) = (0u64, 0, Vec::new(), 0u64);
            shots.begin(ask(0));
            for (act, _) in acts {
                match act {
                    0 => { shots.end(); shots.begin(ask(at)); }
                    1 | 2 => { at += 1; pushed += 1; shots.push(frame(at)); }
                    _ => match next(&shots) {
                        Ok(Shot::Look(frame, _)) => got.push(frame.at),
                        Ok(Shot::Done(burst, _)) => said += burst.dropped as u64,
                        Err(_) => {}
                    },
                }
            }
            drop(Source(shots.clone()));
            loop {
                match next(&shots) {
                    Ok(Shot::Look(frame, _)) => got.push(frame.at),
                    Ok(Shot::Done(burst, _)) => said += burst.dropped as u64,
                    Err(why) => { prop_assert_eq!(why, Nothing::Ever); break }
                }
            }
            prop_assert!(got.is_sorted_by(|a, b| a < b));
            let dropped = shots.counters.dropped_frames.load(Relaxed);
            prop_assert_eq!(got.len() as u64 + dropped, pushed);
            prop_assert!(said <= dropped);
        }
    }
}
