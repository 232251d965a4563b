//! What signs galleries.

use crate::work::{LIMIT, Work, knows, until};
use house::portraits;
use house::process::Process;
use house::school::{Door, wall};

/// The version that a door runs, once it is `least`.
fn runs(door: &Door, edge: &mut Process, least: u64) -> u64 {
    let newer = || door.status().ok()?["gallery"].as_u64().filter(|version| *version >= least);
    edge.until("the gallery", LIMIT, newer).unwrap()
}

#[test]
fn a_door_follows_the_hubs_next_signing_key_under_load_and_takes_nothing_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    let door = work.school().door("door-1", &wall(dir.path()).unwrap()).unwrap();
    let kept = dir.path().join("kept");
    work.keep(&kept);
    let mut edge = door.open().unwrap();
    let (first, pinned) = (runs(&door, &mut edge, 1), knows(&door.data(), "gallery_key"));
    work.rotate("gallery");
    let second = runs(&door, &mut edge, first + 1);
    until("the next key", || knows(&door.data(), "gallery_key") != pinned);
    // Twice while it is away, and started anew.
    edge.stop().unwrap();
    (0..2).for_each(|_| work.rotate("gallery"));
    let mut edge = door.open().unwrap();
    let third = runs(&door, &mut edge, second + 1);
    assert_eq!(door.status().unwrap()["gallery_trouble"], "");
    work.end(2);

    // Somebody has the first key, and signs with it.
    work.put_back(&kept);
    let photo = portraits().join("biden.jpg").display().to_string();
    work.school().hub(&["student", "add", "S2", "Second"]).unwrap();
    work.school().hub(&["enrol", "S2", &photo, "--consent-by", "test"]).unwrap();
    let refused = || {
        let status = door.status().ok()?;
        let why = status["gallery_trouble"].as_str()?.to_owned();
        (!why.is_empty()).then(|| (why, status["gallery"].as_u64()))
    };
    let (why, runs) = edge.until("the refusal", LIMIT, refused).unwrap();
    assert!(why.contains("not from the hub this device joined"), "{why}");
    assert_eq!(runs, Some(third));
}
