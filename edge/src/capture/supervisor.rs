//! Keeps the camera going: opens it, notices silence, lets go of a thread that hangs, tries again.
//!
//! A camera may block for ever inside the driver. Its thread is then abandoned: it is told that
//! nobody listens any more, and the camera is opened anew on another. While the old thread hangs
//! it still holds the device, so a camera that cannot be opened meanwhile hangs as well. After three
//! such times without one that came free the process ends, because threads and descriptors that
//! hang can only be freed by that.

use super::{Camera, CameraError, Config, Frame, Ring, View};
use crate::care::Care;
use std::{
    process::Child,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel},
    },
    time::Duration,
};
use wire::{Clock, Mono, care::ConflictKind, record::CameraState};

/// Silence after which a camera counts as hung.
const SILENCE_MS: u64 = 10_000;
/// Hangs after which the process ends.
const HANGS: u32 = 3;
/// How often the supervisor looks.
const LOOK: Duration = Duration::from_millis(250);
/// What a camera may not be as it was asked to.
const DIFFERS: [ConflictKind; 2] = [ConflictKind::CameraSize, ConflictKind::CameraControl];
/// First and longest pause before a camera is opened again.
const PAUSES_MS: std::ops::RangeInclusive<u64> = 1_000..=30_000;

/// Ties a camera's thread and child process to whoever may end them.
#[derive(Clone, Debug, Default)]
pub struct Lifeline(Arc<Tie>);

#[derive(Debug, Default)]
struct Tie {
    cut: AtomicBool,
    child: Mutex<Option<Child>>,
    guard: Mutex<()>,
    woken: Condvar,
}

impl Lifeline {
    /// Ends what is tied: kills the child process and wakes the thread if it waits.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::SeqCst);
        drop(self.0.guard.lock());
        self.0.woken.notify_all();
        if let Some(mut child) = self.0.child.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            if let Err(error) = child.kill() {
                tracing::warn!(%error, "the camera's program could not be ended: {error}");
            }
            // Reaped here, or it would stay as a zombie until the daemon ends.
            let _ = child.wait();
        }
    }

    /// Whether nobody listens any more.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.0.cut.load(Ordering::SeqCst)
    }

    /// Ties a child process; it is killed at once if the lifeline is cut already.
    pub fn tie(&self, child: Child) {
        *self.0.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        if self.is_cut() {
            self.cut();
        }
    }

    /// Sleeps for `pause`, or less if the lifeline is cut.
    pub fn wait(&self, pause: Duration) {
        let guard = self.0.guard.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.woken.wait_timeout_while(guard, pause, |()| !self.is_cut()));
    }
}

/// Opens a camera: [`super::open`].
pub type Open = fn(&Config, &Arc<dyn Clock>, &Lifeline) -> Result<Box<dyn Camera>, CameraError>;

/// Keeps one camera going until told to stop.
pub struct Supervisor {
    /// How it is opened.
    pub open: Open,
    /// Which camera.
    pub config: Config,
    /// What of its picture counts.
    pub view: View,
    /// Where its frames go.
    pub ring: Arc<Ring>,
    /// Dates the frames.
    pub clock: Arc<dyn Clock>,
    /// Says what the camera is doing.
    pub state: tokio::sync::watch::Sender<CameraState>,
    /// Turned each time the supervisor looks.
    pub beat: crate::pulse::Beat,
    /// Hears what was asked of the camera and is not so.
    pub care: Care,
}

/// Why a camera's thread needs the supervisor.
enum End {
    Stop,
    Died(CameraError),
    Hung,
}

