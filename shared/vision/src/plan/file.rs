//! Plan and weights in one safetensors file: the plan is its metadata.

use super::{Plan, Weights};
use safetensors::{
    SafeTensorError, SafeTensors,
    tensor::{Dtype, TensorView},
};
use std::collections::HashMap;

/// The name of the metadata.
const PLAN: &str = "plan";

impl Plan {
    /// The file of the plan and its weights.
    ///
    /// # Errors
    /// When safetensors refuses.
    pub fn to_safetensors(&self, weights: &Weights) -> Result<Vec<u8>, SafeTensorError> {
        let plan = serde_json::to_string(self).unwrap_or_default();
        let little = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> =
            weights.iter().map(|(name, (size, values))| (name, size, little(values))).collect();
        let views = bytes
            .iter()
            .map(|(name, size, bytes)| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, (*size).clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, Some(HashMap::from([(PLAN.to_owned(), plan)])))
    }
}

/// Reads [`Plan::to_safetensors`].
///
/// # Errors
/// A sentence on what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<(Plan, Weights), String> {
    let no = |error: SafeTensorError| error.to_string();
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(no)?;
    let plan = header.metadata().as_ref().and_then(|all| all.get(PLAN));
    let plan = plan.ok_or("the file has no plan")?;
    let plan = serde_json::from_str(plan).map_err(|error| error.to_string())?;
    let file = SafeTensors::deserialize(bytes).map_err(no)?;
    let mut weights = Weights::new();
    for (name, view) in file.iter() {
        let (numbers, []) = view.data().as_chunks::<4>() else {
            return Err(format!("{name} is not of 32-bit floats"));
        };
        if view.dtype() != Dtype::F32 {
            return Err(format!("{name} is not of 32-bit floats"));
        }
        let values = numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        weights.insert(name.to_owned(), (view.shape().to_vec(), values));
    }
    Ok((plan, weights))
}
