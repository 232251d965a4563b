//! Whether the newest frame shows anything: is it a picture, of something, bright and sharp enough,
//! and not the same as ever?
//!
//! Two frames of a live sensor are never alike to the last byte, so a fingerprint tells a frozen
//! picture without decoding it. Only now and then a frame is decoded.

use super::focus::focus;
use crate::{
    capture::{Frame, Pixels},
    care::Sight,
    trigger::motion::{CELLS, grid},
};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher as _};
use vision::Picture;
use wire::{Mono, record::Blind};

/// The same frame for so long is no live picture. Cameras that send video may repeat a still
/// scene for some seconds.
const FROZEN_MS: u64 = 30_000;
/// How often a frame is decoded.
const DECODE_MS: u64 = 10_000;
/// Where the brighter parts have less than this, of 255, there is nothing but the sensor's noise.
const BLACK: f32 = 4.0;
/// Where neighbouring cells bend less than this, of 255, there is neither edge nor shape: a hand,
/// tape or fog.
const FLAT: f32 = 1.0;
/// A picture darker than this in the mean, of 255, shows nobody, however bright a lit window in it is.
const NIGHT: f32 = 12.0;
/// Of a raw frame one byte in so many is looked at.
const SAMPLE: usize = 64;

/// Where they have less than this no face of a doorway can be compared: `examples/eye.rs` takes light
/// away until none is left (RECOGNITION.md, *What the eye measures*).
const DIM: f32 = 24.0;
/// From this light on an edge bends as much as [`FLAT`] says; below it, as much less.
const LIT: f32 = 60.0;
/// Where the sharpest edges of minutes have less than this of their step within two pixels, nobody is
/// recognised: the same blurs faces, until none is left.
const SOFT: f32 = 0.36;
/// How long pictures have to be out of focus: somebody who stands before the lens is not for so long.
const SOFT_MS: u64 = 3 * 60_000;
/// Of the looks in that time so many must have shown edges.
const LOOKS: usize = 6;

/// Looks at one frame a second.
#[derive(Debug, Default)]
pub struct Eye {
    /// The newest picture's fingerprint, and since when it is the same.
    print: Option<(u64, Mono)>,
    decoded: Option<Mono>,
    found: Option<Blind>,
    light: Option<f32>,
    /// How sharp each picture of the last minutes was that showed enough to tell.
    sharp: VecDeque<(Mono, f32)>,
}

impl Eye {
    /// What is wrong with the picture, if anything.
    pub fn blindness(&mut self, frame: &Frame) -> Option<Blind> {
        let print = print(&frame.pixels);
        let same = self.print.filter(|(before, _)| *before == print);
        let (_, since) = *self.print.insert(same.unwrap_or((print, frame.at)));
        // A damaged frame may be the only one: the next one tells.
        let again = self.found == Some(Blind::Undecodable);
        if again || self.decoded.is_none_or(|at| frame.at.since(at) >= DECODE_MS) {
            self.decoded = Some(frame.at);
            self.look(frame);
        }
        let frozen = frame.at.since(since) >= FROZEN_MS;
        let frozen = frozen.then_some(Blind::Frozen);
        self.found.or(frozen).or_else(|| self.is_soft(frame.at).then_some(Blind::Unfocused))
    }

    /// What it makes of the picture, in numbers.
    #[must_use]
    pub fn sight(&self) -> Sight {
        Sight { focus: self.sharpest(), light: self.light }
    }

    fn look(&mut self, frame: &Frame) {
        let at = frame.at;
        self.sharp.retain(|(seen, _)| at.since(*seen) < SOFT_MS);
        let Ok(picture) = frame.picture() else {
            (self.found, self.light) = (Some(Blind::Undecodable), None);
            return;
        };
        let grid = grid(&picture);
        self.light = Some(bright(&grid));
        self.found = shows(&grid);
        let sharp = self.found.is_none().then(|| focus(&picture)).flatten();
        self.sharp.extend(sharp.map(|share| (at, share)));
    }

    /// The second best: one frame that came damaged has edges, too.
    fn sharpest(&self) -> Option<f32> {
        let mut all: Vec<f32> = self.sharp.iter().map(|(_, share)| *share).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        all.get(1).or(all.first()).copied()
    }

