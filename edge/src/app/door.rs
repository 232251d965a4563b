//! From light to record: camera, triggers, recogniser, lights.

use super::{Parts, Uplink};
use crate::{
    capture::{self, Lifeline, Ring, Supervisor},
    care::{Care, conflict},
    config::Config,
    control::{self, Control},
    health::{Scene, Watcher},
    passing::Passing,
    pulse::{Beat, Pulse},
    recognise::{Recogniser, Tools},
    signal,
    status::{Counters, Say, Status, memory_peak_kb},
    trigger::{self, Ask, Shutter},
    vitals,
};
use anyhow::Context as _;
use std::{
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, SyncSender},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::{
    Clock,
    care::ConflictKind,
    record::{Blind, CameraState},
};

/// What the half of the daemon that looks is built from.
pub struct Door {
    /// The whole configuration.
    pub config: Config,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The rest of the daemon.
    pub uplink: Uplink,
    /// What is said of it from afar.
    pub care: Care,
    /// Ends camera and triggers.
    pub lifeline: Lifeline,
    /// Ends the tasks.
    pub stop: CancellationToken,
    /// When the program began to start.
    pub began: Instant,
}

/// The settings of a trigger by lines.
const GPIO: &str = "trigger.gpio";

/// Why a configured line is not watched, if one is not.
type Trouble = Arc<OnceLock<String>>;

impl Door {
    /// Starts every part that looks.
    ///
    /// # Errors
    /// When the control socket cannot be opened.
    pub fn start(
        &self,
        asks: &SyncSender<Ask>,
        asked: Receiver<Ask>,
        parts: &mut Parts,
        pulse: &mut Pulse,
    ) -> anyhow::Result<Say> {
        let ring = Arc::new(Ring::default());
        let counters = self.care.counters.clone();
        let (state, camera) = watch::channel(CameraState::Blind);
        let trouble = Arc::new(OnceLock::new());
        let (seen, blind) = watch::channel(None);
        let say = self.say(&ring, &camera, &counters, &trouble, &blind);
        self.control(asks, &say, &ring, parts)?;
        let within_ms = self.config.trigger.gpio.as_ref().map_or(0, |gpio| gpio.within_ms);
        let passing = Arc::new(Passing::new(within_ms));
        self.recogniser(&ring, asked, &counters, &passing, parts, pulse);
        self.camera(&ring, state, pulse.beat("camera"), parts);
        let button = self.triggers(&ring, asks, &passing, &counters, &trouble, parts);
        let watcher = Watcher {
            ring,
            camera,
            seen,
            scene: self.scene(),
            triggered: self.is_triggered(button),
            care: self.care.clone(),
            data: self.config.data.clone(),
            keep: (self.uplink.keep)(),
            timing: self.uplink.timing.clone(),
            clock: self.clock.clone(),
            since: self.clock.mono(),
        };
        let lifeline = self.lifeline.clone();
        parts.thread("health", move || {
            watcher.run(&lifeline);
            Ok(())
        });
        Ok(say)
    }

    /// Whom the door could recognise. Model and gallery change one after the other; between them
    /// nobody is compared.
    fn scene(&self) -> Box<dyn Fn() -> Scene + Send> {
        let gallery = self.uplink.gallery.clone();
        let model = self.uplink.model.clone();
        Box::new(move || {
            let model = model.borrow().id.clone();
            let gallery = gallery.borrow();
            let fits = gallery.as_ref().filter(|gallery| gallery.gallery.model == model);
            Scene { gallery: fits.map_or(0, |gallery| gallery.version), model }
        })
    }

    /// Whether anything makes the door look by itself; of a list each picture does.
    fn is_triggered(&self, button: bool) -> bool {
        let trigger = &self.config.trigger;
        let each = matches!(self.config.camera, capture::Config::Pictures(_));
        button || each || trigger.every.is_some() || trigger.motion.is_some()
    }

