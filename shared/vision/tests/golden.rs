//! Our networks against the outputs of the reference implementations.
//!
//! `vectors/testvectors.json` holds what dlib's own code and PyTorch gave for pictures made by the
//! formulas in its keys; `vectors/portraits.json` holds the faces `facenet_pytorch` 2.6.0 found
//! (smallest face 40) in the portraits of `face_recognition` 1.3.0, and the cosines of their templates.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails loudly and shows its figures"
)]

use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};
use vision::{Chip, Cut, DlibNet, Face, Limits, Mtcnn, Pack, Picture, Point, Rect, Template};

fn folder(variable: &str, usual: &str) -> PathBuf {
    let usual = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models")).join(usual);
    let folder = std::env::var_os(variable).map_or_else(usual, PathBuf::from);
    assert!(folder.is_dir(), "{} is not there: run models/fetch", folder.display());
    folder
}

fn weights() -> PathBuf {
    folder("ROLLCALL_MODELS", "weights")
}

fn vectors(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn portrait(name: &str) -> Picture {
    let bytes = std::fs::read(folder("ROLLCALL_PORTRAITS", "portraits").join(name)).unwrap();
    vision::decode(&bytes, &Limits::default()).unwrap()
}

fn chip(pixel: impl Fn(usize, usize, usize) -> usize) -> Chip {
    let value = |i: usize| pixel(i / 3 % 150, i / 450, i % 3) as u8;
    Chip::new((0..150 * 150 * 3).map(value).collect()).unwrap()
}

#[test]
fn the_embedder_gives_what_dlib_gives() {
    let net = DlibNet::load(&weights()).unwrap();
    let chips = [
        ("dlib150 zeros", chip(|_, _, _| 0)),
        ("dlib150 gradient: r=x, g=y, b=(x+y)%256", chip(|x, y, c| [x, y, (x + y) % 256][c])),
        (
            "dlib150 pattern: v=(x*x+3*y+50*c)%256, c=0 R,1 G,2 B",
            chip(|x, y, c| (x * x + 3 * y + 50 * c) % 256),
        ),
    ];
    let wanted = vectors("testvectors.json");
    let got = net.raw(&chips.each_ref().map(|(_, chip)| chip.clone())).unwrap();
    for ((name, _), got) in chips.iter().zip(got) {
        let wanted = numbers(&wanted[name]);
        let off = got.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name}: at most {off:.1e} off");
        assert!(got.len() == 128 && off < 1e-3, "{name}: {off} off");
    }
}

#[test]
fn a_chip_and_its_mirror_image_have_one_template() {
    let net = DlibNet::load(&weights()).unwrap();
    let chip = chip(|x, y, c| (x * x + 3 * y + 50 * c) % 256);
    let templates = net.embed(&[chip.clone(), chip.mirrored()]).unwrap();
    assert!(templates[0].cosine(&templates[1]) > 0.999_999);
    let raw = net.raw(&[chip.clone(), chip.mirrored()]).unwrap();
    let sum = raw[0].iter().zip(&raw[1]).map(|(a, b)| a + b).collect();
    assert!(templates[0].cosine(&Template::from_raw(sum).unwrap()) > 0.999_999);
}

fn reference() -> BTreeMap<String, Vec<Face>> {
    let point = |value: &Value| {
        let [x, y] = numbers(value).try_into().unwrap();
        Point { x, y }
    };
    let face = |value: &Value| {
        let [left, top, right, bottom] = numbers(&value["box"]).try_into().unwrap();
        let points: Vec<Point> = value["points"].as_array().unwrap().iter().map(point).collect();
        Face {
            rect: Rect { left, top, right, bottom },
            score: value["score"].as_f64().unwrap() as f32,
            points: points.try_into().unwrap(),
        }
    };
    let all = vectors("portraits.json");
    let pictures = all.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with('_'));
    let faces = |value: &Value| value["faces"].as_array().unwrap().iter().map(face).collect();
    pictures.map(|(name, value)| (name.clone(), faces(value))).collect()
}

#[test]
fn faces_of_the_portraits_lie_where_the_reference_finds_them() {
    let detector = Mtcnn::load(&weights()).unwrap();
    for (name, wanted) in reference() {
        let found = detector.detect(&portrait(&name), 40.0).unwrap();
        assert_eq!(found.len(), wanted.len(), "faces in {name}");
        for (found, wanted) in found.iter().zip(&wanted) {
            let overlap = found.rect.iou(&wanted.rect);
            let pairs = found.points.iter().zip(&wanted.points);
            let off = pairs.map(|(a, b)| a.distance(*b)).fold(0.0, f32::max);
            let off = off / wanted.eye_distance();
            println!("{name}: IoU {overlap:.4}, points at most {:.2} % off", off * 100.0);
            assert!(overlap > 0.95, "{name}: {overlap}");
            assert!(off < 0.02, "{name}: {off}");
            assert!((found.score - wanted.score).abs() < 0.01, "{name}: {}", found.score);
        }
    }
}

#[test]
fn templates_of_the_portraits_are_as_alike_as_in_the_reference() {
    let pack = Pack::load(&weights()).unwrap();
    let embed = |name: &String| {
        let picture = portrait(name);
        pack.embed(&picture, &pack.detect(&picture).unwrap()[0]).unwrap()
    };
    let templates: BTreeMap<_, _> = reference().keys().map(|n| (n.clone(), embed(n))).collect();
    let wanted = vectors("portraits.json");
    let pairs = wanted["_cosines"].as_object().unwrap();
    assert_eq!(pairs.len(), 21);
    for (pair, wanted) in pairs {
        let (a, b) = pair.split_once(" ~ ").unwrap();
        let [a, b] = [a, b].map(|face| &templates[face.strip_suffix("#0").unwrap()]);
        let (got, wanted) = (a.cosine(b), wanted.as_f64().unwrap() as f32);
        println!("{pair}: {got:.4}, reference {wanted:.4}");
        assert!((got - wanted).abs() < 0.005, "{pair}: {got}, reference {wanted}");
    }
}

/// Numbers that look like noise, the same every time.
fn noise(width: u32, height: u32) -> Picture {
    let mut state = 7u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    Picture::new(width, height, (0..width * height * 3).map(|_| byte()).collect()).unwrap()
}

#[test]
fn pictures_of_any_shape_without_a_face_give_none() {
    let detector = Mtcnn::load(&weights()).unwrap();
    for (width, height) in [(1, 1), (11, 400), (12, 12), (13, 4000), (4000, 13), (200, 150)] {
        for least in [0.0, 12.0, 40.0, f32::INFINITY] {
            let found = detector.detect(&noise(width, height), least).unwrap();
            assert!(found.is_empty(), "{width}×{height}, from {least}: {found:?}");
        }
    }
}

#[test]
fn one_pack_serves_many_threads() {
    let pack = Pack::load(&weights()).unwrap();
    let chip = chip(|x, y, c| (x * x + 3 * y + 50 * c) % 256);
    let alone = pack.embed_cuts(&[Cut::of(chip.clone())]).unwrap();
    std::thread::scope(|scope| {
        let work = || pack.embed_cuts(&[chip.clone(), chip.mirrored()].map(Cut::of)).unwrap();
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            assert!(thread.join().unwrap().iter().all(|t| t.cosine(&alone[0]) > 0.999_999));
        }
    });
}
