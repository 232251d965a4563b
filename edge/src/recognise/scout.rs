//! Finds the faces of a frame while those of the frame before are compared: two cores, one door.

use crate::capture::Frame;
use crate::packs::Model;
use crate::pulse::Beat;
use crate::report::Report;
use crate::status::Counters;
use crate::trigger::{Burst, Nothing, Shot, Shots};
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed, mpsc::SyncSender},
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};
use vision::{Face, Picture};
use wire::{ModelId, Mono};

/// How often a waiting loop turns.
const TURN: Duration = Duration::from_millis(200);

/// What the recogniser does next.
#[derive(Debug)]
pub enum Step {
    /// Compare the faces of a frame.
    Compare(Box<Spotted>, Burst),
    /// Say what came of the frames of a burst.
    Done(Burst, Option<oneshot::Sender<Report>>),
    /// No frame waits.
    Idle,
}

/// A frame in which somebody looked for faces.
#[derive(Debug)]
pub struct Spotted {
    /// The frame.
    pub frame: Arc<Frame>,
    /// The picture with its faces, the surest first; why there is none.
    pub found: Result<(Picture, Vec<Face>), String>,
    /// Whose detector looked.
    pub model: ModelId,
    /// How long that took, milliseconds.
    pub took_ms: u64,
}

/// Looks for faces in a frame.
#[must_use]
pub fn spot(model: &Model, frame: &Arc<Frame>) -> Spotted {
    let began = Instant::now();
    let picture = frame.picture().map_err(|error| error.to_string());
    let found = picture.and_then(|picture| {
        let faces = model.pack.detect(&picture).map_err(|error| error.to_string())?;
        Ok((picture, faces))
    });
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Spotted { frame: frame.clone(), found, model: model.id.clone(), took_ms }
}

/// Frames to pass over: the recogniser says how many, whoever looks next obeys. What was said of one
/// burst does not count for the next, which may be of somebody else.
#[derive(Debug, Default)]
pub struct Rest(Mutex<Option<Left>>);

#[derive(Debug)]
struct Left {
    /// When the burst was asked for.
    asked: Mono,
    frames: u32,
}

impl Rest {
    /// Of the frames of `burst` that come now, `frames` need not be looked at.
    pub fn set(&self, burst: &Burst, frames: u32) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = Some(Left { asked: burst.asked, frames });
    }

    /// Whether the frame that was handed out last is one of these; never the first of a burst, nor
    /// one that somebody waits to see.
    #[must_use]
    pub fn passes(&self, burst: &Burst) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.as_mut().filter(|left| left.asked == burst.asked && left.frames > 0);
        let Some(left) = left.filter(|_| burst.frames > 1 && !burst.told) else { return false };
        left.frames -= 1;
        true
    }
}

/// The thread that finds faces, one frame ahead.
pub struct Scout {
    /// Whose detector: newest only.
    pub model: watch::Receiver<Model>,
    /// What to pass over.
    pub rest: Arc<Rest>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Turned even while nobody comes.
    pub beat: Beat,
    /// To whoever compares. It holds nothing: what is found waits in this thread.
    pub steps: SyncSender<Step>,
}

impl Scout {
    /// Runs until no frames come any more, or nobody compares them. Blocking: give it a thread of
    /// its own.
    pub fn run(self, shots: &Shots) {
        loop {
            self.beat.turn();
            let step = match shots.next(TURN) {
                Ok(Shot::Look(_, burst)) if self.rest.passes(&burst) => {
                    self.counters.rested_frames.fetch_add(1, Relaxed);
                    continue;
                }
                Ok(Shot::Look(frame, burst)) => {
                    let model = self.model.borrow().clone();
                    Step::Compare(Box::new(spot(&model, &frame)), burst)
                }
                Ok(Shot::Done(burst, reply)) => Step::Done(burst, reply),
                Err(Nothing::Now) => Step::Idle,
                Err(Nothing::Ever) => return,
            };
            if self.steps.send(step).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::Cause;

    #[test]
    fn a_rest_passes_over_so_many_frames_and_never_the_first_or_one_that_is_shown() {
        let rest = Rest::default();
        let burst = |frames| Burst { frames, ..Burst::new(Cause::Motion, Mono(0)) };
        assert!(!rest.passes(&burst(2)), "nobody said so");
        rest.set(&burst(1), 2);
        assert!(!rest.passes(&burst(1)) && !rest.passes(&Burst { told: true, ..burst(4) }));
        assert_eq!([2, 3, 4].map(|n| rest.passes(&burst(n))), [true, true, false]);
        rest.set(&burst(4), 2);
        rest.set(&burst(5), 0);
        assert!(!rest.passes(&burst(6)), "somebody came");
    }

    #[test]
    fn a_rest_ends_with_its_burst() {
        let rest = Rest::default();
        let burst = |asked| Burst { frames: 2, ..Burst::new(Cause::Button, Mono(asked)) };
        rest.set(&burst(1_000), 2);
        assert!(!rest.passes(&burst(9_000)), "whoever comes now is somebody else");
        assert!(rest.passes(&burst(1_000)));
    }
}
