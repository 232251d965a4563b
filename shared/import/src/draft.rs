//! A plan while it is built: shapes are known, and steps that can be one become one.

use vision::NetError;
use vision::plan::{Id, Network, Output, Pads, Plan, Step, Weights, Window};

/// Most numbers of one value.
const MOST: usize = 1 << 26;
/// Most numbers of all values, of all weights, and channels of one map.
const MOST_IN_ALL: usize = 1 << 28;
const MOST_WEIGHTS: usize = 1 << 27;
const MOST_CHANNELS: usize = 8192;
/// Most multiplications of a whole network; IResNet-100 takes 24 thousand million.
const MOST_PRODUCTS: usize = 60_000_000_000;

/// What an importer builds.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The steps so far.
    pub plan: Plan,
    /// Their weights.
    pub weights: Weights,
    /// Channels, rows and columns of each value.
    pub shapes: Vec<[usize; 3]>,
    /// Multiplications so far.
    pub products: usize,
    /// Numbers of all filters, and of all values, so far.
    taken: [usize; 2],
}

/// Why a step cannot be: a part of a sentence.
type Why = String;

/// A convolution to be added.
#[derive(Debug)]
pub struct Filters {
    /// Filters, channels, rows, columns.
    pub size: [usize; 4],
    /// As many numbers.
    pub weight: Vec<f32>,
    /// One for each filter; none: zeros.
    pub bias: Option<Vec<f32>>,
    /// From one place to the next.
    pub stride: usize,
    /// Zeros around.
    pub pads: Pads,
    /// Filters that share the channels out among them: 1, or as many as there are channels.
    pub groups: usize,
}

impl Draft {
    /// For pictures of three channels.
    #[must_use]
    pub fn new(side: [usize; 2]) -> Self {
        let plan = Plan { side, steps: Vec::new(), outputs: Vec::new() };
        Self {
            plan,
            weights: Weights::new(),
            shapes: vec![[3, side[0], side[1]]],
            products: 0,
            taken: [0; 2],
        }
    }

    /// A convolution of `x`.
    ///
    /// # Errors
    /// When the filters do not fit.
    pub fn conv(&mut self, x: Id, filters: Filters) -> Result<Id, Why> {
        let Filters { size: [out, channels, rows, columns], weight, bias, stride, pads, groups } =
            filters;
        let [c, h, w] = self.shapes[x];
        let depthwise = groups > 1;
        if depthwise && (groups != c || out != c || channels != 1) {
            return Err(format!("{groups} groups of filters for {c} channels"));
        }
        if !depthwise && channels != c {
            return Err(format!("filters for {channels} channels meet a map of {c}"));
        }
        let sizes = [out, channels, rows, columns].into_iter();
        let product = sizes.fold(1usize, |product, size| product.saturating_mul(size));
        if weight.len() != product
            || product == 0
            || bias.as_ref().is_some_and(|bias| bias.len() != out)
        {
            return Err("weights and filters differ in number".into());
        }
        let reach = |length: usize, taps: usize, near: usize, far: usize| {
            (length + near + far).checked_sub(taps).map(|rest| rest / stride + 1)
        };
        let down = reach(h, rows, pads[0], pads[2]);
        let across = reach(w, columns, pads[1], pads[3]);
        let (Some(down), Some(across)) = (down, across) else {
            return Err(format!("filters of {rows}×{columns} are larger than a map of {h}×{w}"));
        };
        self.products = self.products.saturating_add(product.saturating_mul(down * across));
        self.taken[0] = self.taken[0].saturating_add(product);
        if self.products > MOST_PRODUCTS || self.taken[0] > MOST_WEIGHTS {
            return Err("the network is larger than any face network".into());
        }
        let w = self.name();
        self.weights.insert(format!("{w}.weight"), (vec![out, channels, rows, columns], weight));
        self.weights
            .insert(format!("{w}.bias"), (vec![out], bias.unwrap_or_else(|| vec![0.0; out])));
        let step = Step::Conv { x, w, stride, pads, depthwise, onto: None, bent: false, cap: None };
        self.push(step, [out, down, across])
    }

    /// `scale · x + shift` for each channel; becomes part of the convolution before it where `sole`
    /// says that nobody else wants that one's result.
    ///
    /// # Errors
    /// When there are not as many numbers as channels.
    pub fn scale(
        &mut self,
        x: Id,
        scale: Vec<f32>,
        shift: Vec<f32>,
        sole: bool,
    ) -> Result<Id, Why> {
        let c = self.shapes[x][0];
        if scale.len() != c || shift.len() != c {
            return Err(format!("{} factors meet a map of {c} channels", scale.len()));
        }
        if let Some(Step::Conv { w, onto: None, bent: false, cap: None, .. }) = self.open(x, sole) {
            let w = w.clone();
            if let Some((size, weight)) = self.weights.get_mut(&format!("{w}.weight")) {
                let taps = size[1] * size[2] * size[3];
                for (filter, factor) in weight.chunks_exact_mut(taps).zip(&scale) {
                    filter.iter_mut().for_each(|tap| *tap *= factor);
                }
            }
            if let Some((_, bias)) = self.weights.get_mut(&format!("{w}.bias")) {
                for ((bias, factor), shift) in bias.iter_mut().zip(&scale).zip(&shift) {
                    *bias = *bias * factor + shift;
                }
            }
            return Ok(x);
        }
        let w = self.name();
        self.weights.insert(format!("{w}.scale"), (vec![c], scale));
        self.weights.insert(format!("{w}.shift"), (vec![c], shift));
        self.push(Step::Scale { x, w }, self.shapes[x])
    }

