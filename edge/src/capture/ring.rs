//! The newest frames of the camera, for whoever wants those after a moment.
//!
//! The camera never waits for a reader: when the ring is full the oldest frame goes.

use super::Frame;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use wire::Mono;

/// Frames kept: over half a second at 15 frames a second, 6 MiB as YUYV in VGA.
const FRAMES: usize = 10;

/// The newest frames, numbered from 1 in the order they came.
#[derive(Debug, Default)]
pub struct Ring {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<(u64, Arc<Frame>)>,
    last: u64,
    watched_ms: u64,
    newest: Option<Mono>,
}

/// A pause longer than this between two frames is time in which nobody watched.
const PAUSE_MS: u64 = 2_000;

impl Ring {
    /// Adds the newest frame.
    pub fn push(&self, frame: Frame) {
        let mut state = self.lock();
        if let Some(before) = state.newest {
            let pause = frame.at.since(before);
            state.watched_ms += if pause <= PAUSE_MS { pause } else { 0 };
        }
        state.newest = Some(frame.at);
        state.last += 1;
        if state.frames.len() == FRAMES {
            state.frames.pop_front();
        }
        let number = state.last;
        state.frames.push_back((number, Arc::new(frame)));
        drop(state);
        self.came.notify_all();
    }

    /// The first frame numbered above `number`, waiting for it up to `patience`.
    pub fn next(&self, number: u64, patience: Duration) -> Option<(u64, Arc<Frame>)> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(found) = state.frames.iter().find(|(n, _)| *n > number) {
                return Some(found.clone());
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let woken = self.came.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The newest frame.
    pub fn latest(&self) -> Option<Arc<Frame>> {
        self.lock().frames.back().map(|(_, frame)| frame.clone())
    }

    /// How many frames came since the start.
    pub fn count(&self) -> u64 {
        self.lock().last
    }

    /// When the newest frame was taken.
    pub fn newest(&self) -> Option<Mono> {
        self.lock().newest
    }

    /// Milliseconds since the start in which frames arrived.
    pub fn watched_ms(&self) -> u64 {
        self.lock().watched_ms
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Pixels;

    fn push(ring: &Ring, at: u64) {
        ring.push(Frame::new(Mono(at), Pixels::Encoded(vec![])));
    }

    #[test]
    fn a_reader_gets_each_frame_once_and_in_order() {
        let ring = Ring::default();
        (1..=3).for_each(|n| push(&ring, n * 100));
        let (first, frame) = ring.next(0, Duration::ZERO).unwrap();
        assert_eq!((first, frame.at), (1, Mono(100)));
        assert_eq!(ring.next(2, Duration::ZERO).unwrap().0, 3);
        assert!(ring.next(3, Duration::ZERO).is_none());
    }

    #[test]
    fn the_camera_never_waits_for_a_slow_reader() {
        let ring = Ring::default();
        (1..=25).for_each(|n| push(&ring, n));
        assert_eq!(ring.next(0, Duration::ZERO).unwrap().0, 16, "the oldest went");
        assert_eq!(ring.count(), 25);
    }

    #[test]
    fn a_waiting_reader_is_woken_by_the_next_frame() {
        let ring = Arc::new(Ring::default());
        let other = ring.clone();
        let reader = std::thread::spawn(move || other.next(0, Duration::from_secs(20)));
        push(&ring, 5);
        assert_eq!(reader.join().unwrap().unwrap().0, 1);
    }

    #[test]
    fn only_time_with_frames_counts_as_watched() {
        let ring = Ring::default();
        [0, 500, 1_000, 60_000, 60_500].into_iter().for_each(|at| push(&ring, at));
        assert_eq!(ring.watched_ms(), 1_500);
    }
}
