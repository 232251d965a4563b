//! The three networks: PNet looks everywhere, RNet looks again, ONet decides and finds the points.
//!
//! Input is pixels 0 to 255, `[n, h, w, 3]`; what the networks subtract and scale is folded into
//! their first layer. Their last layers (face or not, box, points) read the same numbers and run as
//! one.

use crate::nn::{self, Conv, Filters, Map, MaxPool, NetError, Tile};
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;

/// MTCNN was trained on `(pixel − 127.5) / 128`.
const MEAN: [f32; 3] = [127.5; 3];
const SCALE: f32 = 1.0 / 128.0;

/// Layers in a row.
pub(super) struct Net(Vec<Layer>);

enum Layer {
    Conv(Conv),
    Pool(MaxPool),
}

impl Net {
    /// A score map: face or not (2) and box (4) of every place 12 × 12, every 2 pixels.
    pub(super) fn proposer(dir: &Path) -> std::result::Result<Self, NetError> {
        nn::load(&dir.join("pnet.safetensors"), |weights| {
            Ok(Self(vec![
                first(weights, 10)?,
                pool(2),
                conv(weights, 2, (16, 10, 3))?,
                Layer::Conv(Conv::sized(filters(weights, 3, (32, 16, 3))?, 0, Tile::Four)?),
                heads(weights, &[("conv4_1", 2), ("conv4_2", 4)], 32)?,
            ]))
        })
    }

    /// `[n, 24, 24, 3]` → face or not (2), box (4).
    pub(super) fn refiner(dir: &Path) -> std::result::Result<Self, NetError> {
        nn::load(&dir.join("rnet.safetensors"), |weights| {
            Ok(Self(vec![
                first(weights, 28)?,
                pool(3),
                wide(weights, 2, (48, 28, 3))?,
                pool(3),
                conv(weights, 3, (64, 48, 2))?,
                dense(weights, 4, (128, 64))?,
                heads(weights, &[("dense5_1", 2), ("dense5_2", 4)], 128)?,
            ]))
        })
    }

    /// `[n, 48, 48, 3]` → face or not (2), box (4), x of five points, y of five points.
    pub(super) fn decider(dir: &Path) -> std::result::Result<Self, NetError> {
        nn::load(&dir.join("onet.safetensors"), |weights| {
            Ok(Self(vec![
                first(weights, 32)?,
                pool(3),
                wide(weights, 2, (64, 32, 3))?,
                pool(3),
                wide(weights, 3, (64, 64, 3))?,
                pool(2),
                conv(weights, 4, (128, 64, 2))?,
                dense(weights, 5, (256, 128))?,
                heads(weights, &[("dense6_1", 2), ("dense6_2", 4), ("dense6_3", 10)], 256)?,
            ]))
        })
    }

    /// Of each convolution that takes Winograd's way.
    #[cfg(test)]
    pub(super) fn detours(&self) -> Vec<(usize, usize, nn::Tile)> {
        let detour = |layer: &Layer| match layer {
            Layer::Conv(conv) => conv.detour(),
            Layer::Pool(_) => None,
        };
        self.0.iter().filter_map(detour).collect()
    }

    /// The last layer's numbers, one list for each place in row order.
    pub(super) fn run(&self, pixels: Map) -> Result<Map> {
        self.0.iter().try_fold(pixels, |x, layer| match layer {
            Layer::Conv(conv) => conv.forward(&x),
            Layer::Pool(pool) => pool.forward(&x),
        })
    }
}

/// Every pool steps by 2 and counts windows that are cut off.
fn pool(size: usize) -> Layer {
    Layer::Pool(MaxPool { size, stride: 2, ceil: true })
}

fn first(weights: &VarBuilder<'_>, out: usize) -> Result<Layer> {
    let filters = filters(weights, 1, (out, 3, 3))?.on_pixels(MEAN, SCALE)?;
    Ok(Layer::Conv(Conv::new(filters, 1, 0)?))
}

fn conv(weights: &VarBuilder<'_>, index: usize, shape: (usize, usize, usize)) -> Result<Layer> {
    Ok(Layer::Conv(Conv::new(filters(weights, index, shape)?, 1, 0)?))
}

/// The same on maps where fewer multiplications are worth their detour.
fn wide(weights: &VarBuilder<'_>, index: usize, shape: (usize, usize, usize)) -> Result<Layer> {
    Ok(Layer::Conv(Conv::quick(filters(weights, index, shape)?, 0, Tile::Four)?))
}

fn filters(
    weights: &VarBuilder<'_>,
    index: usize,
    (out, channels, side): (usize, usize, usize),
) -> Result<Filters> {
    let layer = weights.pp(format!("conv{index}"));
    let weight = layer.get((out, channels, side, side), "weight")?;
    Filters::new(&weight, &layer.get(out, "bias")?)?
        .prelu(&weights.get(out, &format!("prelu{index}.weight"))?)
}

/// The dense layer over the last 3 × 3 map, as a convolution. Its weights expect columns before
/// rows before channels.
fn dense(weights: &VarBuilder<'_>, index: usize, (out, channels): (usize, usize)) -> Result<Layer> {
    let layer = weights.pp(format!("dense{index}"));
    let weight = layer.get((out, 9 * channels), "weight")?.reshape((out, 3, 3, channels))?;
    let filters = Filters::from_nhwc(&weight.transpose(1, 2)?, &layer.get(out, "bias")?)?
        .prelu(&weights.get(out, &format!("prelu{index}.weight"))?)?;
    Ok(Layer::Conv(Conv::new(filters, 1, 0)?))
}

/// Several layers on the same input as one. Convolutions of 1 × 1 and dense layers differ in the
/// shape of their weights only.
fn heads(weights: &VarBuilder<'_>, names: &[(&str, usize)], channels: usize) -> Result<Layer> {
    let (mut weight, mut bias) = (Vec::new(), Vec::new());
    for &(name, out) in names {
        let layer = weights.pp(name);
        let flat = layer.get((out, channels), "weight");
        let flat = flat.or_else(|_| layer.get((out, channels, 1, 1), "weight"))?;
        weight.push(flat.reshape((out, 1, 1, channels))?);
        bias.push(layer.get(out, "bias")?);
    }
    let filters = Filters::from_nhwc(&Tensor::cat(&weight, 0)?, &Tensor::cat(&bias, 0)?)?;
    Ok(Layer::Conv(Conv::new(filters, 1, 0)?))
}

#[cfg(test)]
mod tests;
