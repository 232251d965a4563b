//! `doctor --bench`: how fast this unit is, by measuring it, and which settings suit that.

mod advice;
mod card;
mod heat;
mod page;
mod speed;

pub use advice::{Advice, advise};
pub use page::{json, page};

use crate::app::peek::{Patience, peek};
use crate::capture::{Config as Camera, Frame, Glance, Pixels};
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::{app, vitals};
use card::Writing;
use heat::Heat;
use serde::Serialize;
use speed::Speed;
use std::path::Path;
use std::time::Duration;
use wire::Mono;

/// For how long the camera is watched.
const WATCH: Duration = Duration::from_secs(4);

/// What was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measures {
    /// What the machine calls itself.
    pub machine: String,
    /// Cores that the system has.
    pub cores: usize,
    /// Whether the daemon ran beside it, and took its share.
    pub beside: bool,
    /// What the camera gives.
    pub camera: Film,
    /// How fast faces are found and compared.
    pub speed: Speed,
    /// How fast records are stored.
    pub card: Writing,
    /// How warm it becomes.
    pub heat: Heat,
}

/// What the camera gives.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Film {
    /// Why it was not measured; empty if it was.
    pub why: String,
    /// Frames a second.
    pub rate: f32,
    /// The longest pause between two frames, milliseconds.
    pub pause_ms: u64,
    /// From its opening to the first frame, milliseconds; not where it was open already.
    pub first_ms: Option<u64>,
    /// How old a frame is when it is here, milliseconds; only where the camera says.
    pub age_ms: Option<u64>,
    /// Pixels of what counts.
    pub size: [u32; 2],
}

/// Measures; `seconds` of work for its heat. `tell` hears what is under way.
///
/// # Errors
/// When the networks cannot be loaded: without them there is nothing to measure.
pub fn measure(
    config: &Config,
    root: &Path,
    seconds: u64,
    mut tell: impl FnMut(&str),
) -> anyhow::Result<Measures> {
    let model = app::models(&config.packs())?;
    tell("watching the camera …");
    let beside = control::ask(&config.socket, Question::Status).is_ok();
    let (camera, frame) = camera(config, beside);
    tell("looking for faces …");
    let frame = frame.unwrap_or_else(speed::wall);
    let speed = speed::measure(config, &model.pack, &frame)?;
    tell("storing records …");
    let card = card::measure(&config.data);
    tell(&format!("keeping it at work for {seconds} s, to see how warm it becomes …"));
    let heat = heat::measure(root, seconds, || speed::burst(config, &model.pack, &frame));
    let machine = machine(root);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Measures { machine, cores, beside, camera, speed, card, heat })
}

fn machine(root: &Path) -> String {
    let model = std::fs::read_to_string(root.join("proc/device-tree/model")).unwrap_or_default();
    let model = model.trim_end_matches('\0').trim();
    if model.is_empty() { format!("a machine of {}", std::env::consts::ARCH) } else { model.into() }
}

/// What the camera gives, and its newest frame.
fn camera(config: &Config, beside: bool) -> (Film, Option<Frame>) {
    if matches!(config.camera, Camera::Pictures(_)) {
        let why = "pictures stand in its place; a picture of a wall is looked at".to_owned();
        return (Film { why, ..Film::default() }, None);
    }
    let watched = if beside { asked(config) } else { opened(config) };
    match watched {
        Ok((glance, frame)) => (seen(config, &glance, &frame, beside), Some(frame)),
        Err(why) => {
            let why = format!("{why}; a picture of a wall is looked at instead");
            (Film { why, ..Film::default() }, None)
        }
    }
}

/// The daemon has the camera: it says what comes.
fn asked(config: &Config) -> Result<(Glance, Frame), String> {
    let question = Question::Glance { ms: WATCH.as_millis() as u64 };
    let older = "the running daemon does not say what its camera gives: stop it for this \
                 (systemctl stop rollcall-edge), and start it again";
    match control::ask(&config.socket, question) {
        Ok((Answer::Glance { glance, form: Some(form), .. }, bytes)) => {
            let pixels = Pixels::from_bytes(form, bytes).ok_or(older)?;
            Ok((glance, Frame { view: config.view, ..Frame::new(Mono(0), pixels) }))
        }
        Ok((Answer::Glance { .. }, _)) => Err("the daemon gets no frames from it".into()),
        _ => Err(older.into()),
    }
}

fn opened(config: &Config) -> Result<(Glance, Frame), String> {
    let patience = Patience { span: WATCH, still: WATCH, ..Patience::default() };
    let peek = peek(config, &patience);
    let why = || peek.error.map_or("no frame came of it".into(), |error| error.to_string());
    let newest = peek.newest.ok_or_else(why)?;
    let (form, bytes) = newest.pixels.to_bytes();
    let pixels = Pixels::from_bytes(form, bytes).ok_or("its frame cannot be copied")?;
    Ok((peek.glance, Frame { view: config.view, ..Frame::new(newest.at, pixels) }))
}

fn seen(config: &Config, glance: &Glance, frame: &Frame, beside: bool) -> Film {
    let middle = |values: &[u64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    };
    // Of a program's frames nobody knows how old they are: their age is a setting.
    let says = matches!(config.camera, Camera::V4l2(_));
    let size = frame.picture().map_or([0, 0], |picture| [picture.width, picture.height]);
    Film {
        why: String::new(),
        rate: glance.rate(),
        pause_ms: glance.gaps_ms.iter().copied().max().unwrap_or(0),
        first_ms: glance.first_ms.filter(|_| !beside),
        age_ms: middle(&glance.ages_ms).filter(|_| says),
        size,
    }
}

/// How warm the unit is now, for whoever only looks.
#[must_use]
pub fn celsius(root: &Path) -> Option<i16> {
    vitals::below(root).celsius
}
