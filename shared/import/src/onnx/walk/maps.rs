//! Operations on maps.

use super::{Constant, Node, OnnxError, Value, Walk};
use crate::draft::Filters;
use vision::plan::{Id, Take, Window};

impl Walk {
    pub(super) fn conv(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let x = self.map(node, 0)?;
        let (dims, weight) = self.floats(node, 1)?;
        let &[out, channels, rows, columns] = dims else {
            return Err(node.refuse("its filters are not two-dimensional"));
        };
        if !(1..=16).contains(&rows) || !(1..=16).contains(&columns) {
            return Err(node.refuse("its filters are larger than 16×16"));
        }
        if node.ints("dilations").is_some_and(|found| found.iter().any(|&step| step != 1)) {
            return Err(node.refuse("its filters have gaps (dilation)"));
        }
        let bias = match self.input(node, 2) {
            Some(_) => Some(self.floats(node, 2)?.1.to_vec()),
            None => None,
        };
        let stride = node.stride()?;
        let [_, h, w] = self.draft.shapes[x];
        let pads = node.padding([h, w], [rows, columns], stride)?;
        let groups = usize::try_from(node.int("group", 1)).unwrap_or(0).max(1);
        let size = [out, channels, rows, columns];
        let filters = Filters { size, weight: weight.to_vec(), bias, stride, pads, groups };
        self.draft.conv(x, filters).map(Value::Map).map_err(|why| node.refuse(why))
    }

    /// A dense layer is a convolution whose filters are as large as the map.
    pub(super) fn dense(&mut self, node: &Node) -> Result<Value, OnnxError> {
        if node.int("transA", 0) != 0
            || node.float("alpha", 1.0) != 1.0
            || node.float("beta", 1.0) != 1.0
        {
            return Err(node.refuse("it turns or multiplies its input"));
        }
        let x = self.need(node, 0)?.clone();
        let turned = node.int("transB", 0) != 0;
        let (dims, weight) = self.floats(node, 1)?;
        let ((&[out, depth], true) | (&[depth, out], false)) = (dims, turned) else {
            return Err(node.refuse("its weights are no table"));
        };
        let (id, spread) = match &x {
            Value::Flat(id) => (*id, false),
            Value::Spread(id, dims) if dims.len() == 2 && dims[0] == 1 => (*id, true),
            _ => return Err(node.refuse("its input is not one row of numbers")),
        };
        let [c, h, w] = self.draft.shapes[id];
        if depth != c * h * w || h > 16 || w > 16 {
            return Err(node.refuse(format!("{depth} weights meet {c}×{h}×{w} numbers")));
        }
        let at = |o: usize, i: usize| if turned { o * depth + i } else { i * out + o };
        let place = |k: usize, y: usize, x: usize| {
            if spread { (y * w + x) * c + k } else { (k * h + y) * w + x }
        };
        let mut filters = Vec::with_capacity(weight.len());
        for o in 0..out {
            for i in 0..depth {
                filters.push(weight[at(o, place(i / (h * w), i / w % h, i % w))]);
            }
        }
        let bias = match self.input(node, 2) {
            Some(_) => Some(self.floats(node, 2)?.1.to_vec()),
            None => None,
        };
        let size = [out, c, h, w];
        let filters = Filters { size, weight: filters, bias, stride: 1, pads: [0; 4], groups: 1 };
        self.draft.conv(id, filters).map(Value::Flat).map_err(|why| node.refuse(why))
    }

    pub(super) fn normalise(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let like = self.need(node, 0)?.clone();
        let x = self.map(node, 0)?;
        let [(_, gamma), (_, beta), (_, mean), (_, variance)] = [
            self.floats(node, 1)?,
            self.floats(node, 2)?,
            self.floats(node, 3)?,
            self.floats(node, 4)?,
        ];
        let epsilon = f64::from(node.float("epsilon", 1e-5));
        let scale: Vec<f32> = gamma
            .iter()
            .zip(variance)
            .map(|(&gamma, &v)| (f64::from(gamma) / (f64::from(v) + epsilon).sqrt()) as f32)
            .collect();
        if scale.iter().any(|factor| !factor.is_finite()) || mean.len() != scale.len() {
            return Err(node.refuse("its numbers make no factors"));
        }
        let shift = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        let sole = self.sole(x);
        let id = self.draft.scale(x, scale, shift, sole).map_err(|why| node.refuse(why))?;
        Ok(Self::as_was(&like, id))
    }

