//! A file of somebody else's becomes a network of ours: read, recognised, tried out.

use crate::convert::ConvertError;
use crate::known::{self, Known};
use crate::onnx::{self, OnnxError};
use vision::{NetError, golden::Golden};

/// Rows and columns of a detector's self-test; each stride divides them.
const DETECTOR_TEST: [usize; 2] = [64, 96];

/// A network taken over.
#[derive(Debug)]
pub struct Imported {
    /// What it is.
    pub known: Known,
    /// Weights and plan as safetensors.
    pub bytes: Vec<u8>,
    /// What it gave for the test picture.
    pub golden: Golden,
    /// Steps of the plan, for people.
    pub steps: usize,
    /// Multiplications for one picture of its size.
    pub products: usize,
}

/// Why a file was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not what our modules do.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It does not run.
    #[error("the network was read but does not run: {0}")]
    Run(#[from] NetError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] ConvertError),
}

/// Reads an ONNX file.
///
/// # Errors
/// See [`ImportError`].
pub fn import(file: &[u8]) -> Result<Imported, ImportError> {
    let draft = onnx::read(file)?;
    let known = known::recognise(&draft)?;
    let network = draft.network()?;
    let side = if known.kind.detects() { DETECTOR_TEST } else { draft.plan.side };
    let golden = Golden::record(&network, side).map_err(NetError::from)?;
    let bytes = draft.plan.to_safetensors(&draft.weights).map_err(ConvertError::from)?;
    let (steps, products) = (draft.plan.steps.len(), draft.products);
    Ok(Imported { known, bytes, golden, steps, products })
}
