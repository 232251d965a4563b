//! Operations that change how the graph thinks of a value, and nothing in memory.

use super::{Constant, Node, OnnxError, Value, Walk};

impl Walk {
    pub(super) fn shape(&self, node: &Node) -> Result<Value, OnnxError> {
        let dims = self.dims(self.need(node, 0)?);
        let dims = dims.iter().map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect();
        Ok(Value::Known(Constant::Ints(dims).into()))
    }

    /// The lengths a reshaping operation asks for.
    fn wanted(&self, node: &Node, dims: &[usize]) -> Result<Vec<usize>, OnnxError> {
        let count: usize = dims.iter().product();
        match node.op.as_str() {
            "Flatten" if node.int("axis", 1) == 1 => Ok(vec![1, count]),
            "Squeeze" | "Unsqueeze" => {
                let axes = match self.input(node, 1) {
                    Some(_) => self.whole(node, 1)?.to_vec(),
                    None => node.ints("axes").unwrap_or_default().to_vec(),
                };
                let rank = dims.len() + if node.op == "Unsqueeze" { axes.len() } else { 0 };
                let at = |&axis: &i64| {
                    usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).ok()
                };
                let axes: Option<Vec<usize>> = axes.iter().map(at).collect();
                let axes = axes.filter(|axes| axes.iter().all(|&axis| axis < rank && rank <= 8));
                let axes = axes.ok_or_else(|| node.refuse("its axes are not there"))?;
                Ok(if node.op == "Squeeze" {
                    let one = |&(i, &dim): &(usize, &usize)| !(axes.contains(&i) && dim == 1);
                    dims.iter().enumerate().filter(one).map(|(_, &dim)| dim).collect()
                } else {
                    let mut rest = dims.iter();
                    let dim = |i| if axes.contains(&i) { Some(1) } else { rest.next().copied() };
                    (0..rank).filter_map(dim).collect()
                })
            }
            "Reshape" => {
                let wanted = self.whole(node, 1)?;
                let fixed = |(i, &dim): (usize, &i64)| match dim {
                    0 => dims.get(i).copied(),
                    -1 => Some(1),
                    dim => usize::try_from(dim).ok(),
                };
                let fixed: Option<Vec<usize>> = wanted.iter().enumerate().map(fixed).collect();
                let mut fixed = fixed.ok_or_else(|| node.refuse("its lengths are senseless"))?;
                let product = fixed.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
                let product = product.filter(|&n| n > 0 && n <= count);
                let product = product.ok_or_else(|| node.refuse("its lengths are senseless"))?;
                if let Some(open) = wanted.iter().position(|&dim| dim == -1) {
                    fixed[open] = count / product;
                }
                // Exported for a batch of another size than one.
                Ok(fixed)
            }
            _ => Err(node.refuse("it does not flatten everything but the first length")),
        }
    }

    pub(super) fn reshape(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let value = self.need(node, 0)?.clone();
        let Some(id) = value.id() else { return Err(node.unknown()) };
        let dims = self.dims(&value);
        let wanted = self.wanted(node, &dims)?;
        if wanted.iter().product::<usize>() != dims.iter().product::<usize>() {
            return Err(node.refuse(format!("{dims:?} cannot become {wanted:?}")));
        }
        let [c, h, w] = self.draft.shapes[id];
        match &value {
            Value::Spread(..) => Ok(Value::Spread(id, wanted)),
            Value::Length(_) => Ok(value),
            Value::Map(_) | Value::Flat(_) if wanted == [1, c, h, w] => Ok(Value::Map(id)),
            Value::Map(_) | Value::Flat(_) if wanted == [1, c * h * w] => Ok(Value::Flat(id)),
            _ => Err(node.refuse(format!("{dims:?} cannot become {wanted:?}"))),
        }
    }

    /// Between channels first and channels last; memory is always channels last.
    pub(super) fn transpose(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let value = self.need(node, 0)?.clone();
        let order = node.ints("perm").unwrap_or_default();
        match (&value, order) {
            (Value::Map(id), [0, 2, 3, 1]) => {
                let [c, h, w] = self.draft.shapes[*id];
                Ok(Value::Spread(*id, vec![1, h, w, c]))
            }
            // There is one picture: rows, columns, picture, channels lie the same.
            (Value::Map(id), [2, 3, 0, 1]) => {
                let [c, h, w] = self.draft.shapes[*id];
                Ok(Value::Spread(*id, vec![h, w, 1, c]))
            }
            (Value::Spread(id, dims), [0, 3, 1, 2]) => {
                let [c, h, w] = self.draft.shapes[*id];
                if *dims == [1, h, w, c] {
                    Ok(Value::Map(*id))
                } else {
                    Err(node.refuse("rows were cut differently before"))
                }
            }
            _ => Err(node.refuse(format!("the order {order:?} is not known"))),
        }
    }
}