    fn say(
        &self,
        ring: &Arc<Ring>,
        camera: &watch::Receiver<CameraState>,
        counters: &Arc<Counters>,
        trouble: &Trouble,
        blind: &watch::Receiver<Option<Blind>>,
    ) -> Say {
        let trouble = trouble.clone();
        let ring = ring.clone();
        let camera = camera.clone();
        let counters = counters.clone();
        let gallery = self.uplink.gallery.clone();
        let reported = self.uplink.reported.clone();
        let certificate = self.uplink.certificate.clone();
        let lack = self.uplink.lack.clone();
        let stock = self.uplink.stock.clone();
        let way = self.uplink.way.clone();
        let blind = blind.clone();
        let outbox = self.uplink.trouble.clone();
        // Everything that takes time is behind us: what is left is to start threads.
        let ready_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Arc::new(move || {
            let gallery = gallery.borrow().clone();
            let reported = reported.borrow().clone();
            let certificate = certificate.borrow().clone();
            Status {
                software: env!("CARGO_PKG_VERSION").to_owned(),
                camera: *camera.borrow(),
                camera_frames: ring.count(),
                gallery: gallery.as_ref().map_or(0, |gallery| gallery.version),
                people: gallery.map_or(0, |gallery| gallery.gallery.people.len() as u64),
                gallery_trouble: reported.trouble,
                gallery_lack: *lack.borrow(),
                blind: *blind.borrow(),
                stock: *stock.borrow(),
                way: way(),
                outbox_trouble: outbox.borrow().clone(),
                line_trouble: trouble.get().cloned().unwrap_or_default(),
                model: reported.model.to_string(),
                certificate_ends: certificate.ends,
                certificate_trouble: certificate.trouble,
                ready_ms,
                memory_peak_kb: memory_peak_kb(),
                vitals: vitals::read(),
                counts: counters.read(),
            }
        })
    }

    fn control(
        &self,
        asks: &SyncSender<Ask>,
        say: &Say,
        ring: &Arc<Ring>,
        parts: &mut Parts,
    ) -> anyhow::Result<()> {
        let path = &self.config.socket;
        let listener = control::listen(path)
            .with_context(|| format!("the control socket {} cannot be opened", path.display()))?;
        let asks = asks.clone();
        let status = say.clone();
        let ring = ring.clone();
        let clock = self.clock.clone();
        let control = Control { listener, asks, status, ring, clock };
        let stop = self.stop.clone();
        parts.task("control", async move { Ok(control.run(stop).await?) });
        Ok(())
    }

    fn recogniser(
        &self,
        ring: &Arc<Ring>,
        asked: Receiver<Ask>,
        counters: &Arc<Counters>,
        passing: &Arc<Passing>,
        parts: &mut Parts,
        pulse: &mut Pulse,
    ) {
        let (signs, shown) = signal::signs();
        let tools = Tools {
            config: self.config.recognise.clone(),
            model: self.uplink.model.clone(),
            gallery: self.uplink.gallery.clone(),
            keep: (self.uplink.keep)(),
            timing: self.uplink.timing.clone(),
            clock: self.clock.clone(),
            signs,
            counters: counters.clone(),
            beat: pulse.beat("recogniser"),
            passing: passing.clone(),
        };
        let recogniser = Recogniser::new(tools);
        let beat = pulse.beat("shutter");
        let (shutter, shots) =
            Shutter::new(ring.clone(), self.config.recognise.pace(), counters.clone(), beat);
        let panel = signal::panel(&self.config.signal, &self.care);
        parts.thread("lights", move || {
            signal::run(panel, &shown);
            Ok(())
        });
        let (scout, steps) = recogniser.scout(pulse.beat("scout"));
        parts.thread("scout", move || {
            scout.run(&shots);
            Ok(())
        });
        parts.thread("recogniser", move || {
            recogniser.run(&steps);
            Ok(())
        });
        let lifeline = self.lifeline.clone();
        let each = matches!(self.config.camera, capture::Config::Pictures(_));
        parts.thread("shutter", move || {
            if each {
                // Whoever asks is told that there is nobody to answer.
                drop(asked);
                shutter.each(|| lifeline.is_cut());
            } else {
                shutter.run(&asked);
            }
            Ok(())
        });
    }

