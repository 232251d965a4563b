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
