//! What signs tokens, and what wraps all keys of people.

use crate::work::{Work, until};
use house::history::Verdict;
use std::fs;
use store::keys::Keys;

#[test]
fn the_key_of_tokens_is_replaced_under_load_and_the_one_before_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    let first = work.school().admin().unwrap();
    work.rotate("tokens");
    work.restart(|_| ());
    let second = work.school().admin().unwrap();
    assert_eq!(first.get("/api/students").unwrap()[0]["student_number"], "S1", "it counts still");
    work.rotate("tokens");
    let refused = || first.get("/api/students").is_err_and(|why| why.to_string().contains("401"));
    until("the end of the first", refused);
    second.get("/api/students").unwrap();
    work.school().admin().unwrap().get("/api/students").unwrap();
    work.end(1);
}

#[test]
fn what_wraps_all_keys_is_replaced_under_load_and_the_one_before_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    let (before, mixed) = (dir.path().join("before"), dir.path().join("mixed"));
    work.keep(&before);
    work.rotate("kek");
    work.restart(|_| ());
    work.keep(&mixed);
    Keys::open_copy(&mixed).unwrap();
    fs::copy(before.join("kek"), mixed.join("kek")).unwrap();
    assert!(Keys::open_copy(&mixed).is_err(), "the old one opens nothing of today");
    Keys::open_copy(&before).unwrap();
    work.end(1);
    work.rig.double_one().unwrap();
    let seen = Verdict { doubled: 1, ..Verdict::default() };
    assert_eq!(work.rig.verdict().unwrap(), seen, "the check can fail");
}
