//! The rooms of the house: what each crate may know, where each kind of thing is said, and that no
//! two modules need each other. docs/ARCHITECTURE.md has the picture.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod modules;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each of our crates is built on, of ours: the picture, and nothing but it.
const PICTURE: [(&str, &[&str]); 16] = [
    ("wire", &[]),
    ("vision", &["wire"]),
    ("import", &["vision"]),
    ("rules", &["vision", "wire"]),
    ("words", &["rules", "wire"]),
    ("store", &["rules", "vision", "wire"]),
    ("accept", &["rules"]),
    ("config", &["accept", "rules", "store", "vision", "wire"]),
    ("acts", &["config", "rules", "store", "vision", "wire", "words"]),
    ("doors", &["accept", "acts", "config", "rules", "store", "wire"]),
    ("hub-http", &["accept", "acts", "config", "rules", "store", "wire", "words"]),
    ("api", &["acts", "hub-http", "rules", "store", "wire", "words"]),
    ("web", &["acts", "hub-http", "rules", "store", "vision", "wire", "words"]),
    ("rollcall-edge", &["vision", "wire"]),
    (
        "rollcall-hub",
        &[
            "accept", "acts", "api", "config", "doors", "hub-http", "import", "rules", "store",
            "vision", "web", "wire", "words",
        ],
    ),
    ("house", &[]), // the tests: they may see all
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let said = cargo.args(arguments).args(["--offline", "--locked"]).current_dir(top()).output();
    let said = said.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

/// Every crate that `program` is built of, ours and others', as `cargo tree` names them.
fn crates_of(program: &str) -> BTreeSet<String> {
    let how = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{lib}", "--package"];
    cargo(&[&how[..], &[program]].concat()).lines().map(str::to_owned).collect()
}

/// What each of our crates names in its own list of dependencies: ours, and all.
fn named() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let said = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let one = |package: Value| {
        let needs = list(&package["dependencies"]).into_iter();
        let needs: Vec<_> = needs.filter(|one| one["kind"].is_null()).collect();
        let ours = needs.iter().filter(|one| one["path"].is_string());
        let ours = ours.map(|one| text(&one["name"])).collect();
        (text(&package["name"]), (ours, needs.iter().map(|one| text(&one["name"])).collect()))
    };
    list(&said["packages"]).into_iter().map(one).collect()
}

#[test]
fn the_crates_are_the_picture_and_nothing_besides() {
    let (mut there, picture) = (named(), BTreeMap::from(PICTURE));
    let known: BTreeSet<_> = there.keys().map(String::as_str).collect();
    assert_eq!(known, picture.keys().copied().collect(), "a crate is missing in the picture");
    there.remove("house");
    for (name, (ours, _)) in there {
        let drawn: BTreeSet<_> = picture[name.as_str()].iter().map(|of| (*of).to_owned()).collect();
        assert_eq!(ours, drawn, "what {name} is built on");
    }
}

#[test]
fn a_door_carries_no_converters() {
    let (door, hub) = (crates_of("rollcall-edge"), crates_of("rollcall-hub"));
    for converter in ["import", "prost"] {
        assert!(!door.contains(converter), "the door is built with {converter}");
        assert!(
            hub.contains(converter),
            "not even the hub has {converter}: is it still called so?"
        );
    }
    assert!(door.contains("vision"), "{door:?}");
}

#[test]
fn the_rules_know_no_machinery() {
    let (rules, hub) = (crates_of("rules"), crates_of("rollcall-hub"));
    for machine in ["tokio", "rusqlite", "warp", "askama", "reqwest", "hyper", "rustls"] {
        assert!(!rules.contains(machine), "the rules are built with {machine}");
        assert!(hub.contains(machine), "not even the hub has {machine}: is it still called so?");
    }
}

#[test]
fn the_store_alone_speaks_with_the_database() {
    let speak = named().into_iter().filter(|(_, (_, all))| all.contains("rusqlite"));
    let speak: Vec<_> = speak.map(|(name, _)| name).filter(|name| name != "house").collect();
    assert_eq!(speak, ["rollcall-edge", "store"], "a door has its outbox");
    let sql = ["\"select ", "\"insert into ", "\"update ", "\"delete from ", "\"pragma "];
    said_only_in("hub", &sql, &["hub/store/src/"]);
}

