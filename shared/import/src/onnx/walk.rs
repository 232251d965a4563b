//! Through a graph in its order: every operation becomes a step, a number, or a refusal.

mod maps;
mod numbers;
mod shapes;

use super::{Constant, OnnxError, proto};
use crate::draft::Draft;
use proto::{Graph, Node, ValueInfo};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use vision::plan::Id;

/// Sides of a picture where the file leaves them open: detectors have many outputs.
const OPEN: [usize; 2] = [112, 640];
/// Largest side a file may ask for.
const MOST_SIDE: i64 = 1024;

/// What a name in the graph stands for. Maps lie in memory as rows, columns, channels; what the
/// graph thinks of them differs.
#[derive(Clone, Debug)]
enum Value {
    /// Known when the file is read.
    Known(Rc<Constant>),
    /// `[1, channels, rows, columns]`.
    Map(Id),
    /// `[1, channels · rows · columns]` in that order.
    Flat(Id),
    /// The memory as it lies, in these lengths.
    Spread(Id, Vec<usize>),
    /// The length of the vector; dividing by it changes no direction.
    Length(Id),
}

impl Value {
    fn id(&self) -> Option<Id> {
        match self {
            Self::Map(id) | Self::Flat(id) | Self::Spread(id, _) | Self::Length(id) => Some(*id),
            Self::Known(_) => None,
        }
    }
}

struct Walk {
    draft: Draft,
    names: HashMap<String, Value>,
    /// How often each name is asked for.
    uses: HashMap<String, usize>,
    /// Values that more than one operation wants, under whatever name.
    shared: HashSet<Id>,
}

pub(super) fn walk(graph: Graph) -> Result<Draft, OnnxError> {
    let Graph { nodes, initializers, inputs, outputs } = graph;
    let mut names = HashMap::new();
    for tensor in &initializers {
        names.insert(tensor.name.clone(), Value::Known(Rc::new(Constant::read(tensor)?)));
    }
    let mut inputs = inputs.iter().filter(|input| !names.contains_key(&input.name));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(OnnxError::Frame("a face network has one input: a picture".into()));
    };
    let (draft, picture) = begin(input, outputs.len())?;
    let mut uses: HashMap<String, usize> = HashMap::new();
    let asked = nodes.iter().flat_map(|node| &node.inputs);
    for name in asked.chain(outputs.iter().map(|output| &output.name)) {
        *uses.entry(name.clone()).or_default() += 1;
    }
    let mut walk = Walk { draft, names, uses, shared: HashSet::new() };
    walk.bind(&input.name, picture);
    for node in &nodes {
        let value = walk.take(node)?;
        let Some(name) = node.outputs.first() else { return Err(OnnxError::Malformed) };
        if node.outputs.iter().skip(1).any(|name| walk.uses.contains_key(name)) {
            return Err(node.refuse("its second result is used"));
        }
        walk.bind(name, value);
    }
    for output in outputs {
        walk.give(output.name)?;
    }
    Ok(walk.draft)
}

/// The picture: three channels, first or last.
fn begin(input: &ValueInfo, outputs: usize) -> Result<(Draft, Value), OnnxError> {
    let shape = input.shape.as_ref().and_then(|shape| shape.tensor.as_ref());
    let dims = shape.and_then(|tensor| tensor.shape.as_ref()).map_or(&[][..], |shape| &shape.dims);
    let wrong = || {
        let dims: Vec<_> = dims.iter().map(|dim| dim.value.unwrap_or(-1)).collect();
        let name = &input.name;
        OnnxError::Frame(format!(
            "the input “{name}” of {dims:?} is no picture of three channels and at most {MOST_SIDE} \
             pixels a side"
        ))
    };
    let [batch, a, b, c] = dims else { return Err(wrong()) };
    let open = OPEN[usize::from(outputs > 1)];
    let side = |dim: &proto::Dim| match dim.value {
        None | Some(..=0) => Ok(open),
        Some(side @ 1..=MOST_SIDE) => usize::try_from(side).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    };
    if batch.value.is_some_and(|batch| batch > 1) {
        return Err(wrong());
    }
    match (a.value, c.value) {
        (Some(3), _) => Ok((Draft::new([side(b)?, side(c)?]), Value::Map(0))),
        (_, Some(3)) => {
            let [rows, columns] = [side(a)?, side(b)?];
            Ok((Draft::new([rows, columns]), Value::Spread(0, vec![1, rows, columns, 3])))
        }
        _ => Err(wrong()),
    }
}

impl Walk {
    fn bind(&mut self, name: &str, value: Value) {
        if let Some(id) = value.id()
            && self.uses.get(name).is_none_or(|&uses| uses != 1)
        {
            self.shared.insert(id);
        }
        self.names.insert(name.to_owned(), value);
    }

    /// Whether only one operation wants this value.
    fn sole(&self, id: Id) -> bool {
        !self.shared.contains(&id)
    }

    /// Input `i` of a node, if it has one.
    fn input(&self, node: &Node, i: usize) -> Option<&Value> {
        node.inputs.get(i).filter(|name| !name.is_empty()).and_then(|name| self.names.get(name))
    }

