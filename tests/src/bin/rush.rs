//! `rush [ROUNDS]`: six people in four seconds, again and again, at a door with as much processor as
//! two cores of a Raspberry Pi 4 are.
//!
//! The real hub and the real daemon, its camera a program that plays a film. The daemon and its
//! camera share a control group whose quota stands for the board: [`quota`] says how it is derived.
#![expect(clippy::unwrap_used, reason = "a measurement may stop at the first surprise")]

#[expect(dead_code, reason = "tests of the door use more of the stage")]
#[path = "../../../edge/tests/stage/mod.rs"]
mod stage;

use anyhow::{Context as _, ensure};
use house::process::Process;
use house::school::{Door, School};
use rollcall_edge::control::{Answer, Question, ask};
use rollcall_edge::status::Counts;
use rustix::time::{ClockId, clock_gettime};
use stage::{PACK, Place, head, portrait, put, wall};
use std::io::{BufReader, Read, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};
use vision::{Picture, Template};

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

/// Instructions that one frame with one face takes with NEON: found, chip and mirror image
/// (`./dev arm night` counts them).
const INSTRUCTIONS: f64 = 452e6;
/// Instructions that a core of a Pi 4 does in a millisecond: 1.5 GHz, one in each tick. Its cores can
/// begin three, of which one multiplies four numbers; ours mostly multiply.
const EACH_MS: f64 = 1.5e6;
/// Cores that finding and comparing faces keep busy; a Pi 4 has four.
const CORES: f64 = 2.0;

/// From the trigger to the first green light, at most.
const GREEN: Duration = Duration::from_millis(1_000);
/// Of the package's unit.
const WATCHDOG: Duration = Duration::from_secs(30);
const PERIOD_US: f64 = 20_000.0;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, film, rounds] = &args[..]
        && verb == "play"
    {
        return play(Path::new(film), rounds.parse()?);
    }
    let rounds = args.first().map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let faces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/faces/deepface");
    if !faces.is_dir() {
        return Ok(writeln!(std::io::stdout(), "skipped: the photos of six people are not there")?);
    }
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let people = people(&faces)?;
    let share = quota()?;
    let whole = rush(&people, rounds, share)?;
    whole.print("as a Pi 4")?;
    let tenth = rush(&people, 2, share / 10.0)?;
    tenth.print("control, a tenth of it")?;
    let passed = [whole.is_well(), !tenth.is_well()].into_iter().filter(|well| *well).count();
    writeln!(std::io::stdout(), "{passed} passed, {} failed", 2 - passed)?;
    ensure!(passed == 2, "the door does not bear the rush, or the control does");
    Ok(())
}

/// What part of a core of this machine the door gets: this machine's time for a frame with one face,
/// by the time that a core of a Pi 4 takes for its instructions, for two cores.
fn quota() -> anyhow::Result<f64> {
    let mut frame = wall();
    put(&mut frame, &head("obama.jpg"), &Place { x: 320.0, y: 240.0, width: 200.0, light: 1.0 });
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

/// Photos of six people, each unlike the others.
fn people(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "jpg"));
    files.sort();
    let mut chosen: Vec<(PathBuf, Template)> = Vec::new();
    for file in files {
        let photo = portrait(file.to_str().context("an odd name")?);
        let faces = PACK.detect(&photo)?;
        let [face] = &faces[..] else { continue };
        let template = PACK.embed(&photo, face)?;
        let is_new = chosen.iter().all(|(_, other)| other.cosine(&template) < 0.88);
        if face.rect.width() >= 110.0 && is_new {
            chosen.push((file, template));
        }
        if chosen.len() == PEOPLE {
            return Ok(chosen.into_iter().map(|(file, _)| file).collect());
        }
    }
    anyhow::bail!("{} unlike people in {}", chosen.len(), folder.display())
}

