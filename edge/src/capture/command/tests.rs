//! Programs as `rpicam-vid` and `ffmpeg` are where they are not at their best.

use super::*;
use std::fs;
use tempfile::TempDir;
use vision::Picture;
use wire::time::SystemClock;

/// A folder with `1.jpg` and `2.jpg`, and both in `both`.
fn pictures() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let jpeg = |light: u8| Picture::new(16, 16, vec![light; 16 * 16 * 3]).unwrap().to_jpeg(80);
    for (name, bytes) in
        [("1.jpg", jpeg(60)), ("2.jpg", jpeg(160)), ("both", [jpeg(60), jpeg(160)].concat())]
    {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// What `count` looks at the program `script` give; it has `folder` for its own.
fn looks(folder: &TempDir, script: &str, count: usize) -> Vec<Frame> {
    let script = format!("cd {}; {script}", folder.path().display());
    let command = ["sh", "-c", &script].map(String::from).into();
    let lifeline = Lifeline::default();
    let config = config::Command { command, latency_ms: 0 };
    let mut camera = open(&config, Arc::new(SystemClock), &lifeline).unwrap();
    let looks = (0..count).map(|_| camera.next().unwrap()).collect();
    lifeline.cut();
    looks
}

fn bytes(frame: &Frame) -> &[u8] {
    let Pixels::Encoded(bytes) = &frame.pixels else { panic!("{frame:?}") };
    bytes
}

#[test]
fn of_pictures_that_were_held_back_only_the_newest_counts() {
    let folder = pictures();
    let looks = looks(&folder, "cat both; exec sleep 60", 1);
    assert_eq!(bytes(&looks[0]), fs::read(folder.path().join("2.jpg")).unwrap());
}

#[test]
fn a_picture_that_comes_in_two_halves_is_whole() {
    let folder = pictures();
    let script = "head -c 300 1.jpg; echo half >&2; tail -c +301 1.jpg; exec sleep 60";
    let looks = looks(&folder, script, 1);
    assert_eq!(bytes(&looks[0]), fs::read(folder.path().join("1.jpg")).unwrap());
}

#[test]
fn a_picture_that_is_repeated_is_known_as_a_copy() {
    let folder = pictures();
    let same = looks(&folder, "while cat 1.jpg; do sleep 0.01; done", 2);
    let other = looks(&folder, "cat 2.jpg; exec sleep 60", 1);
    assert!(same[1].is_copy_of(&same[0]));
    assert!(!other[0].is_copy_of(&same[0]));
}

#[test]
fn a_program_that_floods_its_standard_error_is_not_held_up() {
    let folder = pictures();
    // Several times what a pipe holds, before the first picture.
    let looks = looks(&folder, "yes frame | head -n 100000 >&2; cat 1.jpg; exec sleep 60", 1);
    assert!(looks[0].picture().is_ok());
}
