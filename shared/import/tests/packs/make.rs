//! ONNX files with the structure of networks whose weights we have not, and noise for weights;
//! narrower than the real ones, written as their exporters write them.

use import::onnx::proto::{
    Attribute, Dim, Dims, Graph, Model, Node, Opset, Tensor, TensorType, Type, ValueInfo,
};
use prost::Message as _;

/// Writes a graph operation by operation; results are named by numbers, as PyTorch does.
pub struct Maker {
    graph: Graph,
    state: u64,
    count: usize,
}

fn int(name: &str, int: i64) -> Attribute {
    Attribute { name: name.into(), int: Some(int), kind: 2, ..Attribute::default() }
}

fn ints(name: &str, ints: &[i64]) -> Attribute {
    Attribute { name: name.into(), ints: ints.to_vec(), kind: 7, ..Attribute::default() }
}

fn float(name: &str, float: f32) -> Attribute {
    Attribute { name: name.into(), float: Some(float), kind: 1, ..Attribute::default() }
}

fn text(name: &str, text: &str) -> Attribute {
    Attribute { name: name.into(), text: Some(text.into()), kind: 3, ..Attribute::default() }
}

fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = |&n: &i64| match n {
        -1 => Dim { value: None, name: Some("?".into()) },
        n => Dim { value: Some(n), name: None },
    };
    let shape = Some(Dims { dims: dims.iter().map(dim).collect() });
    let tensor = Some(TensorType { kind: 1, shape });
    ValueInfo { name: name.into(), shape: Some(Type { tensor }) }
}

impl Maker {
    pub fn new(seed: u64, input: &[i64]) -> Self {
        let graph = Graph { inputs: vec![value("input.1", input)], ..Graph::default() };
        Self { graph, state: seed, count: 0 }
    }

    fn noise(&mut self) -> f32 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn name(&mut self) -> String {
        self.count += 1;
        self.count.to_string()
    }

    fn store(&mut self, dims: &[i64], values: &[f32]) -> String {
        let name = format!("w{}", self.name());
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let tensor =
            Tensor { dims: dims.to_vec(), kind: 1, name: name.clone(), raw, ..Tensor::default() };
        self.graph.initializers.push(tensor);
        name
    }

    /// Numbers of size `size` around `middle`.
    fn weights(&mut self, dims: &[i64], middle: f32, size: f32) -> String {
        let count = dims.iter().product::<i64>();
        let values: Vec<f32> = (0..count).map(|_| middle + size * self.noise()).collect();
        self.store(dims, &values)
    }

    fn lengths(&mut self, values: &[i64]) -> String {
        let name = format!("w{}", self.name());
        let (dims, int64s) = (vec![values.len() as i64], values.to_vec());
        let tensor = Tensor { dims, kind: 7, name: name.clone(), int64s, ..Tensor::default() };
        self.graph.initializers.push(tensor);
        name
    }

    fn op(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let name = self.name();
        let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
        let outputs = vec![name.clone()];
        let node = Node { inputs, outputs, op: op.into(), attributes, ..Node::default() };
        self.graph.nodes.push(node);
        name
    }

