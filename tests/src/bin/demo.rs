//! `./dev demo`: a hub and a door in one folder; sample portraits pass the door.
//!
//! One person is enrolled from one portrait. With `--once` it ends by itself: exit 0 if and only
//! if exactly the expected pictures were recognised as that person.

use anyhow::{Context as _, bail, ensure};
use house::client::Api;
use house::portraits;
use house::process::Process;
use house::school::{Door, School};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The number of the enrolled person.
const STUDENT: &str = "S-1001";
/// Portraits of the person in obama.jpg, who must be recognised.
const KNOWN: [&str; 3] = ["obama2.jpg", "obama3.jpg", "32bit.png"];
/// Half-hidden faces and a stranger: nobody may be named.
const NOBODY: [&str; 3] = ["obama_partial_face.jpg", "obama_partial_face2.jpg", "biden.jpg"];
/// Time between two pictures: slower than the cooldown.
const PACE_MS: u64 = 1500;

fn main() -> ExitCode {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What was asked for.
struct Args {
    once: bool,
    enrol: String,
}

fn args() -> anyhow::Result<Args> {
    let mut args = Args { once: false, enrol: "obama.jpg".into() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--once" => args.once = true,
            "--enrol" => args.enrol = words.next().context("--enrol takes a portrait's name")?,
            _ => bail!("usage: demo [--once] [--enrol PORTRAIT]"),
        }
    }
    Ok(args)
}

fn run() -> anyhow::Result<()> {
    let args = args()?;
    let dir = folder()?;
    say("Setting up a hub …")?;
    let school = School::found(&dir)?;
    let hub = school.open()?;
    let portrait = portraits().join(&args.enrol);
    say(&format!("Enrolling {STUDENT} from one portrait, {} …", args.enrol))?;
    school.hub(&["student", "add", STUDENT, "Barack", "Obama"])?;
    let photo = portrait.to_str().context("a path that is text")?;
    say(school.hub(&["enrol", STUDENT, photo, "--consent-by", "the demo"])?.trim_end())?;
    say("Joining a door …")?;
    let album = album(&dir)?;
    let door = school.door("door-1", &camera(&album))?;
    fetch_gallery(&door)?;
    say("Six pictures pass the door …")?;
    let edge = pass(&door)?;
    let api = school.admin()?;
    let pending = settled(&api)?;
    say(&report(&door, &album, &pending)?)?;
    let verdict = judge(&door, &album, &pending);
    if args.once {
        edge.stop()?;
        hub.stop()?;
        verdict?;
        return say("As expected: three recognised, three unknown.");
    }
    stay(&school, verdict)
}

/// A new folder for each run; the last one is thrown away.
fn folder() -> anyhow::Result<PathBuf> {
    let dir = std::env::current_dir()?.join("target/demo").join(std::process::id().to_string());
    let _nothing_there = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("writing to the terminal")
}

/// The pictures that pass the door, in one folder.
fn album(dir: &Path) -> anyhow::Result<PathBuf> {
    let album = dir.join("album");
    fs::create_dir_all(&album)?;
    for name in KNOWN.iter().chain(&NOBODY) {
        let from = portraits().join(name);
        fs::copy(&from, album.join(name)).with_context(|| from.display().to_string())?;
    }
    Ok(album)
}

/// The first picture passes the moment the door starts: the key of its gallery is on its disk.
fn camera(album: &Path) -> String {
    format!(
        "[camera]\nkind = \"pictures\"\npaths = [{album:?}]\npace_ms = {PACE_MS}\nrepeat = false\n\
         [recognise]\ncooldown_ms = 1000\nhold_ms = 200\nmin_face = 40\n\
         [gallery]\nkey = \"disk\"\n"
    )
}

/// Runs the daemon before a blank wall until it has the gallery.
fn fetch_gallery(door: &Door) -> anyhow::Result<()> {
    let wall = door.data().with_file_name("wall");
    fs::create_dir_all(&wall)?;
    let grey = vision::Picture::new(320, 240, vec![128; 320 * 240 * 3])?;
    fs::write(wall.join("wall.jpg"), grey.to_jpeg(90))?;
    let config = camera(&wall).replace("repeat = false", "repeat = true");
    let waiting = door.with_camera("waiting.toml", &config)?;
    let mut edge = waiting.open()?;
    edge.until("the gallery", Duration::from_secs(20), || {
        let status = waiting.status().ok()?;
        (status["gallery"].as_u64()? > 0 && status["people"] == 1).then_some(())
    })?;
    edge.stop()?;
    Ok(())
}

/// Runs the daemon until every picture has passed.
fn pass(door: &Door) -> anyhow::Result<Process> {
    let mut edge = door.open()?;
    let all = (KNOWN.len() + NOBODY.len()) as u64;
    edge.until("all pictures passed", Duration::from_secs(60), || {
        let status = door.status().ok()?;
        (status["counts"]["passages"].as_u64()? >= all).then_some(())
    })?;
    Ok(edge)
}

/// The pending records, once all that is expected has come or nothing more does.
fn settled(api: &Api) -> anyhow::Result<Vec<Value>> {
    let mut records = Vec::new();
    for _ in 0..50 {
        records = api.get("/api/attendance/pending")?.as_array().context("a list")?.clone();
        if records.len() >= KNOWN.len() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(records)
}

/// What the door makes of each picture, and what the hub got.
fn report(door: &Door, album: &Path, pending: &[Value]) -> anyhow::Result<String> {
    let mut text = String::from("\nAt the door:\n");
    text += &door.replay(album)?;
    text += "\nWaiting for the teacher:\n";
    for record in pending {
        let field = |name: &str| record[name].as_str().unwrap_or("?").to_owned();
        let confidence = record["confidence"].as_f64().unwrap_or(0.0);
        writeln!(
            text,
            "  {}  {:<14} {:<8} confidence {confidence:.2}  {}",
            field("timestamp"),
            field("predicted_name"),
            field("predicted_student_id"),
            field("review_status"),
        )?;
    }
    Ok(text)
}

/// Whether exactly the expected happened.
fn judge(door: &Door, album: &Path, pending: &[Value]) -> anyhow::Result<()> {
    let replayed = door.replay(album)?;
    for (names, known) in [(KNOWN, true), (NOBODY, false)] {
        for name in names {
            let line = replayed.lines().skip_while(|line| line.trim() != name).nth(2);
            let line = line.with_context(|| format!("{name}: no face was found"))?.trim();
            ensure!(line.starts_with("unknown") != known, "{name}: {line}");
        }
    }
    let counts = door.status()?["counts"].clone();
    ensure!(counts["unknown"] == NOBODY.len(), "unknown passages: {}", counts["unknown"]);
    ensure!(pending.len() == KNOWN.len(), "{} records are pending, not 3", pending.len());
    let right = |record: &Value| record["predicted_student_id"] == STUDENT;
    ensure!(pending.iter().all(right), "somebody else was named");
    Ok(())
}

fn stay(school: &School, verdict: anyhow::Result<()>) -> anyhow::Result<()> {
    if let Err(error) = verdict {
        say(&format!("Not as expected: {error:#}"))?;
    }
    let port = school.ports.web;
    say(&format!(
        "\nOpen      https://localhost:{port}/review   (the certificate is the demo's own)\n\
         Sign in   {}\nPassword  {}\nEnd with Ctrl-C.",
        house::school::ADMIN,
        house::school::PASSWORD
    ))?;
    loop {
        std::thread::park();
    }
}
