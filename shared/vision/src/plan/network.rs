//! A plan ready to run.

use super::{Id, Plan, Step, Weights, file};
use crate::nn::{Conv, Depthwise, Filters, Map, MaxPool, NetError, Take, Tile, Window};
use crate::nn::{added, bent, enlarged, joined, mean, scaled, sigmoid};
use candle_core::{Device, Result, Tensor, bail};
use std::path::Path;

/// Filters of 3 × 3 with so many channels take the way with fewer multiplications; with more the
/// transformed weights would not stay in the cache, with fewer the detour costs more than it saves.
const QUICK: std::ops::RangeInclusive<usize> = 32..=128;
/// And only on maps of at least so many rows.
const QUICK_ROWS: usize = 14;

/// A network of imported weights. Cheap to share, runs on the caller's thread.
pub struct Network {
    plan: Plan,
    layers: Vec<Layer>,
    /// The last step that needs each value.
    last: Vec<Id>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Network({} steps)", self.layers.len())
    }
}

enum Layer {
    Conv(Conv),
    Depthwise(Depthwise),
    Scale(Vec<f32>, Vec<f32>),
    Bend(Vec<f32>, f32),
    Sigmoid,
    Add,
    Max(MaxPool),
    Pool(Window),
    Mean,
    Enlarge(usize),
    Join,
}

impl Network {
    /// Reads a file that [`Plan::to_safetensors`] made.
    ///
    /// # Errors
    /// [`NetError::Read`] or [`NetError::Weights`].
    pub fn load(path: &Path) -> std::result::Result<Self, NetError> {
        let bytes = std::fs::read(path)
            .map_err(|source| NetError::Read { path: path.to_path_buf(), source })?;
        let wrong = |source| NetError::Weights { path: path.to_path_buf(), source };
        let (plan, weights) =
            file::read(&bytes).map_err(|why| wrong(candle_core::Error::Msg(why)))?;
        Self::build(plan, &weights).map_err(wrong)
    }

    /// The network of a plan.
    ///
    /// # Errors
    /// When weights are missing or do not fit.
    pub fn of(plan: Plan, weights: &Weights) -> std::result::Result<Self, NetError> {
        Ok(Self::build(plan, weights)?)
    }

    fn build(plan: Plan, weights: &Weights) -> Result<Self> {
        let mut last: Vec<Id> = (0..=plan.steps.len()).collect();
        for (i, step) in plan.steps.iter().enumerate() {
            for need in step.needs() {
                if need > i {
                    bail!("step {i} needs what comes after it");
                }
                last[need] = i;
            }
        }
        for output in &plan.outputs {
            let Some(last) = last.get_mut(output.from) else { bail!("an output is of no step") };
            *last = usize::MAX;
        }
        let layers =
            plan.steps.iter().map(|step| layer(step, &plan, weights)).collect::<Result<_>>();
        Ok(Self { layers: layers?, plan, last })
    }

    /// Rows and columns of the picture it was made for.
    #[must_use]
    pub fn side(&self) -> [usize; 2] {
        self.plan.side
    }

    /// Names of the outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.plan.outputs.iter().map(|output| output.name.as_str())
    }

    /// Numbers in a row of each output.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        self.plan.outputs.iter().map(|output| output.width)
    }

    /// Pixels `[1, rows, columns, 3]` to the numbers of each output, row by row.
    ///
    /// # Errors
    /// When the picture is too small for the network.
    pub fn run(&self, pixels: Vec<f32>, [rows, columns]: [usize; 2]) -> Result<Vec<Vec<f32>>> {
        let x = Map::of(pixels, [1, rows, columns, 3])?;
        let mut values: Vec<Option<Map>> = vec![Some(x)];
        for (i, (step, layer)) in self.plan.steps.iter().zip(&self.layers).enumerate() {
            let given = step.needs();
            let inputs = given.iter().map(|&id| get(&values, id)).collect::<Result<Vec<_>>>()?;
            let result = layer.run(&inputs)?;
            values.push(Some(result));
            for id in given {
                if self.last[id] == i {
                    values[id] = None;
                }
            }
        }
        let output = |from: Id| Ok(get(&values, from)?.values().to_vec());
        self.plan.outputs.iter().map(|wanted| output(wanted.from)).collect()
    }
}

fn get(values: &[Option<Map>], id: Id) -> Result<&Map> {
    match values.get(id) {
        Some(Some(value)) => Ok(value),
        _ => bail!("value {id} is not there"),
    }
}

