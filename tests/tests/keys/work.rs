//! A school at work: a door sends passages all the time, whatever is replaced meanwhile.

use acts::pki::Pki;
use house::history::Verdict;
use house::passages::Account;
use house::process::Process;
use house::rig::{Rig, Sim};
use house::school::School;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use store::keys::Keys;

/// How long anything may take before a test fails.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Records in a second.
const RATE: u32 = 200;
/// Where the hub's keys and certificates lie.
const FILES: [&str; 4] = ["kek", "keys.db", "ca.pem", "server.pem"];

pub struct Work {
    pub rig: Rig,
    hub: Option<Process>,
    sim: Option<Sim>,
}

impl Work {
    /// A school in `dir` whose door has sent its first passages.
    pub fn begin(dir: &Path) -> Self {
        Self::at(School::found(dir).unwrap(), dir, RATE)
    }

    /// The same at a school that is there, with so many records in a second.
    pub fn at(school: School, dir: &Path, rate: u32) -> Self {
        let (rig, hub) = Rig::of(school, dir).unwrap();
        let sim = rig.door(rate).unwrap();
        let work = Self { rig, hub: Some(hub), sim: Some(sim) };
        work.goes_on();
        work
    }

    pub fn school(&self) -> &School {
        self.rig.school()
    }

    /// Replaces the hub's key `what`.
    pub fn rotate(&self, what: &str) {
        let said = self.school().hub(&["keys", "rotate", what]).unwrap();
        assert!(said.contains("is replaced"), "{said}");
        self.goes_on();
    }

    /// A hundred more passages are acknowledged.
    pub fn goes_on(&self) {
        let sim = self.sim.as_ref().unwrap();
        let least = sim.heard().cursor.1 + 100;
        until("more passages", || sim.heard().cursor.1 >= least);
    }

    /// The hub starts anew, so that every door connects again; `between` it is closed.
    pub fn restart(&mut self, between: impl FnOnce(&School)) {
        self.reopen(between);
        self.goes_on();
    }

    /// The same, whether the door comes or not.
    pub fn reopen(&mut self, between: impl FnOnce(&School)) {
        self.hub.take().unwrap().stop().unwrap();
        between(self.rig.school());
        self.hub = Some(self.rig.hub().unwrap());
    }

    /// The door is switched off, joins again with a new token, and goes on.
    pub fn join_again(&mut self) {
        self.rig.note(self.sim.take().unwrap().kill());
        self.rig.join_again().unwrap();
        self.sim = Some(self.rig.door(RATE).unwrap());
        self.goes_on();
    }

    /// Ends the day, however long ago it began: each passage is shown once, and none was lost.
    pub fn close(&mut self, doors: i64) {
        self.rig.note(self.sim.take().unwrap().drain(LIMIT).unwrap());
        assert_eq!(self.rig.account().unwrap(), Account::default());
        let (shown, promised) = (self.rig.history().unwrap().sightings, self.rig.promised());
        assert!(promised > 0 && shown >= promised.try_into().unwrap(), "{shown} of {promised}");
        assert_eq!(joins(self.school()), doors);
    }

    /// Ends the day: no passage was lost or stored twice, and no door joined a second time.
    pub fn end(&mut self, doors: i64) {
        self.rig.note(self.sim.take().unwrap().drain(LIMIT).unwrap());
        assert_eq!(self.rig.verdict().unwrap(), Verdict::default());
        assert!(self.rig.promised() >= 300);
        assert_eq!(joins(self.school()), doors);
        self.school().hub(&["audit", "verify"]).unwrap();
    }

    /// Closes the hub, puts back the keys and certificates that were `kept`, and opens it again.
    pub fn put_back(&mut self, kept: &Path) {
        self.hub.take().unwrap().stop().unwrap();
        copy(kept, &self.school().hub_dir());
        self.hub = Some(self.rig.hub().unwrap());
    }

    /// Keeps keys and certificates as they are in a folder of their own.
    pub fn keep(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        copy(&self.school().hub_dir(), folder);
    }
}

fn copy(from: &Path, to: &Path) {
    for file in FILES {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

/// How often a door has joined.
pub fn joins(school: &School) -> i64 {
    let db = Connection::open(school.hub_dir().join("hub.db")).unwrap();
    let sql = "select count(*) from audit where action = 'join'";
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

pub fn until(what: &str, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < LIMIT, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn keys(school: &School) -> Keys {
    Keys::open(&school.hub_dir()).unwrap()
}

pub fn pki(school: &School) -> Pki {
    Pki::open(&keys(school)).unwrap()
}

/// The certificate that a listener shows.
pub fn shown(port: u16) -> Option<Vec<u8>> {
    let client = reqwest::blocking::Client::builder().tls_danger_accept_invalid_certs(true);
    let client = client.tls_info(true).build().unwrap();
    let answer = client.get(format!("https://localhost:{port}/ready")).send().ok()?;
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    info.peer_certificate().map(<[u8]>::to_vec)
}

/// What is in a door's identity under this name.
pub fn knows(card: &Path, what: &str) -> serde_json::Value {
    let identity = fs::read(card.join("identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
    identity["joined"][what].clone()
}

/// Waits until the hub says so of this door.
pub fn is(school: &School, door: &str, state: &str) {
    let said = || {
        let said = school.hub(&["device", "list", "--json"]).unwrap();
        let doors: serde_json::Value = serde_json::from_str(&said).unwrap();
        let doors = doors.as_array().unwrap().clone();
        doors.into_iter().any(|one| one["device_id"] == door && one["state"] == state)
    };
    until(&format!("{door} {state}"), said);
}
