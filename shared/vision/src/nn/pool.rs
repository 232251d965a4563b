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
        let mut output = Map::unwritten(size);
        Isa::best().run(Maxima { pool: self, map, size, output: output.values_mut() });
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

struct Maxima<'a> {
    pool: &'a MaxPool,
    map: &'a Map,
    size: [usize; 4],
    output: &'a mut [f32],
}

impl Job for Maxima<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ([n, rows, columns, c], [_, h, w, _]) = (self.size, self.map.size());
        let (size, stride) = (self.pool.size, self.pool.stride);
        let places = (0..n * rows * columns).zip(self.output.chunks_exact_mut(c));
        for (place, output) in places {
            let (image, y) = (place / columns / rows, place / columns % rows * stride);
            let x = place % columns * stride;
            let (bottom, right) = ((y + size).min(h), (x + size).min(w));
            for first in (0..c).step_by(S::LANES) {
                let lanes = (c - first).min(S::LANES);
                // SAFETY: every window begins inside the map and is cut off at its edges.
                unsafe {
                    let mut most = S::splat(f32::NEG_INFINITY);
                    for row in y..bottom {
                        let start = (image * h + row) * w;
                        for at in start + x..start + right {
                            let from = self.map.values().as_ptr().add(at * c + first);
                            most = S::max(most, S::load_n(from, lanes));
                        }
                    }
                    S::store_n(output.as_mut_ptr().add(first), most, lanes);
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