    fn conv(
        &mut self,
        x: &str,
        (from, to): (i64, i64),
        [rows, columns]: [i64; 2],
        stride: i64,
        depthwise: bool,
        bias: bool,
    ) -> String {
        let each = if depthwise { 1 } else { from };
        let size = (5.0 / (each * rows * columns) as f32).sqrt();
        let weight = self.weights(&[to, each, rows, columns], 0.0, size);
        let mut inputs = vec![x.to_owned(), weight];
        if bias {
            inputs.push(self.weights(&[to], 0.0, 0.2));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let (down, across) = (rows / 2, columns / 2);
        let attributes = vec![
            ints("dilations", &[1, 1]),
            int("group", if depthwise { from } else { 1 }),
            ints("kernel_shape", &[rows, columns]),
            ints("pads", &[down, across, down, across]),
            ints("strides", &[stride, stride]),
        ];
        self.op("Conv", &inputs, attributes)
    }

    /// The last one's padding away.
    fn bare(&mut self) {
        let node = self.graph.nodes.last_mut().unwrap();
        let pads = node.attributes.iter_mut().find(|found| found.name == "pads").unwrap();
        pads.ints = vec![0; 4];
    }

    fn norm(&mut self, x: &str, c: i64) -> String {
        let gamma = self.weights(&[c], 1.0, 0.3);
        let (beta, mean) = (self.weights(&[c], 0.0, 0.2), self.weights(&[c], 0.0, 0.2));
        let variance = self.weights(&[c], 1.0, 0.5);
        let inputs = [x, &gamma, &beta, &mean, &variance];
        self.op("BatchNormalization", &inputs, vec![float("epsilon", 2e-5)])
    }

    fn prelu(&mut self, x: &str, c: i64) -> String {
        let slope = self.weights(&[c, 1, 1], 0.25, 0.2);
        self.op("PRelu", &[x, &slope], vec![])
    }

    fn relu(&mut self, x: &str) -> String {
        self.op("Relu", &[x], vec![])
    }

    fn dense(&mut self, x: &str, (from, to): (i64, i64), bias: bool) -> String {
        let weight = self.weights(&[to, from], 0.0, (3.0 / from as f32).sqrt());
        let mut inputs = vec![x.to_owned(), weight];
        if bias {
            inputs.push(self.weights(&[to], 0.0, 0.2));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.op("Gemm", &inputs, vec![float("alpha", 1.0), float("beta", 1.0), int("transB", 1)])
    }

    fn flat_norm(&mut self, x: &str, c: i64) -> String {
        self.norm(x, c)
    }

    pub fn output(&mut self, name: &str, dims: &[i64]) {
        self.graph.outputs.push(value(name, dims));
    }

    pub fn file(self) -> Vec<u8> {
        let opsets = vec![Opset { domain: String::new(), version: 11 }];
        let producer = "pytorch".into();
        Model { ir_version: 6, producer, graph: Some(self.graph), opsets }.encode_to_vec()
    }
}

/// `SFace`: `MobileNet` v1 as `MXNet` exports it; `w` is 32 in the real one.
pub fn sface(w: i64) -> Vec<u8> {
    let mut m = Maker::new(11, &[1, 3, 112, 112]);
    let (middle, scale) = (m.store(&[1], &[0.25]), m.store(&[1], &[0.75]));
    let x = m.op("Sub", &["input.1", &middle], vec![]);
    let mut x = m.op("Mul", &[&x, &scale], vec![]);
    let unit = |m: &mut Maker, x: &str, c: i64| {
        let x = m.norm(x, c);
        m.prelu(&x, c)
    };
    x = m.conv(&x, (3, w), [3, 3], 1, false, false);
    x = unit(&mut m, &x, w);
    let mut c = w;
    let blocks = [
        (2, 1),
        (4, 2),
        (4, 1),
        (8, 2),
        (8, 1),
        (16, 2),
        (16, 1),
        (16, 1),
        (16, 1),
        (16, 1),
        (16, 1),
        (32, 2),
        (32, 1),
    ];
    for (times, stride) in blocks {
        x = m.conv(&x, (c, c), [3, 3], stride, true, false);
        x = unit(&mut m, &x, c);
        x = m.conv(&x, (c, times * w), [1, 1], 1, false, false);
        c = times * w;
        x = unit(&mut m, &x, c);
    }
    x = m.norm(&x, c);
    x = m.op("Dropout", &[&x], vec![]);
    x = m.op("Flatten", &[&x], vec![int("axis", 1)]);
    x = m.dense(&x, (c * 49, 128), true);
    x = m.flat_norm(&x, 128);
    m.output(&x, &[1, 128]);
    m.file()
}

/// `MobileFaceNet` as `InsightFace` exports it; `w` is 64 (times 2) in the real one.
pub fn mobile(w: i64) -> Vec<u8> {
    mobile_to(w, 512)
}

pub fn mobile_to(w: i64, numbers: i64) -> Vec<u8> {
    let mut m = Maker::new(12, &[-1, 3, 112, 112]);
    let mut x = m.conv("input.1", (3, w), [3, 3], 2, false, true);
    x = m.prelu(&x, w);
    x = m.conv(&x, (w, w), [3, 3], 1, true, true);
    x = m.prelu(&x, w);
    let mut c = w;
    let stages = [(w, 2, 1), (w, 1, 2), (2 * w, 2, 1), (2 * w, 1, 3), (2 * w, 2, 1), (2 * w, 1, 1)];
    for (out, stride, times) in stages {
        for _ in 0..times {
            let before = x.clone();
            x = m.conv(&x, (c, 2 * out), [1, 1], 1, false, true);
            x = m.prelu(&x, 2 * out);
            x = m.conv(&x, (2 * out, 2 * out), [3, 3], stride, true, true);
            x = m.prelu(&x, 2 * out);
            x = m.conv(&x, (2 * out, out), [1, 1], 1, false, true);
            if stride == 1 {
                x = m.op("Add", &[&before, &x], vec![]);
            }
            c = out;
        }
    }
    x = m.conv(&x, (c, 4 * w), [1, 1], 1, false, true);
    x = m.prelu(&x, 4 * w);
    x = m.conv(&x, (4 * w, 4 * w), [7, 7], 1, true, true);
    m.bare();
    x = m.op("Flatten", &[&x], vec![int("axis", 1)]);
    let weight = m.weights(&[4 * w, numbers], 0.0, 0.2);
    x = m.op("MatMul", &[&x, &weight], vec![]);
    x = m.flat_norm(&x, numbers);
    m.output(&x, &[-1, numbers]);
    m.file()
}

/// `IResNet`-50; `w` is 64 in the real one.
pub fn iresnet(w: i64) -> Vec<u8> {
    iresnet_of(w, [3, 4, 14, 3])
}

pub fn iresnet_of(w: i64, units: [i64; 4]) -> Vec<u8> {
    let mut m = Maker::new(13, &[-1, 3, 112, 112]);
    let mut x = m.conv("input.1", (3, w), [3, 3], 1, false, true);
    x = m.prelu(&x, w);
    let mut c = w;
    for (stage, units) in units.into_iter().enumerate() {
        let out = w << stage;
        for unit in 0..units {
            let stride = if unit == 0 { 2 } else { 1 };
            let before = x.clone();
            let y = m.norm(&x, c);
            let y = m.conv(&y, (c, out), [3, 3], 1, false, true);
            let y = m.prelu(&y, out);
            let y = m.conv(&y, (out, out), [3, 3], stride, false, true);
            let before = match unit {
                0 => m.conv(&before, (c, out), [1, 1], stride, false, true),
                _ => before,
            };
            // Residual branches as small as training leaves them.
            let small = m.store(&[1, out, 1, 1], &vec![0.3; out as usize]);
            let y = m.op("Mul", &[&y, &small], vec![]);
            x = m.op("Add", &[&y, &before], vec![]);
            c = out;
        }
    }
    x = m.norm(&x, c);
    x = m.op("Flatten", &[&x], vec![int("axis", 1)]);
    x = m.dense(&x, (c * 49, 512), true);
    x = m.flat_norm(&x, 512);
    m.output(&x, &[-1, 512]);
    m.file()
}

/// Inception-ResNet v1 as `facenet_pytorch` would export it; all widths divided by `part`.
pub fn facenet(part: i64) -> Vec<u8> {
    let mut m = Maker::new(14, &[1, 3, 160, 160]);
    let n = |c: i64| c / part;
    let basic =
        |m: &mut Maker, x: &str, from: i64, to: i64, size: [i64; 2], stride: i64, pad: bool| {
            let x = m.conv(x, (from, to), size, stride, false, false);
            if !pad {
                m.bare();
            }
            let x = m.norm(&x, to);
            m.relu(&x)
        };
    let pool = |m: &mut Maker, x: &str| {
        let settings =
            vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), int("ceil_mode", 0)];
        m.op("MaxPool", &[x], settings)
    };
    let mut x = basic(&mut m, "input.1", 3, n(32), [3, 3], 2, false);
    x = basic(&mut m, &x, n(32), n(32), [3, 3], 1, false);
    x = basic(&mut m, &x, n(32), n(64), [3, 3], 1, true);
    x = pool(&mut m, &x);
    x = basic(&mut m, &x, n(64), n(80), [1, 1], 1, true);
    x = basic(&mut m, &x, n(80), n(192), [3, 3], 1, false);
    x = basic(&mut m, &x, n(192), n(256), [3, 3], 2, false);
    // out = x + scale · up(branches), bent unless it is the last.
    let close = |m: &mut Maker,
                 x: &str,
                 parts: &[String],
                 (from, to): (i64, i64),
                 scale: f32,
                 bent: bool| {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let y = m.op("Concat", &parts, vec![int("axis", 1)]);
        let y = m.conv(&y, (from, to), [1, 1], 1, false, true);
        let scale = m.store(&[], &[scale]);
        let y = m.op("Mul", &[&y, &scale], vec![]);
        let y = m.op("Add", &[&y, x], vec![]);
        if bent { m.relu(&y) } else { y }
    };
    for _ in 0..5 {
        let a = basic(&mut m, &x, n(256), n(32), [1, 1], 1, true);
        let b = basic(&mut m, &x, n(256), n(32), [1, 1], 1, true);
        let b = basic(&mut m, &b, n(32), n(32), [3, 3], 1, true);
        let c = basic(&mut m, &x, n(256), n(32), [1, 1], 1, true);
        let c = basic(&mut m, &c, n(32), n(32), [3, 3], 1, true);
        let c = basic(&mut m, &c, n(32), n(32), [3, 3], 1, true);
        x = close(&mut m, &x, &[a, b, c], (n(96), n(256)), 0.17, true);
    }
    let a = basic(&mut m, &x, n(256), n(384), [3, 3], 2, false);
    let b = basic(&mut m, &x, n(256), n(192), [1, 1], 1, true);
    let b = basic(&mut m, &b, n(192), n(192), [3, 3], 1, true);
    let b = basic(&mut m, &b, n(192), n(256), [3, 3], 2, false);
    let c = pool(&mut m, &x);
    x = m.op("Concat", &[&a, &b, &c], vec![int("axis", 1)]);
    for _ in 0..10 {
        let a = basic(&mut m, &x, n(896), n(128), [1, 1], 1, true);
        let b = basic(&mut m, &x, n(896), n(128), [1, 1], 1, true);
        let b = basic(&mut m, &b, n(128), n(128), [1, 7], 1, true);
        let b = basic(&mut m, &b, n(128), n(128), [7, 1], 1, true);
        x = close(&mut m, &x, &[a, b], (n(256), n(896)), 0.10, true);
    }
    let a = basic(&mut m, &x, n(896), n(256), [1, 1], 1, true);
    let a = basic(&mut m, &a, n(256), n(384), [3, 3], 2, false);
    let b = basic(&mut m, &x, n(896), n(256), [1, 1], 1, true);
    let b = basic(&mut m, &b, n(256), n(256), [3, 3], 2, false);
    let c = basic(&mut m, &x, n(896), n(256), [1, 1], 1, true);
    let c = basic(&mut m, &c, n(256), n(256), [3, 3], 1, true);
    let c = basic(&mut m, &c, n(256), n(256), [3, 3], 2, false);
    let d = pool(&mut m, &x);
    x = m.op("Concat", &[&a, &b, &c, &d], vec![int("axis", 1)]);
    for i in 0..6 {
        let a = basic(&mut m, &x, n(1792), n(192), [1, 1], 1, true);
        let b = basic(&mut m, &x, n(1792), n(192), [1, 1], 1, true);
        let b = basic(&mut m, &b, n(192), n(192), [1, 3], 1, true);
        let b = basic(&mut m, &b, n(192), n(192), [3, 1], 1, true);
        let (scale, bent) = if i < 5 { (0.2, true) } else { (1.0, false) };
        x = close(&mut m, &x, &[a, b], (n(384), n(1792)), scale, bent);
    }
    x = m.op("GlobalAveragePool", &[&x], vec![]);
    let row = m.lengths(&[1, -1]);
    x = m.op("Reshape", &[&x, &row], vec![]);
    x = m.dense(&x, (n(1792), 512), false);
    x = m.flat_norm(&x, 512);
    let length = m.op("ReduceL2", &[&x], vec![ints("axes", &[1]), int("keepdims", 1)]);
    let least = m.store(&[], &[1e-12]);
    let length = m.op("Clip", &[&length, &least], vec![]);
    let shape = m.op("Shape", &[&x], vec![]);
    let length = m.op("Expand", &[&length, &shape], vec![]);
    x = m.op("Div", &[&x, &length], vec![]);
    m.output(&x, &[1, 512]);
    m.file()
}

