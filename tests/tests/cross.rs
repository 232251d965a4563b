//! `cross.toml` says only what the tool `cross` knows: a key it does not know it passes over.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use toml::{Table, Value};

const BUILD: [&str; 7] =
    ["env", "xargo", "build-std", "zig", "default-target", "pre-build", "dockerfile"];
const TARGET: [&str; 8] =
    ["env", "xargo", "build-std", "zig", "image", "runner", "pre-build", "dockerfile"];
const ENV: [&str; 2] = ["volumes", "passthrough"];

/// The keys below `table` that are none of `known`, with `env` opened.
fn strange(table: &Value, known: &[&str]) -> Vec<String> {
    let Some(table) = table.as_table() else { return vec![table.to_string()] };
    let mut strange: Vec<_> =
        table.keys().filter(|key| !known.contains(&key.as_str())).cloned().collect();
    if let Some(env) = table.get("env").filter(|_| known.contains(&"env")) {
        strange.extend(self::strange(env, &ENV));
    }
    strange
}

fn strange_in(text: &str) -> Vec<String> {
    let said: Table = text.parse().unwrap();
    let of = |(key, value): (&String, &Value)| match key.as_str() {
        "build" => strange(value, &BUILD),
        "target" => {
            value.as_table().unwrap().values().flat_map(|one| strange(one, &TARGET)).collect()
        }
        other => vec![other.to_owned()],
    };
    said.iter().flat_map(of).collect()
}

#[test]
fn cross_is_told_nothing_that_it_does_not_know() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cross.toml");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("[target.aarch64-unknown-linux-gnu]"), "doors are built for it");
    assert_eq!(strange_in(&text), Vec::<String>::new());
    let wrong =
        "[build.env]\npass = []\n[target.a]\nimages = \"b\"\nenv.passthrough = []\n[tool]\n";
    assert_eq!(strange_in(wrong), ["pass", "images", "tool"]);
}
