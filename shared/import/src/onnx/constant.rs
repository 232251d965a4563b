//! Numbers of a file: weights, and the whole numbers that shapes are reckoned with.

use super::{OnnxError, proto};

/// Most numbers of one tensor: the dense layer of an `IResNet` has 12.8 million.
const MOST: usize = 1 << 26;
const FLOAT: i32 = 1;
const INT32: i32 = 6;
const INT64: i32 = 7;

/// A tensor that is known when the file is read.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Weights.
    Floats {
        /// Lengths, outermost first; empty for a single number.
        dims: Vec<usize>,
        /// Row-major.
        values: Vec<f32>,
    },
    /// Lengths and indices: a list, or a single number.
    Ints(Vec<i64>),
}

impl Constant {
    /// Reads a tensor message; its dims must be as many numbers as it has.
    pub(super) fn read(tensor: &proto::Tensor) -> Result<Self, OnnxError> {
        let wrong = |why| OnnxError::Numbers { name: tensor.name.clone(), why };
        if tensor.place != 0 {
            return Err(wrong("they lie in another file; export the network as a single file"));
        }
        let count = tensor.dims.iter().try_fold(1usize, |count, &dim| {
            usize::try_from(dim).ok().and_then(|dim| count.checked_mul(dim)).filter(|&n| n <= MOST)
        });
        let count = count.ok_or_else(|| wrong("their lengths are senseless"))?;
        let raw = |size: usize| tensor.raw.len() == count.saturating_mul(size);
        let dims = tensor.dims.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
        let short = "the file does not have as many as it says";
        match tensor.kind {
            FLOAT => {
                let values: Vec<f32> = match tensor.raw.as_chunks::<4>() {
                    (numbers, []) if raw(4) => {
                        numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
                    }
                    _ if tensor.floats.len() == count => tensor.floats.clone(),
                    _ => return Err(wrong(short)),
                };
                if values.iter().all(|value| value.is_finite()) {
                    Ok(Self::Floats { dims, values })
                } else {
                    Err(wrong("one of them is infinite or not a number"))
                }
            }
            INT64 => match tensor.raw.as_chunks::<8>() {
                (numbers, []) if raw(8) => {
                    Ok(Self::Ints(numbers.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()))
                }
                _ if tensor.int64s.len() == count => Ok(Self::Ints(tensor.int64s.clone())),
                _ => Err(wrong(short)),
            },
            INT32 => match tensor.raw.as_chunks::<4>() {
                (numbers, []) if raw(4) => {
                    let number = |&bytes| i64::from(i32::from_le_bytes(bytes));
                    Ok(Self::Ints(numbers.iter().map(number).collect()))
                }
                _ if tensor.int32s.len() == count => {
                    Ok(Self::Ints(tensor.int32s.iter().map(|&n| i64::from(n)).collect()))
                }
                _ => Err(wrong(short)),
            },
            _ => Err(wrong("they are neither 32-bit floats nor whole numbers")),
        }
    }

    /// The only number, if there is one.
    pub(super) fn single(&self) -> Option<f32> {
        match self {
            Self::Floats { values, .. } if values.len() == 1 => values.first().copied(),
            Self::Ints(values) if values.len() == 1 => values.first().map(|&n| n as f32),
            _ => None,
        }
    }
}