    /// Negative numbers of `x` times the slope of their channel, nothing larger than `cap`.
    ///
    /// # Errors
    /// When there are not as many slopes as channels.
    pub fn bend(
        &mut self,
        x: Id,
        slope: Vec<f32>,
        most: Option<f32>,
        sole: bool,
    ) -> Result<Id, Why> {
        let c = self.shapes[x][0];
        if slope.len() != c {
            return Err(format!("{} slopes meet a map of {c} channels", slope.len()));
        }
        if let Some(Step::Conv { w, bent, cap, .. }) = self.open(x, sole)
            && !*bent
            && cap.is_none()
        {
            (*bent, *cap) = (true, most);
            let w = w.clone();
            self.weights.insert(format!("{w}.slope"), (vec![c], slope));
            return Ok(x);
        }
        let w = self.name();
        self.weights.insert(format!("{w}.slope"), (vec![c], slope));
        self.push(Step::Bend { x, w, cap: most }, self.shapes[x])
    }

    /// The sum of two maps; `sole` says of each whether nobody else wants it.
    ///
    /// # Errors
    /// When they differ in shape.
    pub fn add(&mut self, (a, sole_a): (Id, bool), (b, sole_b): (Id, bool)) -> Result<Id, Why> {
        if self.shapes[a] != self.shapes[b] {
            return Err(format!("{:?} and {:?} do not add up", self.shapes[a], self.shapes[b]));
        }
        let (first, last, sole) = if a < b { (a, b, sole_b) } else { (b, a, sole_a) };
        if first != last
            && let Some(Step::Conv { onto, bent: false, cap: None, depthwise: false, .. }) =
                self.open(last, sole)
            && onto.is_none()
        {
            *onto = Some(first);
            return Ok(last);
        }
        self.push(Step::Add { a, b }, self.shapes[a])
    }

    /// Windows over `x`.
    ///
    /// # Errors
    /// When none fits.
    pub fn pool(&mut self, x: Id, window: Window) -> Result<Id, Why> {
        let [c, h, w] = self.shapes[x];
        let near = |axis: usize| window.pads[axis].max(window.pads[axis + 2]) < window.size[axis];
        match (window.reach(0, h), window.reach(1, w)) {
            (Some(down), Some(across)) if near(0) && near(1) && down * across > 0 => {
                self.push(Step::Pool { x, window }, [c, down, across])
            }
            _ => Err(format!("windows of {:?} do not fit a map of {h}×{w}", window.size)),
        }
    }

    /// `1 / (1 + e^−x)`.
    ///
    /// # Errors
    /// Never; like the others for the sake of the caller.
    pub fn sigmoid(&mut self, x: Id) -> Result<Id, Why> {
        self.push(Step::Sigmoid { x }, self.shapes[x])
    }

    /// The mean of each channel.
    ///
    /// # Errors
    /// As [`Draft::sigmoid`].
    pub fn mean(&mut self, x: Id) -> Result<Id, Why> {
        self.push(Step::Mean { x }, [self.shapes[x][0], 1, 1])
    }

    /// Every pixel `factor` times across and down.
    ///
    /// # Errors
    /// When the factor is not 2 to 4.
    pub fn enlarge(&mut self, x: Id, factor: usize) -> Result<Id, Why> {
        if !(2..=4).contains(&factor) {
            return Err(format!("a map cannot become {factor} times larger"));
        }
        let [c, h, w] = self.shapes[x];
        self.push(Step::Enlarge { x, factor }, [c, h * factor, w * factor])
    }

    /// Channels one after the other.
    ///
    /// # Errors
    /// When the maps differ in size.
    pub fn join(&mut self, xs: Vec<Id>) -> Result<Id, Why> {
        let sizes: Vec<_> = xs.iter().map(|&x| self.shapes[x]).collect();
        let Some(&[_, h, w]) = sizes.first() else { return Err("it joins nothing".into()) };
        if sizes.iter().any(|size| size[1..] != [h, w]) {
            return Err("the maps differ in size".into());
        }
        let c = sizes.iter().map(|size| size[0]).sum();
        self.push(Step::Join { xs }, [c, h, w])
    }

    /// Marks `from` as an output.
    pub fn give(&mut self, name: String, from: Id, width: usize) {
        self.plan.outputs.push(Output { name, from, width });
    }

    /// The network it describes.
    ///
    /// # Errors
    /// When weights are missing or do not fit.
    pub fn network(&self) -> Result<Network, NetError> {
        Network::of(self.plan.clone(), &self.weights)
    }

    /// The step that made `x`, to be changed, if nobody else has a claim on its result.
    fn open(&mut self, x: Id, sole: bool) -> Option<&mut Step> {
        if sole { self.plan.steps.get_mut(x.checked_sub(1)?) } else { None }
    }

    fn name(&self) -> String {
        format!("{:03}", self.plan.steps.len())
    }

    fn push(&mut self, step: Step, shape: [usize; 3]) -> Result<Id, Why> {
        let count = shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n));
        self.taken[1] = self.taken[1].saturating_add(count.unwrap_or(MOST));
        let large = self.taken[1] > MOST_IN_ALL || shape[0] > MOST_CHANNELS;
        if large || count.is_none_or(|count| count > MOST || count == 0) {
            return Err(format!("a map of {shape:?} is larger than any face network has"));
        }
        self.plan.steps.push(step);
        self.shapes.push(shape);
        Ok(self.shapes.len() - 1)
    }
}

#[cfg(test)]
mod tests;
