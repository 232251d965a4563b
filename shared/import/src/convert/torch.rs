//! `PyTorch` state dictionaries as `torch.save` wrote them before version 1.6.
//!
//! Such a file is five pickles (magic number, version, system, the dictionary, the keys of its
//! storages) and then the storages themselves: a count and raw numbers each. The MTCNN weights come
//! so, whatever their name suggests; the later zip form is refused with a sentence.

use super::{ConvertError, Cursor, Tensors, pickle, pickle::Value};
use std::collections::HashMap;

/// `0x1950a86a20f9469cfc6c`, least byte first.
pub(super) const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Converts a flat state dictionary of f32 tensors; names and shapes stay, rows come first.
///
/// # Errors
/// [`ConvertError::Unexpected`] for other versions, other types, tensors that leave their storage,
/// and files with a byte too few or too many.
pub fn torch_state(file: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut cursor = Cursor::new(file);
    cursor.expect(!file.starts_with(b"PK"), "the older form of a PyTorch file, not a zip")?;
    cursor.expect(file.starts_with(&[0x80, 2, 0x8a, 10]), "a PyTorch file")?;
    pickle::read(&mut cursor)?;
    let version = pickle::read(&mut cursor)?;
    cursor.expect(version == Value::Int(1001), "version 1001")?;
    pickle::read(&mut cursor)?;
    let Value::Dict(state) = pickle::read(&mut cursor)? else {
        return Err(cursor.unexpected("a dictionary of tensors"));
    };
    let Value::List(keys) = pickle::read(&mut cursor)? else {
        return Err(cursor.unexpected("a list of storages"));
    };
    let storages = storages(&mut cursor, keys)?;
    cursor.expect(cursor.at == file.len(), "the end of the file")?;
    let mut tensors = Tensors::default();
    for (name, value) in &state {
        let (Value::Text(name), Value::Tensor(tensor)) = (name, value) else {
            return Err(cursor.unexpected("a name and its tensor"));
        };
        let numbers = storages.get(&tensor.key).and_then(|numbers| gather(numbers, tensor));
        let numbers = numbers.ok_or_else(|| cursor.unexpected("a plain tensor in its storage"))?;
        tensors.put(name.to_string(), tensor.shape.clone(), numbers);
    }
    tensors.to_safetensors()
}

type Storages<'a> = HashMap<std::rc::Rc<str>, &'a [u8]>;

fn storages<'a>(cursor: &mut Cursor<'a>, keys: Vec<Value>) -> Result<Storages<'a>, ConvertError> {
    let mut storages = HashMap::new();
    for key in keys {
        let Value::Text(key) = key else {
            return Err(cursor.unexpected("the key of a storage"));
        };
        let count = usize::try_from(u64::from_le_bytes(cursor.array()?)).ok();
        let bytes = count.and_then(|count| count.checked_mul(4));
        let bytes = bytes.ok_or_else(|| cursor.unexpected("a storage that fits into memory"))?;
        storages.insert(key, cursor.take(bytes)?);
    }
    Ok(storages)
}

/// The tensor's numbers row by row, whichever way its storage has them (MTCNN's convolutions lie
/// column by column). `None` if a number would lie outside.
fn gather(storage: &[u8], tensor: &pickle::TensorRef) -> Option<Vec<u8>> {
    let (numbers, []) = storage.as_chunks::<4>() else { return None };
    let count = tensor.shape.iter().try_fold(1usize, |count, &side| count.checked_mul(side))?;
    let fits = tensor.shape.len() == tensor.strides.len() && count <= numbers.len();
    if !fits || numbers.len() != tensor.length {
        return None;
    }
    let number = |index: usize| {
        let mut rest = index;
        let mut at = tensor.offset;
        for (&side, &stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
            at = at.checked_add((rest % side).checked_mul(stride)?)?;
            rest /= side;
        }
        numbers.get(at).copied()
    };
    (0..count).map(number).collect::<Option<Vec<_>>>().map(|numbers| numbers.concat())
}

#[cfg(test)]
mod tests;
