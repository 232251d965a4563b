//! Pooling of NHWC maps.
#![expect(unsafe_code, reason = "vectors are loaded from checked rows")]

use super::{
    conv::Map,
    simd::{Isa, Job, Simd},
};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

/// The largest of `size × size` numbers every `stride`; at the right and lower edge, windows that
/// are cut off count too (`ceil_mode`), if they still begin inside.
pub(crate) struct MaxPool {
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) ceil: bool,
}

impl MaxPool {
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
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

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let map = Map::of(x, layout)?;
        let [n, h, w, c] = map.size;
        if !self.ceil && (h < self.size || w < self.size) {
            bail!("a map of {h}×{w} has no window of {0}×{0}", self.size);
        }
        let size = [n, self.reach(h), self.reach(w), c];
        let mut output = vec![0.0; size.iter().product()];
        Isa::best().run(Maxima { pool: self, map: &map, size, output: &mut output });
        Ok((CpuStorage::F32(output), Shape::from(size.as_slice())))
    }
}

struct Maxima<'a> {
    pool: &'a MaxPool,
    map: &'a Map<'a>,
    size: [usize; 4],
    output: &'a mut [f32],
}

impl Job for Maxima<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ([n, rows, columns, c], [_, h, w, _]) = (self.size, self.map.size);
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
                            let from = self.map.values.as_ptr().add(at * c + first);
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
pub(crate) fn mean_into(x: &Tensor, [rows, columns, channels]: [usize; 3]) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (rows, columns) = (rows.max(h / 2), columns.max(w / 2));
    let channels = channels.max(c);
    let values: Vec<f32> = x.flatten_all()?.to_vec1()?;
    let mut output = vec![0.0; n * rows * columns * channels];
    for (image, y, x) in (0..n * (h / 2) * (w / 2))
        .map(|i| (i / (w / 2) / (h / 2), i / (w / 2) % (h / 2), i % (w / 2)))
    {
        let to = ((image * rows + y) * columns + x) * channels;
        let above = ((image * h + 2 * y) * w + 2 * x) * c;
        let below = above + w * c;
        for k in 0..c {
            let upper = values[above + k] + values[above + c + k];
            let lower = values[below + k] + values[below + c + k];
            output[to + k] = (upper + lower) * 0.25;
        }
    }
    Tensor::from_vec(output, (n, rows, columns, channels), x.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn map(size: [usize; 4]) -> Tensor {
        let n = size.iter().product::<usize>() as u32;
        let values = Tensor::arange(0u32, n, &Device::Cpu).unwrap();
        values.to_dtype(candle_core::DType::F32).unwrap().reshape(size.as_slice()).unwrap()
    }

    #[test]
    fn a_cut_off_window_counts_in_ceil_mode_only() {
        let pool = |ceil| MaxPool { size: 3, stride: 2, ceil }.forward(&map([1, 4, 4, 1])).unwrap();
        assert_eq!(pool(false).flatten_all().unwrap().to_vec1::<f32>().unwrap(), [10.0]);
        let whole = pool(true);
        assert_eq!(whole.dims(), [1, 2, 2, 1]);
        assert_eq!(whole.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [10., 11., 14., 15.]);
    }

    #[test]
    fn channels_are_pooled_apart() {
        let pooled =
            MaxPool { size: 2, stride: 2, ceil: true }.forward(&map([2, 2, 2, 3])).unwrap();
        let pooled = pooled.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(pooled, [9., 10., 11., 21., 22., 23.]);
    }

    #[test]
    fn means_stand_in_the_corner_of_their_frame() {
        let means = mean_into(&map([1, 4, 4, 1]), [3, 2, 2]).unwrap();
        assert_eq!(means.dims(), [1, 3, 2, 2]);
        let means = means.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(means, [2.5, 0., 4.5, 0., 10.5, 0., 12.5, 0., 0., 0., 0., 0.]);
    }
}
