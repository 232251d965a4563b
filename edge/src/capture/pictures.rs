//! Pictures in place of a camera: for the demo, for `replay`, and for tests.
//!
//! One picture is one passage of one frame: copies of a picture would count as several looks and
//! make a match surer than it is.

use super::{Camera, CameraError, Frame, Lifeline, Pixels, config::Pictures};
use std::{collections::VecDeque, fs, io, path::Path, path::PathBuf, sync::Arc, time::Duration};
use wire::Clock;

struct Album {
    all: Vec<PathBuf>,
    left: VecDeque<PathBuf>,
    config: Pictures,
    clock: Arc<dyn Clock>,
    lifeline: Lifeline,
    first: bool,
}

/// Lists the pictures; none at all is an error.
pub fn open(
    config: &Pictures,
    clock: Arc<dyn Clock>,
    lifeline: &Lifeline,
) -> Result<impl Camera + use<>, CameraError> {
    let mut all = Vec::new();
    for path in &config.paths {
        list(path, &mut all).map_err(|error| refused(path, &error.to_string()))?;
    }
    if all.is_empty() {
        return Err(refused(&config.paths[0], "there is no picture in it"));
    }
    // Pictures are named after those on them, and admins of the hub may read what is logged.
    tracing::info!(pictures = all.len(), "showing {} pictures", all.len());
    let left = all.iter().cloned().collect();
    Ok(Album { all, left, config: config.clone(), clock, lifeline: lifeline.clone(), first: true })
}

/// The files at `paths`, folders opened.
///
/// # Errors
/// When one cannot be read, or there is no file at all.
pub fn pictures(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CameraError> {
    let mut all = Vec::new();
    for path in paths {
        list(path, &mut all).map_err(|error| refused(path, &error.to_string()))?;
    }
    match paths.first() {
        Some(path) if all.is_empty() => Err(refused(path, "there is no picture in it")),
        _ => Ok(all),
    }
}

/// A folder's files by name, without hidden ones and without folders in it.
fn list(path: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        into.push(path.to_owned());
        return Ok(());
    }
    let visible = |file: &PathBuf| {
        file.is_file() && file.file_name().is_some_and(|n| !n.as_encoded_bytes().starts_with(b"."))
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(visible);
    files.sort();
    into.append(&mut files);
    Ok(())
}

fn refused(path: &Path, why: &str) -> CameraError {
    CameraError::Open { camera: path.display().to_string(), why: why.to_owned() }
}

impl Camera for Album {
    fn next(&mut self) -> Result<Frame, CameraError> {
        if self.left.is_empty() && self.config.repeat {
            self.left = self.all.iter().cloned().collect();
        }
        let Some(path) = self.left.pop_front() else { return Err(CameraError::Ended) };
        if !std::mem::take(&mut self.first) {
            self.lifeline.wait(Duration::from_millis(self.config.pace_ms));
        }
        let bytes = fs::read(&path).map_err(|error| refused(&path, &error.to_string()))?;
        Ok(Frame::new(self.clock.mono(), Pixels::Encoded(bytes)))
    }
}
