//! One thread, one face in 640 × 480: detect, align, embed.
//!
//! The frame is cut from a portrait, so weights and portraits must be there (models/fetch); absolute
//! times say little on a shared machine, bench/vision gives ratios to peers.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::{hint::black_box, path::PathBuf};
use vision::{DlibNet, Limits, Mtcnn, Picture, align};

fn folder(variable: &str, usual: &str) -> PathBuf {
    let models = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models"));
    let folder = std::env::var_os(variable).map_or_else(|| models.join(usual), PathBuf::from);
    assert!(folder.is_dir(), "{} is not there: run models/fetch", folder.display());
    folder
}

/// The upper part of a portrait, as a door camera might see it.
fn frame() -> Picture {
    let path = folder("ROLLCALL_PORTRAITS", "portraits").join("obama.jpg");
    let picture = vision::decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
    picture.crop(0, 0, picture.width, picture.width * 3 / 4).unwrap().resized(640, 480)
}

fn networks(bench: &mut Criterion) {
    let weights = folder("ROLLCALL_MODELS", "weights");
    let (detector, embedder) = (Mtcnn::load(&weights).unwrap(), DlibNet::load(&weights).unwrap());
    let frame = frame();
    for min_face in [40.0, 80.0] {
        let name = format!("detect 640x480, faces from {min_face} px");
        bench.bench_function(&name, |b| b.iter(|| detector.detect(black_box(&frame), min_face)));
    }
    let face = detector.detect(&frame, 40.0).unwrap().remove(0);
    bench.bench_function("align", |b| b.iter(|| align(black_box(&frame), &face.points)));
    let chips = [align(&frame, &face.points)];
    bench.bench_function("embed a chip and its mirror", |b| {
        b.iter(|| embedder.embed(black_box(&chips)));
    });
}

criterion_group!(benches, networks);
criterion_main!(benches);
