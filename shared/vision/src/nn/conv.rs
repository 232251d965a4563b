//! Convolution as one candle operation: products, bias, shortcut and (P)ReLU in a single pass.
//!
//! Everything that depends on the weights alone is done by [`Conv::new`]: folding, padding to whole
//! vectors, packing. Maps are NHWC `[images, rows, columns, channels]`, f32.

use super::{
    product::{Finish, Grid, Packed, Product},
    simd::Isa,
    winograd::Winograd,
};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

/// Filters as they come from a file, taps in the order of the input in memory.
pub(crate) struct Filters {
    /// `[filters, rows, columns, channels]`, contiguous f32.
    weight: Tensor,
    bias: Vec<f32>,
    slope: Vec<f32>,
    cap: f32,
}

impl Filters {
    /// `weight` is `[filters, channels, rows, columns]` as frameworks keep it; results pass as they
    /// are.
    pub(crate) fn new(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        Self::from_nhwc(&weight.permute((0, 2, 3, 1))?, bias)
    }

    /// `weight` is `[filters, rows, columns, channels]`.
    pub(crate) fn from_nhwc(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        let weight = weight.to_dtype(DType::F32)?.contiguous()?;
        let bias = bias.to_dtype(DType::F32)?.to_vec1()?;
        if weight.dim(0)? != bias.len() {
            bail!("{} filters have {} biases", weight.dim(0)?, bias.len());
        }
        let slope = vec![1.0; bias.len()];
        Ok(Self { weight, bias, slope, cap: f32::INFINITY })
    }

    /// Negative results become 0.
    pub(crate) fn relu(mut self) -> Self {
        self.slope.fill(0.0);
        self
    }

    /// Negative results of filter `f` are multiplied by `slope[f]`.
    pub(crate) fn prelu(mut self, slope: &Tensor) -> Result<Self> {
        self.slope = slope.to_dtype(DType::F32)?.to_vec1()?;
        if self.slope.len() != self.bias.len() {
            bail!("{} filters have {} slopes", self.bias.len(), self.slope.len());
        }
        Ok(self)
    }

    /// No result is larger than `most`.
    pub(crate) fn capped(mut self, most: f32) -> Self {
        self.cap = most;
        self
    }

    /// Takes raw pixels, 0 to 255, where the filters were trained on `(pixel − mean) · scale`.
    /// Exact only without padding, because padded zeros would have to be means.
    pub(crate) fn on_pixels(mut self, mean: [f32; 3], scale: f32) -> Result<Self> {
        let mean = Tensor::new(&mean, self.weight.device())?;
        let scaled = (&self.weight * f64::from(scale))?;
        let shift: Vec<f32> = scaled.broadcast_mul(&mean)?.flatten_from(1)?.sum(1)?.to_vec1()?;
        self.bias.iter_mut().zip(shift).for_each(|(bias, shift)| *bias -= shift);
        self.weight = scaled;
        Ok(self)
    }

    /// Follows the filters by `gamma · result + beta`, per filter.
    pub(crate) fn affine(mut self, gamma: &Tensor, beta: &Tensor) -> Result<Self> {
        let (factors, beta) = (gamma.to_vec1::<f32>()?, beta.to_vec1::<f32>()?);
        if factors.len() != self.bias.len() || beta.len() != self.bias.len() {
            bail!("{} filters do not fit {} factors", self.bias.len(), factors.len());
        }
        self.weight = self.weight.broadcast_mul(&gamma.reshape(((), 1, 1, 1))?)?.contiguous()?;
        for ((bias, gamma), beta) in self.bias.iter_mut().zip(factors).zip(beta) {
            *bias = *bias * gamma + beta;
        }
        Ok(self)
    }
}

/// A convolution ready to run.
pub(crate) struct Conv {
    plan: Plan,
    bias: Vec<f32>,
    slope: Vec<f32>,
    cap: f32,
    /// Filters, rows, columns, channels.
    shape: [usize; 4],
    stride: usize,
    pads: Pads,
}

/// Zeros around a map: rows above, columns to the left, rows below, columns to the right.
pub type Pads = [usize; 4];

/// How the products are found, decided at load.
enum Plan {
    Direct(Packed),
    Winograd(Winograd),
}

impl Conv {
    /// `pad` zeros around the input on every side.
    pub(crate) fn new(filters: Filters, stride: usize, pad: usize) -> Result<Self> {
        Self::direct(Isa::best(), filters, stride, [pad; 4])
    }

    /// The same with zeros of its own on each side.
    pub(crate) fn padded(filters: Filters, stride: usize, pads: Pads) -> Result<Self> {
        Self::direct(Isa::best(), filters, stride, pads)
    }

    /// For filters of 3 × 3 and many channels, stride 1, on maps of some size: quicker, four times
    /// the memory.
    pub(crate) fn quick(filters: Filters, pad: usize) -> Result<Self> {
        Self::winograd(Isa::best(), filters, pad)
    }

    fn direct(isa: Isa, filters: Filters, stride: usize, pads: Pads) -> Result<Self> {
        Self::build(isa, filters, stride, pads, |values, [out, rows, columns, channels]| {
            let depth = rows * columns * channels;
            Plan::Direct(Packed::new(isa, out, depth, |filter, tap| values[filter * depth + tap]))
        })
    }

