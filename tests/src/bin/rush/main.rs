//! `rush [ROUNDS]`: six people in four seconds, again and again, at a door with as much processor as
//! two cores of a Raspberry Pi 4 are; and what the door costs while nobody comes. `rush frame FILE`
//! writes the frame by which the two are compared.
//!
//! The real hub and the real daemon, its camera a program that plays a film. The daemon and its
//! camera share a control group whose quota stands for the board: [`quota`] says how it is derived.
#![expect(clippy::unwrap_used, reason = "a measurement may stop at the first surprise")]

#[expect(dead_code, reason = "tests of the door use more of the stage")]
#[path = "../../../../edge/tests/stage/mod.rs"]
mod stage;

mod film;
mod group;
mod idle;

use anyhow::{Context as _, ensure};
use group::Group;
use house::process::Process;
use house::school::{Door, School};
use rollcall_edge::control::{Answer, Question, ask};
use rollcall_edge::status::Counts;
use rustix::time::{ClockId, clock_gettime};
use stage::{PACK, Place, head, put, wall};
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};
use vision::Picture;

/// Six people in so many frames of 15 a second: four seconds.
const PEOPLE: usize = 6;
const RUSH: usize = 60;
/// One of them is in view for so many frames: 1.6 seconds.
const STAY: usize = 24;
/// Frames of one round, with the quiet after it.
const ROUND: usize = 150;
const FPS: u64 = 15;
/// Before the first round the door is empty for so many: it starts and gets its gallery.
const QUIET: usize = 3;
/// Rounds of a whole run: five minutes.
const ROUNDS: usize = 30;

/// Instructions that the frame of [`frame`] takes with NEON: its face found, chip and mirror image
/// embedded. Counted by `tests/arm/instructions FILE`, with what `rush frame FILE` writes.
const INSTRUCTIONS: f64 = 212e6;
/// Instructions that a core of a Pi 4 does in a millisecond: 1.5 GHz, one in each tick. Its cores can
/// begin three, of which one multiplies four numbers; ours mostly multiply.
const EACH_MS: f64 = 1.5e6;
/// Cores that finding and comparing faces keep busy; a Pi 4 has four.
const CORES: f64 = 2.0;

/// From the trigger to the first green light, at most.
const GREEN: Duration = Duration::from_millis(1_000);
/// Of the package's unit.
const WATCHDOG: Duration = Duration::from_secs(30);

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, film, rounds] = &args[..]
        && verb == "play"
    {
        return film::play(Path::new(film), rounds.parse()?);
    }
    if let [verb, picture] = &args[..]
        && verb == "frame"
    {
        return Ok(fs::write(picture, frame().to_jpeg(95))?);
    }
    let rounds = args.first().map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let faces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/faces/deepface");
    if !faces.is_dir() {
        return Ok(writeln!(std::io::stdout(), "skipped: the photos of six people are not there")?);
    }
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let people = film::people(&faces)?;
    let is_cheap = idle::measure(&people)?;
    let share = quota()?;
    let whole = rush(&people, rounds, share)?;
    whole.print("as a Pi 4")?;
    let tenth = rush(&people, 2, share / 10.0)?;
    tenth.print("control, a tenth of it")?;
    let checks = [is_cheap, whole.is_well(), !tenth.is_well()];
    let passed = checks.iter().filter(|well| **well).count();
    writeln!(std::io::stdout(), "{passed} passed, {} failed", checks.len() - passed)?;
    ensure!(passed == checks.len(), "idle, rush and control are not all as they should be");
    Ok(())
}

/// One face, as near as somebody who comes in.
fn frame() -> Picture {
    let mut frame = wall();
    put(&mut frame, &head("obama.jpg"), &Place { x: 320.0, y: 240.0, width: 200.0, light: 1.0 });
    frame
}

/// What part of a core of this machine the door gets: this machine's time for a frame with one face,
/// by the time that a core of a Pi 4 takes for its instructions, for two cores.
fn quota() -> anyhow::Result<f64> {
    let frame = frame();
    let once = || {
        let began = clock_gettime(ClockId::ThreadCPUTime);
        let faces = PACK.detect(&frame)?;
        PACK.embed(&frame, faces.first().context("the face is not found")?)?;
        let now = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = (now.tv_sec - began.tv_sec) as f64;
        anyhow::Ok(seconds * 1e3 + (now.tv_nsec - began.tv_nsec) as f64 / 1e6)
    };
    let mut times = (0..25).map(|_| once()).collect::<Result<Vec<f64>, _>>()?;
    times.sort_by(f64::total_cmp);
    let here = times[times.len() / 2];
    let there = INSTRUCTIONS / EACH_MS;
    let share = CORES * here / there;
    writeln!(
        std::io::stdout(),
        "a frame with one face: {here:.1} ms here, {there:.0} ms on a core of a Pi 4; two of them are {:.1} % of one core here",
        share * 100.0
    )?;
    Ok(share)
}

/// What came of a rush.
struct Rush {
    rounds: usize,
    counts: Counts,
    /// At the hub, of each person.
    stored: Vec<usize>,
    /// From each round's trigger to its first record.
    greens: Vec<Duration>,
    /// The longest time that systemd heard nothing.
    silence: Duration,
}

