//! The evidence behind an absence: how much of the time this door could have recognised whom.
//!
//! Once a second the newest frame is looked at (`eye`); what was possible is added up
//! (`span`) and recorded when something changed, or after ten minutes in which nothing did. It
//! counts no faces: a stranger leaves no trace in it.

mod eye;
mod focus;
mod span;

use crate::{
    capture::{Lifeline, Ring},
    care::Care,
    draft::{Keep, Timing},
    status::Counts,
};
pub use eye::{Eye, brightness};
pub use focus::focus;
pub use span::Scene;
use span::Span;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::watch;
use wire::{
    Clock, Mono,
    record::{Blind, CameraState, Watch},
};

/// How often the door looks at itself.
const LOOK: Duration = Duration::from_secs(1);

/// Watches the watching.
pub struct Watcher {
    /// Where frames arrive.
    pub ring: Arc<Ring>,
    /// What the camera is doing.
    pub camera: watch::Receiver<CameraState>,
    /// What is wrong with the newest frame, for whoever looks after this unit.
    pub seen: watch::Sender<Option<Blind>>,
    /// Whom the door could recognise now.
    pub scene: Box<dyn Fn() -> Scene + Send>,
    /// What it counts, and where what the eye makes of the picture goes.
    pub care: Care,
    /// Whether anything makes it look by itself.
    pub triggered: bool,
    /// The folder of the outbox.
    pub data: PathBuf,
    /// Where records go.
    pub keep: Box<dyn Keep>,
    /// Dates them.
    pub timing: Arc<dyn Timing>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// When the first span begins: the start of the camera.
    pub since: Mono,
}

impl Watcher {
    /// Looks each second, records what is due, and the rest when `stop` is cut. Blocking.
    pub fn run(mut self, stop: &Lifeline) {
        let mut eye = Eye::default();
        let mut before = self.since;
        let mut watched_ms = 0;
        let mut span = Span::new(before, (self.scene)(), Counts::default(), None);
        loop {
            stop.wait(LOOK);
            let now = self.clock.mono();
            let watched = self.ring.watched_ms();
            let cause = self.cause(&mut eye);
            self.seen.send_if_modified(|seen| std::mem::replace(seen, cause) != cause);
            self.care.sight.send_replace(eye.sight());
            let state = span.add(now.since(before), watched - watched_ms, cause);
            (before, watched_ms) = (now, watched);
            let scene = (self.scene)();
            if stop.is_cut() || span.is_due(now, &scene) {
                let counts = self.care.counters.read();
                self.record(&span, &counts, now);
                span = Span::new(now, scene, counts, Some(state));
            }
            if stop.is_cut() {
                return;
            }
        }
    }

    /// Why nobody could be recognised now, if frames come.
    fn cause(&self, eye: &mut Eye) -> Option<Blind> {
        let seen = self.ring.latest().and_then(|frame| eye.blindness(&frame));
        let idle = (!self.triggered).then_some(Blind::NoTrigger);
        let nobody = || ((self.scene)().gallery == 0).then_some(Blind::NoGallery);
        seen.or(idle).or_else(nobody)
    }

    fn record(&mut self, span: &Span, counts: &Counts, now: Mono) {
        let step = |of: fn(&Counts) -> u64| {
            u32::try_from(of(counts).saturating_sub(of(&span.counts))).unwrap_or(u32::MAX)
        };
        let watch = Watch {
            since: span.since,
            usable_ms: span.usable_ms,
            blind: known(&span.blind, *self.care.grasp.borrow()),
            camera: *self.camera.borrow(),
            disk_free_mb: crate::disk::free_mb(&self.data),
            gallery: span.scene.gallery,
            model: span.scene.model.clone(),
            fired: step(|counts| counts.triggered),
            looks: step(|counts| counts.bursts),
            dropped: step(|counts| counts.dropped_bursts),
            refused: step(|counts| counts.refused),
            err_ms: self.timing.err_ms(now),
        };
        if let Err(error) = self.keep.health(self.timing.stamp(now), watch) {
            tracing::error!(error = &error as &dyn std::error::Error, "{error}");
        }
    }
}

