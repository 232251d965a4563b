//! Updates go to a door again and again while its power is cut at any moment, some of them to
//! programs that never come up: it always comes back with the old or the new one, and its records
//! all reach the hub.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::client::Api;
use house::history::History;
use house::process::Process;
use house::releases::Releases;
use house::school::{Door, School};
use house::{bin, portraits};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// One update, with its cut, trial and record.
const LIMIT: Duration = Duration::from_secs(90);

/// How many updates: `ROLLCALL_UPDATES`, where more are wanted than a quick look takes.
fn count() -> u32 {
    std::env::var("ROLLCALL_UPDATES").ok().and_then(|n| n.parse().ok()).unwrap_or(10)
}

/// A unit under a supervisor that starts its daemon again whenever it ends, as systemd does.
struct Unit<'a> {
    door: &'a Door,
    daemon: Process,
    starts: u32,
}

impl<'a> Unit<'a> {
    fn open(door: &'a Door) -> Self {
        Self { door, daemon: door.open().unwrap(), starts: 1 }
    }

    fn start_if_ended(&mut self) {
        if self.daemon.end(Duration::ZERO + Duration::from_millis(1)).is_ok() {
            self.start();
        }
    }

    fn start(&mut self) {
        self.daemon = self.door.open().unwrap();
        self.starts += 1;
    }

    /// The power goes, and comes back: of what was not synced any part may be on the disk.
    fn cut(&mut self, rng: &mut StdRng) {
        self.daemon.kill();
        let Ok(files) = fs::read_dir(self.door.data().join("programs")) else {
            return self.start();
        };
        for path in files.flatten().map(|file| file.path()) {
            if path.extension().is_some_and(|end| end == "part" || end == "new") {
                let file = fs::File::options().write(true).open(&path).unwrap();
                let length = file.metadata().unwrap().len();
                file.set_len(rng.random_range(0..=length)).unwrap();
            }
        }
        self.start();
    }

    /// Until the rollout says how it went with this door, with a cut at `cut`.
    fn through(&mut self, api: &Api, n: u64, cut: Duration, rng: &mut StdRng) -> Value {
        let began = Instant::now();
        let mut is_whole = true;
        loop {
            self.start_if_ended();
            if is_whole && began.elapsed() >= cut {
                self.cut(rng);
                is_whole = false;
            }
            let far = rollout(api, n);
            let step = far["asked"][0]["step"].as_str().unwrap_or_default();
            // The hub looks every two seconds.
            let is_over = step == "settled" || (step == "refused" && far["state"] == "halted");
            if !is_whole && is_over {
                return far;
            }
            assert!(began.elapsed() < LIMIT, "{far}\n{}", self.daemon.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Until what runs has said that it is ready: the file that it was started from.
    fn program(&mut self) -> String {
        let door = self.door;
        self.daemon.until("an answer", LIMIT, || door.status().ok()).unwrap();
        let exe = fs::read_link(format!("/proc/{}/exe", self.daemon.id())).unwrap();
        exe.file_name().unwrap().to_string_lossy().into_owned()
    }
}

fn rollout(api: &Api, n: u64) -> Value {
    let all = api.get("/api/rollouts").unwrap();
    all.as_array().unwrap().iter().find(|one| one["number"] == n).unwrap().clone()
}

/// Programs that never come up: one that ends at once, one that is no whole program, one of
/// another maker that does not understand what it is told.
fn broken(n: usize, good: &[u8]) -> Vec<u8> {
    match n % 3 {
        0 => fs::read("/bin/false").unwrap(),
        1 => good[..4096].to_vec(),
        _ => fs::read("/bin/sleep").unwrap(),
    }
}

/// A school whose one door passes somebody at each start.
fn school(dir: &Path) -> (School, Process) {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir).unwrap();
    let photo = portraits().join("obama.jpg").display().to_string();
    school.hub(&["student", "add", "S-1", "First", "Person"]).unwrap();
    school.hub(&["enrol", "S-1", &photo, "--consent-by", "test"]).unwrap();
    let hub = school.open().unwrap();
    (school, hub)
}

fn door(school: &School) -> Door {
    let passing = portraits().join("obama2.jpg");
    let settings = format!(
        "[camera]\nkind = \"pictures\"\npaths = [{passing:?}]\n[recognise]\ncooldown_ms = 0\n\
         [update]\nsteady_s = 1\nquiet_s = 0\n"
    );
    school.door("door-1", &settings).unwrap()
}

#[test]
fn a_door_comes_up_after_every_update_and_loses_nothing_whatever_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (school, hub) = school(dir.path());
    let releases = Releases::new(&school, &dir.path().join("maker")).unwrap().trusted().unwrap();
    let door = door(&school);
    let mut unit = Unit::open(&door);
    let good = fs::read(bin("rollcall-edge")).unwrap();
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut before = "rollcall-edge".to_owned();
    let (mut settled, mut refused) = (0, 0);
    for n in 0..count() {
        let is_broken = n % 10 == 3;
        // What follows a program does not harm it, and makes it another one.
        let other = [&good[..], &n.to_le_bytes()].concat();
        let bytes = if is_broken { broken(n as usize / 10, &good) } else { other };
        let api = school.admin().unwrap();
        let number = releases.begin(&releases.sign(n + 2, &bytes).unwrap(), &api).unwrap();
        let cut = Duration::from_millis(rng.random_range(0..6_000));
        let far = unit.through(&api, number, cut, &mut rng);
        let asked = &far["asked"][0];
        let name = blake3::hash(&bytes).to_hex().to_string();
        if is_broken {
            assert_eq!(
                (&asked["step"], &far["state"]),
                (&json!("refused"), &json!("halted")),
                "{far}"
            );
            refused += 1;
        } else {
            assert_eq!(asked["step"], "settled", "update {n}: {far}");
            before = name;
            settled += 1;
        }
        assert_eq!(unit.program(), before, "after update {n}");
    }
    unit.daemon.stop().unwrap();
    let mut history = History::default();
    history.read_outbox(&door.data().join("outbox.db")).unwrap();
    history.committed = history.outbox.keys().copied().collect();
    // What was stored in the last moment goes with the next connection.
    let mut last = door.open().unwrap();
    last.until("the last records", LIMIT, || {
        let mut now = history.clone();
        now.read_hub(&school.hub_dir().join("hub.db"), "door-1").unwrap();
        (now.verdict().lost == 0).then_some(())
    })
    .unwrap();
    last.stop().unwrap();
    history.read_outbox(&door.data().join("outbox.db")).unwrap();
    history.read_hub(&school.hub_dir().join("hub.db"), "door-1").unwrap();
    println!(
        "{settled} updates settled, {refused} refused, {} starts, {} records: {}",
        unit.starts,
        history.committed.len(),
        history.verdict()
    );
    let verdict = history.verdict();
    assert_eq!((verdict.lost, verdict.conflict, verdict.gaps, verdict.dead), (0, 0, 0, 0));
    assert!(history.committed.len() >= settled, "somebody passed at each start");
    assert!(hub.stop().unwrap().success());
}

#[test]
fn a_slip_in_the_settings_costs_no_program_that_proved_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (school, hub) = school(dir.path());
    let releases = Releases::new(&school, &dir.path().join("maker")).unwrap().trusted().unwrap();
    let (door, api) = (door(&school), school.admin().unwrap());
    let mut unit = Unit::open(&door);
    let bytes = [&fs::read(bin("rollcall-edge")).unwrap()[..], b"another"].concat();
    let name = blake3::hash(&bytes).to_hex().to_string();
    let n = releases.begin(&releases.sign(2, &bytes).unwrap(), &api).unwrap();
    let far = unit.through(&api, n, Duration::ZERO, &mut StdRng::seed_from_u64(1));
    assert_eq!(far["asked"][0]["step"], "settled", "{far}");
    assert_eq!(unit.program(), name);
    unit.daemon.stop().unwrap();
    let text = fs::read_to_string(door.config()).unwrap();
    fs::write(door.config(), text.replace("steady_s", "steddy_s")).unwrap();
    // Once for each time that it may end by itself, and more.
    for _ in 0..15 {
        let mut daemon = door.open().unwrap();
        assert_eq!(daemon.end(LIMIT).unwrap().code(), Some(64), "{}", daemon.said());
        assert!(daemon.said().contains("steddy_s"), "{}", daemon.said());
    }
    fs::write(door.config(), text).unwrap();
    let mut unit = Unit::open(&door);
    assert_eq!(unit.program(), name, "{}", unit.daemon.said());
    let second = door.edge(&["run"]).unwrap_err().to_string();
    assert!(second.contains("another daemon works in"), "{second}");
    unit.daemon.stop().unwrap();
    assert!(hub.stop().unwrap().success());
}

