//! The embedder of the default pack: dlib's face recognition ResNet v1, 128 numbers a face.
//!
//! Rebuilt from `dlib_resnet_v1.safetensors` and held to dlib's own outputs: 29 convolutions, each
//! with the affine layer after it folded in; 270.9 million multiplications a chip. A template is
//! the chip's vector plus that of its mirror image, made length 1, which lifts the accuracy on
//! LFW's 6,000 pairs from 98.85 to 99.22 %.

use crate::{
    Template,
    align::{Chip, SIDE},
    nn::{self, Conv, Filters, Map, MaxPool, NetError, Tile},
};
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;

/// Mean colour of dlib's training chips, and the factor after it.
const MEAN: [f32; 3] = [122.782, 117.001, 104.298];
const SCALE: f32 = 1.0 / 256.0;

/// Blocks after the first pooling: `r` keeps the size of its map, `d` halves it.
const BLOCKS: &str = "rrrdrrrdrrdrrd";

/// Numbers of a vector.
const NUMBERS: usize = 128;

/// Chips in flight at once: bounds memory, and is enough to read each weight seldom.
const BATCH: usize = 4;

enum Block {
    /// `relu(second(first(x)) + x)`
    Keep(Conv, Conv),
    /// `relu(second(first(x)) ⊕ means of x)`, the smaller of the two standing in the corner.
    Halve(Conv, Conv),
}

/// The network. Cheap to share, runs on the caller's thread.
pub struct DlibNet {
    stem: Conv,
    blocks: Vec<Block>,
    /// The dense layer, over the means of the last map.
    head: Conv,
}

impl DlibNet {
    /// Reads `dlib_resnet_v1.safetensors` in `dir`.
    ///
    /// # Errors
    /// [`NetError::Read`] or [`NetError::Weights`].
    pub fn load(dir: &Path) -> std::result::Result<Self, NetError> {
        nn::load(&dir.join("dlib_resnet_v1.safetensors"), Self::build)
    }

    fn build(weights: &VarBuilder<'_>) -> Result<Self> {
        let stem = layer(weights, 0, (32, 3, 7))?.on_pixels(MEAN, SCALE)?.relu();
        let (mut index, mut channels, mut side, mut blocks) = (1, 32, 35, Vec::new());
        for kind in BLOCKS.chars() {
            let out = match kind {
                'd' => (channels * 2).min(256),
                _ => channels,
            };
            let first = layer(weights, index, (out, channels, 3))?.relu();
            let second = layer(weights, index + 1, (out, out, 3))?.relu();
            blocks.push(match kind {
                'd' => {
                    let small = (side - 3) / 2 + 1;
                    // The shortcut's map may be the larger one.
                    side = small.max(side / 2);
                    Block::Halve(Conv::new(first, 2, 0)?, same(second, out, small)?)
                }
                _ => Block::Keep(same(first, out, side)?, same(second, out, side)?),
            });
            (index, channels) = (index + 2, out);
        }
        let dense = weights.get((256, NUMBERS), "fc.weight")?.t()?.reshape((NUMBERS, 1, 1, 256))?;
        let none = Tensor::zeros(NUMBERS, dense.dtype(), dense.device())?;
        let head = Conv::new(Filters::from_nhwc(&dense, &none)?, 1, 0)?;
        Ok(Self { stem: Conv::new(stem, 2, 0)?, blocks, head })
    }

    /// Of each convolution that takes Winograd's way.
    #[cfg(test)]
    pub(crate) fn detours(&self) -> Vec<(usize, usize, Tile)> {
        let both = |block: &Block| match block {
            Block::Keep(first, second) | Block::Halve(first, second) => {
                [first.detour(), second.detour()]
            }
        };
        self.blocks.iter().flat_map(both).flatten().collect()
    }

