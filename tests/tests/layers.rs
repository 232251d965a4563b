//! Which crates a program is built of: what the picture forbids, Cargo does not know.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::Command;

/// Every crate that `program` is built of, ours and others', as `cargo tree` names them.
fn crates_of(program: &str) -> Vec<String> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none"]);
    tree.args(["--format", "{lib}", "--package", program]);
    let said = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_door_carries_no_converters() {
    let (door, hub) = (crates_of("rollcall-edge"), crates_of("rollcall-hub"));
    for converter in ["import", "prost"] {
        let has = |crates: &[String]| crates.iter().any(|name| name == converter);
        assert!(!has(&door), "the door is built with {converter}");
        assert!(has(&hub), "not even the hub has {converter}: is it still called so?");
    }
    assert!(door.iter().any(|name| name == "vision"), "{door:?}");
}
