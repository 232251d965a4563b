//! MTCNN, the detector of the default pack: a pyramid of pictures, then three networks, each
//! looking only where the one before saw something.
//!
//! Weights and every step are those of `facenet_pytorch` 2.6.0 (Zhang et al., "Joint Face Detection
//! and Alignment using Multitask Cascaded Convolutional Networks", 2016).

pub(crate) mod boxes;
mod nets;

use crate::{
    Face, Picture, Point, Rect,
    area::{Window, average},
    nn::{Map, NetError},
};
use boxes::{Candidate, Overlap, prune};
use nets::Net;
use std::path::Path;

/// Scores from which a candidate goes on, one for each network.
const THRESHOLDS: [f32; 3] = [0.6, 0.7, 0.7];
/// From one picture of the pyramid to the next.
const FACTOR: f64 = 0.709;
/// Pixels a place of PNet covers, and from one to the next.
const CELL: usize = 12;
const STEP: usize = 2;
/// Smallest faces that can be asked for, in pixels: PNet's own size.
const LEAST: f32 = 12.0;
/// Rows of places PNet looks at together: bounds memory on large pictures and stays in the cache.
const STRIP: usize = 24;
/// Crops RNet and ONet look at together.
const BATCH: usize = 16;
/// More candidates than this are noise, not people; the surest go on.
const MOST: usize = 4096;

/// The detector. Cheap to share, runs on the caller's thread.
pub struct Mtcnn {
    proposer: Net,
    refiner: Net,
    decider: Net,
}

impl Mtcnn {
    /// Reads `pnet`, `rnet` and `onet.safetensors` in `dir`.
    ///
    /// # Errors
    /// [`NetError::Read`] or [`NetError::Weights`].
    pub fn load(dir: &Path) -> Result<Self, NetError> {
        Ok(Self {
            proposer: Net::proposer(dir)?,
            refiner: Net::refiner(dir)?,
            decider: Net::decider(dir)?,
        })
    }

    /// All faces of at least about `min_face` pixels, the surest first. Boxes and points may lie
    /// beyond the edges, where the rest of a face would be.
    ///
    /// # Errors
    /// Only when a computation fails; no picture can cause it.
    pub fn detect(&self, picture: &Picture, min_face: f32) -> Result<Vec<Face>, NetError> {
        let candidates = self.propose(picture, min_face)?;
        let candidates = self.refine(picture, &candidates)?;
        self.decide(picture, &candidates)
    }

    /// PNet over the pyramid.
    fn propose(&self, picture: &Picture, min_face: f32) -> Result<Vec<Candidate>, NetError> {
        let mut found = Vec::new();
        for scale in scales(picture, min_face) {
            let level = self.propose_at(picture, scale)?;
            found.extend(prune(surest(level), Overlap::Union, 0.5, Candidate::view));
        }
        let found = prune(surest(found), Overlap::Union, 0.7, Candidate::view);
        Ok(found.iter().map(|candidate| candidate.squared(0.0)).collect())
    }

    /// PNet over the picture at one scale, strip by strip.
    fn propose_at(&self, picture: &Picture, scale: f64) -> Result<Vec<Candidate>, NetError> {
        let size =
            [picture.height, picture.width].map(|side| (f64::from(side) * scale + 1.0) as usize);
        // A convolution by 3, a pool that counts the odd row, two more convolutions.
        let [rows, columns] = size.map(|side| (side - 2).div_ceil(STEP) - 4);
        let mut found = Vec::new();
        for top in (0..rows).step_by(STRIP) {
            let end = top + STRIP;
            let last = if end >= rows { size[0] } else { STEP * (end - 1) + CELL };
            let pixels = top * STEP..last;
            let height = pixels.len();
            let mut strip = Map::unwritten([1, height, size[1], 3]);
            average(picture, &Window::whole(picture), size, pixels, strip.values_mut());
            let places = self.proposer.run(strip)?;
            for (i, place) in places.values().as_chunks::<6>().0.iter().enumerate() {
                let [no, yes, shift @ ..] = *place;
                let score = probability(no, yes);
                if score >= THRESHOLDS[0] {
                    let rect = cell(i % columns, top + i / columns, scale);
                    found.push(Candidate { rect, score, shift });
                }
            }
        }
        Ok(found)
    }

