//! Detectors of every pack behind one call.
//!
//! YuNet and SCRFD look once at the whole picture: each cell of three grids says whether a face has
//! its middle there, where its box ends and where its five points lie.

use crate::{
    Face, Mtcnn, NetError, Picture, Point, Rect,
    align::{MTCNN_TARGETS, SCRFD_TARGETS, YUNET_TARGETS},
    area::{Window, average},
    mtcnn::boxes::{Overlap, prune},
    plan::Network,
};
use std::path::Path;

/// Pixels from one cell to the next in the three grids.
pub const STRIDES: [usize; 3] = [8, 16, 32];
/// Outputs of YuNet for each grid and the numbers of a cell.
pub const YUNET_PARTS: [(&str, usize); 4] = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];
/// A picture is looked at with its longer side scaled to so many pixels.
const SIDE: f32 = 640.0;
/// A face has to be so large in the scaled picture to be found.
const LEAST: f32 = 12.0;
/// Longest side that is ever looked at.
const MOST: f32 = 1920.0;
/// More candidates than this are noise, not people.
const CANDIDATES: usize = 4096;

/// Finds faces.
pub enum Detector {
    /// Of the default pack.
    Mtcnn(Mtcnn),
    /// Of opencv packs.
    Yunet(Grids),
    /// Of arcface packs.
    Scrfd(Grids),
}

/// A network and which of its outputs is what.
pub struct Grids {
    network: Network,
    /// For each stride the outputs: YuNet's in the order of [`YUNET_PARTS`]; SCRFD's score, box,
    /// points.
    parts: [Vec<usize>; 3],
}

impl Detector {
    /// YuNet in a file of ours.
    ///
    /// # Errors
    /// [`NetError::Read`] or [`NetError::Weights`].
    pub fn yunet(path: &Path) -> Result<Self, NetError> {
        let network = Network::load(path)?;
        let names: Vec<String> = network.outputs().map(str::to_owned).collect();
        let parts = STRIDES.map(|stride| {
            let named = |(part, _): &(&str, usize)| {
                names.iter().position(|name| *name == format!("{part}_{stride}"))
            };
            YUNET_PARTS.iter().filter_map(named).collect::<Vec<_>>()
        });
        whole(path, Grids { network, parts }, YUNET_PARTS.len()).map(Self::Yunet)
    }

    /// SCRFD in a file of ours.
    ///
    /// # Errors
    /// As [`Detector::yunet`].
    pub fn scrfd(path: &Path) -> Result<Self, NetError> {
        let network = Network::load(path)?;
        // Names say nothing: a cell's share of 64×64 pixels does.
        let sizes: Vec<(usize, usize)> = network
            .run(vec![0.0; 64 * 64 * 3], [64, 64])?
            .iter()
            .map(Vec::len)
            .zip(network.widths())
            .collect();
        let parts = STRIDES.map(|stride| {
            let cells = (64 / stride) * (64 / stride);
            let place = |width| {
                sizes.iter().position(|&(count, each)| each == width && count == cells * 2 * width)
            };
            [1, 4, 10].into_iter().filter_map(place).collect::<Vec<_>>()
        });
        whole(path, Grids { network, parts }, 3).map(Self::Scrfd)
    }

    /// All faces of at least about `min_face` pixels, the surest first.
    ///
    /// # Errors
    /// Only when a computation fails; no picture can cause it.
    pub fn detect(&self, picture: &Picture, min_face: f32) -> Result<Vec<Face>, NetError> {
        let grids = match self {
            Self::Mtcnn(mtcnn) => return mtcnn.detect(picture, min_face),
            Self::Yunet(grids) | Self::Scrfd(grids) => grids,
        };
        let mut found = Vec::new();
        for scale in scales(picture, min_face) {
            found.extend(self.find_at(grids, picture, scale)?);
        }
        let limit = if matches!(self, Self::Yunet(_)) { 0.3 } else { 0.4 };
        let mut kept = prune(found, Overlap::Union, limit, |face: &Face| (face.rect, face.score));
        kept.retain(|face| face.rect.width().max(face.rect.height()) >= min_face * 0.9);
        Ok(kept)
    }

