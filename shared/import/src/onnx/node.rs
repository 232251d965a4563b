//! One operation of a graph: its settings, asked for by name, and sentences for what is wrong.

use super::{Constant, OnnxError, proto::Node};
use vision::plan::Pads;

impl Node {
    /// What people find it by.
    fn label(&self) -> String {
        let named = if self.name.is_empty() { self.outputs.first() } else { Some(&self.name) };
        named.cloned().unwrap_or_default()
    }

    /// Refuses the operation as a whole.
    pub(super) fn unknown(&self) -> OnnxError {
        OnnxError::Operation { op: self.op.clone(), name: self.label() }
    }

    /// Refuses the way it is used.
    pub(super) fn refuse(&self, why: impl Into<String>) -> OnnxError {
        OnnxError::Use { op: self.op.clone(), name: self.label(), why: why.into() }
    }

    pub(super) fn int(&self, name: &str, usual: i64) -> i64 {
        self.find(name).and_then(|found| found.int).unwrap_or(usual)
    }

    pub(super) fn float(&self, name: &str, usual: f32) -> f32 {
        self.find(name).and_then(|found| found.float).unwrap_or(usual)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.find(name).map(|found| found.ints.as_slice()).filter(|ints| !ints.is_empty())
    }

    pub(super) fn text(&self, name: &str) -> &str {
        let text = self.find(name).and_then(|found| found.text.as_deref());
        text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// The tensor of a `Constant`.
    pub(super) fn value(&self) -> Result<Constant, OnnxError> {
        if let Some(tensor) = self.find("value").and_then(|found| found.tensor.as_ref()) {
            return Constant::read(tensor);
        }
        if let Some(value) = self.find("value_float").and_then(|found| found.float) {
            return Ok(Constant::Floats { dims: vec![], values: vec![value] });
        }
        if let Some(value) = self.find("value_int").and_then(|found| found.int) {
            return Ok(Constant::Ints(vec![value]));
        }
        match self.ints("value_ints") {
            Some(values) => Ok(Constant::Ints(values.to_vec())),
            None => Err(self.refuse("it has no number")),
        }
    }

    fn find(&self, name: &str) -> Option<&super::proto::Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Two lengths of a window, down and across; each 1 to 16.
    pub(super) fn pair(&self, name: &str, usual: [usize; 2]) -> Result<[usize; 2], OnnxError> {
        let Some(found) = self.ints(name) else { return Ok(usual) };
        let small = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=16).contains(n));
        match found.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
            Some(&[down, across]) => Ok([down, across]),
            _ => Err(self.refuse(format!("{name} must be two numbers from 1 to 16"))),
        }
    }

    /// One step for both directions.
    pub(super) fn stride(&self) -> Result<usize, OnnxError> {
        let [down, across] = self.pair("strides", [1, 1])?;
        if down == across { Ok(down) } else { Err(self.refuse("its two strides differ")) }
    }

    /// Zeros around the map, also where the file says only “same size”.
    pub(super) fn padding(
        &self,
        size: [usize; 2],
        window: [usize; 2],
        stride: usize,
    ) -> Result<Pads, OnnxError> {
        let same = |i: usize| {
            let wanted = size[i].div_ceil(stride);
            ((wanted.saturating_sub(1)) * stride + window[i]).saturating_sub(size[i])
        };
        let (down, across) = (same(0), same(1));
        match self.text("auto_pad") {
            "SAME_UPPER" => {
                return Ok([down / 2, across / 2, down.div_ceil(2), across.div_ceil(2)]);
            }
            "SAME_LOWER" => {
                return Ok([down.div_ceil(2), across.div_ceil(2), down / 2, across / 2]);
            }
            "VALID" => return Ok([0; 4]),
            _ => {}
        }
        let Some(found) = self.ints("pads") else { return Ok([0; 4]) };
        let small = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= 16);
        match found.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
            Some(&[top, left, bottom, right]) => Ok([top, left, bottom, right]),
            _ => Err(self.refuse("its padding is not four numbers from 0 to 16")),
        }
    }
}