    /// Whether no picture of the last minutes was sharp.
    fn is_soft(&mut self, now: Mono) -> bool {
        let first = self.sharp.front().map_or(now, |(at, _)| *at);
        let is_long = now.since(first) + 2 * DECODE_MS >= SOFT_MS;
        is_long && self.sharp.len() >= LOOKS && self.sharpest().is_some_and(|share| share < SOFT)
    }
}

/// How bright the brighter parts of a picture are, 0 to 255: skin is among them.
#[must_use]
pub fn brightness(picture: &Picture) -> f32 {
    bright(&grid(picture))
}

/// Brighter than this cell is one in twenty.
fn bright(grid: &[f32]) -> f32 {
    let mut sorted = grid.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() * 19 / 20).copied().unwrap_or(0.0)
}

/// Why a grid of brightness shows nobody: it is without an edge, or too dark. Light that leaks in
/// from one side changes evenly, and is no edge; in the dark an edge is as faint as the light.
fn shows(grid: &[f32]) -> Option<Blind> {
    let count = grid.len().max(1) as f32;
    let bend = |row: &[f32]| {
        row.windows(3).map(|cells| (cells[0] + cells[2] - 2.0 * cells[1]).abs()).sum::<f32>()
    };
    let bends = grid.chunks(CELLS[0]).map(bend).sum::<f32>() / count;
    let light = bright(grid);
    match light {
        ..BLACK => Some(Blind::Covered),
        _ if bends < FLAT * (light / LIT).min(1.0) => Some(Blind::Covered),
        ..DIM => Some(Blind::Dark),
        _ if grid.iter().sum::<f32>() / count < NIGHT => Some(Blind::Dark),
        _ => None,
    }
}

fn print(pixels: &Pixels) -> u64 {
    let mut hash = DefaultHasher::new();
    match pixels {
        Pixels::Encoded(bytes) => hash.write(bytes),
        Pixels::Yuyv { bytes, .. } => sample(&mut hash, bytes),
        Pixels::Rgb(picture) => sample(&mut hash, &picture.rgb),
    }
    hash.finish()
}

fn sample(hash: &mut DefaultHasher, bytes: &[u8]) {
    bytes.iter().step_by(SAMPLE).for_each(|byte| hash.write_u8(*byte));
}

#[cfg(test)]
mod tests {
    use super::*;
    use vision::Picture;

    /// A frame of 64 × 48 pixels whose brightness at x, y is `light`.
    fn frame(at: u64, light: impl Fn(u32, u32) -> u32) -> Frame {
        let rgb = (0..64 * 48).flat_map(|n| [light(n % 64, n / 64).min(255) as u8; 3]).collect();
        Frame::new(Mono(at), Pixels::Rgb(Picture::new(64, 48, rgb).unwrap()))
    }

    /// A doorway: a dark frame around something bright, and a floor.
    fn doorway(x: u32, y: u32) -> u32 {
        if (20..40).contains(&x) && y > 8 { 180 } else { 60 + y }
    }

    #[test]
    fn a_doorway_is_seen_and_a_hand_tape_darkness_or_leaking_light_are_not() {
        let look = |light: fn(u32, u32) -> u32| Eye::default().blindness(&frame(1, light));
        assert_eq!(look(doorway), None);
        assert_eq!(look(|x, y| doorway(x, y) / 4), None, "dim, and still a doorway");
        assert_eq!(look(|_, _| 0), Some(Blind::Covered));
        assert_eq!(look(|x, _| 3 + x % 2 * 8), Some(Blind::Covered), "noise in the dark");
        assert_eq!(look(|_, _| 140), Some(Blind::Covered));
        assert_eq!(look(|x, y| 40 + 2 * x + y), Some(Blind::Covered), "light from one side");
    }

    #[test]
    fn a_doorway_with_too_little_light_is_dark_and_not_covered() {
        let look = |share: u32| Eye::default().blindness(&frame(1, |x, y| doorway(x, y) / share));
        assert_eq!([1, 4, 6].map(look), [None; 3]);
        assert_eq!([8, 12, 30].map(look), [Some(Blind::Dark); 3]);
        assert_eq!(look(100), Some(Blind::Covered), "nothing of it is left");
    }