#[test]
fn whatever_changes_a_row_is_an_act() {
    let places = ["hub/acts/src/", "hub/http/src/idempotency.rs", "hub/src/"];
    said_only_in("hub", &["db.write(", ".write_behind("], &places);
}

#[test]
fn statuses_are_for_skins() {
    let skins = ["hub/http/src/", "hub/api/src/", "hub/web/src/", "hub/doors/src/"];
    said_only_in("hub", &["StatusCode"], &skins);
}

/// Where a thread is started that belongs to one thing and ends with it: each with its owner.
const THREADS: [&str; 9] = [
    "hub/store/src/db.rs",            // the writer and the readers of the database
    "hub/store/src/postgres.rs",      // a driver that blocks, asked from where that is not allowed
    "hub/store/src/postgres/",        // the line between hubs, and who seeks what is done once
    "hub/src/cli/relocate.rs",        // a long copy, while somebody is told how far it is
    "hub/acts/src/recogniser.rs",     // who owns the networks
    "hub/acts/src/apart.rs",          // a child that may die alone
    "hub/accept/src/porch.rs",        // where those wait who come while the hub is busy
    "edge/src/capture/supervisor.rs", // a camera that may hang in its driver
    "edge/src/capture/command.rs",    // a camera that is another program
];

#[test]
fn only_the_programs_start_anything() {
    let starts = ["tokio::spawn(", ".spawn(", "spawn_local(", "thread::spawn(", "spawn_scoped("];
    for program in ["hub", "edge"] {
        let own = format!("{program}/src/app");
        let places: Vec<_> = THREADS.iter().copied().chain([own.as_str()]).collect();
        said_only_in(program, &starts, &places);
    }
}

/// No line of code under `folder` says one of `words`, but in `places`; and each of those does.
#[track_caller]
fn said_only_in(folder: &str, words: &[&str], places: &[&str]) {
    let mut spoken = BTreeSet::new();
    for (path, line) in modules::lines(&top(), folder) {
        if !words.iter().any(|word| line.contains(word)) {
            continue;
        }
        let place = places.iter().find(|place| path.starts_with(**place));
        let place = place.unwrap_or_else(|| panic!("{path}: {}", line.trim()));
        spoken.insert(*place);
    }
    let silent =
        places.iter().filter(|place| place.starts_with(folder) && !spoken.contains(*place));
    assert_eq!(silent.collect::<Vec<_>>(), Vec::<&&str>::new(), "nothing is said there any more");
}

#[test]
fn no_two_modules_need_each_other() {
    let mut looked = 0;
    for (name, folder) in modules::crates(&top()) {
        let (uses, count) = modules::uses(&folder);
        looked += count;
        assert_eq!(modules::rings(&uses), Vec::<Vec<String>>::new(), "modules of {name} in a ring");
    }
    assert!(looked > 1_000, "only {looked} names of modules were read");
}

#[test]
fn tests_are_not_read_and_what_stands_around_them_is() {
    let text = "#[cfg(test)]\nmod tests;\nlet a = call\n    .db\n    .write(b); // no\n\
                #[cfg(test)]\n#[expect(x)]\nmod inner {\n    fn hidden() {}\n}\nfn last() {}\n";
    let read = modules::outside_tests(text);
    assert!(read.contains(".db.write(b);") && read.contains("fn last()"), "{read}");
    assert!(!read.contains("hidden") && !read.contains("no"), "{read}");
}

#[test]
fn a_ring_is_found() {
    let uses = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a")];
    let uses = uses.map(|(one, other)| (one.to_owned(), other.to_owned()));
    assert_eq!(modules::rings(&uses.into()), [["a", "b", "c"]]);
    let text = "use crate::{store::Db, a::b::{self, C}};\nlet x = crate::d::e(); super::f::g();";
    let named: Vec<_> = modules::named(text, &["here", "there"]).into_iter().collect();
    assert_eq!(named, ["a", "d", "here", "store"]);
}