    /// Where its five points come to lie in a chip of the default pack.
    #[must_use]
    pub fn targets(&self) -> &'static [Point; 5] {
        match self {
            Self::Mtcnn(_) => &MTCNN_TARGETS,
            Self::Yunet(_) => &YUNET_TARGETS,
            Self::Scrfd(_) => &SCRFD_TARGETS,
        }
    }

    fn find_at(&self, grids: &Grids, picture: &Picture, scale: f32) -> Result<Vec<Face>, NetError> {
        let side = |length: u32| ((length as f32 * scale).round() as usize).max(1);
        let inner = [side(picture.height), side(picture.width)];
        let outer = inner.map(|length| length.next_multiple_of(32));
        let pixels = self.pixels(picture, inner, outer);
        let outputs = grids.network.run(pixels, outer)?;
        let mut found = Vec::new();
        for (stride, parts) in STRIDES.into_iter().zip(&grids.parts) {
            let parts: Vec<&[f32]> = parts.iter().map(|&part| outputs[part].as_slice()).collect();
            let columns = outer[1] / stride;
            let faces = match self {
                Self::Yunet(_) => yunet(&parts, stride, columns),
                _ => scrfd(&parts, stride, columns),
            };
            found.extend(faces);
        }
        if found.len() > CANDIDATES {
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            found.truncate(CANDIDATES);
        }
        // Back to pixels of the picture, which may have been stretched by a part of a pixel.
        let back =
            [picture.width as f32 / inner[1] as f32, picture.height as f32 / inner[0] as f32];
        found.iter_mut().for_each(|face| enlarge(face, back));
        Ok(found)
    }

    /// The scaled picture in the upper left corner, as the network wants its pixels.
    fn pixels(&self, picture: &Picture, inner: [usize; 2], outer: [usize; 2]) -> Vec<f32> {
        let mut scaled = vec![0.0; inner[0] * inner[1] * 3];
        average(picture, &Window::whole(picture), inner, 0..inner[0], &mut scaled);
        let mut pixels = vec![0.0; outer[0] * outer[1] * 3];
        let rows = pixels.chunks_exact_mut(outer[1] * 3).zip(scaled.chunks_exact(inner[1] * 3));
        for (to, from) in rows {
            for (to, from) in to.as_chunks_mut::<3>().0.iter_mut().zip(from.as_chunks::<3>().0) {
                *to = match self {
                    Self::Yunet(_) => [from[2], from[1], from[0]],
                    _ => from.map(|value| (value - 127.5) / 128.0),
                };
            }
        }
        pixels
    }
}

fn whole(path: &Path, grids: Grids, each: usize) -> Result<Grids, NetError> {
    if grids.parts.iter().all(|parts| parts.len() == each) {
        return Ok(grids);
    }
    let source = candle_core::Error::Msg("it has not the outputs of a detector".into());
    Err(NetError::Weights { path: path.to_path_buf(), source })
}

/// Scales to look at: large faces are found in a small picture, small ones in a large one.
fn scales(picture: &Picture, min_face: f32) -> Vec<f32> {
    let longest = picture.width.max(picture.height) as f32;
    let coarse = (SIDE / longest).min(1.0);
    let fine = (LEAST / min_face.max(LEAST)).min(MOST / longest).min(1.0);
    if fine > coarse * 1.5 { vec![coarse, fine] } else { vec![coarse] }
}

