//! ONNX files become a [`Plan`](vision::plan::Plan) over our own modules.
//!
//! Nothing of a file runs: its graph is walked once, every operation and every shape is checked
//! against what our modules do, and what is not known is refused by its name. Sizes that the file
//! claims are believed only as far as it has the bytes for them.

mod constant;
mod node;
pub mod proto;
mod walk;

pub use constant::Constant;

use crate::draft::Draft;
use prost::Message as _;

/// Largest file that is read, in bytes: IResNet-100 has 250 MB.
pub const MOST_BYTES: usize = 512 << 20;
/// Most operations of a graph.
const MOST_NODES: usize = 8192;

/// Why an ONNX file is refused. Each is a sentence for whoever imports it.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum OnnxError {
    /// Not an ONNX file, or cut short.
    #[error("this is no ONNX file, or it was cut short")]
    Malformed,
    /// Too large.
    #[error("this ONNX file is larger than any face network: {0}")]
    Large(&'static str),
    /// Numbers that are not there or of a kind we do not read.
    #[error("the numbers “{name}” cannot be read: {why}")]
    Numbers {
        /// Of the tensor.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// An operation that none of our modules does.
    #[error("the operation {op} (“{name}”) is none that Rollcall knows")]
    Operation {
        /// Kind of operation.
        op: String,
        /// Its name in the file, or that of its result.
        name: String,
    },
    /// A known operation, used in a way that our modules are not.
    #[error("the operation {op} (“{name}”) cannot be taken over: {why}")]
    Use {
        /// Kind of operation.
        op: String,
        /// Its name in the file, or that of its result.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Inputs or outputs of another kind.
    #[error("{0}")]
    Frame(String),
}

/// The graph of an ONNX file as a draft of a plan for pictures of the size the file says, or of
/// `side × side` where it leaves that open.
///
/// # Errors
/// See [`OnnxError`].
pub fn read(bytes: &[u8]) -> Result<Draft, OnnxError> {
    if bytes.len() > MOST_BYTES {
        return Err(OnnxError::Large("more than 512 MB"));
    }
    let model = proto::Model::decode(bytes).map_err(|_| OnnxError::Malformed)?;
    let graph = model.graph.ok_or(OnnxError::Malformed)?;
    if graph.nodes.is_empty() {
        return Err(OnnxError::Malformed);
    }
    if graph.nodes.len() > MOST_NODES {
        return Err(OnnxError::Large("more than 8192 operations"));
    }
    walk::walk(graph)
}