    #[test]
    fn a_lit_window_does_not_make_a_black_corridor_light() {
        // Under a tenth of it, as bright as day.
        let night = |x: u32, y: u32| if x < 8 && y < 24 { 150 } else { 2 };
        assert_eq!(Eye::default().blindness(&frame(1, night)), Some(Blind::Dark));
    }

    #[test]
    fn soft_pictures_of_a_minute_say_nothing_yet_after_a_night_without_any() {
        let mut eye = Eye::default();
        assert_eq!(eye.blindness(&frame(0, |_, _| 0)), Some(Blind::Covered));
        let mut look = |n: u64| eye.blindness(&through(400_000 + n * 10_000, 6));
        assert!((0..12).map(&mut look).all(|cause| cause.is_none()));
        assert!((12..18).map(look).any(|cause| cause == Some(Blind::Unfocused)));
    }

    /// The doorway through a lens that spreads each point over so many pixels, with 320 across.
    fn through(at: u64, spread: i64) -> Frame {
        // No two of a live sensor are alike.
        let noise = at.cast_signed() / 10_000 % 2;
        let light = |x: i64| if (x / 40) % 2 == 0 { 40 } else { 190 + noise };
        let mean = |x: i64| (-spread..=spread).map(|d| light(x + d + 400)).sum::<i64>();
        let row = |x: i64| (mean(x) / (2 * spread + 1)) as u8;
        let row: Vec<u8> = (0..320).flat_map(|x| [row(x); 3]).collect();
        let picture = Picture::new(320, 240, row.repeat(240)).unwrap();
        Frame::new(Mono(at), Pixels::Rgb(picture))
    }

    #[test]
    fn a_lens_is_out_of_focus_when_no_picture_of_three_minutes_was_sharp() {
        let mut eye = Eye::default();
        let mut look = |at: u64, spread| eye.blindness(&through(at, spread));
        let minutes = (0..16).map(|n| look(n * 10_000, 6));
        assert!(minutes.into_iter().all(|cause| cause.is_none()), "not yet");
        assert_eq!(look(180_000, 6), Some(Blind::Unfocused));
        assert_eq!(look(190_000, 0), Some(Blind::Unfocused), "a damaged frame has edges, too");
        assert_eq!(look(200_000, 0), None, "two sharp pictures are proof");
    }

    #[test]
    fn sharpness_falls_with_blur_and_says_nothing_of_a_picture_without_edges() {
        let of = |spread| focus(&through(0, spread).picture().unwrap());
        let all = [0, 1, 2, 4].map(|spread| of(spread).unwrap());
        assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
        assert!(all[0] > 0.9 && all[3] < SOFT, "{all:?}");
        assert_eq!(focus(&frame(0, |_, _| 140).picture().unwrap()), None);
    }

    #[test]
    fn the_same_picture_for_half_a_minute_is_frozen_until_it_changes() {
        let mut eye = Eye::default();
        let mut look = |at, of: u32| eye.blindness(&frame(at, |x, y| doorway(x, y) + of));
        assert_eq!([0, 10_000, 29_999].map(|at| look(at, 0)), [None; 3]);
        assert_eq!(look(30_000, 0), Some(Blind::Frozen));
        assert_eq!(look(31_000, 1), None);
    }

    #[test]
    fn a_damaged_frame_counts_until_the_next_look() {
        let mut eye = Eye::default();
        let bytes = Pixels::Encoded(vec![0xff, 0xd8, 1, 2, 3]);
        assert_eq!(eye.blindness(&Frame::new(Mono(0), bytes)), Some(Blind::Undecodable));
        assert_eq!(eye.blindness(&frame(1_000, doorway)), None);
    }

    #[test]
    fn a_lens_that_is_covered_between_two_decoded_frames_is_found_at_the_next() {
        let mut eye = Eye::default();
        let mut look = |at, light: fn(u32, u32) -> u32| eye.blindness(&frame(at, light));
        assert_eq!(look(0, doorway), None);
        assert_eq!(look(9_999, |_, _| 0), None);
        assert_eq!(look(10_000, |_, _| 0), Some(Blind::Covered));
        assert_eq!(look(20_000, doorway), None);
    }
}
