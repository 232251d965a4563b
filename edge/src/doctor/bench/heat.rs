//! How warm the unit becomes at work, and whether that makes it slower.

use super::celsius;
use crate::app::load::at_once;
use crate::vitals;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two readings.
const STEP: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Heat {
    /// For how long it was at work, seconds.
    pub seconds: u64,
    /// Before, °C; nothing where the machine does not say.
    pub before: Option<i16>,
    /// The warmest.
    pub peak: Option<i16>,
    /// Whether the processor was slowed down at the end.
    pub slowed: Option<bool>,
    /// Bursts a second by one worker, and by one for each core.
    pub alone: f32,
    /// See `alone`.
    pub together: f32,
    /// Pace of the last quarter by that of the first.
    pub held: f32,
}

/// Keeps every core at `work` for `seconds`.
pub fn measure(root: &Path, seconds: u64, work: impl Fn() + Sync) -> Heat {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let before = celsius(root);
    let mut peak = before;
    let alone = pace(1, STEP, &work);
    let steps = usize::try_from(seconds).unwrap_or(usize::MAX).max(1);
    let mut paces = Vec::with_capacity(steps.min(3_600));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(seconds) || paces.is_empty() {
        paces.push(pace(cores, STEP, &work));
        peak = peak.max(celsius(root));
    }
    let quarter = paces.len().div_ceil(4);
    let mean = |some: &[f32]| some.iter().sum::<f32>() / some.len().max(1) as f32;
    let first = mean(&paces[..quarter]);
    let last = mean(&paces[paces.len() - quarter..]);
    Heat {
        seconds: began.elapsed().as_secs(),
        before,
        peak,
        slowed: vitals::below(root).slowed,
        alone,
        together: first,
        held: if first > 0.0 { last / first } else { 1.0 },
    }
}

/// Bursts a second; the last one is waited for.
fn pace(workers: usize, span: Duration, work: &(impl Fn() + Sync)) -> f32 {
    let began = Instant::now();
    let done = at_once(workers, span, work);
    done as f32 / began.elapsed().as_secs_f32()
}
