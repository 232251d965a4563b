//! The dashboard draws what the hub measures: each of its metrics is one, and none is forgotten.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How metrics are made, up to the name.
const MADE: [&str; 4] = ["counter!(\"", "gauge!(\"", "histogram!(\"", "set(door, \""];
/// What Prometheus makes of the name of a histogram.
const ENDS: [&str; 3] = ["_bucket", "_sum", "_count"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The metrics that the code below `place` makes.
fn made(place: &Path, all: &mut BTreeSet<String>) {
    if place.is_dir() {
        fs::read_dir(place).unwrap().for_each(|entry| made(&entry.unwrap().path(), all));
    } else if place.extension().is_some_and(|end| end == "rs") {
        let code = fs::read_to_string(place).unwrap();
        for how in MADE {
            let named = code.split(how).skip(1).filter_map(|rest| rest.split_once('"'));
            all.extend(named.map(|(name, _)| name.to_owned()));
        }
    }
}

/// Every question that the dashboard asks: those of its panels, and of its lists to choose from.
fn questions(dashboard: &Value, all: &mut Vec<String>) {
    match dashboard {
        Value::Array(some) => some.iter().for_each(|one| questions(one, all)),
        Value::Object(some) => some.iter().for_each(|(key, value)| match value {
            Value::String(text) if key == "expr" || key == "definition" => all.push(text.clone()),
            other => questions(other, all),
        }),
        _ => {}
    }
}

/// The metrics that a question names: words that are no function, label, number or text.
fn named(question: &str) -> BTreeSet<String> {
    let mut bare = question.to_owned();
    for (from, to) in [('"', '"'), ('{', '}'), ('[', ']')] {
        while let Some((before, rest)) = bare.split_once(from) {
            bare = format!("{before} {}", rest.split_once(to).unwrap().1);
        }
    }
    for labels in ["by (", "without ("] {
        while let Some((before, rest)) = bare.split_once(labels) {
            bare = format!("{before} {}", rest.split_once(')').unwrap().1);
        }
    }
    // label_values(metric, label) has a label for its last.
    let bare =
        bare.strip_prefix("label_values(").map_or(&*bare, |of| of.split(',').next().unwrap());
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut all = BTreeSet::new();
    let mut rest = bare;
    while let Some(at) = rest.find(word) {
        let end = rest[at..].find(|c| !word(c)).map_or(rest.len(), |end| at + end);
        let (name, after) = (&rest[at..end], rest[end..].trim_start());
        if !name.starts_with(|c: char| c.is_ascii_digit()) && !after.starts_with('(') {
            all.insert(name.to_owned());
        }
        rest = &rest[end..];
    }
    all
}

/// The metrics of `dashboard` that nobody makes.
fn unknown(dashboard: &Value, made: &BTreeSet<String>) -> BTreeSet<String> {
    let is_made = |name: &String| {
        let whole = ENDS.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        made.contains(name) || made.contains(whole)
    };
    let mut all = Vec::new();
    questions(dashboard, &mut all);
    assert!(all.len() > 30, "{all:?}");
    all.iter().flat_map(|question| named(question)).filter(|name| !is_made(name)).collect()
}

fn both() -> (Value, String, BTreeSet<String>) {
    let text = fs::read_to_string(root().join("docs/grafana/rollcall.json")).unwrap();
    let mut all = BTreeSet::new();
    made(&root().join("hub"), &mut all);
    assert!(all.len() > 20, "{all:?}");
    (serde_json::from_str(&text).unwrap(), text, all)
}

#[test]
fn the_dashboard_draws_what_the_hub_measures() {
    let (dashboard, text, made) = both();
    assert_eq!(unknown(&dashboard, &made), BTreeSet::new(), "nobody measures these");
    let misspelt = text.replace("doors_online", "doors_on_line");
    let misspelt = serde_json::from_str(&misspelt).unwrap();
    assert_eq!(unknown(&misspelt, &made), BTreeSet::from(["doors_on_line".to_owned()]));
}

#[test]
fn whatever_is_measured_is_drawn_and_explained() {
    let (_, text, made) = both();
    let page = fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    for name in made {
        assert!(text.contains(&name), "the dashboard does not draw {name}");
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/OPERATIONS.md does not say what {name} is"
        );
    }
}
