//! The pipeline without a daemon: a look by `snap` where none runs, and `replay`.
//!
//! Nothing is recorded: results are only told.

use crate::capture::{Config as Camera, Frame, Lifeline, Pixels, Ring, Supervisor};
use crate::config::Config;
use crate::draft::{Draft, Keep, KeepError, Timing};
use crate::gallery::LoadedGallery;
use crate::pulse::Beat;
use crate::recognise::{Recogniser, Tools};
use crate::report::Report;
use crate::trigger::{Ask, Burst, Cause, Shutter, asking};
use crate::{capture, signal};
use anyhow::{Context as _, bail};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::sync::watch;
use wire::{
    Clock, ClockState, Mono, Stamp, StudentId,
    record::{CameraState, Watch},
    time::{ManualClock, SystemClock},
};

/// How long a camera may take to give its first frame.
const FIRST: Duration = Duration::from_secs(20);

/// Keeps nothing.
struct Told;

impl Keep for Told {
    fn keep(&mut self, _: Vec<Draft>) -> Result<Vec<u64>, KeepError> {
        Ok(Vec::new())
    }

    fn health(&mut self, _: Stamp, _: Watch) -> Result<u64, KeepError> {
        Ok(0)
    }

    fn recent(&self) -> Vec<(StudentId, Stamp)> {
        Vec::new()
    }
}

/// Dates by the machine's own clock, whatever it is worth.
struct Here(Arc<dyn Clock>);

impl Timing for Here {
    fn stamp(&self, at: Mono) -> Stamp {
        Stamp { boot: 1, mono: at, wall: Some(self.0.wall()), clock: ClockState::Rtc }
    }
}

fn recogniser(
    config: &Config,
    clock: &Arc<dyn Clock>,
    gallery: Option<Arc<LoadedGallery>>,
) -> anyhow::Result<Recogniser> {
    let tools = Tools {
        config: config.recognise.clone(),
        model: watch::channel(super::models(&config.packs())?).1,
        gallery: watch::channel(gallery).1,
        keep: Box::new(Told),
        timing: Arc::new(Here(clock.clone())),
        clock: clock.clone(),
        signs: signal::signs().0,
        counters: Arc::default(),
        beat: Beat::default(),
    };
    Ok(Recogniser::new(tools))
}

/// Opens the camera, takes one burst, and says what comes of it.
///
/// # Errors
/// When the camera gives nothing, or the models cannot be loaded.
pub fn snap(config: &Config, gallery: Option<Arc<LoadedGallery>>) -> anyhow::Result<Report> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut recogniser = recogniser(config, &clock, gallery)?;
    let mut burst = burst(config, &clock)?;
    if burst.frames.is_empty() {
        bail!("the camera gave no frame");
    }
    // A reply is what makes the report hold its picture.
    burst.reply = Some(tokio::sync::oneshot::channel().0);
    Ok(recogniser.burst(&burst))
}

fn burst(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Burst> {
    let ring = Arc::new(Ring::default());
    let stop = Lifeline::default();
    let (state, _) = watch::channel(CameraState::Blind);
    let camera = config.camera.clone();
    let beat = Beat::default();
    let open = capture::open;
    let kept = ring.clone();
    let by = clock.clone();
    let supervisor = Supervisor { open, config: camera, ring: kept, clock: by, state, beat };
    let (shutter, bursts) =
        Shutter::new(ring.clone(), config.recognise.pace(), Arc::default(), Beat::default());
    thread::scope(|scope| {
        let keeping = scope.spawn(|| supervisor.run(&stop));
        let came = ring.next(0, FIRST);
        if came.is_some() && !is_list(&config.camera) {
            let (asks, asked) = asking();
            let _ = asks.send(Ask { cause: Cause::Snap, at: clock.mono(), reply: None });
            drop(asks);
            shutter.run(&asked);
        }
        stop.cut();
        keeping.join().map_err(|_| anyhow::anyhow!("the camera's thread failed"))??;
        let (_, frame) =
            came.with_context(|| format!("no frame came within {FIRST:?}; the log says why"))?;
        if is_list(&config.camera) {
            return Ok(passage(frame));
        }
        bursts.try_recv().context("the camera gave no further frame")
    })
}

fn is_list(camera: &Camera) -> bool {
    matches!(camera, Camera::Pictures(_))
}

/// Shows each picture in `folder` to the pipeline, as a passage of its own.
///
/// # Errors
/// When there is no picture, or the models cannot be loaded.
pub fn replay(
    config: &Config,
    folder: &Path,
    gallery: Option<Arc<LoadedGallery>>,
    mut tell: impl FnMut(&Path, &Report) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let now = SystemClock.wall();
    let clock = Arc::new(ManualClock::at(now, Mono(0)));
    let timed: Arc<dyn Clock> = clock.clone();
    let mut recogniser = recogniser(config, &timed, gallery)?;
    for path in capture::pictures(&[folder.to_owned()])? {
        // Each picture is a passage of its own, whoever was on the one before.
        clock.advance(config.recognise.cooldown_ms + 1);
        tell(&path, &recogniser.burst(&shown(&path, clock.mono())?))?;
    }
    Ok(())
}

fn shown(path: &PathBuf, at: Mono) -> anyhow::Result<Burst> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(passage(Arc::new(Frame { at, pixels: Pixels::Encoded(bytes) })))
}

/// One picture is one passage.
fn passage(frame: Arc<Frame>) -> Burst {
    Burst { cause: Cause::Picture, asked: frame.at, frames: vec![frame], reply: None }
}
