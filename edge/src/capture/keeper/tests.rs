use super::*;
use crate::capture::config::{Command, Pictures};
use std::time::Instant;
use tokio::sync::watch;
use wire::time::SystemClock;

fn keeper(config: Config) -> (Keeper, Arc<Ring>, watch::Receiver<CameraState>) {
    let ring = Arc::new(Ring::default());
    let (state, seen) = watch::channel(CameraState::Blind);
    let keeper = Keeper {
        config,
        ring: ring.clone(),
        clock: Arc::new(SystemClock),
        state,
        beat: crate::pulse::Beat::default(),
    };
    (keeper, ring, seen)
}

fn shell(script: &str) -> Config {
    Config::Command(Command { command: ["sh", "-c", script].map(String::from).into() })
}

/// Runs the keeper until `count` frames came, then stops it.
fn run_until(config: Config, count: u64) -> (u64, CameraState) {
    let (keeper, ring, seen) = keeper(config);
    let stop = Leash::default();
    let stopper = stop.clone();
    let running = std::thread::spawn(move || keeper.run(&stop));
    let started = Instant::now();
    while ring.count() < count && started.elapsed() < Duration::from_secs(20) {
        ring.next(ring.count(), Duration::from_millis(100));
    }
    stopper.cut();
    running.join().unwrap().unwrap();
    (ring.count(), *seen.borrow())
}

fn jpeg(folder: &std::path::Path) -> std::path::PathBuf {
    let file = folder.join("one.jpg");
    let picture = vision::Picture::new(16, 16, vec![90; 16 * 16 * 3]).unwrap();
    std::fs::write(&file, picture.to_jpeg(80)).unwrap();
    file
}

#[test]
fn a_program_that_dies_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let once = format!("cat {}", jpeg(folder.path()).display());
    assert_eq!(run_until(shell(&once), 2).0, 2);
}

#[test]
fn a_program_that_goes_on_is_killed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = jpeg(folder.path());
    let id = folder.path().join("pid");
    let script =
        format!("echo $$ > {}; while cat {}; do sleep 0.05; done", id.display(), file.display());
    assert!(run_until(shell(&script), 3).0 >= 3);
    let pid: u32 = std::fs::read_to_string(id).unwrap().trim().parse().unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_program_that_is_not_there_leaves_the_door_blind() {
    let (keeper, ring, seen) =
        keeper(Config::Command(Command { command: vec!["/no/such".into()] }));
    let (leash, ended) = keeper.start();
    let error = ended.recv().unwrap().to_string();
    leash.cut();
    assert!(error.starts_with("camera “/no/such” cannot be opened: No such file"), "{error}");
    assert_eq!((ring.count(), *seen.borrow()), (0, CameraState::Blind));
}

#[test]
fn every_picture_is_shown_once_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.jpg", "a.jpg", ".hidden", "c.jpg"] {
        std::fs::copy(jpeg(folder.path()), folder.path().join(name)).unwrap();
    }
    let pictures = Pictures { paths: vec![folder.path().into()], pace_ms: 1, repeat: false };
    assert_eq!(run_until(Config::Pictures(pictures), 4).0, 4);
}

#[test]
fn silence_is_measured_from_the_last_frame() {
    assert!(!is_silent(Mono(1_000), Mono(10_999), SILENCE_MS));
    assert!(is_silent(Mono(1_000), Mono(11_000), SILENCE_MS));
}

#[test]
fn a_cut_leash_kills_what_is_tied_to_it_later() {
    let leash = Leash::default();
    leash.cut();
    let child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let id = child.id();
    leash.tie(child);
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
}