fn vector(weights: &Weights, w: &str, part: &str) -> Result<Vec<f32>> {
    match weights.get(&format!("{w}.{part}")) {
        Some((size, values)) if size.len() == 1 => Ok(values.clone()),
        _ => bail!("the list {w}.{part} is missing"),
    }
}

fn layer(step: &Step, plan: &Plan, weights: &Weights) -> Result<Layer> {
    Ok(match step {
        Step::Conv { .. } => conv(step, plan, weights)?,
        Step::Scale { w, .. } => {
            Layer::Scale(vector(weights, w, "scale")?, vector(weights, w, "shift")?)
        }
        Step::Bend { w, cap, .. } => {
            Layer::Bend(vector(weights, w, "slope")?, cap.unwrap_or(f32::INFINITY))
        }
        Step::Sigmoid { .. } => Layer::Sigmoid,
        Step::Add { .. } => Layer::Add,
        Step::Pool { window, .. } => match *window {
            Window { stride: 0, .. } => bail!("a window does not move"),
            Window { take: Take::Max, size: [a, b], stride, pads: [0, 0, 0, 0], ceil }
                if a == b =>
            {
                Layer::Max(MaxPool { size: a, stride, ceil })
            }
            window => Layer::Pool(window),
        },
        Step::Mean { .. } => Layer::Mean,
        Step::Enlarge { factor: 1..=4, .. } => Layer::Enlarge(match step {
            Step::Enlarge { factor, .. } => *factor,
            _ => 1,
        }),
        Step::Enlarge { factor, .. } => bail!("a map cannot become {factor} times larger"),
        Step::Join { .. } => Layer::Join,
    })
}

fn conv(step: &Step, plan: &Plan, weights: &Weights) -> Result<Layer> {
    let Step::Conv { w, stride, pads, depthwise, onto, bent, cap, .. } = step else {
        bail!("not a convolution");
    };
    let Some((size, values)) = weights.get(&format!("{w}.weight")) else {
        bail!("the filters {w} are missing");
    };
    if size.len() != 4 || size.contains(&0) || *stride == 0 || pads.iter().any(|&pad| pad > 64) {
        bail!("the filters {w} have senseless sizes");
    }
    let weight = Tensor::from_slice(values, size.as_slice(), &Device::Cpu)?;
    let list = |part: &str| -> Result<Tensor> {
        let values = vector(weights, w, part)?;
        Tensor::from_slice(&values, values.len(), &Device::Cpu)
    };
    let (bias, slope) = (list("bias")?, bent.then(|| list("slope")).transpose()?);
    if *depthwise {
        if onto.is_some() {
            bail!("a depthwise convolution takes no shortcut");
        }
        let conv = Depthwise::new(&weight, &bias, slope.as_ref(), (*stride, *pads))?;
        return Ok(Layer::Depthwise(conv.capped(cap.unwrap_or(f32::INFINITY))));
    }
    let mut filters = Filters::new(&weight, &bias)?.capped(cap.unwrap_or(f32::INFINITY));
    if let Some(slope) = slope {
        filters = filters.prelu(&slope)?;
    }
    let quick = *stride == 1
        && size[2..] == [3, 3]
        && *pads == [1; 4]
        && size[..2].iter().all(|c| QUICK.contains(c))
        && plan.side[0] >= QUICK_ROWS;
    let conv = if quick {
        Conv::quick(filters, 1, Tile::Four)?
    } else {
        Conv::padded(filters, *stride, *pads)?
    };
    Ok(Layer::Conv(conv))
}

impl Layer {
    fn run(&self, inputs: &[&Map]) -> Result<Map> {
        let Some(&x) = inputs.first() else { bail!("a step needs nothing") };
        match (self, inputs) {
            (Self::Conv(conv), [_]) => conv.forward(x),
            (Self::Conv(conv), [_, onto]) => conv.forward_onto(x, onto),
            (Self::Depthwise(conv), _) => conv.forward(x),
            (Self::Scale(scale, shift), _) => scaled(x.clone(), scale, shift),
            (Self::Bend(slope, cap), _) => bent(x.clone(), slope, *cap),
            (Self::Sigmoid, _) => Ok(sigmoid(x.clone())),
            (Self::Add, [_, other]) => added(x.clone(), other),
            (Self::Max(pool), _) => pool.forward(x),
            (Self::Pool(window), _) => window.forward(x),
            (Self::Mean, _) => Ok(mean(x)),
            (Self::Enlarge(factor), _) => Ok(enlarged(x, *factor)),
            (Self::Join, _) => joined(inputs),
            _ => bail!("a step has the wrong number of inputs"),
        }
    }
}