fn enlarge(face: &mut Face, [across, down]: [f32; 2]) {
    let Rect { left, top, right, bottom } = face.rect;
    face.rect =
        Rect { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
    for point in &mut face.points {
        (point.x, point.y) = (point.x * across, point.y * down);
    }
}

/// `score` on the scale of the default detector: `sure` becomes .95, `least` .70, so that one set
/// of quality lines serves all.
fn as_mtcnn(score: f32, least: f32, sure: f32) -> f32 {
    let line = |low: f32, high: f32, a: f32, b: f32| a + (score - low) / (high - low) * (b - a);
    let score =
        if score < sure { line(least, sure, 0.70, 0.95) } else { line(sure, 1.0, 0.95, 1.0) };
    score.clamp(0.0, 1.0)
}

/// As `OpenCV`'s `FaceDetectorYN` reads it: score = √(class · object), box by middle and logarithms.
fn yunet(parts: &[&[f32]], stride: usize, columns: usize) -> Vec<Face> {
    let &[class, object, boxes, points] = parts else { return Vec::new() };
    let (boxes, points) = (boxes.as_chunks::<4>().0, points.as_chunks::<10>().0);
    let step = stride as f32;
    let mut found = Vec::new();
    for (i, ((class, object), (shape, points))) in
        class.iter().zip(object).zip(boxes.iter().zip(points)).enumerate()
    {
        let score = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
        let (column, row) = ((i % columns) as f32, (i / columns) as f32);
        // A score may be no number: then it is no face.
        if score.is_nan() || score < 0.6 {
            continue;
        }
        let (x, y) = ((column + shape[0]) * step, (row + shape[1]) * step);
        let (w, h) = (shape[2].exp() * step / 2.0, shape[3].exp() * step / 2.0);
        let point = |n: usize| Point {
            x: (points[2 * n] + column) * step,
            y: (points[2 * n + 1] + row) * step,
        };
        found.push(Face {
            rect: Rect { left: x - w, top: y - h, right: x + w, bottom: y + h },
            score: as_mtcnn(score, 0.6, 0.85),
            points: std::array::from_fn(point),
        });
    }
    found
}

/// As `InsightFace` reads it: distances from the cell's corner, in cells.
fn scrfd(parts: &[&[f32]], stride: usize, columns: usize) -> Vec<Face> {
    let &[scores, boxes, points] = parts else { return Vec::new() };
    let (boxes, points) = (boxes.as_chunks::<4>().0, points.as_chunks::<10>().0);
    let step = stride as f32;
    let mut found = Vec::new();
    for (i, (&score, (sides, points))) in scores.iter().zip(boxes.iter().zip(points)).enumerate() {
        if score.is_nan() || score < 0.5 {
            continue;
        }
        let cell = i / 2;
        let (x, y) = ((cell % columns) as f32 * step, (cell / columns) as f32 * step);
        let [left, top, right, bottom] = sides.map(|side| side * step);
        let point =
            |n: usize| Point { x: x + points[2 * n] * step, y: y + points[2 * n + 1] * step };
        found.push(Face {
            rect: Rect { left: x - left, top: y - top, right: x + right, bottom: y + bottom },
            score: as_mtcnn(score, 0.5, 0.70),
            points: std::array::from_fn(point),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yunet_cell_is_read_as_opencv_reads_it() {
        let points: Vec<f32> = (0..20).map(|n| n as f32 / 10.0).collect();
        let boxes = [0.0; 4].into_iter().chain([0.5, 0.25, 2f32.ln(), 4f32.ln()]);
        let boxes: Vec<f32> = boxes.collect();
        let faces = yunet(&[&[0.9, 1.0], &[0.1, 0.81], &boxes, &points], 8, 2);
        let [face] = faces.as_slice() else { panic!("{} faces", faces.len()) };
        assert_eq!(face.rect, Rect { left: 4.0, top: -14.0, right: 20.0, bottom: 18.0 });
        assert_eq!(face.points[0], Point { x: 16.0, y: 8.8 });
        assert!((face.score - 0.966_666).abs() < 1e-4, "{}", face.score);
    }

    #[test]
    fn a_scrfd_cell_has_two_places_and_sides_from_its_corner() {
        let boxes = [[0.0; 4], [0.0; 4], [0.0; 4], [1.0, 2.0, 3.0, 4.0]].concat();
        let points = [[0.0; 10], [0.0; 10], [0.0; 10], [0.5; 10]].concat();
        let faces = scrfd(&[&[0.1, 0.2, f32::NAN, 0.7], &boxes, &points], 16, 2);
        let [face] = faces.as_slice() else { panic!("{} faces", faces.len()) };
        assert_eq!(face.rect, Rect { left: 0.0, top: -32.0, right: 64.0, bottom: 64.0 });
        assert_eq!((face.points[4], face.score), (Point { x: 24.0, y: 8.0 }, 0.95));
    }

    #[test]
    fn a_large_picture_is_looked_at_twice() {
        let picture = |w, h| Picture::new(w, h, vec![0; (w * h * 3) as usize]).unwrap();
        assert_eq!(scales(&picture(640, 480), 40.0), [1.0]);
        assert_eq!(scales(&picture(320, 200), 40.0), [1.0]);
        assert_eq!(scales(&picture(3200, 100), 24.0), [0.2, 0.5]);
        assert_eq!(scales(&picture(3200, 100), 60.0), [0.2]);
    }
}
