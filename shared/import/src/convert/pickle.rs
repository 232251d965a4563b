//! Just enough of Python's pickle to read a state dictionary, and nothing that could run code.
//!
//! Names of classes are only compared. Calls are understood for exactly two callables: an ordered
//! dictionary and a tensor over a storage. Anything else ends the reading.

use super::{ConvertError, Cursor};
use std::{collections::HashMap, rc::Rc};

/// More operations than any state dictionary here needs; also bounds nesting.
const MOST_OPS: usize = 5_000;

/// What a pickle can hold here.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
    /// `module name` of a class or function.
    Global(Rc<str>),
    Tuple(Rc<[Self]>),
    Dict(Vec<(Self, Self)>),
    List(Vec<Self>),
    /// f32 numbers under a key, to be found after the pickle.
    Storage {
        key: Rc<str>,
        length: usize,
    },
    Tensor(Rc<TensorRef>),
    Mark,
}

/// A tensor as a window on a storage; offset and strides in numbers, not bytes.
#[derive(Debug, PartialEq)]
pub(super) struct TensorRef {
    pub key: Rc<str>,
    pub length: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// Reads one pickle and leaves the cursor behind it.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Value, ConvertError> {
    let mut machine = Machine { cursor, stack: Vec::new(), memo: HashMap::new() };
    for _ in 0..MOST_OPS {
        if machine.step()? {
            return machine.pop();
        }
    }
    Err(machine.cursor.unexpected("a shorter pickle"))
}

struct Machine<'a, 'b> {
    cursor: &'a mut Cursor<'b>,
    stack: Vec<Value>,
    memo: HashMap<usize, Value>,
}

impl Machine<'_, '_> {
    /// One operation; true after the last.
    fn step(&mut self) -> Result<bool, ConvertError> {
        let op = self.cursor.byte()?;
        let value = match op {
            b'.' => return Ok(true),
            0x80 => {
                let version = self.cursor.byte()?;
                return self.cursor.expect(version == 2, "pickle protocol 2").map(|()| false);
            }
            b'q' => {
                let slot = self.cursor.byte()?;
                return self.remember(usize::from(slot)).map(|()| false);
            }
            b'r' => {
                let slot = u32::from_le_bytes(self.cursor.array()?);
                return self.remember(slot as usize).map(|()| false);
            }
            b'u' | b's' | b'e' | b'b' => return self.store(op).map(|()| false),
            b'h' => {
                let slot = self.cursor.byte()?;
                self.recall(usize::from(slot))?
            }
            b'j' => {
                let slot = u32::from_le_bytes(self.cursor.array()?);
                self.recall(slot as usize)?
            }
            b't' | 0x85 | 0x86 | 0x87 => self.tuple(op)?,
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            _ => self.constant(op)?,
        };
        self.stack.push(value);
        Ok(false)
    }

