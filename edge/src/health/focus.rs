//! How sharp a picture is, whatever it shows and however bright it is.
//!
//! A lens in focus turns an edge from dark to light within a pixel or two; out of focus it takes
//! many. Of each strong edge it is measured which share of its step lies within two pixels; the sharpest
//! edges of the picture tell, because what moves, or stands too near, is blurred in focus as well.
//! Looked at is a picture made small: that takes away noise and the seams of JPEG, and costs a
//! millisecond.

use vision::Picture;

/// Pixels across of what is looked at.
const ACROSS: u32 = 320;
/// An edge is looked for within so many pixels to each side.
const REACH: usize = 6;
/// A step of less than this, of 255, may be noise.
const STEP: f32 = 40.0;
/// With fewer edges than this, of one direction or the other, nobody can tell.
const EDGES: usize = 40;
/// Of a hundred edges so many are less sharp than the one that tells.
const SHARPEST: usize = 90;

/// The share of an edge that lies within two pixels, 0 to 1, of the sharpest edges; nothing where
/// the picture has too few.
#[must_use]
pub fn focus(picture: &Picture) -> Option<f32> {
    // Never made larger: that would blur what is sharp.
    let across = ACROSS.min(picture.width);
    let height = (u64::from(picture.height) * u64::from(across)).div_ceil(picture.width.into());
    let small = picture.resized(across, u32::try_from(height).ok()?);
    let luma =
        |p: &[u8; 3]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
    let luma: Vec<f32> = small.rgb.as_chunks::<3>().0.iter().map(luma).collect();
    let width = small.width as usize;
    let mut shares = Vec::new();
    luma.chunks_exact(width).for_each(|row| edges(row, &mut shares));
    let mut column = Vec::new();
    for x in 0..width {
        column.clear();
        column.extend(luma.iter().skip(x).step_by(width));
        edges(&column, &mut shares);
    }
    if shares.len() < EDGES {
        return None;
    }
    shares.sort_by(f32::total_cmp);
    shares.get(shares.len() * SHARPEST / 100).copied()
}

/// The share of each strong edge along `line` that lies within two pixels.
fn edges(line: &[f32], shares: &mut Vec<f32>) {
    let slope = |x: usize| (line[x + 1] - line[x - 1]).abs();
    for x in REACH..line.len().saturating_sub(REACH) {
        let steepest = slope(x) >= slope(x - 1) && slope(x) > slope(x + 1);
        if !steepest || slope(x) < STEP / REACH as f32 {
            continue;
        }
        let around = &line[x - REACH..=x + REACH];
        let (low, high) = around
            .iter()
            .fold((f32::MAX, f32::MIN), |(low, high), luma| (low.min(*luma), high.max(*luma)));
        if high - low >= STEP {
            shares.push(slope(x) / (high - low));
        }
    }
}
