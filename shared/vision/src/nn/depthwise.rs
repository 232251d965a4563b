//! Depthwise convolution: every channel has a filter of its own.
//!
//! In NHWC a vector runs over channels, so a tap is one multiplication of two vectors; padding is
//! never stored, taps that fall outside are left out.
#![expect(unsafe_code, reason = "vectors are loaded from checked rows")]

use super::{
    conv::Pads,
    map::Map,
    product::Finish,
    simd::{Isa, Job, Simd},
};
use candle_core::{DType, Result, Tensor, bail};

/// One filter a channel, ready to run.
pub(crate) struct Depthwise {
    isa: Isa,
    /// `[rows, columns, channels rounded up to whole vectors]`.
    taps: Vec<f32>,
    bias: Vec<f32>,
    slope: Vec<f32>,
    cap: f32,
    /// Rows, columns, channels.
    shape: [usize; 3],
    stride: usize,
    pads: Pads,
}

impl Depthwise {
    /// `weight` is `[channels, 1, rows, columns]`, `slope` what negative results are multiplied by.
    pub(crate) fn new(
        weight: &Tensor,
        bias: &Tensor,
        slope: Option<&Tensor>,
        (stride, pads): (usize, Pads),
    ) -> Result<Self> {
        Self::on(Isa::best(), weight, bias, slope, (stride, pads))
    }

    fn on(
        isa: Isa,
        weight: &Tensor,
        bias: &Tensor,
        slope: Option<&Tensor>,
        (stride, pads): (usize, Pads),
    ) -> Result<Self> {
        let (channels, one, rows, columns) = weight.dims4()?;
        if one != 1 {
            bail!("a depthwise filter has {one} channels instead of 1");
        }
        let width = channels.next_multiple_of(isa.lanes());
        let weight = weight.to_dtype(DType::F32)?.permute((2, 3, 0, 1))?.flatten_all()?;
        let mut taps = vec![0.0; rows * columns * width];
        let values = weight.to_vec1::<f32>()?;
        for (to, from) in taps.chunks_exact_mut(width).zip(values.chunks_exact(channels)) {
            to[..channels].copy_from_slice(from);
        }
        let vector = |tensor: &Tensor| -> Result<Vec<f32>> {
            let mut values = tensor.to_dtype(DType::F32)?.to_vec1()?;
            if values.len() != channels {
                bail!("{channels} filters do not fit {} numbers", values.len());
            }
            values.resize(width, 0.0);
            Ok(values)
        };
        let slope = slope.map_or_else(|| Ok(vec![1.0; width]), vector)?;
        let shape = [rows, columns, channels];
        let (bias, cap) = (vector(bias)?, f32::INFINITY);
        Ok(Self { isa, taps, bias, slope, cap, shape, stride, pads })
    }

    /// No result is larger than `most`.
    pub(crate) fn capped(mut self, most: f32) -> Self {
        self.cap = most;
        self
    }

    /// `[n, h, w, channels]` → `[n, h', w', channels]`.
    pub(crate) fn forward(&self, map: &Map) -> Result<Map> {
        let ([n, h, w, c], [rows, columns, channels]) = (map.size(), self.shape);
        let [top, left, bottom, right] = self.pads;
        let (high, wide) = (h + top + bottom, w + left + right);
        if c != channels || high < rows || wide < columns {
            bail!("filters of {rows}×{columns} for {channels} do not fit a map of {h}×{w}×{c}");
        }
        let size = [n, (high - rows) / self.stride + 1, (wide - columns) / self.stride + 1, c];
        let mut output = Map::unwritten(size);
        self.isa.run(Sums { conv: self, map, size, output: output.values_mut() });
        Ok(output)
    }
}

struct Sums<'a> {
    conv: &'a Depthwise,
    map: &'a Map,
    size: [usize; 4],
    output: &'a mut [f32],
}

/// The taps of a filter that meet the map: first one, one after the last, and where the first one
/// falls.
#[inline(always)]
fn met(at: usize, pad: usize, taps: usize, length: usize) -> (usize, usize, usize) {
    let first = pad.saturating_sub(at);
    let last = taps.min((length + pad).saturating_sub(at));
    (first, last, (at + first).saturating_sub(pad))
}

