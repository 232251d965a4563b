//! What a door gives up by looking at the mirror image of one look only: photos of public figures,
//! each looked at three times, compared with all others.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

#[expect(dead_code, reason = "other tests use more of the stage")]
mod stage;

use rollcall_edge::recognise::see;
use stage::PACK;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use vision::{Limits, Picture, Template};
use wire::Mono;

/// Strangers of whom one pair in a hundred is as alike: nothing below ever comes near a line.
const ALIKE: f32 = 0.911;

/// A photo's three looks, made into one template in three ways.
struct Fused {
    /// Each look with its mirror image.
    whole: Template,
    /// Each look, and the mirror image of the best: what a door does.
    lean: Template,
    /// No mirror image at all.
    bare: Template,
}

fn photos() -> Option<PathBuf> {
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let folder = PathBuf::from(project).join("../shared/faces/deepface");
    folder.is_dir().then_some(folder)
}

/// The photo as three frames in a row would show it: a step nearer, and the light changes.
fn looks(photo: &Picture) -> Vec<Picture> {
    let [width, height] = [photo.width, photo.height];
    let look = |(n, light): (u32, f32)| {
        let (x, y) = (width * n / 60, height * n / 50);
        let mut part = photo.crop(x.into(), y.into(), width - x, height - y).unwrap();
        part.rgb.iter_mut().for_each(|byte| *byte = (f32::from(*byte) * light) as u8);
        let scale = 480.0 / part.height.max(part.width) as f32;
        part.resized((part.width as f32 * scale) as u32, (part.height as f32 * scale) as u32)
    };
    [(0, 0.85), (1, 0.95), (2, 1.0)].into_iter().map(look).collect()
}

/// Nothing where not each look shows one face that can be compared.
fn fuse(photo: &Picture) -> Option<Fused> {
    let mut seen = Vec::new();
    for picture in looks(photo) {
        let faces = PACK.detect(&picture).unwrap();
        let mut looks = see(&PACK, &picture, faces, (0, Mono(0))).unwrap().looks;
        (looks.len() == 1).then(|| seen.push(looks.remove(0)))?;
    }
    let cuts: Vec<_> = seen.iter().map(|look| vision::Cut::clone(&look.cut)).collect();
    let whole = PACK.embed_cuts(&cuts).unwrap();
    let mirrors = PACK.mirror(&cuts).unwrap().unwrap();
    let best = (0..3).max_by(|a, b| seen[*a].weight.total_cmp(&seen[*b].weight)).unwrap();
    let glances = || seen.iter().map(|look| (&look.template, look.weight));
    let weights = seen.iter().map(|look| look.weight);
    Some(Fused {
        whole: Template::weighted_mean(whole.iter().zip(weights)).unwrap(),
        lean: Template::fused(glances(), Some(&mirrors[best])).unwrap(),
        bare: Template::fused(glances(), None).unwrap(),
    })
}

/// Each photo that shows one face, made into templates.
fn all(folder: &Path, list: &str) -> BTreeMap<String, Fused> {
    let names = list.lines().skip(1).flat_map(|row| row.split(',').take(2));
    let names: BTreeSet<&str> = names.collect();
    let fused = |name: &str| {
        let photo = vision::decode(&std::fs::read(folder.join(name)).ok()?, &Limits::default());
        fuse(&photo.ok()?)
    };
    names.into_iter().filter_map(|name| Some((name.to_owned(), fused(name)?))).collect()
}

/// How much farther from, or nearer to, another photo's template `of` brings a face, where that
/// matters because both are somewhat alike: mean and greatest step.
fn step(faces: &BTreeMap<String, Fused>, of: impl Fn(&Fused) -> &Template) -> (f32, f32) {
    let pairs = faces.values().flat_map(|a| faces.values().map(move |b| (a, b)));
    let near = pairs.filter(|(a, b)| !std::ptr::eq(*a, *b) && a.whole.cosine(&b.whole) >= ALIKE);
    let steps: Vec<f32> =
        near.map(|(a, b)| of(a).cosine(&b.whole) - a.whole.cosine(&b.whole)).collect();
    assert!(steps.len() >= 40, "{} pairs are alike", steps.len());
    let greatest = steps.iter().fold(0.0, |most: f32, step| most.max(step.abs()));
    (steps.iter().sum::<f32>() / steps.len() as f32, greatest)
}

#[test]
fn the_mirror_image_of_the_best_look_stands_for_those_of_all() {
    let Some(folder) = photos() else {
        println!("skipped: ../shared/faces/deepface is not there");
        return;
    };
    let list = std::fs::read_to_string(folder.join("master.csv")).unwrap();
    let faces = all(&folder, &list);
    assert!(faces.len() >= 20, "{} of the photos show one face", faces.len());
    let lean = step(&faces, |fused| &fused.lean);
    let bare = step(&faces, |fused| &fused.bare);
    println!("{} faces, mean and greatest step: lean {lean:?}, bare {bare:?}", faces.len());
    // The lines lie .015 apart, and what is beyond doubt half a margin, .005, above.
    assert!(lean.0.abs() < 0.0005 && lean.1 < 0.0025, "{lean:?}");
    assert!(bare.0.abs() > 0.001 && bare.1 > 0.005, "without any it would be seen: {bare:?}");
}

/// The tracker joins looks without their mirror images, by lines that were measured with them.
#[test]
fn two_people_are_no_more_alike_without_their_mirror_images() {
    let Some(folder) = photos() else {
        println!("skipped: ../shared/faces/deepface is not there");
        return;
    };
    let list = std::fs::read_to_string(folder.join("master.csv")).unwrap();
    let faces = all(&folder, &list);
    let rows = list.lines().map(|row| row.trim().split(',').collect::<Vec<_>>());
    let strangers = rows.filter(|row| row.len() == 3 && row[2] == "No");
    let most = |of: fn(&Fused) -> &Template| {
        let both =
            strangers.clone().filter_map(|row| Some((faces.get(row[0])?, faces.get(row[1])?)));
        both.map(|(a, b)| of(a).cosine(of(b))).fold(-1.0, f32::max)
    };
    let (bare, whole) = (most(|fused| &fused.bare), most(|fused| &fused.whole));
    println!("strangers at most: {bare} without, {whole} with");
    assert!(bare < PACK.scale().same(), "{bare}: nobody is taken for somebody else");
    assert!(bare < whole + 0.01 && whole > 0.9, "{bare}, {whole}");
}
