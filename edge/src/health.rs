//! The evidence behind an absence: each minute, how much of it somebody watched.
//!
//! It counts no faces: a stranger leaves no trace in it.

use crate::{
    capture::{Leash, Ring},
    draft::{Dating, Keep},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::watch;
use wire::{
    Clock, Mono,
    record::{CameraState, Health},
};

/// One record a minute.
const SPAN: Duration = Duration::from_mins(1);

/// Watches the watching.
pub struct Watcher {
    /// Where frames arrive.
    pub ring: Arc<Ring>,
    /// What the camera is doing.
    pub camera: watch::Receiver<CameraState>,
    /// The folder of the outbox.
    pub data: PathBuf,
    /// Where records go.
    pub keep: Box<dyn Keep>,
    /// Dates them.
    pub dating: Arc<dyn Dating>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// When the first span begins: the start of the camera.
    pub since: Mono,
}

impl Watcher {
    /// Records each minute, and the rest when `stop` is cut. Blocking.
    pub fn run(mut self, stop: &Leash) {
        let (mut since, mut watched_ms) = (self.since, 0);
        loop {
            stop.wait(SPAN);
            let (now, watched) = (self.clock.mono(), self.ring.watched_ms());
            let health = Health {
                since,
                watched_ms: span(since, now, watched - watched_ms),
                camera: *self.camera.borrow(),
                disk_free_mb: disk_free_mb(&self.data),
            };
            (since, watched_ms) = (now, watched);
            if let Err(error) = self.keep.health(self.dating.stamp(now), health) {
                tracing::error!(error = &error as &dyn std::error::Error, "{error}");
            }
            if stop.is_cut() {
                return;
            }
        }
    }
}

/// Never more than the time that passed.
fn span(since: Mono, now: Mono, watched_ms: u64) -> u64 {
    watched_ms.min(now.since(since))
}

/// Free space where the outbox lies, MiB; 0 if the system does not say.
#[must_use]
pub fn disk_free_mb(folder: &std::path::Path) -> u32 {
    let free = rustix::fs::statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    free.map_or(0, |bytes| u32::try_from(bytes >> 20).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        capture::{Frame, Pixels},
        draft::{Draft, KeepError},
    };
    use std::sync::mpsc::{Sender, channel};
    use wire::{ClockState, Stamp, StudentId, Wall, time::ManualClock};

    struct Noted(Sender<Health>);

    impl Keep for Noted {
        fn keep(&mut self, _: Vec<Draft>) -> Result<Vec<u64>, KeepError> {
            Ok(vec![])
        }

        fn health(&mut self, _: Stamp, health: Health) -> Result<u64, KeepError> {
            self.0.send(health).unwrap();
            Ok(1)
        }

        fn recent(&self) -> Vec<(StudentId, Stamp)> {
            vec![]
        }
    }

    struct Unset;

    impl Dating for Unset {
        fn stamp(&self, at: Mono) -> Stamp {
            Stamp { boot: 1, mono: at, wall: None, clock: ClockState::Unset }
        }
    }

    #[test]
    fn what_was_watched_up_to_the_end_is_recorded() {
        let (ring, clock) =
            (Arc::new(Ring::default()), Arc::new(ManualClock::at(Wall(0), Mono(0))));
        let ((note, noted), (_state, camera)) = (channel(), watch::channel(CameraState::Watching));
        let watcher = Watcher {
            ring: ring.clone(),
            camera,
            data: "/".into(),
            keep: Box::new(Noted(note)),
            dating: Arc::new(Unset),
            clock: clock.clone(),
            since: Mono(0),
        };
        let stop = Leash::default();
        let cut = stop.clone();
        let running = std::thread::spawn(move || watcher.run(&stop));
        for at in [0, 1_000, 2_000] {
            ring.push(Frame { at: Mono(at), pixels: Pixels::Encoded(vec![]) });
        }
        clock.advance(5_000);
        cut.cut();
        running.join().unwrap();
        let health: Vec<Health> = noted.iter().collect();
        assert_eq!(health.iter().map(|h| h.watched_ms).sum::<u64>(), 2_000);
        assert!(health.iter().all(|h| h.disk_free_mb > 0 && h.camera == CameraState::Watching));
    }

    #[test]
    fn nobody_watches_longer_than_time_passes() {
        assert_eq!(span(Mono(0), Mono(500), 900), 500);
    }
}