    fn constant(&mut self, op: u8) -> Result<Value, ConvertError> {
        Ok(match op {
            b'(' => Value::Mark,
            b')' => Value::Tuple(Rc::new([])),
            b'}' => Value::Dict(Vec::new()),
            b']' => Value::List(Vec::new()),
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(self.cursor.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.cursor.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.cursor.array()?).into()),
            0x8a => self.long()?,
            b'X' => self.text()?,
            b'c' => self.global()?,
            _ => return Err(self.cursor.unexpected("an operation of a plain state dictionary")),
        })
    }

    /// The file's magic number is 10 bytes long; no other long is needed.
    fn long(&mut self) -> Result<Value, ConvertError> {
        let length = usize::from(self.cursor.byte()?);
        let bytes = self.cursor.take(length)?;
        self.cursor.expect(bytes == super::torch::MAGIC, "PyTorch's magic number")?;
        Ok(Value::None)
    }

    fn text(&mut self) -> Result<Value, ConvertError> {
        let length = u32::from_le_bytes(self.cursor.array()?) as usize;
        let text = std::str::from_utf8(self.cursor.take(length)?);
        Ok(Value::Text(text.map_err(|_| self.cursor.unexpected("UTF-8 text"))?.into()))
    }

    fn global(&mut self) -> Result<Value, ConvertError> {
        let rest = &self.cursor.bytes[self.cursor.at..];
        let mut lines = rest.split(|&byte| byte == b'\n').map(std::str::from_utf8);
        let (Some(Ok(module)), Some(Ok(name))) = (lines.next(), lines.next()) else {
            return Err(self.cursor.unexpected("the name of a class"));
        };
        let length = module.len() + name.len() + 2;
        let value = Value::Global(format!("{module} {name}").into());
        self.cursor.take(length)?;
        Ok(value)
    }

    fn pop(&mut self) -> Result<Value, ConvertError> {
        self.stack.pop().ok_or_else(|| self.cursor.unexpected("a value on the pickle's stack"))
    }

    /// What was pushed since the last mark.
    fn since_mark(&mut self) -> Result<Vec<Value>, ConvertError> {
        let mark = self.stack.iter().rposition(|value| *value == Value::Mark);
        let mark = mark.ok_or_else(|| self.cursor.unexpected("a mark on the pickle's stack"))?;
        let values = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(values)
    }

    fn tuple(&mut self, op: u8) -> Result<Value, ConvertError> {
        let values = match op {
            b't' => self.since_mark()?,
            _ => {
                let count = usize::from(op - 0x84);
                let from = self.stack.len().checked_sub(count);
                let from = from.ok_or_else(|| self.cursor.unexpected("values for a tuple"))?;
                self.stack.split_off(from)
            }
        };
        Ok(Value::Tuple(values.into()))
    }

    /// Containers are remembered while empty and never asked for again in these files.
    fn remember(&mut self, slot: usize) -> Result<(), ConvertError> {
        let kept = match self.stack.last() {
            Some(Value::Dict(_) | Value::List(_)) => return Ok(()),
            Some(value) => value.clone(),
            None => return Err(self.cursor.unexpected("a value to remember")),
        };
        self.memo.insert(slot, kept);
        Ok(())
    }

    fn recall(&self, slot: usize) -> Result<Value, ConvertError> {
        self.memo.get(&slot).cloned().ok_or_else(|| self.cursor.unexpected("a remembered value"))
    }

    /// Puts values into the container below them; state set on an object (`b`) is dropped.
    fn store(&mut self, op: u8) -> Result<(), ConvertError> {
        let values = match op {
            b'b' => return self.pop().map(drop),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                vec![key, value]
            }
            _ => self.since_mark()?,
        };
        match (op, self.stack.last_mut()) {
            (b'e', Some(Value::List(list))) => list.extend(values),
            (b'u' | b's', Some(Value::Dict(dict))) if values.len().is_multiple_of(2) => {
                let mut values = values.into_iter();
                while let (Some(key), Some(value)) = (values.next(), values.next()) {
                    dict.push((key, value));
                }
            }
            _ => return Err(self.cursor.unexpected("a list or dictionary to fill")),
        }
        Ok(())
    }

    /// `('storage', FloatStorage, key, 'cpu', length, None)`.
    fn storage(&mut self) -> Result<Value, ConvertError> {
        if let Value::Tuple(id) = self.pop()?
            && let [
                Value::Text(kind),
                Value::Global(class),
                Value::Text(key),
                _,
                Value::Int(length),
                ..,
            ] = &*id
            && (&**kind, &**class) == ("storage", "torch FloatStorage")
            && let Ok(length) = usize::try_from(*length)
        {
            return Ok(Value::Storage { key: key.clone(), length });
        }
        Err(self.cursor.unexpected("a storage of f32"))
    }

    fn call(&mut self) -> Result<Value, ConvertError> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        match (callable, arguments) {
            (Value::Global(name), Value::Tuple(none))
                if &*name == "collections OrderedDict" && none.is_empty() =>
            {
                Ok(Value::Dict(Vec::new()))
            }
            (Value::Global(name), Value::Tuple(parts))
                if &*name == "torch._utils _rebuild_tensor_v2" =>
            {
                tensor(&parts)
                    .ok_or_else(|| self.cursor.unexpected("storage, offset, shape, strides"))
            }
            _ => Err(self.cursor.unexpected("a call for a dictionary or a tensor, nothing else")),
        }
    }
}

fn tensor(parts: &[Value]) -> Option<Value> {
    let [Value::Storage { key, length }, Value::Int(offset), shape, strides, ..] = parts else {
        return None;
    };
    let (shape, strides) = (sizes(shape)?, sizes(strides)?);
    let (key, offset) = (key.clone(), usize::try_from(*offset).ok()?);
    Some(Value::Tensor(Rc::new(TensorRef { key, length: *length, offset, shape, strides })))
}

fn sizes(value: &Value) -> Option<Vec<usize>> {
    let Value::Tuple(values) = value else { return None };
    let size = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    values.iter().map(size).collect()
}
