//! Finds the faces of a frame while those of the frame before are compared: two cores, one door.

use crate::capture::Frame;
use crate::packs::Model;
use crate::pulse::Beat;
use crate::report::Report;
use crate::status::Counters;
use crate::trigger::{Burst, Nothing, Shot, Shots};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};
use vision::{Face, Picture};
use wire::ModelId;

/// How often a waiting loop turns.
const TURN: Duration = Duration::from_millis(200);

/// What the recogniser does next.
#[derive(Debug)]
pub enum Step {
    /// Compare the faces of a frame.
    Compare(Box<Spotted>, Burst),
    /// Say what came of the frames of a burst.
    Done(Burst, Option<oneshot::Sender<Report>>),
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

/// Frames to pass over: the recogniser says how many, whoever looks next obeys.
#[derive(Debug, Default)]
pub struct Rest(AtomicU32);

impl Rest {
    /// Of the frames that come now, `frames` need not be looked at.
    pub fn set(&self, frames: u32) {
        self.0.store(frames, Relaxed);
    }

    /// Whether the frame that was handed out last is one of these; never the first of a burst, nor
    /// one that somebody waits to see.
    #[must_use]
    pub fn passes(&self, burst: &Burst) -> bool {
        let may = burst.frames > 1 && !burst.told;
        may && self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
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
                Err(Nothing::Now) => continue,
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
    use wire::Mono;

    #[test]
    fn a_rest_passes_over_so_many_frames_and_never_the_first_or_one_that_is_shown() {
        let rest = Rest::default();
        let burst = |frames| Burst { frames, ..Burst::new(Cause::Motion, Mono(0)) };
        assert!(!rest.passes(&burst(2)), "nobody said so");
        rest.set(2);
        assert!(!rest.passes(&burst(1)) && !rest.passes(&Burst { told: true, ..burst(4) }));
        assert_eq!([2, 3, 4].map(|n| rest.passes(&burst(n))), [true, true, false]);
        rest.set(2);
        rest.set(0);
        assert!(!rest.passes(&burst(2)), "somebody came");
    }
}