    /// One template per chip: chip and mirrored chip added, then normalised.
    ///
    /// # Errors
    /// Only when a computation fails; no chip can cause it.
    pub fn embed(&self, chips: &[Chip]) -> std::result::Result<Vec<Template>, NetError> {
        let both: Vec<Chip> = chips.iter().flat_map(|c| [c.clone(), c.mirrored()]).collect();
        let raw = self.raw(&both)?;
        raw.chunks_exact(2)
            .map(|pair| {
                let sum = pair[0].iter().zip(&pair[1]).map(|(a, b)| a + b).collect();
                Ok(Template::from_raw(sum)?)
            })
            .collect()
    }

    /// One template per chip, of the chip alone: half the work, and a little less sure.
    ///
    /// # Errors
    /// As [`DlibNet::embed`].
    pub fn glance(&self, chips: &[Chip]) -> std::result::Result<Vec<Template>, NetError> {
        self.raw(chips)?.into_iter().map(|raw| Ok(Template::from_raw(raw)?)).collect()
    }

    /// What dlib itself gives for each chip: 128 numbers, not normalised (lengths are about 1.5;
    /// dlib calls two faces one person below a Euclidean distance of 0.6).
    ///
    /// # Errors
    /// As [`DlibNet::embed`].
    pub fn raw(&self, chips: &[Chip]) -> std::result::Result<Vec<Vec<f32>>, NetError> {
        let mut vectors = Vec::with_capacity(chips.len());
        for batch in chips.chunks(BATCH) {
            let mut pixels = Map::unwritten([batch.len(), SIDE, SIDE, 3]);
            let chips = pixels.values_mut().chunks_exact_mut(SIDE * SIDE * 3).zip(batch);
            for (pixels, chip) in chips {
                let bytes = pixels.iter_mut().zip(chip.rgb());
                bytes.for_each(|(pixel, &byte)| *pixel = f32::from(byte));
            }
            let batch = self.forward(&pixels)?;
            vectors.extend(batch.values().chunks_exact(NUMBERS).map(<[f32]>::to_vec));
        }
        Ok(vectors)
    }

    /// Pixels `[n, 150, 150, 3]`, 0 to 255 → `[n, 1, 1, 128]`.
    fn forward(&self, pixels: &Map) -> Result<Map> {
        let pool = MaxPool { size: 3, stride: 2, ceil: false };
        let mut x = pool.forward(&self.stem.forward(pixels)?)?;
        for block in &self.blocks {
            x = match block {
                Block::Keep(first, second) => second.forward_onto(&first.forward(&x)?, &x)?,
                Block::Halve(first, second) => {
                    let half = first.forward(&x)?;
                    let [_, frame @ ..] = half.size();
                    second.forward_onto(&half, &nn::mean_into(&x, frame))?
                }
            };
        }
        self.head.forward(&nn::mean(&x))
    }
}

/// A convolution that keeps the size of its map, `side` × `side`.
///
/// On large maps fewer multiplications pay. With more channels maps are small and weights are what
/// takes time: they are read once a chip, and with 256 channels they would be 50 MB.
fn same(filters: Filters, channels: usize, side: usize) -> Result<Conv> {
    match channels {
        _ if side == 1 => Conv::new(filters.centre()?, 1, 0),
        0..=64 => Conv::quick(filters, 1, Tile::Four),
        65..=128 => Conv::quick(filters, 1, Tile::Two),
        _ => Conv::new(filters, 1, 1),
    }
}

/// Convolution `index` with the affine layer that follows it.
fn layer(
    weights: &VarBuilder<'_>,
    index: usize,
    (out, channels, side): (usize, usize, usize),
) -> Result<Filters> {
    let (conv, affine) = (format!("conv{index:02}"), format!("aff{index:02}"));
    let (conv, affine) = (weights.pp(conv), weights.pp(affine));
    Filters::new(&conv.get((out, channels, side, side), "weight")?, &conv.get(out, "bias")?)?
        .affine(&affine.get(out, "gamma")?, &affine.get(out, "beta")?)
}
