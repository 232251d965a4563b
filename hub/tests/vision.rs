//! `rollcall-hub vision …` as a technician runs it, on pictures that not every machine has.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it measured and fails loudly"
)]

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use vision::{Limits, Pack, Picture};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn models() -> PathBuf {
    let models = std::env::var_os("ROLLCALL_MODELS").map(PathBuf::from);
    let models = models.unwrap_or_else(|| root().join("models/weights"));
    assert!(
        models.join("pack.toml").exists(),
        "no weights in {}: run models/fetch",
        models.display()
    );
    models
}

fn run(args: &[&str]) -> Output {
    let hub = env!("CARGO_BIN_EXE_rollcall-hub");
    Command::new(hub).arg("vision").args(args).arg("--models").arg(models()).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn public_figures_are_told_apart_as_well_as_by_the_reference() {
    let faces = root().join("../shared/faces/deepface");
    if !faces.exists() {
        println!("skipped: {} is not here", faces.display());
        return;
    }
    let list = faces.join("master.csv");
    let figures =
        json(&["pairs", list.to_str().unwrap(), "--images", faces.to_str().unwrap(), "--json"]);
    println!("{figures:#}");
    assert_eq!(figures["pairs_not_measured"], 0, "the reference finds a face in every picture");
    assert_eq!(figures["pairs"], 300);
    assert!(figures["genuine_min"].as_f64().unwrap() >= 0.935);
    assert!(figures["impostor_max"].as_f64().unwrap() <= 0.928);
}

/// The face of a picture with some of what surrounds it, `side` pixels wide and high.
fn portrait(pack: &Pack, faces: &Path, name: &str, side: u32) -> Picture {
    let bytes = std::fs::read(faces.join(name)).unwrap();
    let picture = vision::decode(&bytes, &Limits::default()).unwrap();
    let found = pack.detect(&picture).unwrap();
    let (rect, wide) = {
        let rect = vision::principal(&found).unwrap().rect;
        (rect, (rect.width().max(rect.height()) * 1.8) as u32)
    };
    let at = |middle: f32| (middle - wide as f32 / 2.0) as i64;
    let (x, y) = (at(rect.centre().x), at(rect.centre().y));
    picture.crop(x, y, wide, wide).unwrap().resized(side, side)
}

/// A portrait in the middle, and somebody else's at its left, one and a half times as large.
fn beside(middle: &Picture, larger: &Picture) -> Picture {
    let (width, height) = (1000, larger.height);
    let mut rgb = vec![90; (width * height * 3) as usize];
    let mut paste = |part: &Picture, left: u32, top: u32| {
        for (y, row) in part.rgb.chunks((part.width * 3) as usize).enumerate() {
            let from = (((y as u32 + top) * width + left) * 3) as usize;
            rgb[from..from + row.len()].copy_from_slice(row);
        }
    };
    paste(larger, 0, 0);
    paste(middle, (width - middle.width) / 2, (height - middle.height) / 2);
    Picture::new(width, height, rgb).unwrap()
}

#[test]
fn lfw_pairs_are_about_the_face_in_the_middle() {
    let faces = root().join("../shared/faces/deepface");
    if !faces.exists() {
        println!("skipped: {} is not here", faces.display());
        return;
    }
    let (pack, folder) = (Pack::load(&models()).unwrap(), tempfile::tempdir().unwrap());
    let people = [("img1.jpg", "img2.jpg", "img8.jpg"), ("img18.jpg", "img19.jpg", "img3.jpg")];
    let mut list = "1\t2\n".to_owned();
    for (n, (one, other, stranger)) in people.into_iter().enumerate() {
        let strangers =
            [portrait(&pack, &faces, stranger, 375), portrait(&pack, &faces, "img16.jpg", 375)];
        std::fs::create_dir(folder.path().join(format!("P{n}"))).unwrap();
        for (m, (name, larger)) in [one, other].into_iter().zip(&strangers).enumerate() {
            let picture = beside(&portrait(&pack, &faces, name, 250), larger);
            let path = folder.path().join(format!("P{n}/P{n}_000{}.jpg", m + 1));
            std::fs::write(path, picture.to_jpeg(95)).unwrap();
        }
        list += &format!("P{n}\t1\t2\n");
    }
    list += "P0\t1\tP1\t1\nP0\t2\tP1\t2\n";
    let pairs = folder.path().join("pairs.txt");
    std::fs::write(&pairs, list).unwrap();
    let (pairs, images) = (pairs.to_str().unwrap(), folder.path().to_str().unwrap());
    let least = |more: &[&str]| {
        let args = [&["pairs", pairs, "--images", images, "--json"], more].concat();
        let figures = json(&args);
        assert_eq!(figures["pairs_not_measured"], 0, "{figures}");
        println!("{more:?}: {figures}");
        figures["genuine_min"].as_f64().unwrap()
    };
    assert!(least(&[]) >= 0.93, "the people in the middle are the same");
    assert!(least(&["--face", "central"]) >= 0.93);
    assert!(least(&["--face", "largest"]) < 0.93, "the strangers at the side are not");
}

#[test]
fn what_is_no_picture_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("face.jpg");
    std::fs::write(&text, "I am not a face").unwrap();
    let output = run(&["embed", text.to_str().unwrap()]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("send a JPEG, PNG, BMP, TIFF or WebP picture\n"), "{said}");
    assert_eq!(said.lines().count(), 1);
}