/// One round, as the camera sees it.
fn film(people: &[PathBuf]) -> Vec<Vec<u8>> {
    let heads: Vec<Picture> = people.iter().map(|file| head(file.to_str().unwrap())).collect();
    let empty = wall();
    let frame = |n: usize| {
        let mut frame = empty.clone();
        for (person, head) in heads.iter().enumerate() {
            let begins = 15 + person * RUSH / PEOPLE;
            let Some(step) = n.checked_sub(begins).filter(|step| *step < STAY) else { continue };
            let nearer = step as f32 / STAY as f32;
            let x = 115.0 + 205.0 * (person % 3) as f32 + 10.0 * nearer;
            let width = 150.0 + 60.0 * nearer;
            put(
                &mut frame,
                head,
                &Place { x, y: 230.0 + 20.0 * nearer, width, light: 0.85 + 0.1 * nearer },
            );
        }
        frame.to_jpeg(90)
    };
    (0..ROUND).map(frame).collect()
}

/// Plays a film to standard output, as a camera program does; then the door is empty.
fn play(film: &Path, rounds: usize) -> anyhow::Result<()> {
    let mut file = BufReader::new(fs::File::open(film)?);
    let mut frames = Vec::new();
    let mut length = [0; 4];
    while file.read_exact(&mut length).is_ok() {
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        file.read_exact(&mut frame)?;
        frames.push(frame);
    }
    let mut out = std::io::stdout().lock();
    let began = Instant::now();
    for n in 0u64.. {
        let round = n as usize / frames.len();
        let is_rush = (QUIET..QUIET + rounds).contains(&round);
        let frame = if is_rush { &frames[n as usize % frames.len()] } else { &frames[0] };
        out.write_all(frame)?;
        out.flush()?;
        let next = Duration::from_millis((n + 1) * 1_000 / FPS);
        thread::sleep(next.saturating_sub(began.elapsed()));
    }
    Ok(())
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
        let at = |share: usize| {
            greens.get((greens.len() * share / 100).min(greens.len().saturating_sub(1)))
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
            "{what}: {} rounds, {records} records of {} passages, at the hub {:?} of each person; first green median {:?}, p95 {:?}, worst {:?}; \
             {triggered} triggers, {bursts} bursts, {dropped_bursts} dropped; {frames} frames looked at, {rested_frames} passed over, {dropped_frames} dropped; \
             systemd heard nothing for {:?} at most",
            self.rounds,
            self.rounds * PEOPLE,
            self.stored,
            at(50),
            at(95),
            greens.last(),
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
    let frames = film(people);
    fs::write(
        &file,
        frames
            .iter()
            .flat_map(|frame| [&(frame.len() as u32).to_be_bytes()[..], frame].concat())
            .collect::<Vec<u8>>(),
    )?;
    let me = std::env::current_exe()?;
    let command =
        [me.display().to_string(), "play".into(), file.display().to_string(), rounds.to_string()];
    let _hub = school.open()?;
    let config = format!(
        "[camera]\nkind = \"command\"\ncommand = {command:?}\n[trigger.motion]\n[recognise]\ncooldown_ms = 3000\n"
    );
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

/// A control group with a part of one core; gone on drop, once nobody is in it.
struct Group(PathBuf);

impl Group {
    fn new(share: f64) -> anyhow::Result<Self> {
        let quota = (PERIOD_US * share).max(1_000.0).round();
        let old = Path::new("/sys/fs/cgroup/cpu");
        let root = if old.is_dir() { old } else { Path::new("/sys/fs/cgroup") };
        let group = Self(root.join(format!("rollcall-rush-{}", std::process::id())));
        fs::create_dir_all(&group.0).context("a control group cannot be made: run this as root")?;
        if old.is_dir() {
            fs::write(group.0.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
            fs::write(group.0.join("cpu.cfs_quota_us"), quota.to_string())?;
        } else {
            fs::write(group.0.join("cpu.max"), format!("{quota} {PERIOD_US}"))?;
        }
        Ok(group)
    }

    fn take(&self, process: u32) -> anyhow::Result<()> {
        Ok(fs::write(self.0.join("cgroup.procs"), process.to_string())?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _still_in_use = fs::remove_dir(&self.0);
    }
}
