//! Foreign weight files become safetensors, by our own readers and without running a line of
//! anybody's code: the dlib archive ([`dlib_resnet`]) and `PyTorch` state dictionaries
//! ([`torch_state`]).
//!
//! Both readers refuse what they do not know instead of guessing, and read every byte.

mod dlib;
mod pickle;
mod torch;

pub use dlib::dlib_resnet;
pub use torch::torch_state;

use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;

/// Why a weights file was not converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The bytes differ from the format read here.
    #[error("the weights file is not what was expected at byte {at}: {what}")]
    Unexpected {
        /// Offset of the surprise.
        at: usize,
        /// What was expected.
        what: &'static str,
    },
    /// The output could not be written.
    #[error("the weights could not be written as safetensors")]
    Write(#[from] safetensors::SafeTensorError),
}

/// Named f32 tensors, row-major.
#[derive(Default)]
struct Tensors(BTreeMap<String, (Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn put(&mut self, name: String, shape: Vec<usize>, little_endian: Vec<u8>) {
        self.0.insert(name, (shape, little_endian));
    }

    fn to_safetensors(&self) -> Result<Vec<u8>, ConvertError> {
        let views = self
            .0
            .iter()
            .map(|(name, (shape, bytes))| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        Ok(safetensors::serialize(views, None)?)
    }
}

/// Where a reader stands in the bytes it was given.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], ConvertError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.unexpected("more bytes before the end of the file"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ConvertError> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ConvertError> {
        Ok(*self.take(N)?.first_chunk().expect("take gives what was asked for"))
    }

    fn unexpected(&self, what: &'static str) -> ConvertError {
        ConvertError::Unexpected { at: self.at, what }
    }

    fn expect(&self, holds: bool, what: &'static str) -> Result<(), ConvertError> {
        if holds { Ok(()) } else { Err(self.unexpected(what)) }
    }
}