    fn camera(
        &self,
        ring: &Arc<Ring>,
        state: watch::Sender<CameraState>,
        beat: Beat,
        parts: &mut Parts,
    ) {
        let config = self.config.camera.clone();
        let view = self.config.view;
        let clock = self.clock.clone();
        let lifeline = self.lifeline.clone();
        let gallery = self.uplink.gallery.clone();
        let turning = beat.clone();
        let open = capture::open;
        let care = self.care.clone();
        let ring = ring.clone();
        let supervisor = Supervisor { open, config, view, ring, clock, state, beat, care };
        parts.thread("camera", move || {
            // A list of pictures passes only once: not before there is anybody to recognise.
            let is_list = matches!(supervisor.config, capture::Config::Pictures(_));
            while is_list && gallery.borrow().is_none() && !lifeline.is_cut() {
                turning.turn();
                lifeline.wait(Duration::from_millis(100));
            }
            Ok(supervisor.run(&lifeline)?)
        });
    }

    /// Starts what makes the door look by itself. Whether a line is watched.
    fn triggers(
        &self,
        ring: &Arc<Ring>,
        asks: &SyncSender<Ask>,
        passing: &Arc<Passing>,
        counters: &Arc<Counters>,
        trouble: &Trouble,
        parts: &mut Parts,
    ) -> bool {
        let trigger = self.config.trigger.clone();
        if let Some(interval) = trigger.every {
            let asks = asks.clone();
            let clock = self.clock.clone();
            let lifeline = self.lifeline.clone();
            parts.thread("timer", move || {
                trigger::every(interval, &asks, &clock, &lifeline);
                Ok(())
            });
        }
        if let Some(motion) = trigger.motion {
            let ring = ring.clone();
            let asks = asks.clone();
            let lifeline = self.lifeline.clone();
            parts.thread("motion", move || {
                trigger::motion::watch(&motion, &ring, &asks, &lifeline);
                Ok(())
            });
        }
        trigger.gpio.is_some_and(|gpio| self.line(&gpio, asks, passing, counters, trouble, parts))
    }

    /// Says on the hub's page of this door why `[trigger.gpio] key` is not watched.
    fn line_lacks(&self, key: &str, line: u8, why: &str) {
        let key = format!("{GPIO}.{key}");
        let lacks = conflict(ConflictKind::Line, &key, &line.to_string(), why);
        self.care.differ(&[ConflictKind::Line], GPIO, vec![lacks]);
    }

    /// Watches a line, if this machine has it.
    fn line(
        &self,
        gpio: &trigger::gpio::Config,
        asks: &SyncSender<Ask>,
        passing: &Arc<Passing>,
        counters: &Arc<Counters>,
        trouble: &Trouble,
        parts: &mut Parts,
    ) -> bool {
        let line = match trigger::gpio::Line::open(gpio) {
            Ok(line) => line,
            Err(error) => {
                tracing::warn!(%error, "{error}");
                let why = error.to_string();
                self.line_lacks("line", gpio.line, &why);
                let _ = trouble.set(why);
                return false;
            }
        };
        if let (Some(error), Some(inner)) = (line.lacks(), gpio.inner) {
            tracing::warn!(%error, "{error}: nobody's direction is known");
            self.line_lacks("inner", inner, &error.to_string());
            let _ = trouble.set(error.to_string());
        }
        let asks = asks.clone();
        let clock = self.clock.clone();
        let lifeline = self.lifeline.clone();
        let passing = passing.clone();
        let counters = counters.clone();
        parts
            .thread("gpio", move || Ok(line.watch(&asks, &clock, &lifeline, &passing, &counters)?));
        true
    }
}
