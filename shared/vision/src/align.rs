//! A face is turned upright and scaled to a chip of 150 × 150 pixels, as the embedder knows faces.
//!
//! The five points of the detector drive it directly; no landmark network is needed.

use crate::{
    Picture, Point, Rect,
    area::{Window, average},
};

/// Pixels across and down a chip.
pub const SIDE: usize = 150;

/// Where the five points come to lie in a chip: medians of MTCNN's points in dlib's own chips of
/// 999 faces of LFW. On the same pairs as accurate as dlib's landmark predictor.
pub const MTCNN_TARGETS: [Point; 5] = [
    Point { x: 48.648, y: 46.828 },
    Point { x: 102.371, y: 46.713 },
    Point { x: 75.353, y: 78.793 },
    Point { x: 52.035, y: 105.955 },
    Point { x: 98.760, y: 105.942 },
];

/// The same for the points of YuNet.
pub const YUNET_TARGETS: [Point; 5] = [
    Point { x: 47.67, y: 45.05 },
    Point { x: 103.32, y: 45.99 },
    Point { x: 75.62, y: 77.28 },
    Point { x: 51.52, y: 101.39 },
    Point { x: 99.36, y: 101.94 },
];

/// The same for the points of SCRFD.
pub const SCRFD_TARGETS: [Point; 5] = [
    Point { x: 47.65, y: 46.22 },
    Point { x: 101.90, y: 46.23 },
    Point { x: 74.89, y: 77.93 },
    Point { x: 51.85, y: 104.16 },
    Point { x: 97.77, y: 103.97 },
];

/// Where any detector's points come to lie for networks trained as ArcFace was.
pub const ARCFACE_TARGETS: [Point; 5] = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];

/// Pixels across and down what those networks see.
pub const ARCFACE_SIDE: usize = 112;

/// An upright face, square RGB pixels; black where the picture had ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Chip {
    side: usize,
    rgb: Vec<u8>,
}

impl std::fmt::Debug for Chip {
    /// No pixels: they show a face.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chip")
    }
}

impl Chip {
    /// Takes `150 × 150 × 3` bytes as they are; `None` for any other number.
    #[must_use]
    pub fn new(rgb: Vec<u8>) -> Option<Self> {
        (rgb.len() == SIDE * SIDE * 3).then_some(Self { side: SIDE, rgb })
    }

    fn black(side: usize) -> Self {
        Self { side, rgb: vec![0; side * side * 3] }
    }

    /// Pixels across and down.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// Rows from the top, three bytes a pixel.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Left and right swapped.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut rgb = vec![0; self.rgb.len()];
        let (pixels, _) = self.rgb.as_chunks::<3>();
        let (mirrored, _) = rgb.as_chunks_mut::<3>();
        let rows = mirrored.chunks_exact_mut(self.side).zip(pixels.chunks_exact(self.side));
        for (to, from) in rows {
            to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
        }
        Self { side: self.side, rgb }
    }

    /// The chip as a picture, to be stored or shown.
    #[must_use]
    pub fn to_picture(&self) -> Picture {
        Picture { width: self.side as u32, height: self.side as u32, rgb: self.rgb.clone() }
    }
}

/// Cuts the face with MTCNN's five points out of the picture as the default pack sees it.
#[must_use]
pub fn align(picture: &Picture, points: &[Point; 5]) -> Chip {
    align_to(picture, points, &MTCNN_TARGETS, SIDE)
}

/// Cuts a face out so that its five points come to lie on `targets` in `side × side` pixels. Points that define no size (all in one
/// place, not finite) give a black chip.
///
/// Where the face is more than twice as large as the chip, pixels are averaged first, so that fine
/// texture does not turn into noise.
#[must_use]
pub fn align_to(picture: &Picture, points: &[Point; 5], targets: &[Point; 5], side: usize) -> Chip {
    let Some(fit) = Similarity::between(targets, points) else {
        return Chip::black(side);
    };
    let shrink = fit.scale() as usize;
    if fit.scale() <= 2.0 {
        return sample(picture, &fit, side);
    }
    let Some((smaller, fit)) = shrunk(picture, &fit, shrink, side) else {
        return Chip::black(side);
    };
    sample(&smaller, &fit, side)
}

/// The part of the picture in `rect`, stretched to `side × side`; black where nothing is left.
#[must_use]
pub fn boxed(picture: &Picture, rect: &Rect, side: usize) -> Chip {
    let span = |low: f32, high: f32, length: u32| {
        let edge = |at: f32| (at.max(0.0) as usize).min(length as usize);
        edge(low)..edge(high)
    };
    let columns = span(rect.left, rect.right, picture.width);
    let rows = span(rect.top, rect.bottom, picture.height);
    if columns.is_empty() || rows.is_empty() {
        return Chip::black(side);
    }
    let mut means = vec![0.0; side * side * 3];
    average(picture, &Window { columns, rows }, [side, side], 0..side, &mut means);
    Chip { side, rgb: means.into_iter().map(|mean| (mean + 0.5) as u8).collect() }
}

