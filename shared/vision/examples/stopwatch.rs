//! Times the networks on request, so that another program can interleave our runs with a peer's.
//!
//! `stopwatch WEIGHTS PICTURE [LESS [door]]` (as on a processor without `avx512`, `avx2` or `all`
//! vectors; with `door` the top of the picture as a camera of 640 × 480 would show it), then one word a
//! line on standard input: `detect`, `align`, `embed` (one face: chip and mirrored chip), `network`
//! (one chip, as the peer runs it), `pipeline`, or `winograd LAYER` and `direct LAYER` for a layer that
//! `layers` names. Each is run once and answered with one line of JSON:
//! `{"what":"detect","ms":7.5,"cpu_ms":7.4,"count":1}`.
#![expect(clippy::print_stdout, reason = "standard output is what the example is for")]

use anyhow::{Context, bail};
use std::{hint::black_box, io::BufRead, path::PathBuf, time::Instant};
use vision::{Chip, DlibNet, Face, Limits, Mtcnn, Picture, Rivals, align};

/// Smallest face looked for, pixels.
const MIN_FACE: f32 = 40.0;

struct Bench {
    detector: Mtcnn,
    embedder: DlibNet,
    picture: Picture,
    face: Face,
    chip: Chip,
    rivals: Vec<Rivals>,
}

impl Bench {
    fn run(&self, what: &str) -> anyhow::Result<usize> {
        let detect = || self.detector.detect(&self.picture, MIN_FACE);
        let chips = std::slice::from_ref(&self.chip);
        Ok(match what {
            "detect" => detect()?.len(),
            "align" => black_box(align(&self.picture, &self.face.points)).rgb().len(),
            "embed" => self.embedder.embed(chips)?.len(),
            "network" => self.embedder.raw(chips)?.len(),
            "pipeline" => {
                let faces = detect()?;
                let face = faces.first().context("no face in the picture")?;
                self.embedder.embed(&[align(&self.picture, &face.points)])?.len()
            }
            other => self.layer(other)?,
        })
    }
}

impl Bench {
    /// `winograd LAYER` or `direct LAYER`.
    fn layer(&self, what: &str) -> anyhow::Result<usize> {
        let known = "detect, align, embed, network, pipeline, layers, winograd or direct LAYER";
        let (way, name) = what.split_once(' ').with_context(|| format!("{what:?}: {known}"))?;
        let layer = self.rivals.iter().find(|layer| layer.name == name);
        let layer = layer.with_context(|| format!("no layer {name:?}: layers lists them"))?;
        match way {
            "winograd" => Ok(layer.run(true)?),
            "direct" => Ok(layer.run(false)?),
            other => bail!("unknown task {other:?}: {known}"),
        }
    }
}

/// Time this thread has had a processor for: what others do meanwhile does not count.
fn cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn main() -> anyhow::Result<()> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(weights), Some(picture)) = (paths.next(), paths.next()) else {
        bail!("usage: stopwatch WEIGHTS PICTURE [LESS [door]]");
    };
    if let Some(less) = paths.next().filter(|less| !less.as_os_str().is_empty()) {
        vision::without(&less.to_string_lossy());
    }
    let mut picture = vision::decode(&std::fs::read(picture)?, &Limits::default())?;
    if paths.next().is_some_and(|word| word.as_os_str() == "door") {
        let top = picture.crop(0, 0, picture.width, picture.width * 3 / 4);
        picture = top.context("the picture is too flat")?.resized(640, 480);
    }
    let detector = Mtcnn::load(&weights)?;
    let faces = detector.detect(&picture, MIN_FACE)?;
    let face = faces.into_iter().next().context("no face in the picture")?;
    let chip = align(&picture, &face.points);
    let (embedder, rivals) = (DlibNet::load(&weights)?, Rivals::all()?);
    let bench = Bench { detector, embedder, picture, face, chip, rivals };
    for line in std::io::stdin().lock().lines() {
        let what = line?;
        if what == "layers" {
            println!(
                "{}",
                bench.rivals.iter().map(|layer| layer.name).collect::<Vec<_>>().join(" ")
            );
            continue;
        }
        let (wall, cpu) = (Instant::now(), cpu_ms());
        let count = black_box(bench.run(&what)?);
        let (wall, cpu) = (wall.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu);
        println!("{{\"what\":{what:?},\"ms\":{wall:.4},\"cpu_ms\":{cpu:.4},\"count\":{count}}}");
    }
    Ok(())
}
