//! What the camera gives, where no daemon has it: opened, watched for a moment, closed.

use crate::capture::{self, CameraError, Frame, Glance, Glancer, Lifeline};
use crate::config::Config;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{sync::Arc, thread, time::Duration};
use wire::{Clock, Mono, time::SystemClock};

/// How long to watch a camera.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until its first frame.
    pub first: Duration,
    /// From then on.
    pub span: Duration,
    /// From then on, as long as every frame is the same as the one before.
    pub still: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { first: s(8), span: s(2), still: s(10) }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Peek {
    /// What came.
    pub glance: Glance,
    /// The newest frame, if one came.
    pub newest: Option<Arc<Frame>>,
    /// Why no more came.
    pub error: Option<CameraError>,
}

/// Opens the camera of `config` and watches it.
#[must_use]
pub fn peek(config: &Config, patience: &Patience) -> Peek {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let lifeline = Lifeline::default();
    let (say, frames) = sync_channel(4);
    thread::scope(|scope| {
        scope.spawn(|| stream(config, &clock, &lifeline, &say));
        let peek = watch(&frames, patience, || clock.mono());
        lifeline.cut();
        // Whoever still has a frame in hand finds nobody to give it to.
        drop(frames);
        peek
    })
}

fn stream(
    config: &Config,
    clock: &Arc<dyn Clock>,
    lifeline: &Lifeline,
    say: &SyncSender<Result<Arc<Frame>, CameraError>>,
) {
    let opened = capture::open(&config.camera, clock, lifeline);
    let mut camera = match opened {
        Ok(camera) => camera,
        Err(error) => return drop(say.send(Err(error))),
    };
    while !lifeline.is_cut() {
        let came = camera.next().map(|frame| Arc::new(Frame { view: config.view, ..frame }));
        let is_last = came.is_err();
        if say.send(came).is_err() || is_last {
            return;
        }
    }
}

fn watch(
    frames: &Receiver<Result<Arc<Frame>, CameraError>>,
    patience: &Patience,
    now: impl Fn() -> Mono,
) -> Peek {
    let mut watch = Glancer::new(now());
    let mut error = None;
    let mut wait = patience.first;
    let mut since = None;
    let mut is_still = true;
    let mut before: Option<Arc<Frame>> = None;
    while let Ok(came) = frames.recv_timeout(wait) {
        let frame = match came {
            Ok(frame) => frame,
            Err(why) => {
                error = Some(why);
                break;
            }
        };
        watch.see(&frame, now());
        is_still &= before.is_none_or(|before| frame.is_copy_of(&before));
        before = Some(frame);
        let first = *since.get_or_insert_with(&now);
        let span = if is_still { patience.still } else { patience.span };
        let left = span.saturating_sub(Duration::from_millis(now().since(first)));
        if left.is_zero() {
            break;
        }
        wait = left;
    }
    let (glance, newest) = watch.done(now());
    Peek { glance, newest, error }
}
