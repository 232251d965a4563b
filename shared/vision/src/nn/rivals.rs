//! Layers that go Winograd's way, beside the same layers done directly: what tells whether the
//! detour is worth it on a processor. `bench/vision` times them, `tests/arm` counts them.

use super::{Conv, Filters, Map, Tile};
use candle_core::{Device, Result, Tensor};

/// One layer of our networks on maps as it meets them.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// Images, rows, columns, channels.
    pub(crate) map: [usize; 4],
    pub(crate) filters: usize,
    pad: usize,
    pub(crate) tile: Tile,
}

const fn layer(
    name: &'static str,
    map: [usize; 4],
    filters: usize,
    pad: usize,
    tile: Tile,
) -> Layer {
    Layer { name, map, filters, pad, tile }
}

/// All of them. PNet's maps are a strip of a picture 640 pixels wide, and the least that makes the
/// detour.
pub(crate) const LAYERS: [Layer; 9] = [
    layer("pnet-3", [1, 26, 94, 16], 32, 0, Tile::Four),
    layer("pnet-3-least", [1, 10, 10, 16], 32, 0, Tile::Four),
    layer("rnet-2", [16, 11, 11, 28], 48, 0, Tile::Four),
    layer("onet-2", [4, 23, 23, 32], 64, 0, Tile::Four),
    layer("onet-3", [4, 10, 10, 64], 64, 0, Tile::Four),
    layer("dlib-32", [1, 35, 35, 32], 32, 1, Tile::Four),
    layer("dlib-64", [1, 17, 17, 64], 64, 1, Tile::Four),
    layer("dlib-128", [1, 8, 8, 128], 128, 1, Tile::Two),
    layer("dlib-128-pair", [2, 8, 8, 128], 128, 1, Tile::Two),
];

/// A layer both ways, with filters of no meaning.
pub struct Rivals {
    /// Network and layer.
    pub name: &'static str,
    map: Map,
    winograd: Conv,
    direct: Conv,
}

impl std::fmt::Debug for Rivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Rivals {
    /// Every layer that goes Winograd's way.
    ///
    /// # Errors
    /// None, in truth.
    pub fn all() -> Result<Vec<Self>> {
        LAYERS.iter().map(Self::of).collect()
    }

    fn of(layer: &Layer) -> Result<Self> {
        let [n, h, w, channels] = layer.map;
        let number = |i: usize| (i * 37 % 101) as f32 / 50.0 - 1.0;
        let size = (layer.filters, 3, 3, channels);
        let weight = (0..layer.filters * 9 * channels).map(number).collect();
        let weight = Tensor::from_vec(weight, size, &Device::Cpu)?;
        let bias = Tensor::from_vec(vec![0.1f32; layer.filters], layer.filters, &Device::Cpu)?;
        let filters = || Ok::<_, candle_core::Error>(Filters::from_nhwc(&weight, &bias)?.relu());
        Ok(Self {
            name: layer.name,
            map: Map::of((0..n * h * w * channels).map(number).collect(), layer.map)?,
            winograd: Conv::quick(filters()?, layer.pad, layer.tile)?,
            direct: Conv::new(filters()?, 1, layer.pad)?,
        })
    }

    /// Runs it one way; how many numbers came out.
    ///
    /// # Errors
    /// None, in truth.
    pub fn run(&self, winograd: bool) -> Result<usize> {
        let conv = if winograd { &self.winograd } else { &self.direct };
        Ok(std::hint::black_box(conv.forward(&self.map)?).values().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_come_to_the_same() {
        for rivals in Rivals::all().unwrap() {
            let [a, b] =
                [&rivals.winograd, &rivals.direct].map(|c| c.forward(&rivals.map).unwrap());
            let off = a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs());
            let most = off.fold(0.0, f32::max);
            assert!(most < 1e-2 && !b.values().is_empty(), "{}: {most}", rivals.name);
        }
    }
}
