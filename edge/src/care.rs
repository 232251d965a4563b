//! What whoever looks after this door from afar may know of it, besides records: the parts of the
//! daemon put it here, and the link says it to a hub that understands it.

use crate::clock::Timekeeper;
use crate::disk;
use crate::draft::Timing as _;
use crate::status::Counters;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::watch;
use wire::care::{Condition, Conflict, ConflictKind, Running, RunningValue, within};

/// What the eye makes of the picture.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sight {
    /// How sharp the sharpest of the last minutes was, 0 to 1; nothing where nobody can tell.
    pub focus: Option<f32>,
    /// How bright the newest is, 0 to 255; nothing where there is none.
    pub light: Option<f32>,
}

/// Shared by all parts; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Care {
    /// The settings it runs with, and what stands against what was asked for.
    pub running: watch::Sender<Running>,
    /// What the eye makes of the picture.
    pub sight: watch::Sender<Sight>,
    /// How much the hub understands: [`wire::care::Grasp`], 0 before it said so.
    pub grasp: watch::Sender<u16>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// The folder of the outbox.
    data: PathBuf,
}

impl Care {
    /// Of a door that runs with these settings, and keeps its outbox in the folder `data`.
    #[must_use]
    pub fn new(data: PathBuf, values: Vec<RunningValue>) -> Self {
        let care = Self { data, ..Self::default() };
        care.running.send_modify(|running| running.values = values);
        care
    }

    /// From now on these are all conflicts of these kinds about `key` and what is below it.
    pub fn differ(&self, kinds: &[ConflictKind], key: &str, now: Vec<Conflict>) {
        let settled = |of: &Conflict| kinds.contains(&of.kind) && of.key.starts_with(key);
        self.running.send_if_modified(|running| {
            let before = running.conflicts.clone();
            running.conflicts.retain(|of| !settled(of));
            running.conflicts.extend(now);
            running.conflicts.truncate(Running::CONFLICTS);
            running.conflicts != before
        });
    }

    /// How the program is, with so many records that wait for the hub.
    #[must_use]
    pub fn condition(&self, time: &Timekeeper, waiting: u64) -> Condition {
        let sight = *self.sight.borrow();
        let counts = self.counters.read();
        let now = time.now();
        Condition {
            focus: sight.focus.map(|share| (share * 100.0) as u8),
            light: sight.light.map(|light| light as u8),
            waiting,
            dropped_looks: counts.dropped_bursts,
            dropped_frames: counts.dropped_frames,
            clock: now.clock,
            clock_err_ms: time.err_ms(now.mono),
            disk_free_mb: disk::free_mb(&self.data),
        }
    }
}

/// What was asked for as `key`, and what is so instead.
#[must_use]
pub fn conflict(kind: ConflictKind, key: &str, asked: &str, got: &str) -> Conflict {
    let cut = |text: &str| within(text, Running::TEXT_BYTES);
    Conflict { kind, key: cut(key), asked: cut(asked), got: cut(got) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{ClockState, Mono, Wall, time::ManualClock};

    fn line(got: &str) -> Conflict {
        conflict(ConflictKind::Line, "trigger.gpio.line", "25", got)
    }

    #[test]
    fn a_conflict_stays_until_its_part_says_otherwise_and_the_others_stay() {
        let care = Care::default();
        let size = conflict(ConflictKind::CameraSize, "camera.width", "1920 × 1080", "640 × 480");
        care.differ(&[ConflictKind::CameraSize], "camera", vec![size.clone()]);
        care.differ(&[ConflictKind::Line], "trigger", vec![line("busy")]);
        care.differ(&[ConflictKind::Line], "signal", vec![]);
        let all = || care.running.borrow().conflicts.clone();
        assert_eq!(all(), [size.clone(), line("busy")]);
        let heard = care.running.subscribe();
        care.differ(&[ConflictKind::Line], "trigger", vec![line("busy")]);
        assert!(!heard.has_changed().unwrap(), "the same is no news");
        care.differ(&[ConflictKind::Line], "trigger", vec![]);
        assert_eq!(all(), [size]);
    }

    #[test]
    fn what_nobody_can_tell_is_nothing_and_what_is_told_is_whole_numbers() {
        let clock = Arc::new(ManualClock::at(Wall(0), Mono(5)));
        let time = Timekeeper::new(1, Wall(1), clock);
        let care = Care::default();
        care.sight.send_replace(Sight { focus: Some(0.635), light: Some(101.7) });
        let said = care.condition(&time, 5);
        assert_eq!((said.waiting, said.focus, said.light), (5, Some(63), Some(101)));
        assert_eq!((said.clock, said.clock_err_ms), (ClockState::Unset, None));
    }
}