impl Rush {
    fn print(&self, what: &str) -> anyhow::Result<()> {
        let mut greens = self.greens.clone();
        greens.sort();
        let last = greens.len().saturating_sub(1);
        let at = |percent: usize| match greens.get((greens.len() * percent / 100).min(last)) {
            Some(green) => format!("{green:.2?}"),
            None => "never".to_owned(),
        };
        let Counts {
            triggered,
            bursts,
            dropped_bursts,
            dropped_frames,
            frames,
            rested_frames,
            records,
            ..
        } = self.counts;
        Ok(writeln!(
            std::io::stdout(),
            "{what}: {} rounds, {records} records of {} passages, at the hub {:?} of each person; first green median {}, p95 {}, worst {}; \
             {triggered} triggers, {bursts} bursts, {dropped_bursts} dropped; {frames} frames looked at, {rested_frames} passed over, {dropped_frames} dropped; \
             systemd heard nothing for {:.1?} at most",
            self.rounds,
            self.rounds * PEOPLE,
            self.stored,
            at(50),
            at(95),
            at(100),
            self.silence,
        )?)
    }

    /// Everybody recorded once in each round, in time, and no watchdog had anything to do.
    fn is_well(&self) -> bool {
        let each = self.stored.len() == PEOPLE && self.stored.iter().all(|n| *n == self.rounds);
        let is_green =
            self.greens.len() == self.rounds && self.greens.iter().all(|green| *green <= GREEN);
        each && is_green && self.silence < WATCHDOG
    }
}

fn rush(people: &[PathBuf], rounds: usize, share: f64) -> anyhow::Result<Rush> {
    let dir = std::env::current_dir()?.join("target/rush");
    let _nothing_there = fs::remove_dir_all(&dir);
    let school = School::found(&dir)?;
    for (n, photo) in people.iter().enumerate() {
        let number = format!("S-{n}");
        school.hub(&["student", "add", &number, "Person", &n.to_string()])?;
        school.hub(&[
            "enrol",
            &number,
            photo.to_str().context("an odd name")?,
            "--consent-by",
            "test",
        ])?;
    }
    let file = dir.join("film");
    film::shoot(people, &file)?;
    let _hub = school.open()?;
    let config = film::camera(&file, rounds)?;
    let door = school.door("door-1", &config)?;
    let group = Group::new(share)?;
    let ear = UnixDatagram::bind(dir.join("notify"))?;
    ear.set_nonblocking(true)?;
    let mut run = door.command(&["run"]);
    run.env("NOTIFY_SOCKET", dir.join("notify"))
        .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    let mut edge = Process::start(&mut run, &dir.join("edge.log"))?;
    group.take(edge.id())?;
    let (counts, greens, silence) = watch(&door, &mut edge, &ear, rounds)?;
    let stored = at_hub(&school, rounds)?;
    edge.stop()?;
    Ok(Rush { rounds, counts, stored, greens, silence })
}

/// Looks at the door until its film is over.
fn watch(
    door: &Door,
    edge: &mut Process,
    ear: &UnixDatagram,
    rounds: usize,
) -> anyhow::Result<(Counts, Vec<Duration>, Duration)> {
    let socket = door.data().join("control.sock");
    let length = Duration::from_secs(ROUND as u64 * (rounds + QUIET + 1) as u64 / FPS);
    let (began, mut heard, mut silence) = (Instant::now(), Instant::now(), Duration::ZERO);
    let mut last: Option<Counts> = None;
    // When the trigger of this round was, until somebody is recorded; and the last one of all.
    let (mut waiting, mut fired) = (None, began);
    let mut greens = Vec::new();
    while began.elapsed() < length {
        thread::sleep(Duration::from_millis(20));
        let mut said = [0; 256];
        while ear.recv(&mut said).is_ok() {
            silence = silence.max(heard.elapsed());
            heard = Instant::now();
        }
        let Ok((Answer::Status(status), _)) = ask(&socket, Question::Status) else {
            edge.until("an answer", Duration::from_secs(60), || {
                ask(&socket, Question::Status).ok()
            })?;
            continue;
        };
        let counts = status.counts;
        if let Some(before) = last.replace(counts.clone()) {
            if counts.triggered > before.triggered {
                if fired.elapsed() > Duration::from_secs(2) {
                    waiting = Some(Instant::now());
                }
                fired = Instant::now();
            }
            if counts.records > before.records
                && let Some(since) = waiting.take()
            {
                greens.push(since.elapsed());
            }
        }
    }
    silence = silence.max(heard.elapsed());
    Ok((last.context("the door never answered")?, greens, silence))
}

/// How many sightings of each person the hub has, once all are there or nothing more comes.
fn at_hub(school: &School, rounds: usize) -> anyhow::Result<Vec<usize>> {
    let db = rusqlite::Connection::open_with_flags(
        school.hub_dir().join("hub.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let mut stored: Vec<usize> = Vec::new();
    for _ in 0..50 {
        let mut rows = db.prepare("select count(*) from sighting group by predicted_student")?;
        stored = rows
            .query_map([], |row| row.get::<_, i64>(0))?
            .map(|n| Ok(usize::try_from(n?)?))
            .collect::<anyhow::Result<_>>()?;
        if stored.iter().sum::<usize>() >= rounds * PEOPLE {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(stored)
}
