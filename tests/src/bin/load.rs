//! `./dev bench hub`: a school of ten thousand with a year behind it, while its doors report a
//! thousand records a second: how long the desk waits, and how much memory the hub takes.
//!
//! `load full` makes the school once (`target/load/full`) and works on a copy of it; `load smoke`
//! does the same with a small school, and only shows that all of it runs.

use acts::gallery;
use anyhow::{Context as _, ensure};
use house::client::Api;
use house::process::Process;
use house::rig::{Sim, model};
use house::school::School;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use store::{Db, keys::Keys};

/// Doors that report; one may say 400 records a second at most.
const DOORS: u32 = 4;
const TEACHER: &str = "load@seed.test";
const PASSWORD: &str = "a desk that is asked a lot";
/// The desk's pages.
const PAGE: &str = "limit=50";

/// How large it is, and how long it takes.
struct Size {
    name: &'static str,
    people: [&'static str; 4],
    rate: u32,
    time: Duration,
    strict: bool,
}

const FULL: Size = Size {
    name: "full",
    people: ["10000", "500", "1000000", "10000"],
    rate: 1000,
    time: Duration::from_secs(60),
    strict: true,
};
const SMOKE: Size = Size {
    name: "smoke",
    people: ["2000", "100", "20000", "500"],
    rate: 100,
    time: Duration::from_secs(5),
    strict: false,
};

fn main() -> anyhow::Result<()> {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let size = match std::env::args().nth(1).as_deref() {
        Some("full") | None => FULL,
        Some("smoke") => SMOKE,
        Some(other) => anyhow::bail!("load takes full or smoke, not {other}"),
    };
    let made = made(&size)?;
    let dir = made.with_extension("run");
    let _nothing_there = fs::remove_dir_all(&dir);
    ensure!(Command::new("cp").arg("-r").arg(&made).arg(&dir).status()?.success(), "no copy");
    let school = School::again(&dir)?;
    prepare(&school)?;
    let faces = faces(&school)?;
    let hub = open(&school)?;
    let doors = doors(&school, &dir, &faces)?;
    lesson(&school.admin()?)?;
    let figures = measure(&school, &size, &doors)?;
    let peak = peak(&hub)?;
    let missed = figures.tell(size.rate, peak)?;
    drop(hub);
    let _may_stay = fs::remove_dir_all(&dir);
    ensure!(missed == 0 || !size.strict, "{missed} goals were missed");
    Ok(())
}

/// The school, made once.
fn made(size: &Size) -> anyhow::Result<PathBuf> {
    let dir = std::env::current_dir()?.join("target/load").join(size.name);
    let mark = dir.join("made");
    if mark.exists() {
        return Ok(dir);
    }
    let _half_made = fs::remove_dir_all(&dir);
    let school = School::found(&dir)?;
    let [students, classes, sightings, pending] = size.people;
    let begun = Instant::now();
    let said = school.hub(&[
        "seed",
        "--students",
        students,
        "--classes",
        classes,
        "--sightings",
        sightings,
        "--pending",
        pending,
    ])?;
    let last = said.lines().last().unwrap_or_default();
    say(&format!("made in {:.0} s: {last}", begun.elapsed().as_secs_f64()))?;
    fs::write(mark, said)?;
    Ok(dir)
}

/// A teacher of the ten largest classes; the first one's lessons wait for a person. The year's
/// crops stay, so that they are there while it is measured, and the timetable has ended.
fn prepare(school: &School) -> anyhow::Result<()> {
    let password = school.hub_dir().join("password");
    fs::write(&password, PASSWORD)?;
    let add = ["user", "add", TEACHER, "--role", "teacher", "--password-stdin"];
    let added = school.hub_command(&add).stdin(fs::File::open(&password)?).output()?;
    ensure!(added.status.success(), "the teacher was not added: {added:?}");
    let db = Connection::open(school.hub_dir().join("hub.db"))?;
    db.execute("update class set policy = 'review' where class_code = 'C0000'", [])?;
    // On the mornings of weekdays its own lessons would be in the way of the one that is measured.
    db.execute("update period set to_day = from_day", [])?;
    db.execute("delete from session where closed_at is null", [])?;
    let stays = json!({ "crop_days": null, "pending_days": null, "logged_days": null });
    db.execute("insert or replace into setting values ('retention', ?1)", [stays.to_string()])?;
    db.execute(
        "insert into teaches (class, teacher, from_day) select c.id, u.id, '2020-01-01'
         from class c, user_account u where c.class_code < 'C0010' and u.email = ?1",
        params![TEACHER],
    )?;
    Ok(())
}

/// The templates of the whole school, one after the other: whoever it is may pass the doors. Those
/// of the first class wait in its lesson, the others are only logged.
fn faces(school: &School) -> anyhow::Result<Vec<u8>> {
    let dir = school.hub_dir();
    let (db, keys) = (Db::open(dir.join("hub.db"))?, Keys::open(&dir)?);
    let model = model()?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let index = runtime.block_on(gallery::load(&db, &keys, &model))?;
    Ok(index.to_gallery().people.into_iter().flat_map(|person| person.template).collect())
}

/// The hub; reading a school of ten thousand takes it a moment.
fn open(school: &School) -> anyhow::Result<Process> {
    let mut hub =
        Process::start(&mut school.hub_command(&["serve"]), &school.hub_dir().join("log"))?;
    let api = school.api()?;
    hub.until("ready", Duration::from_secs(180), || api.get("/ready").ok())?;
    Ok(hub)
}

fn doors(school: &School, dir: &Path, faces: &[u8]) -> anyhow::Result<Vec<PathBuf>> {
    let door = |n: u32| {
        let (name, data) = (format!("load-{n}"), dir.join(format!("load-{n}")));
        fs::create_dir_all(&data)?;
        let said = school.hub(&["device", "add", &name, "--room", "R000"])?;
        let line = said.lines().find(|line| line.contains("rollcall-edge join "));
        let words: Vec<_> = line.context("no join command")?.split_whitespace().collect();
        let [.., url, token] = words[..] else { anyhow::bail!("no address and token") };
        rollcall_edge::join::join(url, token, &data)?;
        fs::write(data.join("template"), faces)?;
        Ok(data)
    };
    (0..DOORS).map(door).collect()
}

/// The lesson that the doors' records fall into.
fn lesson(admin: &Api) -> anyhow::Result<()> {
    let lesson = json!({ "class_id": "C0000", "room": "R000", "name": "Load" });
    admin.post("/api/sessions", &lesson).map(drop)
}

/// What was measured.
#[derive(Default)]
struct Figures {
    admin: Vec<Duration>,
    teacher: Vec<Duration>,
    approve: Vec<Duration>,
    reports: Vec<(&'static str, Duration)>,
    rate: f64,
}

const TREND: &str =
    "/api/analytics/attendance-trend?classId=C0000&dateFrom=2020-01-01&dateTo=2099-12-31";

const REPORTS: [(&str, &str); 9] = [
    ("statistics", "/api/classes/C0000/statistics"),
    ("attendance report", "/api/classes/C0001/attendance-report"),
    ("summary", "/api/attendance/summary/C0000"),
    ("by class", "/api/attendance/by-class/C0001"),
    ("today", "/api/attendance/today"),
    ("trend", TREND),
    ("months", "/api/analytics/monthly-summary?classId=C0000"),
    ("class risk", "/api/analytics/class-risk"),
    ("global", "/api/analytics/global"),
];

fn measure(school: &School, size: &Size, doors: &[PathBuf]) -> anyhow::Result<Figures> {
    let (admin, mut teacher) = (school.admin()?, school.api()?);
    teacher.sign_in(TEACHER, PASSWORD)?;
    let per_door = size.rate / DOORS;
    let sims: Vec<_> =
        doors.iter().map(|data| Sim::start(data, per_door)).collect::<Result<_, _>>()?;
    let each = || sims.iter().map(|sim| sim.heard().cursor.1);
    let limit = Instant::now() + Duration::from_secs(30);
    while each().any(|stored| stored == 0) {
        ensure!(Instant::now() < limit, "a door stored nothing in 30 seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stored = || each().sum::<u64>();
    let (begun, before) = (Instant::now(), stored());
    let mut figures = Figures::default();
    let mut reports = REPORTS.into_iter();
    while begun.elapsed() < size.time {
        let (took, page) = timed(|| admin.get(&format!("/api/attendance/pending?{PAGE}")))?;
        figures.admin.push(took);
        let (took, _) = timed(|| teacher.get(&format!("/api/attendance/pending?{PAGE}")))?;
        figures.teacher.push(took);
        let Some(id) = page.as_array().and_then(|rows| rows.last()?["id"].as_str()) else {
            continue;
        };
        let decision = json!({ "decision": "approve" });
        let (took, _) = timed(|| admin.post(&format!("/api/attendance/{id}/review"), &decision))?;
        figures.approve.push(took);
        if let Some((name, path)) = reports.next() {
            figures.reports.push((name, timed(|| admin.get(path))?.0));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate of some thousands")]
    let rate = (stored() - before) as f64 / begun.elapsed().as_secs_f64();
    figures.rate = rate;
    sims.into_iter().for_each(|sim| drop(sim.kill()));
    Ok(figures)
}

fn timed(ask: impl FnOnce() -> anyhow::Result<Value>) -> anyhow::Result<(Duration, Value)> {
    let begun = Instant::now();
    let answer = ask()?;
    Ok((begun.elapsed(), answer))
}

impl Figures {
    /// Prints every figure beside its goal; how many missed it.
    fn tell(self, rate: u32, peak_mib: u64) -> anyhow::Result<usize> {
        let ms = Duration::from_millis;
        let mut missed = 0;
        let lists = [
            ("list, admin", self.admin, 150),
            ("list, teacher", self.teacher, 150),
            ("approve", self.approve, 300),
        ];
        let kept = self.rate > 0.99 * f64::from(rate);
        missed += usize::from(!kept);
        say(&format!("stored {:.0} records/s meanwhile (goal {rate}){}", self.rate, word(kept)))?;
        for (name, mut took, goal) in lists {
            took.sort();
            let at = |percent: usize| took[(took.len() - 1) * percent / 100];
            let kept = at(99) < ms(goal);
            missed += usize::from(!kept);
            let (p50, p99, n) = (at(50), at(99), took.len());
            say(&format!(
                "{name:<18} p50 {p50:.1?} p99 {p99:.1?} of {n} (goal {goal} ms){}",
                word(kept)
            ))?;
        }
        for (name, took) in self.reports {
            let kept = took < ms(1000);
            missed += usize::from(!kept);
            say(&format!("{name:<18} {took:.1?} (goal 1 s){}", word(kept)))?;
        }
        let kept = peak_mib < 512;
        missed += usize::from(!kept);
        say(&format!("{:<18} {peak_mib} MiB (goal 512 MiB){}", "hub peak RSS", word(kept)))?;
        Ok(missed)
    }
}

fn word(kept: bool) -> &'static str {
    if kept { "" } else { "  MISSED" }
}

/// The most memory the hub ever had, MiB.
fn peak(hub: &Process) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", hub.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmHWM")?.parse::<u64>()? / 1024)
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
