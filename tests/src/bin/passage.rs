//! `./dev bench edge`: how long from the picture at the door to the hub's acknowledgement.
//!
//! The real hub and the real daemon; a relay between them dates every answer of the hub. The
//! last answer to a passage is the acknowledgement that frees the row (sent after COMMIT, at
//! most a quarter of a second later, so that many records share one).

use anyhow::{Context as _, ensure};
use house::portraits;
use house::school::{Door, School};
use house::tap::{Chunk, Tap};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::Write as _;
use std::time::Duration;

/// Passages, so that the slowest of them is near the 99th percentile.
const PASSAGES: usize = 60;
/// Between two passages: longer than any acknowledgement takes.
const PACE_MS: i64 = 1500;
const LIMIT: Duration = Duration::from_secs(180);

fn main() -> anyhow::Result<()> {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = std::env::current_dir()?.join("target/passage");
    let _nothing_there = fs::remove_dir_all(&dir);
    let school = School::found(&dir)?;
    school.hub(&["student", "add", "S-1", "First", "Person"])?;
    let photo = portraits().join("obama.jpg").display().to_string();
    school.hub(&["enrol", "S-1", &photo, "--consent-by", "bench"])?;
    let _hub = school.open()?;
    let door = school.door("door-1", &camera(1, true))?;
    let mut waiting = door.open()?;
    let people = || (door.status().ok()?["people"].as_u64()? > 0).then_some(());
    waiting.until("the gallery", LIMIT, people)?;
    waiting.stop()?;
    let before = passed(&school)?.len();
    let tap = Tap::on(school.ports.mqtt)?;
    door.redirect(school.ports.mqtt, tap.port)?;
    let door = door.with_camera("passing.toml", &camera(PASSAGES, false))?;
    walk(&door)?;
    // The first one comes while the link is still connecting.
    let passed = passed(&school)?.split_off(before + 1);
    report(&passed, &tap.seen())
}

fn camera(pictures: usize, repeat: bool) -> String {
    let names = ["obama2.jpg", "obama3.jpg"].map(|name| portraits().join(name));
    let paths: Vec<_> = names.iter().cycle().take(pictures).collect();
    format!(
        "[camera]\nkind = \"pictures\"\npaths = {paths:?}\npace_ms = {PACE_MS}\n\
         repeat = {repeat}\n[recognise]\nmin_face = 40\ncooldown_ms = 1000\n"
    )
}

fn walk(door: &Door) -> anyhow::Result<()> {
    let mut edge = door.open()?;
    let all = PASSAGES as u64;
    let done = || (door.status().ok()?["counts"]["records"].as_u64()? >= all).then_some(());
    edge.until("all passages", LIMIT, done)?;
    std::thread::sleep(Duration::from_secs(1));
    edge.stop().map(drop)
}

/// When each passage was, and when the hub got it: milliseconds of the same machine's clock.
fn passed(school: &School) -> anyhow::Result<Vec<(i64, i64)>> {
    let file = school.hub_dir().join("hub.db");
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut rows = db.prepare("select at, received_at from sighting order by seq")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect::<Result<_, _>>().context("reading the hub's sightings")
}

fn report(passed: &[(i64, i64)], seen: &[Chunk]) -> anyhow::Result<()> {
    ensure!(passed.len() + 1 >= PASSAGES, "{} of {PASSAGES} arrived", passed.len() + 1);
    let answer = |at: i64| {
        let during = at..at + PACE_MS - 100;
        let answers = seen.iter().filter(|chunk| !chunk.up && during.contains(&chunk.at.0));
        answers.map(|chunk| chunk.at.0 - at).max()
    };
    let stored = passed.iter().map(|(at, received)| received - at).collect();
    let acknowledged = passed.iter().filter_map(|(at, _)| answer(*at)).collect();
    let mut out = std::io::stdout();
    for (what, mut ms) in [("received by the hub", stored), ("acknowledged", acknowledged)] {
        let ms: &mut Vec<i64> = &mut ms;
        ms.sort_unstable();
        ensure!(!ms.is_empty(), "nothing was {what}");
        let share = |of: usize| ms[(ms.len() * of / 100).min(ms.len() - 1)];
        let (half, nearly, n) = (share(50), share(99), ms.len());
        writeln!(out, "trigger to {what:<20} median {half:>4} ms   p99 {nearly:>4} ms   n {n}")?;
    }
    Ok(())
}
