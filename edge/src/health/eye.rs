//! Whether the newest frame shows anything: is it a picture, of something, and not the same as ever?
//!
//! Two frames of a live sensor are never alike to the last byte, so a fingerprint tells a frozen
//! picture without decoding it. Only now and then a frame is decoded.

use crate::{
    capture::{Frame, Pixels},
    trigger::motion::{CELLS, grid},
};
use std::hash::{DefaultHasher, Hasher as _};
use wire::{Mono, record::Blind};

/// The same frame for so long is no live picture. Cameras that send video may repeat a still
/// scene for some seconds.
const FROZEN_MS: u64 = 30_000;
/// How often a frame is decoded.
const DECODE_MS: u64 = 10_000;
/// A picture darker than this, of 255, shows nobody.
const DARK: f32 = 12.0;
/// Where neighbouring cells bend less than this, of 255, there is neither edge nor shape: a hand,
/// tape or fog.
const FLAT: f32 = 1.0;
/// Of a raw frame one byte in so many is looked at.
const SAMPLE: usize = 64;

/// Looks at one frame a second.
#[derive(Debug, Default)]
pub struct Eye {
    /// The newest picture's fingerprint, and since when it is the same.
    print: Option<(u64, Mono)>,
    decoded: Option<Mono>,
    found: Option<Blind>,
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
            (self.decoded, self.found) = (Some(frame.at), view(frame));
        }
        let frozen = frame.at.since(since) >= FROZEN_MS;
        self.found.or(frozen.then_some(Blind::Frozen))
    }
}

fn view(frame: &Frame) -> Option<Blind> {
    match frame.picture() {
        Err(_) => Some(Blind::Undecodable),
        Ok(picture) => is_blank(&grid(&picture)).then_some(Blind::Covered),
    }
}

/// Whether a grid of brightness shows nothing: dark, or without an edge. Light that leaks in from
/// one side changes evenly, and is no edge.
fn is_blank(grid: &[f32]) -> bool {
    let count = grid.len().max(1) as f32;
    let bend = |row: &[f32]| {
        row.windows(3).map(|cells| (cells[0] + cells[2] - 2.0 * cells[1]).abs()).sum::<f32>()
    };
    let bends = grid.chunks(CELLS[0]).map(bend).sum::<f32>() / count;
    grid.iter().sum::<f32>() / count < DARK || bends < FLAT
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
