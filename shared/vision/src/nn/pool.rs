//! Pooling of NHWC maps.
#![expect(unsafe_code, reason = "vectors are loaded from checked rows")]

use super::{
    map::Map,
    simd::{Isa, Job, Simd},
};
use candle_core::{Result, bail};

/// The largest of `size × size` numbers every `stride`; at the right and lower edge, windows that
/// are cut off count too (`ceil_mode`), if they still begin inside.
pub(crate) struct MaxPool {
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) ceil: bool,
}

impl MaxPool {
    pub(crate) fn forward(&self, map: &Map) -> Result<Map> {
        let [n, h, w, c] = map.size();
        if !self.ceil && (h < self.size || w < self.size) {
            bail!("a map of {h}×{w} has no window of {0}×{0}", self.size);
        }
        let size = [n, self.reach(h), self.reach(w), c];
        let (mut output, mut line) = (Map::unwritten(size), Map::unwritten([1, 1, w, c]));
        Isa::best().run(Maxima { pool: self, map, size, line: &mut line, output: &mut output });
        Ok(output)
    }

    fn reach(&self, length: usize) -> usize {
        let rest = length.saturating_sub(self.size);
        if self.ceil {
            let steps = rest.div_ceil(self.stride);
            // A window that begins beyond the edge holds nothing.
            if steps * self.stride < length { steps + 1 } else { steps }
        } else {
            rest / self.stride + 1
        }
    }
}

/// First the largest of some rows, all channels of all columns in one go, then of some columns.
/// Vectors reach into the next pixel, whose own numbers are written after them.
struct Maxima<'a> {
    pool: &'a MaxPool,
    map: &'a Map,
    size: [usize; 4],
    line: &'a mut Map,
    output: &'a mut Map,
}

impl Job for Maxima<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller's promise. With a size known to the compiler loops unroll.
        unsafe {
            match self.pool.size {
                2 => self.sized::<S>(2),
                3 => self.sized::<S>(3),
                size => self.sized::<S>(size),
            }
        }
    }
}

impl Maxima<'_> {
    #[inline(always)]
    unsafe fn sized<S: Simd>(self, size: usize) {
        let ([n, rows, columns, c], [_, h, w, _]) = (self.size, self.map.size());
        let stride = self.pool.stride;
        let (from, pitch) = (self.map.room().as_ptr(), w * c);
        let (line, to) = (self.line.room_mut().as_mut_ptr(), self.output.room_mut().as_mut_ptr());
        for row in 0..n * rows {
            let (image, top) = (row / rows, row % rows * stride);
            // SAFETY: every window begins inside the map and is cut off at its edges; what vectors
            // reach beyond is a map's room.
            unsafe {
                let from = from.add((image * h + top) * pitch);
                for at in (0..pitch).step_by(S::LANES) {
                    let mut most = S::load(from.add(at));
                    for y in 1..size {
                        // The last row again where a window is cut off.
                        let y = y.min(h - 1 - top);
                        most = S::max(most, S::load(from.add(y * pitch + at)));
                    }
                    S::store(line.add(at), most);
                }
                for column in 0..columns {
                    let (left, place) = (column * stride, (row * columns + column) * c);
                    for first in (0..c).step_by(S::LANES) {
                        let mut most = S::load(line.add(left * c + first));
                        for x in 1..size {
                            let x = x.min(w - 1 - left);
                            most = S::max(most, S::load(line.add((left + x) * c + first)));
                        }
                        S::store(to.add(place + first), most);
                    }
                }
            }
        }
    }
}

/// Means of 2 × 2, every 2, in a frame of at least the size asked for: `[rows, columns, channels]`
/// beyond the means are 0. This is what dlib adds when a block shrinks its map.
pub(crate) fn mean_into(map: &Map, [rows, columns, channels]: [usize; 3]) -> Map {
    let [n, h, w, c] = map.size();
    let (rows, columns) = (rows.max(h / 2), columns.max(w / 2));
    let channels = channels.max(c);
    let mut output = Map::zeros([n, rows, columns, channels]);
    for (image, y, x) in (0..n * (h / 2) * (w / 2))
        .map(|i| (i / (w / 2) / (h / 2), i / (w / 2) % (h / 2), i % (w / 2)))
    {
        let to = ((image * rows + y) * columns + x) * channels;
        let above = ((image * h + 2 * y) * w + 2 * x) * c;
        let [upper, lower] =
            [above, above + w * c].map(|at| map.values()[at..at + 2 * c].split_at(c));
        let means = &mut output.values_mut()[to..to + c];
        for (k, mean) in means.iter_mut().enumerate() {
            *mean = ((upper.0[k] + upper.1[k]) + (lower.0[k] + lower.1[k])) * 0.25;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(size: [usize; 4]) -> Map {
        let values: Vec<f32> = (0..size.iter().product::<usize>()).map(|n| n as f32).collect();
        Map::of(values, size).unwrap()
    }

    #[test]
    fn a_cut_off_window_counts_in_ceil_mode_only() {
        let pool = |ceil| MaxPool { size: 3, stride: 2, ceil }.forward(&map([1, 4, 4, 1])).unwrap();
        assert_eq!(pool(false).values(), [10.0]);
        let whole = pool(true);
        assert_eq!(whole.size(), [1, 2, 2, 1]);
        assert_eq!(whole.values(), [10., 11., 14., 15.]);
    }

    #[test]
    fn channels_are_pooled_apart() {
        let pooled =
            MaxPool { size: 2, stride: 2, ceil: true }.forward(&map([2, 2, 2, 3])).unwrap();
        assert_eq!(pooled.values(), [9., 10., 11., 21., 22., 23.]);
    }

    #[test]
    fn means_stand_in_the_corner_of_their_frame() {
        let means = mean_into(&map([1, 4, 4, 1]), [3, 2, 2]);
        assert_eq!(means.size(), [1, 3, 2, 2]);
        assert_eq!(means.values(), [2.5, 0., 4.5, 0., 10.5, 0., 12.5, 0., 0., 0., 0., 0.]);
    }
}
