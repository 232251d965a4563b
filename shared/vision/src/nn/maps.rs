//! The plain operations on whole NHWC maps that networks of other makers need beside convolutions.

use super::conv::{Map, Pads};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

/// Values and `[images, rows, columns, channels]` that an operation gives.
type Given = (Vec<f32>, [usize; 4]);

/// A function of one map as a candle operation.
struct Each<F>(&'static str, F);

impl<F: Fn(&Map<'_>) -> Result<Given>> CustomOp1 for Each<F> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (values, size) = (self.1)(&Map::of(x, layout)?)?;
        Ok((CpuStorage::F32(values), Shape::from(size.as_slice())))
    }
}

/// `scale · x + shift`, a pair for each channel.
pub(crate) fn scaled(x: &Tensor, scale: &[f32], shift: &[f32]) -> Result<Tensor> {
    let scaled = |map: &Map<'_>| {
        let c = map.size[3];
        if scale.len() != c || shift.len() != c {
            bail!("{} factors do not fit {c} channels", scale.len());
        }
        let mut values = map.values.to_vec();
        for pixel in values.chunks_exact_mut(c) {
            for ((value, scale), shift) in pixel.iter_mut().zip(scale).zip(shift) {
                *value = *value * scale + shift;
            }
        }
        Ok((values, map.size))
    };
    x.apply_op1_no_bwd(&Each("scale", scaled))
}

/// Negative numbers of a channel times its slope, then nothing above `cap`.
pub(crate) fn bent(x: &Tensor, slope: &[f32], cap: f32) -> Result<Tensor> {
    let bent = |map: &Map<'_>| {
        let c = map.size[3];
        if slope.len() != c {
            bail!("{} slopes do not fit {c} channels", slope.len());
        }
        let mut values = map.values.to_vec();
        for pixel in values.chunks_exact_mut(c) {
            for (value, slope) in pixel.iter_mut().zip(slope) {
                *value = (value.max(0.0) + slope * value.min(0.0)).min(cap);
            }
        }
        Ok((values, map.size))
    };
    x.apply_op1_no_bwd(&Each("bend", bent))
}

/// `1 / (1 + e^−x)`.
pub(crate) fn sigmoid(x: &Tensor) -> Result<Tensor> {
    let sigmoid = |map: &Map<'_>| {
        Ok((map.values.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(), map.size))
    };
    x.apply_op1_no_bwd(&Each("sigmoid", sigmoid))
}

/// Every pixel `factor` times across and down.
pub(crate) fn enlarged(x: &Tensor, factor: usize) -> Result<Tensor> {
    let enlarged = |map: &Map<'_>| {
        let [n, h, w, c] = map.size;
        let mut values = Vec::with_capacity(map.values.len() * factor * factor);
        for row in map.values.chunks_exact(w * c) {
            let start = values.len();
            for pixel in row.chunks_exact(c) {
                (0..factor).for_each(|_| values.extend_from_slice(pixel));
            }
            let end = values.len();
            (1..factor).for_each(|_| values.extend_from_within(start..end));
        }
        Ok((values, [n, h * factor, w * factor, c]))
    };
    x.apply_op1_no_bwd(&Each("enlarge", enlarged))
}

/// The mean of each channel.
pub(crate) fn mean(x: &Tensor) -> Result<Tensor> {
    let mean = |map: &Map<'_>| {
        let [n, h, w, c] = map.size;
        let mut sums = vec![0.0f64; n * c];
        for (i, pixel) in map.values.chunks_exact(c).enumerate() {
            let sums = &mut sums[i / (h * w) * c..][..c];
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let count = (h * w) as f64;
        Ok((sums.into_iter().map(|sum| (sum / count) as f32).collect(), [n, 1, 1, c]))
    };
    x.apply_op1_no_bwd(&Each("mean", mean))
}

/// What a window gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// The largest number.
    Max,
    /// The mean of the numbers on the map; padding does not count.
    Mean,
}

/// A window that wanders over a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Window {
    /// What it gives.
    pub take: Take,
    /// Rows and columns.
    pub size: [usize; 2],
    /// From one place to the next.
    pub stride: usize,
    /// Places around the map that a window may begin or end on.
    pub pads: Pads,
    /// Windows that are cut off at the far edges count too.
    pub ceil: bool,
}

