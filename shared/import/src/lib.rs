//! Files of other makers → what a pack is made of: dlib's archive, `PyTorch`'s state dictionaries,
//! ONNX networks.
//!
//! Asked by whoever brings models in, and by nobody who recognises: doors do without. Nothing of a
//! file runs, and what is not known is refused with a sentence.
#![warn(missing_docs)]

pub mod convert;
pub mod draft;
mod imported;
pub mod known;
mod licence;
pub mod onnx;

pub use imported::{ImportError, Imported, import};
pub use licence::Licence;
