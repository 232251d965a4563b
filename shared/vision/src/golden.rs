//! A network's self-test: what it gave for a picture made by a formula when it was imported, and
//! whether it still does.

use crate::plan::Network;
use serde::{Deserialize, Serialize};

/// How many numbers of the result are kept.
const KEPT: usize = 24;
/// Largest difference, in parts of the largest number: instruction sets round differently.
const SLACK: f32 = 1e-3;

/// What a network gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// Rows and columns of the picture.
    pub side: [usize; 2],
    /// Numbers of all outputs together.
    pub count: usize,
    /// Their root mean square.
    pub size: f32,
    /// Some of them, evenly spread.
    pub values: Vec<f32>,
}

impl Golden {
    /// Runs `network` on the formula's picture.
    ///
    /// # Errors
    /// When it cannot run, or gives what is no number.
    pub fn record(network: &Network, side: [usize; 2]) -> candle_core::Result<Self> {
        let numbers: Vec<f32> = network.run(picture(side), side)?.concat();
        let squares: f64 = numbers.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let size = (squares / numbers.len().max(1) as f64).sqrt() as f32;
        if !size.is_finite() || numbers.is_empty() {
            candle_core::bail!("the network gives no numbers for a test picture");
        }
        let step = numbers.len().div_ceil(KEPT);
        let values = numbers.iter().step_by(step).copied().collect();
        Ok(Self { side, count: numbers.len(), size, values })
    }

    /// Whether `network` still gives the same.
    ///
    /// # Errors
    /// A sentence when it does not.
    pub fn check(&self, network: &Network) -> candle_core::Result<()> {
        // The lengths come from a file.
        if self.side.iter().any(|side| !(8..=256).contains(side)) {
            candle_core::bail!("the self-test's picture has a senseless size");
        }
        let now = Self::record(network, self.side)?;
        let largest = self.values.iter().fold(self.size, |most, x| most.max(x.abs()));
        let near = |a: f32, b: f32| (a - b).abs() <= SLACK * largest;
        let same = now.count == self.count
            && now.values.len() == self.values.len()
            && near(now.size, self.size)
            && now.values.iter().zip(&self.values).all(|(&a, &b)| near(a, b));
        if same { Ok(()) } else { candle_core::bail!("the self-test gives other numbers") }
    }
}

/// `v = (x² + 3y + 50c) mod 256`, brought to −1 … 1.
#[must_use]
pub fn picture([rows, columns]: [usize; 2]) -> Vec<f32> {
    let value = |i: usize| {
        let (c, x, y) = (i % 3, i / 3 % columns, i / 3 / columns);
        (((x * x + 3 * y + 50 * c) % 256) as f32 - 127.5) / 128.0
    };
    (0..rows * columns * 3).map(value).collect()
}
