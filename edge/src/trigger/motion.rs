//! Something moves in front of the door.
//!
//! A coarse grid of brightness is compared with the grid before it. What all cells do together
//! (a lamp, the camera's own exposure) is no motion.

use super::{Ask, Cause};
use crate::capture::{Lifeline, Ring};
use crate::table::ConfigError;
use serde::Deserialize;
use std::{sync::mpsc::SyncSender, time::Duration};
use vision::Picture;
use wire::Mono;

/// Cells across and down.
pub const CELLS: [usize; 2] = [32, 24];
/// Looks at 5 frames a second, whatever the camera gives.
const PERIOD_MS: u64 = 200;
/// How long to wait for a frame before seeing whether to stop.
const TURN: Duration = Duration::from_millis(500);

/// `[trigger.motion]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A cell has moved if its brightness changed by this much of 255. Default 12.
    pub change: f32,
    /// Motion begins when this share of the picture moved. Default 0.03.
    pub begin: f32,
    /// Motion ends when less than this share moves. Default 0.01.
    pub end: f32,
    /// While it goes on, ask again after this long, milliseconds. Default 1000.
    pub again_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { change: 12.0, begin: 0.03, end: 0.01, again_ms: 1_000 }
    }
}

impl Config {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::within("trigger.motion.again_ms", self.again_ms, 200..=60_000)?;
        if !(1.0..=255.0).contains(&self.change) {
            return Err(ConfigError::key("trigger.motion.change", "must lie between 1 and 255"));
        }
        let shares = [("trigger.motion.begin", self.begin), ("trigger.motion.end", self.end)];
        if let Some((key, _)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(ConfigError::key(key, "is a share of the picture: write 0.0 to 1.0"));
        }
        if self.end > self.begin {
            let say = "must not be above trigger.motion.begin, or motion would never end";
            return Err(ConfigError::key("trigger.motion.end", say));
        }
        Ok(())
    }
}

/// Mean brightness of each cell, 0 to 255, rows from the top.
pub type Grid = Vec<f32>;

/// The picture's grid.
#[must_use]
pub fn grid(picture: &Picture) -> Grid {
    let [across, down] = CELLS;
    let small = picture.resized(across as u32, down as u32);
    let luma =
        |p: &[u8; 3]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
    small.rgb.as_chunks::<3>().0.iter().map(luma).collect()
}

/// Share of the cells that changed by more than `change`, apart from what all did together.
#[must_use]
pub fn moved(before: &[f32], now: &[f32], change: f32) -> f32 {
    let differences: Vec<f32> = now.iter().zip(before).map(|(n, b)| n - b).collect();
    let mut sorted = differences.clone();
    sorted.sort_by(f32::total_cmp);
    let common = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let count = differences.iter().filter(|d| (*d - common).abs() > change).count();
    count as f32 / differences.len().max(1) as f32
}

/// Motion with hysteresis: begins above one share, ends below a lower one.
#[derive(Debug, Default)]
pub struct Motion {
    before: Option<Grid>,
    moving: bool,
    asked: Option<Mono>,
}

impl Motion {
    /// Whether to look now.
    pub fn step(&mut self, now: Mono, grid: Grid, config: &Config) -> bool {
        let share = self.before.as_ref().map_or(0.0, |b| moved(b, &grid, config.change));
        self.before = Some(grid);
        let line = if self.moving { config.end } else { config.begin };
        let began = !self.moving && share >= line;
        self.moving = share >= line;
        let again = self.asked.is_none_or(|asked| now.since(asked) >= config.again_ms);
        let ask = self.moving && (began || again);
        if ask {
            self.asked = Some(now);
        }
        ask
    }
}

/// Asks whenever something moves, until `stop` is cut. Blocking.
pub fn watch(config: &Config, ring: &Ring, asks: &SyncSender<Ask>, stop: &Lifeline) {
    let mut motion = Motion::default();
    let mut number = 0;
    let mut looked = Mono(0);
    while !stop.is_cut() {
        let Some((next, frame)) = ring.next(number, TURN) else { continue };
        number = next;
        if frame.at.since(looked) < PERIOD_MS {
            continue;
        }
        looked = frame.at;
        let Ok(picture) = frame.picture() else { continue };
        if motion.step(frame.at, grid(&picture), config) {
            // Full: a burst is under way.
            let _ = asks.try_send(Ask::new(Cause::Motion, frame.at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An even wall with a darker square of `size` cells at column `x`.
    fn scene(x: usize, size: usize, light: f32) -> Grid {
        let [across, down] = CELLS;
        let dark = |n: usize| {
            let (column, row) = (n % across, n / across);
            (x..x + size).contains(&column) && (4..4 + size).contains(&row)
        };
        (0..across * down).map(|n| if dark(n) { 60.0 } else { 150.0 } + light).collect()
    }

    fn asks(scenes: impl IntoIterator<Item = Grid>) -> Vec<bool> {
        let (mut motion, config) = (Motion::default(), Config::default());
        let step = |(n, grid)| motion.step(Mono(n as u64 * 200), grid, &config);
        scenes.into_iter().enumerate().map(step).collect()
    }

    #[test]
    fn an_empty_door_asks_for_nothing() {
        assert_eq!(asks([0; 4].map(|_| scene(0, 0, 0.0))), [false; 4]);
    }

    #[test]
    fn somebody_walking_through_asks_at_once_and_then_each_second() {
        let walk = asks((0..12).map(|n| scene(n * 2, 8, 0.0)));
        let at: Vec<_> = walk.iter().enumerate().filter(|(_, ask)| **ask).map(|(n, _)| n).collect();
        assert_eq!(at, [1, 6, 11]);
    }

    #[test]
    fn a_lamp_that_changes_everything_is_no_motion() {
        assert_eq!(asks([0.0, 60.0, -40.0].map(|light| scene(4, 8, light))), [false; 3]);
    }

    #[test]
    fn a_trembling_leaf_does_not_begin_motion() {
        assert_eq!(asks([3, 4, 3, 4].map(|x| scene(x, 2, 0.0))), [false; 4]);
    }

    #[test]
    fn motion_ends_and_begins_again() {
        let steps = [0, 6, 6, 12].map(|x| scene(x, 8, 0.0));
        assert_eq!(asks(steps), [false, true, false, true], "the second begins anew");
    }

    #[test]
    fn a_grid_is_the_brightness_of_the_picture() {
        let white = Picture::new(64, 48, vec![255; 64 * 48 * 3]).unwrap();
        let grid = grid(&white);
        assert_eq!(grid.len(), 768);
        assert!(grid.iter().all(|cell| (cell - 255.0).abs() < 0.01));
    }

    #[test]
    fn shares_outside_the_picture_are_refused() {
        let check = |begin, end| Config { begin, end, ..Default::default() }.check();
        assert!(check(0.03, 0.01).is_ok());
        assert!(check(3.0, 0.01).is_err() && check(0.01, 0.03).is_err());
    }
}