#[test]
fn a_program_that_somebody_else_signed_reaches_neither_hub_nor_door() {
    let dir = tempfile::tempdir().unwrap();
    let (school, hub) = school(dir.path());
    let makers = ["maker", "forger", "third"];
    let [maker, forger, third] = makers.map(|who| Releases::new(&school, &dir.path().join(who)));
    let maker = maker.unwrap().trusted().unwrap();
    let good = fs::read(bin("rollcall-edge")).unwrap();
    let file = forger.unwrap().sign(2, &good).unwrap();
    let refused = school.hub(&["update", "add", &file.display().to_string()]).unwrap_err();
    assert!(refused.to_string().contains("not signed with the key"), "{refused}");
    // The control: the same program by whom the school trusts.
    let file = maker.sign(2, &good).unwrap();
    school.hub(&["update", "add", &file.display().to_string()]).unwrap();
    // A hub that was taken over can offer what it likes; the door trusts its maker alone.
    let door = door(&school);
    let text = fs::read_to_string(door.config()).unwrap();
    let text =
        text.replace("[update]", &format!("[update]\nsigner = \"{}\"", third.unwrap().public()));
    fs::write(door.config(), text).unwrap();
    let mut unit = Unit::open(&door);
    let api = school.admin().unwrap();
    let n = maker.begin(&file, &api).unwrap();
    let began = Instant::now();
    let asked = loop {
        let far = rollout(&api, n);
        if far["asked"][0]["step"] == "refused" {
            break far["asked"][0].clone();
        }
        assert!(began.elapsed() < LIMIT, "{far}\n{}", unit.daemon.said());
        unit.start_if_ended();
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(asked["why"].as_str().unwrap().contains("not signed with the key"), "{asked}");
    assert_eq!(unit.program(), "rollcall-edge");
    assert_eq!(unit.starts, 1, "it was never started");
    unit.daemon.stop().unwrap();
    assert!(hub.stop().unwrap().success());
}
