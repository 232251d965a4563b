//! At which blur and in which darkness a door recognises nobody, and what its eye measures then:
//! where the lines in `health::eye` come from.
//!
//! `cargo run --release -p rollcall-edge --example eye -- WEIGHTS PICTURE...`; each picture shows
//! faces. A line for each picture and each spoiling: how bright and how sharp it is, how many of its
//! faces are still found and good enough to be compared, and the least cosine to themselves unspoilt.
#![expect(clippy::print_stdout, reason = "standard output is what the example is for")]

use anyhow::Context as _;
use rollcall_edge::health::{brightness, focus};
use std::path::PathBuf;
use vision::{Grade, Limits, Pack, Picture, Template, judge};

/// Pixels across: what a door's camera gives.
const ACROSS: u32 = 640;
/// Pixels down.
const DOWN: u32 = 480;
/// Portraits side by side: a face is some 80 pixels across then.
const TILES: u32 = 3;
/// Two boxes are one face from this share on.
const SAME: f32 = 0.3;

fn main() -> anyhow::Result<()> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let pack = Pack::load(&paths.next().context("usage: eye WEIGHTS PICTURE...")?)?;
    for path in paths {
        let picture = vision::decode(&std::fs::read(&path)?, &Limits::default())?;
        let picture = tiled(&picture);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = seen(&pack, &picture)?;
        for sigma in [0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0] {
            tell(&name, &format!("blur {sigma}"), &pack, &known, &blurred(&picture, sigma))?;
        }
        for share in [0.5, 0.4, 0.33, 0.25, 0.18, 0.125, 0.09] {
            tell(&name, &format!("light {share}"), &pack, &known, &darker(&picture, share))?;
        }
    }
    Ok(())
}

/// Faces that can be compared: left and top, and what they look like.
type Faces = Vec<(vision::Rect, Template)>;

fn seen(pack: &Pack, picture: &Picture) -> anyhow::Result<Faces> {
    let mut all = Vec::new();
    for face in pack.detect(picture)? {
        let cut = pack.cut(picture, &face);
        if judge(&face, &cut.view.to_picture()).grade == Grade::Drop {
            continue;
        }
        let template = pack.embed_cuts(&[cut])?.into_iter().next().context("no template")?;
        all.push((face.rect, template));
    }
    Ok(all)
}

fn tell(name: &str, how: &str, pack: &Pack, known: &Faces, spoilt: &Picture) -> anyhow::Result<()> {
    let found = seen(pack, spoilt)?;
    let again = |(rect, template): &(vision::Rect, Template)| {
        let same = found.iter().filter(|(other, _)| rect.iou(other) >= SAME);
        same.map(|(_, other)| template.cosine(other)).max_by(f32::total_cmp)
    };
    let cosines: Vec<f32> = known.iter().filter_map(again).collect();
    let least = cosines.iter().copied().fold(f32::NAN, f32::min);
    let sharp = focus(spoilt).map_or("-".to_owned(), |share| format!("{share:.2}"));
    let light = brightness(spoilt);
    println!(
        "{name:<24} {how:<12} light {light:>5.1} focus {sharp:>4} faces {}/{} cosine {least:.3}",
        cosines.len(),
        known.len()
    );
    Ok(())
}

/// The picture beside and below itself, so that its faces are as large as those in a doorway.
fn tiled(picture: &Picture) -> Picture {
    let across = ACROSS / TILES;
    let small = picture.resized(across, picture.height * across / picture.width);
    let row = |y: usize| {
        let row = y % small.height as usize * across as usize * 3;
        small.rgb[row..][..across as usize * 3].repeat(TILES as usize)
    };
    let rgb = (0..DOWN as usize).flat_map(row).collect();
    Picture { width: across * TILES, height: DOWN, rgb }
}

/// Out of focus: a Gaussian blur.
fn blurred(picture: &Picture, sigma: f32) -> Picture {
    if sigma == 0.0 {
        return picture.clone();
    }
    let reach = (sigma * 3.0).ceil() as i64;
    let weights: Vec<f32> =
        (-reach..=reach).map(|d| (-(d * d) as f32 / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    let (width, height) = (i64::from(picture.width), i64::from(picture.height));
    let along = |rgb: &[f32], (dx, dy): (i64, i64)| -> Vec<f32> {
        let mut out = vec![0.0; rgb.len()];
        for (n, value) in out.iter_mut().enumerate() {
            let (at, channel) = ((n / 3) as i64, n % 3);
            let (x, y) = (at % width, at / width);
            *value = (-reach..=reach)
                .zip(&weights)
                .map(|(d, weight)| {
                    let x = (x + d * dx).clamp(0, width - 1);
                    let y = (y + d * dy).clamp(0, height - 1);
                    weight * rgb[((y * width + x) * 3) as usize + channel]
                })
                .sum::<f32>()
                / sum;
        }
        out
    };
    let rgb: Vec<f32> = picture.rgb.iter().map(|byte| f32::from(*byte)).collect();
    noisy(picture, &along(&along(&rgb, (1, 0)), (0, 1)), 2.0)
}

/// Less light, and the sensor's noise stays.
fn darker(picture: &Picture, share: f32) -> Picture {
    let rgb: Vec<f32> = picture.rgb.iter().map(|byte| f32::from(*byte) * share).collect();
    noisy(picture, &rgb, 2.0)
}

/// With a sensor's noise of about `sigma`, the same each time.
fn noisy(picture: &Picture, rgb: &[f32], sigma: f32) -> Picture {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            sum += (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        }
        sum * sigma * 1.73
    };
    let rgb = rgb.iter().map(|value| (value + noise()).round().clamp(0.0, 255.0) as u8).collect();
    Picture { width: picture.width, height: picture.height, rgb }
}
