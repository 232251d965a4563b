//! The pipeline without a daemon: a look by `snap` where none runs, and `replay`.
//!
//! Nothing is recorded: results are only told.

use crate::capture::{Config as Camera, Frame, Lifeline, Pixels, Ring, Supervisor};
use crate::care::Care;
use crate::config::Config;
use crate::draft::{Draft, Keep, KeepError, Timing};
use crate::gallery::LoadedGallery;
use crate::passing::Passing;
use crate::pulse::Beat;
use crate::recognise::{Recogniser, Tools};
use crate::report::Report;
use crate::trigger::{Ask, Burst, Cause, Shots, Shutter, asking};
use crate::{capture, signal};
use anyhow::{Context as _, bail};
use std::{path::Path, sync::Arc, thread, time::Duration};
use tokio::sync::{oneshot, watch};
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
        passing: Arc::new(Passing::new(0)),
    };
    Ok(Recogniser::new(tools))
}

/// Opens the camera, takes one burst, and says what comes of it.
///
/// # Errors
/// When the camera gives nothing, or the models cannot be loaded.
pub fn snap(config: &Config, gallery: Option<Arc<LoadedGallery>>) -> anyhow::Result<Report> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let recogniser = recogniser(config, &clock, gallery)?;
    let (reply, mut report) = oneshot::channel();
    let shots = shots(config, &clock, reply)?;
    thread::scope(|scope| {
        // The steps end with whoever takes them, whatever becomes of that.
        let (scout, steps) = recogniser.scout(Beat::default());
        scope.spawn(|| scout.run(&shots));
        recogniser.run(&steps);
    });
    let report = report.try_recv().context("the burst was not looked at")?;
    if report.frames == 0 {
        bail!("the camera gave no frame");
    }
    Ok(report)
}

/// The frames of one burst.
fn shots(
    config: &Config,
    clock: &Arc<dyn Clock>,
    reply: oneshot::Sender<Report>,
) -> anyhow::Result<Arc<Shots>> {
    let ring = Arc::new(Ring::default());
    let stop = Lifeline::default();
    let (state, _) = watch::channel(CameraState::Blind);
    let camera = config.camera.clone();
    let beat = Beat::default();
    let open = capture::open;
    let kept = ring.clone();
    let by = clock.clone();
    let view = config.view;
    let care = Care::default();
    let supervisor =
        Supervisor { open, config: camera, view, ring: kept, clock: by, state, beat, care };
    let (shutter, shots) =
        Shutter::new(ring.clone(), config.recognise.pace(), Arc::default(), Beat::default());
    thread::scope(|scope| {
        let keeping = scope.spawn(|| supervisor.run(&stop));
        let came = ring.next(0, FIRST);
        let ask = |cause, at| Ask { reply: Some(reply), ..Ask::new(cause, at) };
        match &came {
            Some((_, frame)) if is_list(&config.camera) => {
                shots.begin(ask(Cause::Picture, frame.at));
                shots.push(frame.clone());
                drop(shutter);
            }
            Some(_) => {
                let (asks, asked) = asking();
                let _ = asks.send(ask(Cause::Snap, clock.mono()));
                drop(asks);
                shutter.run(&asked);
            }
            None => {}
        }
        stop.cut();
        keeping.join().map_err(|_| anyhow::anyhow!("the camera's thread failed"))??;
        came.with_context(|| format!("no frame came within {FIRST:?}; the log says why"))?;
        Ok(shots)
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
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let frame = Arc::new(Frame::new(clock.mono(), Pixels::Encoded(bytes)));
        tell(&path, &recogniser.burst(&Burst::new(Cause::Picture, frame.at), &[frame]))?;
    }
    Ok(())
}