    pub(super) fn bend(
        &mut self,
        node: &Node,
        slope: f32,
        cap: Option<f32>,
    ) -> Result<Value, OnnxError> {
        let (like, x) = (self.need(node, 0)?.clone(), self.map(node, 0)?);
        let slope = vec![slope; self.draft.shapes[x][0]];
        let sole = self.sole(x);
        let id = self.draft.bend(x, slope, cap, sole).map_err(|why| node.refuse(why))?;
        Ok(Self::as_was(&like, id))
    }

    pub(super) fn prelu(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let (like, x) = (self.need(node, 0)?.clone(), self.map(node, 0)?);
        let (dims, slope) = self.floats(node, 1)?;
        let slope =
            self.each(&like, x, dims, slope).ok_or_else(|| node.refuse("its slopes do not fit"))?;
        let sole = self.sole(x);
        let id = self.draft.bend(x, slope, None, sole).map_err(|why| node.refuse(why))?;
        Ok(Self::as_was(&like, id))
    }

    /// Known only from 0 up; on the length of a vector it guards against zero.
    pub(super) fn clip(&mut self, node: &Node) -> Result<Value, OnnxError> {
        if let Value::Length(id) = self.need(node, 0)? {
            return Ok(Value::Length(*id));
        }
        let bound = |i: usize, name: &str| match self.input(node, i) {
            Some(Value::Known(constant)) => Ok(constant.single()),
            Some(_) => Err(node.refuse("its bounds are not known beforehand")),
            None => Ok(node.ints(name).map(|_| 0.0).or_else(|| {
                let found = node.float(name, f32::NAN);
                (!found.is_nan()).then_some(found)
            })),
        };
        match (bound(1, "min")?, bound(2, "max")?) {
            (Some(0.0), most) if most.is_none_or(|most| most > 0.0) => self.bend(node, 0.0, most),
            _ => Err(node.refuse("it is known only from 0 to something positive")),
        }
    }

    /// One number for each channel out of a constant, as the graph would spread it out.
    fn each(&self, like: &Value, x: Id, dims: &[usize], values: &[f32]) -> Option<Vec<f32>> {
        let c = self.draft.shapes[x][0];
        if let &[single] = values {
            return Some(vec![single; c]);
        }
        let channels_last = !matches!(like, Value::Map(_));
        let fits = match dims {
            [rest @ .., n] if channels_last => *n == c && rest.iter().all(|&d| d == 1),
            [rest @ .., n, 1, 1] => *n == c && rest.iter().all(|&d| d == 1),
            _ => false,
        };
        (fits && values.len() == c).then(|| values.to_vec())
    }

    pub(super) fn arithmetic(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let (a, b) = (self.need(node, 0)?.clone(), self.need(node, 1)?.clone());
        match (&a, &b) {
            (Value::Known(_), Value::Known(_)) => self.reckon(node),
            (Value::Known(constant), other) if matches!(node.op.as_str(), "Add" | "Mul") => {
                self.with_constant(node, other, constant)
            }
            (other, Value::Known(constant)) => self.with_constant(node, other, constant),
            (vector, Value::Length(of)) if node.op == "Div" && vector.id() == Some(*of) => {
                Ok(vector.clone())
            }
            _ if node.op == "Add" && self.dims(&a) == self.dims(&b) => {
                let (Some(x), Some(y)) = (a.id(), b.id()) else { return Err(node.unknown()) };
                let pair = ((x, self.sole(x)), (y, self.sole(y)));
                let id = self.draft.add(pair.0, pair.1).map_err(|why| node.refuse(why))?;
                Ok(Self::as_was(&a, id))
            }
            _ => Err(node.refuse("two maps are only ever added, and must have one size")),
        }
    }

    fn with_constant(
        &mut self,
        node: &Node,
        like: &Value,
        constant: &Constant,
    ) -> Result<Value, OnnxError> {
        let Some(x) = like.id() else { return Err(node.unknown()) };
        let (Constant::Floats { dims, values }, false) =
            (constant, matches!(like, Value::Length(_)))
        else {
            return Err(node.refuse("it needs a number for each channel"));
        };
        let numbers = self.each(like, x, dims, values);
        let flat = matches!(like, Value::Flat(_)) && self.draft.shapes[x][1..] != [1, 1];
        let single = values.len() == 1;
        let numbers = numbers
            .filter(|_| single || !flat)
            .ok_or_else(|| node.refuse("its numbers are not one for each channel"))?;
        let (one, none) = (vec![1.0; numbers.len()], vec![0.0; numbers.len()]);
        let (scale, shift) = match node.op.as_str() {
            "Add" => (one, numbers),
            "Sub" => (one, numbers.iter().map(|n| -n).collect()),
            "Mul" => (numbers, none),
            _ => (numbers.iter().map(|n| 1.0 / n).collect(), none),
        };
        if scale.iter().any(|factor: &f32| !factor.is_finite()) {
            return Err(node.refuse("it divides by nothing"));
        }
        let sole = self.sole(x);
        let id = self.draft.scale(x, scale, shift, sole).map_err(|why| node.refuse(why))?;
        Ok(Self::as_was(like, id))
    }

