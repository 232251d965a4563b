//! How fast faces are found and compared.

use crate::capture::{Frame, Pixels};
use crate::config::Config;
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;
use vision::{Face, NetError, Pack, Picture, Point, Rect};
use wire::Mono;

/// Smallest faces that are tried, pixels; half of it costs about four times as much.
pub(super) const SIZES: [u32; 3] = [40, 60, 80];
/// How often each is measured: the middle one counts.
const TIMES: usize = 5;

/// Milliseconds of each step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Speed {
    /// From a frame to its pixels.
    pub decode_ms: f32,
    /// To find faces, the smallest first.
    pub detect: Vec<Detection>,
    /// To compare one face, its mirror image too.
    pub embed_ms: f32,
    /// A burst as it is set, of one person.
    pub burst_ms: f32,
}

/// How long it takes to find faces.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// Of so many pixels and more.
    pub from: u32,
    /// Milliseconds.
    pub ms: f32,
}

/// Measures all of it on `frame`.
///
/// # Errors
/// Only when a computation fails.
pub fn measure(config: &Config, pack: &Pack, frame: &Frame) -> Result<Speed, NetError> {
    let Ok(picture) = frame.picture() else { return measure(config, pack, &wall()) };
    let mut sizes = SIZES.to_vec();
    sizes.push(config.recognise.min_face);
    sizes.sort_unstable();
    sizes.dedup();
    let decode_ms = middle(|| frame.picture());
    let face = face(pack, &picture)?;
    let once = |from: u32| {
        let ms = middle(|| pack.detect_from(&picture, from as f32));
        Detection { from, ms }
    };
    let detect: Vec<_> = sizes.into_iter().map(once).collect();
    let embed_ms = middle(|| pack.embed(&picture, &face));
    let own = detect.iter().find(|detection| detection.from == config.recognise.min_face);
    let each = decode_ms + own.map_or(0.0, |detection| detection.ms) + embed_ms;
    let burst_ms = each * config.recognise.frames as f32;
    Ok(Speed { decode_ms, detect, embed_ms, burst_ms })
}

/// One burst's work.
pub fn burst(config: &Config, pack: &Pack, frame: &Frame) {
    for _ in 0..config.recognise.frames {
        let Ok(picture) = frame.picture() else { return };
        let found = pack.detect(&picture);
        let face = found.ok().and_then(|found| found.into_iter().next());
        let face = face.unwrap_or_else(|| stranger(&picture));
        let _only_its_time_counts = black_box(pack.embed(&picture, &face));
    }
}

/// Somebody on the picture; a place where somebody might be where there is nobody. What is
/// computed is the same.
fn face(pack: &Pack, picture: &Picture) -> Result<Face, NetError> {
    Ok(pack.detect(picture)?.into_iter().next().unwrap_or_else(|| stranger(picture)))
}

fn stranger(picture: &Picture) -> Face {
    let side = picture.width.min(picture.height) as f32 / 3.0;
    let rect = Rect { left: side, top: side, right: 2.0 * side, bottom: 2.0 * side };
    let at = |x: f32, y: f32| Point { x: side * (1.0 + x), y: side * (1.0 + y) };
    let points = [at(0.3, 0.35), at(0.7, 0.35), at(0.5, 0.55), at(0.35, 0.75), at(0.65, 0.75)];
    Face { rect, score: 1.0, points }
}

/// The middle one of some measurements, milliseconds.
fn middle<T>(work: impl Fn() -> T) -> f32 {
    let once = |_| {
        let began = Instant::now();
        black_box(work());
        began.elapsed().as_secs_f32() * 1_000.0
    };
    black_box(work());
    let mut times: Vec<f32> = (0..TIMES).map(once).collect();
    times.sort_by(f32::total_cmp);
    times[TIMES / 2]
}

/// A frame of nobody, where no camera gives one: a JPEG of 640 × 480.
pub fn wall() -> Frame {
    let pixel = |n: u32| {
        let (x, y) = (n % 640, n / 640);
        let post = if x % 200 < 14 { 40 } else { 0 };
        let shade = (110 + x / 16 + y / 12 - post + n.wrapping_mul(2_654_435_761) % 5) as u8;
        [shade, shade.saturating_sub(8), shade.saturating_sub(20)]
    };
    let rgb = (0..640 * 480).flat_map(pixel).collect();
    let picture = Picture::new(640, 480, rgb).expect("three bytes for each pixel");
    Frame::new(Mono(0), Pixels::Encoded(picture.to_jpeg(85)))
}
