//! A network as a list of steps over our own modules, and the weights they need.
//!
//! A [`Plan`] is what is stored beside the weights, in one file with them; a [`Network`] is a plan
//! ready to run. Plans are made by the crate `import`, of files of other makers.

mod file;
mod network;

pub use crate::nn::{Pads, Take, Window};
pub use network::Network;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Named tensors: lengths and numbers.
pub type Weights = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A value: 0 is the picture, `n` the result of step `n − 1`.
pub type Id = usize;

/// Steps in the order they run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Rows and columns of the picture the network was made for.
    pub side: [usize; 2],
    /// What is done.
    pub steps: Vec<Step>,
    /// What comes out.
    pub outputs: Vec<Output>,
}

/// Something that comes out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its name in the file.
    pub name: String,
    /// Which value.
    pub from: Id,
    /// Numbers of each row.
    pub width: usize,
}

/// One of our modules at work. Weights are named by the step's prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum Step {
    /// `w.weight [filters, channels, rows, columns]`, `w.bias`; bent: `w.slope`.
    Conv {
        /// Of what.
        x: Id,
        /// Weights.
        w: String,
        /// From one place to the next.
        stride: usize,
        /// Zeros around.
        pads: Pads,
        /// One filter for each channel.
        depthwise: bool,
        /// Added before the bend.
        onto: Option<Id>,
        /// Whether negative results are multiplied by a slope.
        bent: bool,
        /// Largest result.
        cap: Option<f32>,
    },
    /// `w.scale · x + w.shift`, for each channel.
    Scale {
        /// Of what.
        x: Id,
        /// Weights.
        w: String,
    },
    /// Negative numbers times `w.slope`.
    Bend {
        /// Of what.
        x: Id,
        /// Weights.
        w: String,
        /// Largest result.
        cap: Option<f32>,
    },
    /// `1 / (1 + e^−x)`.
    Sigmoid {
        /// Of what.
        x: Id,
    },
    /// The sum of two maps.
    Add {
        /// One.
        a: Id,
        /// The other.
        b: Id,
    },
    /// Windows.
    Pool {
        /// Of what.
        x: Id,
        /// Which.
        window: Window,
    },
    /// The mean of each channel.
    Mean {
        /// Of what.
        x: Id,
    },
    /// Every pixel several times.
    Enlarge {
        /// Of what.
        x: Id,
        /// How many times across and down.
        factor: usize,
    },
    /// Channels of several maps, one after the other.
    Join {
        /// Of what.
        xs: Vec<Id>,
    },
}

impl Step {
    /// The values it needs.
    fn needs(&self) -> Vec<Id> {
        match self {
            Self::Conv { x, onto, .. } => std::iter::once(*x).chain(*onto).collect(),
            Self::Scale { x, .. }
            | Self::Bend { x, .. }
            | Self::Sigmoid { x }
            | Self::Pool { x, .. }
            | Self::Mean { x }
            | Self::Enlarge { x, .. } => vec![*x],
            Self::Add { a, b } => vec![*a, *b],
            Self::Join { xs } => xs.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
