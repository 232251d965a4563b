//! Convolution as one operation: products, bias, shortcut and (P)ReLU in a single pass.
//!
//! Everything that depends on the weights alone is done by [`Conv::new`]: folding, padding to whole
//! vectors, packing. Maps are NHWC `[images, rows, columns, channels]`, f32.

use super::{
    map::Map,
    product::{Finish, Grid, Packed, Product, Reach},
    simd::Isa,
    winograd::{Tile, Winograd},
};
use candle_core::{DType, Result, Tensor, bail};

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

    /// The middle of 3 × 3: what counts where a map is one pixel among zeros.
    pub(crate) fn centre(mut self) -> Result<Self> {
        self.weight = self.weight.narrow(1, 1, 1)?.narrow(2, 1, 1)?.contiguous()?;
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
    /// Directly for few places, Winograd's way from `MANY` on.
    Sized(Packed, Winograd),
}

/// Results from which tiles are worth what their filters weigh: 4 × 4 of them are a tile.
const MANY: usize = 64;

impl Conv {
    /// `pad` zeros around the input on every side.
    pub(crate) fn new(filters: Filters, stride: usize, pad: usize) -> Result<Self> {
        Self::direct(Isa::best(), filters, stride, [pad; 4])
    }

    /// The same with zeros of its own on each side.
    pub(crate) fn padded(filters: Filters, stride: usize, pads: Pads) -> Result<Self> {
        Self::direct(Isa::best(), filters, stride, pads)
    }

    /// For filters of 3 × 3 and many channels, stride 1, on maps of some size: quicker, twice the
    /// memory with small tiles, four times with large ones.
    pub(crate) fn quick(filters: Filters, pad: usize, tile: Tile) -> Result<Self> {
        Self::winograd(Isa::best(), filters, pad, tile)
    }

    /// The same for maps of any size: on small ones as without it.
    pub(crate) fn sized(filters: Filters, pad: usize, tile: Tile) -> Result<Self> {
        let isa = Isa::best();
        let plan = |values: &[f32], [out, rows, columns, channels]: [usize; 4]| {
            let many = Winograd::new(isa, tile, out, channels, values);
            Plan::Sized(packed(isa, values, [out, rows, columns, channels]), many)
        };
        Self::build(isa, filters, 1, [pad; 4], plan)
    }

    fn direct(isa: Isa, filters: Filters, stride: usize, pads: Pads) -> Result<Self> {
        Self::build(isa, filters, stride, pads, |values, shape| {
            Plan::Direct(packed(isa, values, shape))
        })
    }