/// Milliseconds of each cause, in words that the hub knows.
fn known(blind: &BTreeMap<Blind, u64>, grasp: u16) -> Vec<(Blind, u64)> {
    let mut all = BTreeMap::new();
    for (cause, ms) in blind {
        *all.entry(cause.known(grasp)).or_default() += ms;
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        capture::{Frame, Pixels},
        draft::{Draft, KeepError},
    };
    use std::sync::mpsc::{Sender, channel};
    use vision::Picture;
    use wire::{ClockState, Stamp, StudentId, Wall, time::ManualClock};

    struct Noted(Sender<Watch>);

    impl Keep for Noted {
        fn keep(&mut self, _: Vec<Draft>) -> Result<Vec<u64>, KeepError> {
            Ok(vec![])
        }

        fn health(&mut self, _: Stamp, watch: Watch) -> Result<u64, KeepError> {
            self.0.send(watch).unwrap();
            Ok(1)
        }

        fn recent(&self) -> Vec<(StudentId, Stamp)> {
            vec![]
        }
    }

    struct Unset;

    impl Timing for Unset {
        fn stamp(&self, at: Mono) -> Stamp {
            Stamp { boot: 1, mono: at, wall: None, clock: ClockState::Unset }
        }
    }

    /// What is recorded of five seconds; frames came in the first two.
    fn told(gallery: u64, triggered: bool) -> Vec<Watch> {
        let (ring, clock) =
            (Arc::new(Ring::default()), Arc::new(ManualClock::at(Wall(0), Mono(0))));
        let ((note, noted), (_state, camera)) = (channel(), watch::channel(CameraState::Watching));
        let care = Care::default();
        care.counters.triggered.store(3, std::sync::atomic::Ordering::Relaxed);
        let scene = move || Scene { gallery, model: "m-1".parse().unwrap() };
        let watcher = Watcher {
            ring: ring.clone(),
            camera,
            seen: watch::Sender::default(),
            scene: Box::new(scene),
            care,
            triggered,
            data: "/".into(),
            keep: Box::new(Noted(note)),
            timing: Arc::new(Unset),
            clock: clock.clone(),
            since: Mono(0),
        };
        let rgb: Vec<u8> = (0..64 * 48 * 3).map(|n| (n / 30 % 7 * 40) as u8).collect();
        for at in [0, 1_000, 2_000] {
            let picture = Picture::new(64, 48, rgb.clone()).unwrap();
            ring.push(Frame::new(Mono(at), Pixels::Rgb(picture)));
        }
        clock.advance(5_000);
        let stop = Lifeline::default();
        stop.cut();
        watcher.run(&stop);
        noted.iter().collect()
    }

    #[test]
    fn what_could_be_recognised_up_to_the_end_is_recorded() {
        let [watch] = told(4, true).try_into().unwrap();
        assert_eq!((watch.usable_ms, watch.blind), (2_000, vec![(Blind::NoFrames, 3_000)]));
        assert_eq!((watch.gallery, watch.fired, watch.err_ms), (4, 3, None));
        assert!(watch.disk_free_mb > 0 && watch.camera == CameraState::Watching);
    }

    #[test]
    fn an_older_hub_is_told_of_darkness_and_blur_in_words_that_it_knows() {
        let blind = [(Blind::Covered, 5), (Blind::Dark, 30), (Blind::Unfocused, 2)].into();
        assert_eq!(known(&blind, 0), [(Blind::Covered, 37)]);
        let newer = known(&blind, wire::care::Grasp::CARE);
        assert_eq!(newer, [(Blind::Covered, 5), (Blind::Dark, 30), (Blind::Unfocused, 2)]);
    }

    #[test]
    fn a_door_without_a_gallery_or_a_trigger_recognises_nobody() {
        let blind = |gallery, triggered| told(gallery, triggered)[0].blind.clone();
        let lost = |cause| vec![(Blind::NoFrames, 3_000), (cause, 2_000)];
        assert_eq!(blind(0, true), lost(Blind::NoGallery));
        assert_eq!(blind(4, false), lost(Blind::NoTrigger));
    }
}