impl Supervisor {
    /// Runs until `stop` is cut. Blocking.
    ///
    /// # Errors
    /// Only when the camera hung for the third time and none of its threads came free.
    pub fn run(self, stop: &Lifeline) -> Result<(), CameraError> {
        let mut pause_ms = *PAUSES_MS.start();
        let mut hangs = 0;
        let mut abandoned = Vec::new();
        while !stop.is_cut() {
            let before = self.ring.count();
            let (lifeline, ended) = self.start();
            let end = self.watch(stop, &ended);
            lifeline.cut();
            match end {
                End::Stop => break,
                End::Died(CameraError::Ended) => {
                    tracing::info!("every picture has been shown");
                    self.idle(stop);
                    break;
                }
                End::Died(error) if holds(&abandoned) => {
                    hangs += 1;
                    tracing::warn!(hangs, %error, "door is blind: a hung thread has the camera");
                }
                End::Died(error) => tracing::warn!(%error, "door is blind: {error}"),
                End::Hung => {
                    hangs += 1;
                    abandoned.push(ended);
                    tracing::warn!(hangs, "door is blind: the camera sent nothing for 10 s");
                }
            }
            self.state.send_replace(CameraState::Blind);
            if hangs == HANGS {
                return Err(CameraError::Hung(hangs));
            }
            let saw = self.ring.count() > before;
            pause_ms = if saw { *PAUSES_MS.start() } else { (pause_ms * 2).min(*PAUSES_MS.end()) };
            self.pause(stop, pause_ms);
            // The thread of a program that was killed has ended, and nothing of it is left.
            if !holds(&abandoned) {
                abandoned.clear();
                hangs = 0;
            }
        }
        Ok(())
    }

    fn start(&self) -> (Lifeline, Receiver<CameraError>) {
        let (say, ended) = sync_channel(1);
        let config = self.config.clone();
        let view = self.view;
        let ring = self.ring.clone();
        let clock = self.clock.clone();
        let open = self.open;
        let lifeline = Lifeline::default();
        let tied = lifeline.clone();
        let care = self.care.clone();
        let stream = move || {
            let opened = open(&config, &clock, &tied).inspect(|camera| {
                care.differ(&DIFFERS, "camera", camera.differs());
            });
            let Err(error) = opened.and_then(|camera| stream(camera, view, &ring, &tied));
            // Nobody listens when the thread was abandoned.
            let _ = say.send(error);
        };
        std::thread::Builder::new()
            .name("camera".into())
            .spawn(stream)
            .expect("a thread for the camera: the system has none left");
        (lifeline, ended)
    }

    fn watch(&self, stop: &Lifeline, ended: &Receiver<CameraError>) -> End {
        let opened = self.clock.mono();
        loop {
            self.beat.turn();
            match ended.recv_timeout(LOOK) {
                Ok(error) => return End::Died(error),
                Err(RecvTimeoutError::Disconnected) => {
                    let camera = "camera".into();
                    let why = "its thread failed; the log says how".into();
                    return End::Died(CameraError::Stopped { camera, why });
                }
                Err(RecvTimeoutError::Timeout) if stop.is_cut() => return End::Stop,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let newest = self.ring.newest().filter(|at| *at > opened);
            if is_silent(newest.unwrap_or(opened), self.clock.mono(), self.patience_ms()) {
                return End::Hung;
            }
            self.state.send_if_modified(|state| {
                let sees = newest.is_some() && *state != CameraState::Watching;
                if sees {
                    *state = CameraState::Watching;
                }
                sees
            });
        }
    }

    /// Pictures come at their own pace.
    fn patience_ms(&self) -> u64 {
        match &self.config {
            Config::Pictures(pictures) => SILENCE_MS + pictures.pace_ms,
            _ => SILENCE_MS,
        }
    }

    fn pause(&self, stop: &Lifeline, pause_ms: u64) {
        let began = self.clock.mono();
        while self.clock.mono().since(began) < pause_ms && !stop.is_cut() {
            self.beat.turn();
            stop.wait(LOOK);
        }
    }

    fn idle(&self, stop: &Lifeline) {
        while !stop.is_cut() {
            self.beat.turn();
            stop.wait(LOOK);
        }
    }
}

fn is_silent(last: Mono, now: Mono, patience_ms: u64) -> bool {
    now.since(last) >= patience_ms
}

/// Whether any of the threads that were abandoned still hangs, and with it the device.
fn holds(abandoned: &[Receiver<CameraError>]) -> bool {
    abandoned.iter().any(|ended| matches!(ended.try_recv(), Err(TryRecvError::Empty)))
}

/// Fills the ring until the camera fails or nobody listens.
fn stream(
    mut camera: Box<dyn Camera>,
    view: View,
    ring: &Ring,
    lifeline: &Lifeline,
) -> Result<std::convert::Infallible, CameraError> {
    loop {
        let frame = Frame { view, ..camera.next()? };
        if lifeline.is_cut() {
            return Err(CameraError::Ended);
        }
        ring.push(frame);
    }
}

#[cfg(test)]
mod tests;