/// A small SCRFD for pictures of any size, resized and reshaped as mmdetection exports it.
pub fn scrfd(w: i64) -> Vec<u8> {
    let mut m = Maker::new(15, &[1, 3, -1, -1]);
    let layer = |m: &mut Maker, x: &str, from: i64, to: i64, stride: i64| {
        let x = m.conv(x, (from, to), [3, 3], stride, false, true);
        m.relu(&x)
    };
    let mut x = layer(&mut m, "input.1", 3, w, 2);
    x = m.conv(&x, (w, w), [3, 3], 1, true, true);
    x = m.relu(&x);
    let window = vec![
        int("ceil_mode", 0),
        ints("kernel_shape", &[3, 3]),
        ints("pads", &[1, 1, 1, 1]),
        ints("strides", &[2, 2]),
    ];
    x = m.op("MaxPool", &[&x], window);
    let mut levels = Vec::new();
    for _ in 0..3 {
        let mean = vec![
            int("ceil_mode", 1),
            ints("kernel_shape", &[2, 2]),
            ints("pads", &[0; 4]),
            ints("strides", &[2, 2]),
        ];
        let short = m.op("AveragePool", &[&x], mean);
        let short = m.conv(&short, (w, w), [1, 1], 1, false, true);
        let y = layer(&mut m, &x, w, w, 2);
        let y = m.conv(&y, (w, w), [3, 3], 1, false, true);
        let y = m.op("Add", &[&y, &short], vec![]);
        x = m.relu(&y);
        levels.push(x.clone());
    }
    for i in [1, 0] {
        // As large as the level below: its lengths out of its shape.
        let shape = m.op("Shape", &[&levels[i]], vec![]);
        let (start, end, axis) = (m.lengths(&[2]), m.lengths(&[4]), m.lengths(&[0]));
        let size = m.op("Slice", &[&shape, &start, &end, &axis], vec![]);
        let mine = m.op("Shape", &[&levels[i + 1]], vec![]);
        let (start, end, axis) = (m.lengths(&[0]), m.lengths(&[2]), m.lengths(&[0]));
        let mine = m.op("Slice", &[&mine, &start, &end, &axis], vec![]);
        let size = m.op("Cast", &[&size], vec![int("to", 7)]);
        let size = m.op("Concat", &[&mine, &size], vec![int("axis", 0)]);
        let settings = vec![
            text("coordinate_transformation_mode", "asymmetric"),
            text("mode", "nearest"),
            text("nearest_mode", "floor"),
        ];
        let above = levels[i + 1].clone();
        let none = m.store(&[0], &[]);
        let large = m.op("Resize", &[&above, &none, &none, &size], settings);
        levels[i] = m.op("Add", &[&levels[i].clone(), &large], vec![]);
    }
    let mut outputs = [vec![], vec![], vec![]];
    for level in &levels {
        let head = layer(&mut m, level, w, w, 1);
        for (part, width) in [1, 4, 10].into_iter().enumerate() {
            let mut y = m.conv(&head, (w, 2 * width), [3, 3], 1, false, true);
            if part == 1 {
                let scale = m.store(&[], &[0.8]);
                y = m.op("Mul", &[&y, &scale], vec![]);
            }
            y = m.op("Transpose", &[&y], vec![ints("perm", &[2, 3, 0, 1])]);
            let rows = m.lengths(&[-1, width]);
            y = m.op("Reshape", &[&y, &rows], vec![]);
            if part == 0 {
                y = m.op("Sigmoid", &[&y], vec![]);
            }
            outputs[part].push((y, width));
        }
    }
    for (name, width) in outputs.concat() {
        m.output(&name, &[-1, width]);
    }
    m.file()
}