    /// RNet on crops of 24 × 24.
    fn refine(
        &self,
        picture: &Picture,
        candidates: &[Candidate],
    ) -> Result<Vec<Candidate>, NetError> {
        let mut found = Vec::new();
        refine::<6>(&self.refiner, picture, candidates, 24, |from, out| {
            let [no, yes, shift @ ..] = *out;
            let score = probability(no, yes);
            if score > THRESHOLDS[1] {
                found.push(Candidate { rect: from.rect, score, shift });
            }
        })?;
        let found = prune(found, Overlap::Union, 0.7, Candidate::view);
        Ok(found.iter().map(|candidate| candidate.squared(1.0)).collect())
    }

    /// ONet on crops of 48 × 48.
    fn decide(&self, picture: &Picture, candidates: &[Candidate]) -> Result<Vec<Face>, NetError> {
        let mut found = Vec::new();
        refine::<16>(&self.decider, picture, candidates, 48, |from, out| {
            let [no, yes, a, b, c, d, points @ ..] = *out;
            let score = probability(no, yes);
            if score > THRESHOLDS[2] {
                let moved = Candidate { rect: from.rect, score, shift: [a, b, c, d] }.moved(1.0);
                found.push(Face { rect: moved, score, points: place(&points, &from.rect) });
            }
        })?;
        Ok(prune(found, Overlap::Smaller, 0.7, |face| (face.rect, face.score)))
    }
}

/// Scales at which a face of 12 pixels is one of `min_face` and more, until nothing is left.
fn scales(picture: &Picture, min_face: f32) -> Vec<f64> {
    let first = f64::from(CELL as u32) / f64::from(min_face.max(LEAST));
    let least = f64::from(picture.width.min(picture.height));
    let all = std::iter::successors(Some(first), |scale| Some(scale * FACTOR));
    all.take_while(|scale| least * scale >= f64::from(CELL as u32)).collect()
}

/// The pixels of the picture behind one place of PNet.
fn cell(x: usize, y: usize, scale: f64) -> Rect {
    let edge = |i: usize, size: usize| (((STEP * i + size) as f64) / scale).floor() as f32;
    Rect { left: edge(x, 1), top: edge(y, 1), right: edge(x, CELL), bottom: edge(y, CELL) }
}

/// Softmax over two numbers, the second one's part.
fn probability(no: f32, yes: f32) -> f32 {
    1.0 / (1.0 + (no - yes).exp())
}

fn surest(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    if candidates.len() > MOST {
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        candidates.truncate(MOST);
    }
    candidates
}

/// ONet gives five x, then five y, in parts of the box it looked at.
fn place(points: &[f32; 10], rect: &Rect) -> [Point; 5] {
    let (w, h) = (rect.width() + 1.0, rect.height() + 1.0);
    std::array::from_fn(|i| Point {
        x: w * points[i] + rect.left - 1.0,
        y: h * points[i + 5] + rect.top - 1.0,
    })
}

/// Cuts the candidates out, scales them to `side` and hands each network output to `then`.
fn refine<const N: usize>(
    net: &Net,
    picture: &Picture,
    candidates: &[Candidate],
    side: usize,
    mut then: impl FnMut(&Candidate, &[f32; N]),
) -> Result<(), NetError> {
    let cut = |candidate| Candidate::window(candidate, picture).map(|window| (candidate, window));
    let windows: Vec<_> = candidates.iter().filter_map(cut).collect();
    for batch in windows.chunks(BATCH) {
        let mut pixels = Map::unwritten([batch.len(), side, side, 3]);
        let crops = pixels.values_mut().chunks_exact_mut(side * side * 3);
        for (crop, (_, window)) in crops.zip(batch) {
            average(picture, window, [side, side], 0..side, crop);
        }
        let outputs = net.run(pixels)?;
        batch
            .iter()
            .zip(outputs.values().as_chunks::<N>().0)
            .for_each(|((from, _), out)| then(from, out));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pyramid_begins_at_the_smallest_face_and_ends_at_twelve_pixels() {
        let picture = Picture::new(640, 480, vec![0; 640 * 480 * 3]).unwrap();
        assert_eq!(
            [20.0, 40.0, 60.0, 80.0].map(|least| scales(&picture, least).len()),
            [10, 8, 7, 6]
        );
        assert_eq!(scales(&picture, f32::NAN)[0], 1.0);
        assert!(scales(&picture, 481.0).is_empty());
    }

    #[test]
    fn places_cover_twelve_pixels_every_two() {
        let rect = cell(3, 0, 0.5);
        assert_eq!(rect, Rect { left: 14.0, top: 2.0, right: 36.0, bottom: 24.0 });
    }

    #[test]
    fn two_equal_numbers_are_a_coin_toss() {
        assert_eq!(probability(3.0, 3.0), 0.5);
        assert!(probability(0.0, 9.0) > 0.999 && probability(200.0, -200.0) < 1e-6);
    }
}