    pub(super) fn pool(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let x = self.map(node, 0)?;
        let take = if node.op == "MaxPool" { Take::Max } else { Take::Mean };
        let size = node.pair("kernel_shape", [0, 0])?;
        let stride = node.stride()?;
        let [_, h, w] = self.draft.shapes[x];
        let pads = node.padding([h, w], size, stride)?;
        if size.contains(&0)
            || node.ints("dilations").is_some_and(|all| all.iter().any(|&n| n != 1))
        {
            return Err(node.refuse("its window has gaps or no size"));
        }
        if take == Take::Mean && pads != [0; 4] && node.int("count_include_pad", 0) != 0 {
            return Err(node.refuse("it counts padding as numbers"));
        }
        let ceil = node.int("ceil_mode", 0) != 0;
        let window = Window { take, size, stride, pads, ceil };
        self.draft.pool(x, window).map(Value::Map).map_err(|why| node.refuse(why))
    }

    pub(super) fn mean(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let axes = match (node.op.as_str(), self.input(node, 1)) {
            ("GlobalAveragePool", _) => vec![2, 3],
            (_, Some(_)) => self.whole(node, 1)?.to_vec(),
            _ => node.ints("axes").unwrap_or_default().to_vec(),
        };
        let axes: Vec<i64> =
            axes.iter().map(|&axis| if axis < 0 { axis + 4 } else { axis }).collect();
        let x = match (self.need(node, 0)?, axes.as_slice()) {
            (Value::Map(id), [2, 3]) => *id,
            (Value::Spread(id, dims), [1, 2]) if dims.len() == 4 => *id,
            _ => return Err(node.refuse("it is no mean over rows and columns")),
        };
        let keep = node.op == "GlobalAveragePool" || node.int("keepdims", 1) != 0;
        let id = self.draft.mean(x).map_err(|why| node.refuse(why))?;
        Ok(if keep { Value::Map(id) } else { Value::Flat(id) })
    }

    pub(super) fn enlarge(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let x = self.map(node, 0)?;
        let [c, h, w] = self.draft.shapes[x];
        let wrong = || node.refuse("it does not repeat every pixel a whole number of times");
        if !matches!(node.text("mode"), "nearest" | "") {
            return Err(wrong());
        }
        let factors: Vec<f64> = match (self.input(node, 3), node.op.as_str()) {
            (Some(_), _) => {
                let sizes = self.whole(node, 3)?;
                let from = [1, c, h, w].map(|n| n as f64);
                sizes.iter().zip(from).map(|(&to, from)| to as f64 / from).collect()
            }
            (_, op) => {
                let at = if op == "Upsample" { 1 } else { 2 };
                self.floats(node, at)?.1.iter().map(|&factor| f64::from(factor)).collect()
            }
        };
        let &[one, same, down, across] = factors.as_slice() else { return Err(wrong()) };
        let factor = down as usize;
        let even = one == 1.0 && same == 1.0 && down == across && factor as f64 == down;
        let rounding = match node.text("coordinate_transformation_mode") {
            "asymmetric" => node.text("nearest_mode") == "floor" || factor == 2,
            "half_pixel" | "pytorch_half_pixel" => true,
            "" => node.op == "Upsample" || node.text("nearest_mode") != "ceil",
            _ => false,
        };
        if !even || !rounding || node.text("nearest_mode") == "ceil" {
            return Err(wrong());
        }
        self.draft.enlarge(x, factor).map(Value::Map).map_err(|why| node.refuse(why))
    }

    pub(super) fn join(&mut self, node: &Node) -> Result<Value, OnnxError> {
        if node.int("axis", 1) != 1 {
            return Err(node.refuse("it does not join channels"));
        }
        let xs: Vec<Id> =
            (0..node.inputs.len()).map(|i| self.map(node, i)).collect::<Result<_, _>>()?;
        self.draft.join(xs).map(Value::Map).map_err(|why| node.refuse(why))
    }

    pub(super) fn length(&mut self, node: &Node) -> Result<Value, OnnxError> {
        let axes = node.ints("axes").unwrap_or(&[1]);
        match self.need(node, 0)? {
            Value::Flat(id) if matches!(axes, [1 | -1]) => Ok(Value::Length(*id)),
            _ => Err(node.refuse("it is known only on the vector at the end")),
        }
    }
}