    fn winograd(isa: Isa, filters: Filters, pad: usize, tile: Tile) -> Result<Self> {
        if filters.weight.dims()[1..3] != [3, 3] {
            bail!("filters of {:?} are not 3×3", filters.weight.dims());
        }
        Self::build(isa, filters, 1, [pad; 4], |values, [out, _, _, channels]| {
            Plan::Winograd(Winograd::new(isa, tile, out, channels, values))
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

    /// Channels, filters and tiles, if it goes Winograd's way.
    #[cfg(test)]
    pub(crate) fn detour(&self) -> Option<(usize, usize, Tile)> {
        match &self.plan {
            Plan::Winograd(plan) | Plan::Sized(_, plan) => {
                Some((self.shape[3], self.shape[0], plan.tile))
            }
            Plan::Direct(_) => None,
        }
    }

    /// `[n, h, w, channels]` → `[n, h', w', filters]`.
    pub(crate) fn forward(&self, x: &Map) -> Result<Map> {
        self.run(x, None)
    }

    /// Adds `shortcut` before the activation. It may have more rows and columns than the result,
    /// which then grows: what the filters do not reach is the shortcut alone.
    pub(crate) fn forward_onto(&self, x: &Map, shortcut: &Map) -> Result<Map> {
        self.run(x, Some(shortcut))
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

    fn run(&self, x: &Map, shortcut: Option<&Map>) -> Result<Map> {
        let [n, rows, columns, filters] = self.reach(x.size())?;
        let frame = shortcut.map_or([n, rows, columns, filters], Map::size);
        if frame[0] != n || frame[1] < rows || frame[2] < columns || frame[3] != filters {
            bail!("a shortcut of {frame:?} does not cover {:?}", [n, rows, columns, filters]);
        }
        let mut output = Map::unwritten(frame);
        if let Some(map) = shortcut.filter(|map| map.size() != [n, rows, columns, filters]) {
            self.activate(map.values(), output.values_mut());
        }
        let (size, to) =
            ([n, rows, columns], [frame[1] * frame[2] * filters, frame[2] * filters, filters]);
        let residual = shortcut.map(Map::values);
        let steep = self.slope.iter().any(|&slope| slope > 1.0);
        let finish =
            Finish { bias: &self.bias, slope: &self.slope, cap: self.cap, steep, residual };
        let results = output.values_mut();
        match &self.plan {
            Plan::Winograd(plan) => plan.run(x, self.pads[0], size, to, finish, results),
            Plan::Sized(_, plan) if n * rows * columns >= MANY => {
                plan.run(x, self.pads[0], size, to, finish, results);
            }
            Plan::Direct(packed) | Plan::Sized(packed, _) => {
                let [_, taps, across, c] = self.shape;
                let padded = padded(x, self.pads);
                let [_, h, w, _] = padded.size();
                let from = [h * w * c, self.stride * w * c, self.stride * c];
                let [first, end] = [self.pads[0], h - self.pads[2]];
                // Rows of a filter that lie on the map and not on zeros above or below it.
                let met = |y: usize| {
                    let top = y * self.stride;
                    first.saturating_sub(top).min(taps - 1)..end.saturating_sub(top).clamp(1, taps)
                };
                Product {
                    grid: &Grid::new(size, from, to, met),
                    reach: Reach { rows: taps, run: across * c, pitch: w * c },
                    filters: packed,
                    finish,
                    input: padded.room(),
                    output: results,
                }
                .run();
            }
        }
        Ok(output)
    }

    fn activate(&self, values: &[f32], output: &mut [f32]) {
        let pixels = values.chunks_exact(self.shape[0]).zip(output.chunks_exact_mut(self.shape[0]));
        for (from, to) in pixels {
            for ((to, &v), slope) in to.iter_mut().zip(from).zip(&self.slope) {
                *to = (v.max(0.0) + slope * v.min(0.0)).min(self.cap);
            }
        }
    }
}

/// `values` are filters of this shape.
fn packed(isa: Isa, values: &[f32], [out, rows, columns, channels]: [usize; 4]) -> Packed {
    let depth = rows * columns * channels;
    Packed::new(isa, out, depth, |filter, tap| values[filter * depth + tap])
}

/// A map with zeros around it.
enum Padded<'a> {
    Same(&'a Map),
    Copy(Map),
}

impl std::ops::Deref for Padded<'_> {
    type Target = Map;

    fn deref(&self) -> &Map {
        match self {
            Self::Same(map) => map,
            Self::Copy(map) => map,
        }
    }
}

fn padded(map: &Map, pads: Pads) -> Padded<'_> {
    if pads == [0; 4] {
        return Padded::Same(map);
    }
    let ([n, h, w, c], [top, left, bottom, right]) = (map.size(), pads);
    let (rows, columns) = (h + top + bottom, w + left + right);
    let mut copy = Map::zeros([n, rows, columns, c]);
    for (i, row) in map.values().chunks_exact(w * c).enumerate() {
        let start = ((i / h * rows + i % h + top) * columns + left) * c;
        copy.values_mut()[start..start + w * c].copy_from_slice(row);
    }
    Padded::Copy(copy)
}

#[cfg(test)]
pub(super) mod tests;