/// `(x, y) → (a·x − b·y + dx, b·x + a·y + dy)`: turn, scale, shift.
#[derive(Clone, Copy, Debug)]
struct Similarity {
    a: f64,
    b: f64,
    dx: f64,
    dy: f64,
}

impl Similarity {
    /// Umeyama's least-squares fit of `to` (measured) onto `from` (wanted), turned around so that
    /// it leads from `from` to `to`. In the plane it is a quotient of two complex sums.
    fn between(from: &[Point; 5], to: &[Point; 5]) -> Option<Self> {
        let (wanted, measured) = (centred(from), centred(to));
        let (mut a, mut b, mut size) = (0.0, 0.0, 0.0);
        for ([x, y], [u, v]) in measured.1.into_iter().zip(wanted.1) {
            a += x * u + y * v;
            b += x * v - y * u;
            size += x * x + y * y;
        }
        // measured → wanted is (a + ib) / size; its inverse is size · (a − ib) / |a + ib|².
        let length = a * a + b * b;
        let (a, b) = (size * a / length, -size * b / length);
        let [[cx, cy], [mx, my]] = [wanted.0, measured.0];
        let fit = Self { a, b, dx: mx - (a * cx - b * cy), dy: my - (b * cx + a * cy) };
        let sound = [fit.a, fit.b, fit.dx, fit.dy].iter().all(|x| x.is_finite() && x.abs() < 1e9);
        (sound && fit.scale() > 0.0).then_some(fit)
    }

    /// Picture pixels per chip pixel.
    fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    fn apply(&self, x: f64, y: f64) -> [f64; 2] {
        [self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy]
    }
}

/// The mean of five points, and the points seen from there.
fn centred(points: &[Point; 5]) -> ([f64; 2], [[f64; 2]; 5]) {
    let points = points.map(|point| [f64::from(point.x), f64::from(point.y)]);
    let mean = [0, 1].map(|i| points.iter().map(|point| point[i]).sum::<f64>() / 5.0);
    (mean, points.map(|[x, y]| [x - mean[0], y - mean[1]]))
}

/// The part of the picture that the chip shows, `factor` times smaller, and the fit onto it.
fn shrunk(
    picture: &Picture,
    fit: &Similarity,
    factor: usize,
    side: usize,
) -> Option<(Picture, Similarity)> {
    let far = (side - 1) as f64;
    let corners = [[0.0, 0.0], [far, 0.0], [0.0, far], [far, far]].map(|[x, y]| fit.apply(x, y));
    let span = |i: usize, side: u32| {
        let (low, high) = corners.iter().fold((f64::MAX, f64::MIN), |(low, high), corner| {
            (low.min(corner[i]), high.max(corner[i]))
        });
        let side = side as usize;
        // Whole blocks, one more on either side for the interpolation.
        let start = ((low.max(0.0) as usize).saturating_sub(factor) / factor * factor).min(side);
        let end = ((high.max(0.0) as usize).saturating_add(2 * factor)).min(side);
        start..start + (end - start.min(end)) / factor * factor
    };
    let window = Window { columns: span(0, picture.width), rows: span(1, picture.height) };
    let size = [window.rows.len() / factor, window.columns.len() / factor];
    if size.contains(&0) {
        return None;
    }
    let mut means = vec![0.0; size[0] * size[1] * 3];
    average(picture, &window, size, 0..size[0], &mut means);
    let rgb = means.into_iter().map(|mean| (mean + 0.5) as u8).collect();
    let smaller = Picture { width: size[1] as u32, height: size[0] as u32, rgb };
    // The middle of block i lies at start + factor·i + (factor − 1) / 2.
    let (f, half) = (factor as f64, (factor - 1) as f64 / 2.0);
    let shift = |d: f64, start: usize| (d - start as f64 - half) / f;
    let (dx, dy) = (shift(fit.dx, window.columns.start), shift(fit.dy, window.rows.start));
    Some((smaller, Similarity { a: fit.a / f, b: fit.b / f, dx, dy }))
}

/// Bilinear interpolation, black beyond the edges.
fn sample(picture: &Picture, fit: &Similarity, side: usize) -> Chip {
    let mut rgb = Vec::with_capacity(side * side * 3);
    for y in 0..side {
        for x in 0..side {
            let [u, v] = fit.apply(x as f64, y as f64);
            rgb.extend(bilinear(picture, u, v));
        }
    }
    Chip { side, rgb }
}

