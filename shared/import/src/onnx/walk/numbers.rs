//! Operations on numbers that are known when the file is read: mostly lengths.

use super::{Constant, Node, OnnxError, Value, Walk};

/// Most numbers of a list of lengths.
const MOST: usize = 64;

impl Walk {
    /// The result of an operation all of whose inputs are known.
    pub(super) fn reckon(&self, node: &Node) -> Result<Value, OnnxError> {
        let known = |constant: Constant| Ok(Value::Known(constant.into()));
        match node.op.as_str() {
            "Identity" | "Cast" | "Squeeze" | "Unsqueeze" | "Floor" | "Reshape" => {
                Ok(self.need(node, 0)?.clone())
            }
            "Gather" => {
                let (from, at) = (self.whole(node, 0)?, self.whole(node, 1)?);
                let pick = |&i: &i64| {
                    let i = if i < 0 { i + from.len() as i64 } else { i };
                    usize::try_from(i).ok().and_then(|i| from.get(i).copied())
                };
                let picked: Option<Vec<i64>> = at.iter().take(MOST).map(pick).collect();
                known(Constant::Ints(
                    picked.ok_or_else(|| node.refuse("it picks what is not there"))?,
                ))
            }
            "Slice" => {
                let from = self.whole(node, 0)?;
                let edge = |i: usize, name: &str| {
                    let at = match self.input(node, i) {
                        Some(_) => self.whole(node, i)?.first().copied(),
                        None => node.ints(name).and_then(|ints| ints.first().copied()),
                    };
                    let at = at.ok_or_else(|| node.refuse("it has no bounds"))?;
                    let length = from.len() as i64;
                    let at = if at < 0 { at.saturating_add(length) } else { at };
                    Ok(usize::try_from(at.clamp(0, length)).unwrap_or(0))
                };
                let (start, end) = (edge(1, "starts")?, edge(2, "ends")?);
                if self.input(node, 4).is_some() && self.whole(node, 4)? != [1] {
                    return Err(node.refuse("it leaves numbers out"));
                }
                known(Constant::Ints(from.get(start..end.max(start)).unwrap_or_default().to_vec()))
            }
            "Concat" => {
                let mut all = Vec::new();
                for i in 0..node.inputs.len().min(MOST) {
                    all.extend_from_slice(self.whole(node, i)?);
                }
                known(Constant::Ints(all.into_iter().take(MOST).collect()))
            }
            "Add" | "Sub" | "Mul" | "Div" => known(self.calculated(node)?),
            "ConstantOfShape" | "Range" => Err(node.unknown()),
            _ => Err(node.refuse("it works on numbers and not on the picture")),
        }
    }

    fn calculated(&self, node: &Node) -> Result<Constant, OnnxError> {
        let op = node.op.as_str();
        let wrong = || node.refuse("it does not come out as a number");
        if let (Constant::Ints(a), Constant::Ints(b)) = (self.known(node, 0)?, self.known(node, 1)?)
        {
            let each = |(&a, &b): (&i64, &i64)| match op {
                "Add" => a.checked_add(b),
                "Sub" => a.checked_sub(b),
                "Mul" => a.checked_mul(b),
                _ => a.checked_div(b),
            };
            let result: Option<Vec<i64>> = match (a.as_slice(), b.as_slice()) {
                (all, [one]) => all.iter().map(|n| each((n, one))).collect(),
                (a, b) if a.len() == b.len() => a.iter().zip(b).map(each).collect(),
                _ => None,
            };
            return result.map(Constant::Ints).ok_or_else(wrong);
        }
        let (a, b) = (self.known(node, 0)?.single(), self.known(node, 1)?.single());
        let (a, b) = (a.ok_or_else(wrong)?, b.ok_or_else(wrong)?);
        let value = match op {
            "Add" => a + b,
            "Sub" => a - b,
            "Mul" => a * b,
            _ => a / b,
        };
        if value.is_finite() {
            Ok(Constant::Floats { dims: vec![], values: vec![value] })
        } else {
            Err(wrong())
        }
    }
}