    fn winograd(isa: Isa, filters: Filters, pad: usize) -> Result<Self> {
        if filters.weight.dims()[1..3] != [3, 3] {
            bail!("filters of {:?} are not 3×3", filters.weight.dims());
        }
        Self::build(isa, filters, 1, [pad; 4], |values, [out, _, _, channels]| {
            Plan::Winograd(Winograd::new(isa, out, channels, values))
        })
    }

    fn build(
        isa: Isa,
        filters: Filters,
        stride: usize,
        pads: Pads,
        plan: impl FnOnce(&[f32], [usize; 4]) -> Plan,
    ) -> Result<Self> {
        let Filters { weight, mut bias, mut slope, cap } = filters;
        let shape = weight.dims4()?.into();
        let plan = plan(&weight.flatten_all()?.to_vec1()?, shape);
        let padded = shape[0].next_multiple_of(isa.lanes());
        bias.resize(padded, 0.0);
        slope.resize(padded, 0.0);
        Ok(Self { plan, bias, slope, cap, shape, stride, pads })
    }

    /// `[n, h, w, channels]` → `[n, h', w', filters]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }

    /// Adds `shortcut` before the activation. It may have more rows and columns than the result,
    /// which then grows: what the filters do not reach is the shortcut alone.
    pub(crate) fn forward_onto(&self, x: &Tensor, shortcut: &Tensor) -> Result<Tensor> {
        x.apply_op2_no_bwd(shortcut, self)
    }

    /// Result size for an input size.
    fn reach(&self, [n, h, w, c]: [usize; 4]) -> Result<[usize; 4]> {
        let [filters, rows, columns, channels] = self.shape;
        let [top, left, bottom, right] = self.pads;
        let (h, w) = (h + top + bottom, w + left + right);
        if c != channels || h < rows || w < columns {
            bail!("filters of {rows}×{columns}×{channels} do not fit a map of {h}×{w}×{c}");
        }
        Ok([n, (h - rows) / self.stride + 1, (w - columns) / self.stride + 1, filters])
    }

    fn run(&self, x: &Map<'_>, shortcut: Option<&Map<'_>>) -> Result<(CpuStorage, Shape)> {
        let [n, rows, columns, filters] = self.reach(x.size)?;
        let frame = shortcut.map_or([n, rows, columns, filters], |map| map.size);
        if frame[0] != n || frame[1] < rows || frame[2] < columns || frame[3] != filters {
            bail!("a shortcut of {frame:?} does not cover {:?}", [n, rows, columns, filters]);
        }
        let mut output = match shortcut {
            Some(map) if frame != [n, rows, columns, filters] => self.activated(map.values),
            _ => vec![0.0; frame.iter().product()],
        };
        let (size, to) =
            ([n, rows, columns], [frame[1] * frame[2] * filters, frame[2] * filters, filters]);
        let residual = shortcut.map(|map| map.values);
        let finish = Finish { bias: &self.bias, slope: &self.slope, cap: self.cap, residual };
        match &self.plan {
            Plan::Winograd(plan) => plan.run(x, self.pads[0], size, to, finish, &mut output),
            Plan::Direct(packed) => {
                let x = x.padded(self.pads);
                let [_, h, w, c] = x.size;
                let from = [h * w * c, self.stride * w * c, self.stride * c];
                Product {
                    grid: &Grid::new(size, from, to),
                    rows: self.shape[1],
                    pitch: w * c,
                    filters: packed,
                    finish: Some(finish),
                    input: &x.values,
                    output: &mut output,
                }
                .run();
            }
        }
        Ok((CpuStorage::F32(output), Shape::from(frame.as_slice())))
    }

    fn activated(&self, values: &[f32]) -> Vec<f32> {
        let slopes = self.slope[..self.shape[0]].iter().cycle();
        let bent = |(&v, slope): (&f32, &f32)| (v.max(0.0) + slope * v.min(0.0)).min(self.cap);
        values.iter().zip(slopes).map(bent).collect()
    }
}

/// A map as an operation sees it: values and `[images, rows, columns, channels]`.
pub(super) struct Map<'a> {
    pub(super) values: &'a [f32],
    pub(super) size: [usize; 4],
}

/// The same with values that may have been copied.
struct Padded<'a> {
    values: std::borrow::Cow<'a, [f32]>,
    size: [usize; 4],
}

impl<'a> Map<'a> {
    pub(super) fn of(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        let (n, h, w, c) = layout.shape().dims4()?;
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("a map must be contiguous");
        };
        Ok(Self { values: &storage.as_slice::<f32>()?[start..end], size: [n, h, w, c] })
    }

    fn padded(&self, pads: Pads) -> Padded<'a> {
        let [n, h, w, c] = self.size;
        let [top, left, bottom, right] = pads;
        if pads == [0; 4] {
            return Padded { values: self.values.into(), size: self.size };
        }
        let (rows, columns) = (h + top + bottom, w + left + right);
        let mut values = vec![0.0; n * rows * columns * c];
        for (i, row) in self.values.chunks_exact(w * c).enumerate() {
            let start = ((i / h * rows + i % h + top) * columns + left) * c;
            values[start..start + w * c].copy_from_slice(row);
        }
        Padded { values: values.into(), size: [n, rows, columns, c] }
    }
}

impl CustomOp1 for Conv {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run(&Map::of(x, layout)?, None)
    }
}

impl CustomOp2 for Conv {
    fn name(&self) -> &'static str {
        "convolution onto a shortcut"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        shortcut: &CpuStorage,
        beside: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.run(&Map::of(x, layout)?, Some(&Map::of(shortcut, beside)?))
    }
}

#[cfg(test)]
pub(super) mod tests;