fn bilinear(picture: &Picture, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, lower_share) = ((x - left) as f32, (y - top) as f32);
    let (left, top) = (left as i64, top as i64);
    let mut sum = [0.5; 3];
    for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (u, v) = (left + column, top + row);
        if u < 0 || v < 0 || u >= i64::from(picture.width) || v >= i64::from(picture.height) {
            continue;
        }
        let across = if column == 0 { 1.0 - right_share } else { right_share };
        let share = across * if row == 0 { 1.0 - lower_share } else { lower_share };
        let pixel = picture.pixel(u as u32, v as u32);
        (0..3).for_each(|c| sum[c] += share * f32::from(pixel[c]));
    }
    sum.map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red grows to the right, green downwards.
    fn slope(width: u32, height: u32) -> Picture {
        let pixel = |i: u32| [(i % width) as u8, (i / width) as u8, 7];
        Picture::new(width, height, (0..width * height).flat_map(pixel).collect()).unwrap()
    }

    fn moved(by: impl Fn(Point) -> [f32; 2]) -> [Point; 5] {
        MTCNN_TARGETS.map(|point| {
            let [x, y] = by(point);
            Point { x, y }
        })
    }

    fn at(chip: &Chip, x: usize, y: usize) -> &[u8] {
        &chip.rgb()[(y * SIDE + x) * 3..][..3]
    }

    #[test]
    fn points_in_place_copy_the_picture() {
        let chip = align(&slope(200, 200), &MTCNN_TARGETS);
        assert_eq!((at(&chip, 0, 0), at(&chip, 149, 30)), (&[0, 0, 7][..], &[149, 30, 7][..]));
    }

    #[test]
    fn a_face_on_its_side_is_turned_upright() {
        let chip = align(&slope(200, 200), &moved(|p| [160.0 - p.y, 10.0 + p.x]));
        assert_eq!((at(&chip, 0, 0), at(&chip, 20, 50)), (&[160, 10, 7][..], &[110, 30, 7][..]));
    }

    #[test]
    fn a_large_face_is_averaged() {
        let chip = align(&slope(250, 250), &moved(|p| [40.0 + p.x * 0.5, 30.0 + p.y * 0.5]));
        assert_eq!(at(&chip, 100, 60), [90, 60, 7]);
        let checks = (0..600 * 600).flat_map(|i| [((i + i / 600) % 2 * 255) as u8; 3]).collect();
        let checks = Picture::new(600, 600, checks).unwrap();
        let chip = align(&checks, &moved(|p| [p.x * 2.5 + 50.0, p.y * 2.5 + 50.0]));
        assert!(chip.rgb().iter().all(|&value| (126..=129).contains(&value)), "moiré");
    }

    #[test]
    fn beyond_the_picture_lies_black() {
        let chip = align(&slope(60, 60), &moved(|p| [p.x - 75.0, p.y]));
        assert_eq!((at(&chip, 10, 10), at(&chip, 85, 10)), (&[0; 3][..], &[10, 10, 7][..]));
        let far = align(&slope(60, 60), &moved(|p| [p.x * 9.0 + 5e5, p.y * 9.0]));
        assert!(far.rgb().iter().all(|&value| value == 0));
    }

    #[test]
    fn points_without_a_size_give_a_black_chip() {
        for bad in [0.0, f32::NAN, f32::INFINITY, 1e30] {
            let chip = align(&slope(60, 60), &[Point { x: bad, y: bad }; 5]);
            assert!(chip.rgb().iter().all(|&value| value == 0), "{bad}");
        }
    }

    #[test]
    fn a_mirror_of_a_mirror_is_the_chip() {
        let chip = align(&slope(200, 200), &MTCNN_TARGETS);
        assert_eq!(at(&chip.mirrored(), 0, 3), [149, 3, 7]);
        assert_eq!(chip.mirrored().mirrored(), chip);
    }

    #[test]
    fn each_kind_of_network_gets_its_own_cut() {
        let points = ARCFACE_TARGETS.map(|p| Point { x: p.x + 20.0, y: p.y + 5.0 });
        let chip = align_to(&slope(200, 200), &points, &ARCFACE_TARGETS, ARCFACE_SIDE);
        assert_eq!((chip.side(), &chip.rgb()[..3]), (112, &[20, 5, 7][..]));
        let rect = Rect { left: -4.0, top: 20.0, right: 40.0, bottom: 60.0 };
        let chip = boxed(&slope(200, 200), &rect, 20);
        assert_eq!((chip.side(), &chip.rgb()[..3]), (20, &[1, 21, 7][..]));
        let nowhere = Rect { left: 300.0, right: 400.0, ..rect };
        assert!(boxed(&slope(200, 200), &nowhere, 20).rgb().iter().all(|&value| value == 0));
    }
}
