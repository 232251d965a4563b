//! The table of faults in docs/DOOR.md is the code's, and each fault was planted.

use rollcall_edge::doctor::Ailment;
use std::path::Path;

/// Where faults are planted; those of a board or a driver in unit tests beside the code.
const TESTS: [&str; 8] = [
    include_str!("board.rs"),
    include_str!("camera.rs"),
    include_str!("daemon.rs"),
    include_str!("hub.rs"),
    include_str!("main.rs"),
    include_str!("place.rs"),
    include_str!("../../src/doctor/camera.rs"),
    include_str!("../../src/doctor/lines.rs"),
];

#[test]
fn each_fault_is_planted_somewhere() {
    for ailment in Ailment::ALL {
        let named = [
            format!("A::{ailment:?}"),
            format!("Some(Ailment::{ailment:?})"),
            format!("Ailment::{ailment:?})"),
        ];
        // What is planted is asserted in a test, after the code.
        let planted = TESTS.iter().any(|text| {
            let text = text.split_once("mod tests {").map_or(*text, |(_, tests)| tests);
            named.iter().any(|name| text.contains(name.as_str()))
        });
        assert!(planted, "nobody plants {ailment:?}");
    }
}

#[test]
fn the_table_of_faults_is_the_codes() {
    let door = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/DOOR.md");
    let text = std::fs::read_to_string(door).unwrap();
    let (_, table) = text.split_once("\n## What `doctor` finds\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let named: Vec<_> = rows.map(|(name, _)| name).collect();
    let known: Vec<_> = Ailment::ALL.iter().map(|ailment| ailment.name()).collect();
    assert_eq!(named, known, "the same faults in the same order");
}
