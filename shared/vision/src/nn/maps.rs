//! The plain operations on whole NHWC maps that networks of other makers need beside convolutions.

use super::{conv::Pads, map::Map};
use candle_core::{Result, bail};

/// `scale · x + shift`, a pair for each channel.
pub(crate) fn scaled(mut x: Map, scale: &[f32], shift: &[f32]) -> Result<Map> {
    let c = x.size()[3];
    if scale.len() != c || shift.len() != c {
        bail!("{} factors do not fit {c} channels", scale.len());
    }
    for pixel in x.values_mut().chunks_exact_mut(c) {
        for ((value, scale), shift) in pixel.iter_mut().zip(scale).zip(shift) {
            *value = *value * scale + shift;
        }
    }
    Ok(x)
}

/// Negative numbers of a channel times its slope, then nothing above `cap`.
pub(crate) fn bent(mut x: Map, slope: &[f32], cap: f32) -> Result<Map> {
    let c = x.size()[3];
    if slope.len() != c {
        bail!("{} slopes do not fit {c} channels", slope.len());
    }
    for pixel in x.values_mut().chunks_exact_mut(c) {
        for (value, slope) in pixel.iter_mut().zip(slope) {
            *value = (value.max(0.0) + slope * value.min(0.0)).min(cap);
        }
    }
    Ok(x)
}

/// `1 / (1 + e^−x)`.
pub(crate) fn sigmoid(mut x: Map) -> Map {
    x.values_mut().iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
    x
}

/// Number by number.
pub(crate) fn added(mut a: Map, b: &Map) -> Result<Map> {
    if a.size() != b.size() {
        bail!("a map of {:?} does not fit one of {:?}", a.size(), b.size());
    }
    a.values_mut().iter_mut().zip(b.values()).for_each(|(a, b)| *a += b);
    Ok(a)
}

/// The channels of all maps behind one another.
pub(crate) fn joined(maps: &[&Map]) -> Result<Map> {
    let Some([n, h, w, _]) = maps.first().map(|map| map.size()) else { bail!("nothing to join") };
    if maps.iter().any(|map| map.size()[..3] != [n, h, w]) {
        bail!("maps of several sizes cannot be joined");
    }
    let channels = maps.iter().map(|map| map.size()[3]).sum();
    let mut all = Map::unwritten([n, h, w, channels]);
    let mut first = 0;
    for map in maps {
        let c = map.size()[3];
        let pixels = all.values_mut().chunks_exact_mut(channels).zip(map.values().chunks_exact(c));
        pixels.for_each(|(to, from)| to[first..first + c].copy_from_slice(from));
        first += c;
    }
    Ok(all)
}

/// Every pixel `factor` times across and down.
pub(crate) fn enlarged(x: &Map, factor: usize) -> Map {
    let [n, h, w, c] = x.size();
    let mut large = Map::unwritten([n, h * factor, w * factor, c]);
    let row = w * factor * c;
    let rows =
        large.values_mut().chunks_exact_mut(row * factor).zip(x.values().chunks_exact(w * c));
    for (rows, from) in rows {
        let (first, rest) = rows.split_at_mut(row);
        for (i, pixel) in first.chunks_exact_mut(c).enumerate() {
            pixel.copy_from_slice(&from[i / factor * c..][..c]);
        }
        rest.chunks_exact_mut(row).for_each(|copy| copy.copy_from_slice(first));
    }
    large
}

/// The mean of each channel.
pub(crate) fn mean(x: &Map) -> Map {
    let [n, h, w, c] = x.size();
    let mut sums = vec![0.0f64; n * c];
    for (i, pixel) in x.values().chunks_exact(c).enumerate() {
        let sums = &mut sums[i / (h * w) * c..][..c];
        sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let mut means = Map::unwritten([n, 1, 1, c]);
    let count = (h * w) as f64;
    means.values_mut().iter_mut().zip(sums).for_each(|(mean, sum)| *mean = (sum / count) as f32);
    means
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

    pub(crate) fn forward(&self, map: &Map) -> Result<Map> {
        let [n, h, w, c] = map.size();
        let (Some(rows), Some(columns)) = (self.reach(0, h), self.reach(1, w)) else {
            bail!("a map of {h}×{w} has no window of {:?}", self.size);
        };
        let start = if self.take == Take::Max { f32::NEG_INFINITY } else { 0.0 };
        let mut output = Map::unwritten([n, rows, columns, c]);
        output.values_mut().fill(start);
        for (place, into) in output.values_mut().chunks_exact_mut(c).enumerate() {
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
                    let from = &map.values()[((image * h + row) * w + column) * c..][..c];
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
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(size: [usize; 4]) -> Map {
        let values: Vec<f32> = (0..size.iter().product::<usize>()).map(|n| n as f32).collect();
        Map::of(values, size).unwrap()
    }

    #[test]
    fn a_map_is_enlarged_pixel_by_pixel() {
        let large = enlarged(&map([1, 1, 2, 2]), 2);
        assert_eq!(large.size(), [1, 2, 4, 2]);
        assert_eq!(large.values()[..8], [0., 1., 0., 1., 2., 3., 2., 3.]);
        assert_eq!(large.values()[..8], large.values()[8..]);
    }

    #[test]
    fn each_channel_has_its_own_factor_slope_and_mean() {
        let x = || map([1, 2, 1, 2]);
        let turned = scaled(x(), &[1.0, -2.0], &[0.5, 0.0]).unwrap();
        assert_eq!(turned.values(), [0.5, -2., 2.5, -6.]);
        let below = scaled(x(), &[1.0; 2], &[-2.0; 2]).unwrap();
        assert_eq!(bent(below, &[0.0, 0.5], 0.25).unwrap().values(), [0.0, -0.5, 0.0, 0.25]);
        assert_eq!(mean(&x()).values(), [1.0, 2.0]);
        assert!(scaled(x(), &[1.0], &[0.0]).is_err() && bent(x(), &[], 1.0).is_err());
    }

    #[test]
    fn maps_of_one_size_are_added_and_joined() {
        let [x, y] = [map([1, 1, 2, 2]), map([1, 1, 2, 1])];
        assert_eq!(joined(&[&x, &y]).unwrap().values(), [0., 1., 0., 2., 3., 1.]);
        assert!(joined(&[&x, &map([1, 2, 2, 2])]).is_err() && joined(&[]).is_err());
        assert!(added(map([1, 1, 2, 2]), &y).is_err());
        assert_eq!(added(map([1, 1, 2, 2]), &x).unwrap().values(), [0., 2., 4., 6.]);
    }

    #[test]
    fn padding_counts_neither_as_a_number_nor_in_the_mean() {
        let x = scaled(map([1, 3, 3, 1]), &[1.0], &[-9.0]).unwrap();
        let window = |take, pads, ceil| Window { take, size: [3, 3], stride: 2, pads, ceil };
        let most = window(Take::Max, [1; 4], false).forward(&x).unwrap();
        assert_eq!(most.values(), [-5.0, -4.0, -2.0, -1.0]);
        let mean = window(Take::Mean, [1; 4], false).forward(&x).unwrap();
        assert_eq!(mean.values(), [-7.0, -6.0, -4.0, -3.0]);
        assert_eq!(window(Take::Max, [0; 4], true).reach(0, 4), Some(2));
        assert_eq!(window(Take::Max, [0; 4], false).reach(0, 2), None);
    }
}