impl Job for Sums<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Depthwise { taps, bias, slope, cap, shape, stride, pads, .. } = self.conv;
        let ([n, rows, columns, c], [_, h, w, _]) = (self.size, self.map.size());
        let [down, across, _] = *shape;
        let width = c.next_multiple_of(S::LANES);
        let steep = slope.iter().any(|&slope| slope > 1.0);
        let finish = Finish { bias, slope, cap: *cap, steep, residual: None };
        finish.check(width, 0);
        assert!(taps.len() == down * across * width, "taps are missing");
        assert!(self.output.len() == n * rows * columns * c, "the output has another size");
        for place in 0..n * rows * columns {
            let (image, y) = (place / columns / rows, place / columns % rows * stride);
            let x = place % columns * stride;
            let (first_row, last_row, top) = met(y, pads[0], down, h);
            let (first_column, last_column, left) = met(x, pads[1], across, w);
            for first in (0..c).step_by(S::LANES) {
                let lanes = (c - first).min(S::LANES);
                // SAFETY: `met` gives only taps that fall on the map, and every vector of taps,
                // bias and slope is whole.
                unsafe {
                    let mut sum = S::splat(0.0);
                    for row in first_row..last_row {
                        let start = ((image * h + top + row - first_row) * w + left) * c + first;
                        let from = self.map.values().as_ptr().add(start);
                        let tap = taps.as_ptr().add(row * across * width + first);
                        for column in first_column..last_column {
                            let value = from.add((column - first_column) * c);
                            let value = if lanes == S::LANES {
                                S::load(value)
                            } else {
                                S::load_n(value, lanes)
                            };
                            sum = S::fma(value, S::load(tap.add(column * width)), sum);
                        }
                    }
                    let finish = finish.of::<S>(first, lanes);
                    let sum = S::add(sum, finish.bias);
                    finish.store(self.output.as_mut_ptr(), place * c + first, sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conv::tests::{map, noise, tensor};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Against the definition: a dense filter that is zero for all channels but its own.
        #[test]
        fn every_instruction_set_gives_the_sums_by_definition(
            (n, h, w, c) in (1..3usize, 1..12usize, 1..12usize, 1..40usize),
            (down, across) in (1..8usize, 1..4usize),
            stride in 1..3usize,
            pads in prop::array::uniform4(0..3usize),
            seed in any::<u32>(),
        ) {
            prop_assume!(h + pads[0] + pads[2] >= down && w + pads[1] + pads[3] >= across);
            let x = map(seed, [n, h, w, c]);
            let weight = tensor(seed ^ 1, &[c, 1, down, across]);
            let (bias, slope) = (tensor(seed ^ 2, &[c]), tensor(seed ^ 3, &[c]));
            let values = noise(seed, n * h * w * c);
            let taps = noise(seed ^ 1, c * down * across);
            for isa in Isa::available() {
                let conv = Depthwise::on(isa, &weight, &bias, Some(&slope), (stride, pads));
                let got = conv.unwrap().capped(0.7).forward(&x).unwrap();
                let [_, rows, columns, _] = got.size();
                for (i, &got) in got.values().iter().enumerate() {
                    let (k, x) = (i % c, i / c % columns * stride);
                    let (y, image) = (i / c / columns % rows * stride, i / c / columns / rows);
                    let mut sum = f64::from(noise(seed ^ 2, c)[k]);
                    for (ky, kx) in (0..down * across).map(|t| (t / across, t % across)) {
                        let (row, column) =
                            ((y + ky).wrapping_sub(pads[0]), (x + kx).wrapping_sub(pads[1]));
                        if row < h && column < w {
                            let value = values[((image * h + row) * w + column) * c + k];
                            sum += f64::from(value) * f64::from(taps[(k * down + ky) * across + kx]);
                        }
                    }
                    let bent = if sum < 0.0 { sum * f64::from(noise(seed ^ 3, c)[k]) } else { sum };
                    prop_assert!((f64::from(got) - bent.min(0.7)).abs() < 1e-4, "{isa:?} at {i}");
                }
            }
        }
    }
}