    fn need(&self, node: &Node, i: usize) -> Result<&Value, OnnxError> {
        self.input(node, i).ok_or_else(|| node.refuse("one of its inputs is not there"))
    }

    /// Input `i` as a map; a vector is a map of one place.
    fn map(&self, node: &Node, i: usize) -> Result<Id, OnnxError> {
        match self.need(node, i)? {
            Value::Map(id) => Ok(*id),
            Value::Flat(id) if self.draft.shapes[*id][1..] == [1, 1] => Ok(*id),
            _ => Err(node.refuse("it does not work on a map of channels, rows and columns")),
        }
    }

    /// Input `i` as known numbers.
    fn known(&self, node: &Node, i: usize) -> Result<&Constant, OnnxError> {
        match self.need(node, i)? {
            Value::Known(constant) => Ok(constant),
            _ => Err(node.refuse("it needs numbers that are known beforehand")),
        }
    }

    fn floats(&self, node: &Node, i: usize) -> Result<(&[usize], &[f32]), OnnxError> {
        match self.known(node, i)? {
            Constant::Floats { dims, values } => Ok((dims, values)),
            Constant::Ints(_) => Err(node.refuse("it needs weights, not whole numbers")),
        }
    }

    fn whole(&self, node: &Node, i: usize) -> Result<&[i64], OnnxError> {
        match self.known(node, i)? {
            Constant::Ints(values) => Ok(values),
            Constant::Floats { .. } => Err(node.refuse("it needs whole numbers")),
        }
    }

    /// The lengths the graph thinks a value has.
    fn dims(&self, value: &Value) -> Vec<usize> {
        let of = |id: Id| self.draft.shapes[id];
        match value {
            Value::Known(known) => match &**known {
                Constant::Floats { dims, .. } => dims.clone(),
                Constant::Ints(values) => vec![values.len()],
            },
            Value::Map(id) => std::iter::once(1).chain(of(*id)).collect(),
            Value::Flat(id) => vec![1, of(*id).iter().product()],
            Value::Spread(_, dims) => dims.clone(),
            Value::Length(_) => vec![1, 1],
        }
    }

    /// A value of the same form as `like`.
    fn as_was(like: &Value, id: Id) -> Value {
        match like {
            Value::Flat(_) => Value::Flat(id),
            Value::Spread(_, dims) => Value::Spread(id, dims.clone()),
            _ => Value::Map(id),
        }
    }

    fn take(&mut self, node: &Node) -> Result<Value, OnnxError> {
        if !matches!(node.domain.as_str(), "" | "ai.onnx") {
            return Err(node.unknown());
        }
        let there = |name: &String| name.is_empty() || self.names.contains_key(name);
        if !node.inputs.iter().all(there) {
            return Err(node.refuse("one of its inputs is not there"));
        }
        if node.op != "Shape"
            && !node.inputs.is_empty()
            && (0..node.inputs.len())
                .all(|i| matches!(self.input(node, i), Some(Value::Known(_)) | None))
        {
            return self.reckon(node);
        }
        match node.op.as_str() {
            "Constant" => Ok(Value::Known(Rc::new(node.value()?))),
            "Conv" => self.conv(node),
            "BatchNormalization" => self.normalise(node),
            "Relu" => self.bend(node, 0.0, None),
            "LeakyRelu" => self.bend(node, node.float("alpha", 0.01), None),
            "PRelu" => self.prelu(node),
            "Clip" => self.clip(node),
            "Sigmoid" => {
                let like = self.need(node, 0)?.clone();
                let id = like.id().ok_or_else(|| node.refuse("it has nothing to work on"))?;
                let id = self.draft.sigmoid(id).map_err(|why| node.refuse(why))?;
                Ok(Self::as_was(&like, id))
            }
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" | "ReduceMean" => self.mean(node),
            "Resize" | "Upsample" => self.enlarge(node),
            "Concat" => self.join(node),
            "Gemm" | "MatMul" => self.dense(node),
            "Dropout" | "Identity" | "Cast" => Ok(self.need(node, 0)?.clone()),
            "Shape" => self.shape(node),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node),
            "Transpose" => self.transpose(node),
            "ReduceL2" => self.length(node),
            "Expand" | "Max" => match self.need(node, 0)? {
                length @ Value::Length(_) => Ok(length.clone()),
                _ => Err(node.refuse("it is known only on the length of a vector")),
            },
            "LpNormalization" if node.int("p", 2) == 2 => Ok(self.need(node, 0)?.clone()),
            _ => Err(node.unknown()),
        }
    }

    fn give(&mut self, name: String) -> Result<(), OnnxError> {
        let value = self.names.get(&name);
        let found = value.and_then(|value| Some((value.id()?, self.dims(value))));
        let Some((id, dims)) = found else {
            return Err(OnnxError::Frame(format!("nothing makes the output “{name}”")));
        };
        let spread = matches!(value, Some(Value::Spread(..)));
        if !spread && self.draft.shapes[id][1..] != [1, 1] {
            return Err(OnnxError::Frame(format!("the output “{name}” is a map, not rows")));
        }
        let width = if spread { dims.last().copied() } else { Some(self.draft.shapes[id][0]) };
        self.draft.give(name, id, width.unwrap_or(1));
        Ok(())
    }
}