impl Window {
    /// Result size along one axis (0 down, 1 across), `None` if no window fits.
    #[must_use]
    pub fn reach(&self, axis: usize, length: usize) -> Option<usize> {
        let (near, far) = (self.pads[axis], self.pads[axis + 2]);
        let rest = (length + near + far).checked_sub(self.size[axis])?;
        if !self.ceil {
            return Some(rest / self.stride + 1);
        }
        let steps = rest.div_ceil(self.stride);
        // A window must begin on the map or on the padding before it.
        Some(if steps * self.stride < length + near { steps + 1 } else { steps })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(&Each("pool", |map: &Map<'_>| self.run(map)))
    }

    fn run(&self, map: &Map<'_>) -> Result<Given> {
        let [n, h, w, c] = map.size;
        let (Some(rows), Some(columns)) = (self.reach(0, h), self.reach(1, w)) else {
            bail!("a map of {h}×{w} has no window of {:?}", self.size);
        };
        let start = if self.take == Take::Max { f32::NEG_INFINITY } else { 0.0 };
        let mut values = vec![start; n * rows * columns * c];
        for (place, into) in values.chunks_exact_mut(c).enumerate() {
            let (image, y, x) = (place / columns / rows, place / columns % rows, place % columns);
            let span = |i: usize, axis: usize, length: usize| {
                let first = i * self.stride;
                let near = first.saturating_sub(self.pads[axis]);
                near..(first + self.size[axis]).saturating_sub(self.pads[axis]).min(length)
            };
            let (down, across) = (span(y, 0, h), span(x, 1, w));
            let count = (down.len() * across.len()).max(1) as f32;
            for row in down {
                for column in across.clone() {
                    let from = &map.values[((image * h + row) * w + column) * c..][..c];
                    let pairs = into.iter_mut().zip(from);
                    match self.take {
                        Take::Max => pairs.for_each(|(most, value)| *most = most.max(*value)),
                        Take::Mean => pairs.for_each(|(sum, value)| *sum += value),
                    }
                }
            }
            if self.take == Take::Mean {
                into.iter_mut().for_each(|sum| *sum /= count);
            }
        }
        Ok((values, [n, rows, columns, c]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn map(size: [usize; 4]) -> Tensor {
        let values: Vec<f32> = (0..size.iter().product::<usize>()).map(|n| n as f32).collect();
        Tensor::from_vec(values, size.as_slice(), &Device::Cpu).unwrap()
    }

    fn values(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_map_is_enlarged_pixel_by_pixel() {
        let large = enlarged(&map([1, 1, 2, 2]), 2).unwrap();
        assert_eq!(large.dims(), [1, 2, 4, 2]);
        assert_eq!(values(&large)[..8], [0., 1., 0., 1., 2., 3., 2., 3.]);
        assert_eq!(values(&large)[..8], values(&large)[8..]);
    }

    #[test]
    fn each_channel_has_its_own_factor_slope_and_mean() {
        let x = map([1, 2, 1, 2]);
        assert_eq!(values(&scaled(&x, &[1.0, -2.0], &[0.5, 0.0]).unwrap()), [0.5, -2., 2.5, -6.]);
        let below = scaled(&x, &[1.0; 2], &[-2.0; 2]).unwrap();
        assert_eq!(values(&bent(&below, &[0.0, 0.5], 0.25).unwrap()), [0.0, -0.5, 0.0, 0.25]);
        assert_eq!(values(&mean(&x).unwrap()), [1.0, 2.0]);
        assert!(scaled(&x, &[1.0], &[0.0]).is_err() && bent(&x, &[], 1.0).is_err());
    }

    #[test]
    fn padding_counts_neither_as_a_number_nor_in_the_mean() {
        let x = scaled(&map([1, 3, 3, 1]), &[1.0], &[-9.0]).unwrap();
        let window = |take, pads, ceil| Window { take, size: [3, 3], stride: 2, pads, ceil };
        let most = window(Take::Max, [1; 4], false).forward(&x).unwrap();
        assert_eq!(values(&most), [-5.0, -4.0, -2.0, -1.0]);
        let mean = window(Take::Mean, [1; 4], false).forward(&x).unwrap();
        assert_eq!(values(&mean), [-7.0, -6.0, -4.0, -3.0]);
        assert_eq!(window(Take::Max, [0; 4], true).reach(0, 4), Some(2));
        assert_eq!(window(Take::Max, [0; 4], false).reach(0, 2), None);
    }
}
