//! The few layers our networks are made of, quick on one thread.
//!
//! Maps are NHWC: the channels of a pixel lie together, so that vectors run over channels in every
//! kernel and no layout is ever changed on the way.

mod conv;
mod depthwise;
mod map;
mod maps;
mod pool;
mod product;
mod rivals;
pub(crate) mod simd;
mod weights;
mod winograd;

pub use conv::Pads;
pub(crate) use conv::{Conv, Filters};
pub(crate) use depthwise::Depthwise;
pub(crate) use map::Map;
pub use maps::{Take, Window};
pub(crate) use maps::{added, bent, enlarged, joined, mean, scaled, sigmoid};
pub(crate) use pool::{MaxPool, mean_into};
#[cfg(test)]
pub(crate) use rivals::LAYERS;
pub use rivals::Rivals;
pub use simd::without;
pub(crate) use winograd::Tile;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use std::path::{Path, PathBuf};

/// Why a network could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The weights cannot be read.
    #[error("the weights {} cannot be read: run models/fetch to get them", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not the network it should be.
    #[error("the weights {} do not fit the network: run models/fetch to get them anew", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// Why.
        source: candle_core::Error,
    },
    /// A computation failed; pictures cannot cause this.
    #[error("a network could not be run")]
    Run(#[from] candle_core::Error),
    /// A network put out numbers that are no template.
    #[error("the face network gave no template")]
    Template(#[from] crate::TemplateError),
}

/// Reads a safetensors file, builds a network from it and lets go of the file's bytes.
pub(crate) fn load<N>(
    path: &Path,
    build: impl FnOnce(&VarBuilder<'_>) -> candle_core::Result<N>,
) -> Result<N, NetError> {
    let bytes = std::fs::read(path)
        .map_err(|source| NetError::Read { path: path.to_path_buf(), source })?;
    VarBuilder::from_slice_safetensors(&bytes, DType::F32, &Device::Cpu)
        .and_then(|weights| build(&weights))
        .map_err(|source| NetError::Weights { path: path.to_path_buf(), source })
}
