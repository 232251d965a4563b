//! The kill rig: a real hub, a simulated door over the real outbox and link, and SIGKILL.

use crate::history::{History, Key, Verdict};
use crate::passages::{Account, Mark, Passages};
use crate::process::Process;
use crate::school::School;
use crate::{bin, models, portraits};
use anyhow::Context as _;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The name of the rig's door.
pub const DOOR: &str = "door-sim";

/// A simulated door that runs; killed on drop.
pub struct Sim {
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Mutex<Heard>>,
    reader: Option<JoinHandle<()>>,
}

/// What the door has said.
#[derive(Clone, Default)]
pub struct Heard {
    /// Records whose COMMIT returned, by the outbox's life at the door's start.
    pub committed: BTreeSet<Key>,
    /// The same by the marks of their passages, whatever numbers they get later.
    pub made: BTreeMap<Mark, Key>,
    /// The last number, and the last that is acknowledged with all before it.
    pub cursor: (u64, u64),
    /// Everything is acknowledged after the end of input.
    pub drained: bool,
}

impl Sim {
    /// Starts a door in `data`, making about `rate` records a second.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(data: &Path, rate: u32) -> anyhow::Result<Self> {
        Self::start_with(data, rate, &model()?)
    }

    /// The same, recognising by another model.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(data: &Path, rate: u32, model: &str) -> anyhow::Result<Self> {
        Self::spawn(Command::new(bin("sim-edge")), data, rate, model)
    }

    fn spawn(mut door: Command, data: &Path, rate: u32, model: &str) -> anyhow::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(data.join("sim.log"))?;
        let mut child = door
            .arg(data)
            .arg(rate.to_string())
            .arg(model)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("starting sim-edge")?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let heard = Arc::<Mutex<Heard>>::default();
        let (output, to) = (output.context("no output")?, Arc::clone(&heard));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                lock(&to).line(&line);
            }
        });
        Ok(Self { child, input, heard, reader: Some(reader) })
    }

    /// What it has said so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        lock(&self.heard).clone()
    }

    /// Records that are committed and not acknowledged, as far as the door has said.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let heard = lock(&self.heard);
        let newest = heard.committed.last().map_or(0, |(_, seq)| *seq);
        newest.max(heard.cursor.0) - heard.cursor.1
    }

    /// Waits until `is` holds of what it has said.
    ///
    /// # Errors
    /// When that takes longer than `limit`.
    pub fn until(&self, limit: Duration, is: impl Fn(&Heard) -> bool) -> anyhow::Result<()> {
        let start = Instant::now();
        while !is(&lock(&self.heard)) {
            anyhow::ensure!(start.elapsed() < limit, "the door took over {limit:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// SIGKILL; what it had said is returned whole.
    pub fn kill(mut self) -> Heard {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.heard()
    }

    /// No more records: waits until the hub has acknowledged all, and the door ends.
    ///
    /// # Errors
    /// When that takes longer than `limit`.
    pub fn drain(mut self, limit: Duration) -> anyhow::Result<Heard> {
        drop(self.input.take());
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(start.elapsed() < limit, "the outbox was not empty after {limit:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let heard = self.heard();
        anyhow::ensure!(heard.drained, "sim-edge ended before all was acknowledged");
        Ok(heard)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The id of the model pack that the hub runs: it takes no records of another.
///
/// # Errors
/// When the pack cannot be read.
pub fn model() -> anyhow::Result<String> {
    let path = models().join("pack.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {path:?}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("model_id = "));
    Ok(line.context("the pack has no model id")?.trim_matches('"').to_owned())
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heard {
    fn line(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["committed", seq, epoch, mark] => {
                if let (Ok(seq), Ok(epoch), Ok(mark)) = (seq.parse(), epoch.parse(), mark.parse()) {
                    self.committed.insert((epoch, seq));
                    self.made.insert(mark, (epoch, seq));
                }
            }
            ["cursor", _, max, cum] => {
                if let (Ok(max), Ok(cum)) = (max.parse(), cum.parse()) {
                    self.cursor = (max, cum);
                }
            }
            ["drained"] => self.drained = true,
            _ => {}
        }
    }
}

/// A hub with one simulated door that has joined it.
pub struct Rig {
    school: School,
    data: PathBuf,
    committed: BTreeSet<Key>,
    passages: Passages,
}

impl Rig {
    /// Sets up hub and door in `dir`, and returns the running hub beside.
    ///
    /// # Errors
    /// When one of the commands fails.
    pub fn new(dir: &Path) -> anyhow::Result<(Self, Process)> {
        Self::of(School::found(dir)?, dir)
    }

    /// The same at a school that is there.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(school: School, dir: &Path) -> anyhow::Result<(Self, Process)> {
        // One provider for the whole process; a second call would find it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = school.hub_dir().join("hub.toml");
        let quick = "[doors]\nrecords_per_second = 100000\nburst = 100000\n";
        std::fs::write(&file, std::fs::read_to_string(&file)? + quick)?;
        let hub = school.open()?;
        let data = dir.join("sim");
        std::fs::create_dir_all(&data)?;
        join(&school.hub(&["device", "add", DOOR])?, &data)?;
        let (committed, passages) = (BTreeSet::new(), Passages::default());
        let rig = Self { school, data, committed, passages };
        rig.enrol()?;
        Ok((rig, hub))
    }

    /// Lets the door join again with a new token; it must have ended.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn join_again(&self) -> anyhow::Result<()> {
        join(&self.school.hub(&["device", "token", DOOR])?, &self.data)
    }

    /// Enrols one person, and gives the door a template of them: so the hub stores sightings
    /// with candidates, crops and keys, not receipts alone.
    fn enrol(&self) -> anyhow::Result<()> {
        let template = somebody(&self.school, "S1")?;
        Ok(std::fs::write(self.data.join("template"), template)?)
    }

    /// The school whose door it is.
    #[must_use]
    pub fn school(&self) -> &School {
        &self.school
    }

    /// Where the door keeps what it knows.
    #[must_use]
    pub fn card(&self) -> &Path {
        &self.data
    }

    /// Starts the hub again.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn hub(&self) -> anyhow::Result<Process> {
        self.school.open()
    }

    /// Starts the hub with a fault on purpose.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn faulty_hub(&self, fault: &str) -> anyhow::Result<Process> {
        let mut command = self.school.hub_command(&["serve"]);
        command.env("ROLLCALL_FAULT", fault);
        self.school.open_with(&mut command)
    }

    /// Starts the door.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn door(&self, rate: u32) -> anyhow::Result<Sim> {
        self.door_with(rate, &model()?)
    }

    /// Starts the door with another model than the default one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn door_with(&self, rate: u32, model: &str) -> anyhow::Result<Sim> {
        let mut door = Command::new(bin("sim-edge"));
        self.school.clocked(&mut door);
        Sim::spawn(door, &self.data, rate, model)
    }

    /// Remembers what a door said before it ended.
    pub fn note(&mut self, heard: Heard) {
        self.committed.extend(heard.committed);
        self.passages.made.extend(heard.made.keys());
    }

    /// The same of a door whose outbox began no new life: its passages keep their numbers.
    pub fn note_numbers(&mut self, heard: Heard) {
        for (mark, key) in &heard.made {
            self.passages.keys.entry(*mark).or_default().insert(*key);
        }
        self.note(heard);
    }

    /// Reads which numbers the passages on the card have; the door must have ended.
    ///
    /// # Errors
    /// When the card cannot be read.
    pub fn read_card(&mut self) -> anyhow::Result<()> {
        self.passages.read_card(&self.data.join("outbox.db"))
    }

    /// What became of all passages so far; the door must have ended.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub fn account(&mut self) -> anyhow::Result<Account> {
        self.read_card()?;
        self.passages.read_hub(&self.school.hub_dir().join("hub.db"), DOOR)?;
        Ok(self.passages.account())
    }

    /// Everything that [`Self::account`] counted.
    #[must_use]
    pub fn passages(&self) -> &Passages {
        &self.passages
    }

    /// Makes the hub forget one passage, as a hub would that dropped it in silence.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn drop_one(&self) -> anyhow::Result<()> {
        let db = rusqlite::Connection::open(self.school.hub_dir().join("hub.db"))?;
        db.busy_timeout(Duration::from_secs(5))?;
        Ok(db.execute_batch(
            "pragma foreign_keys = off;
             delete from sighting where id = (select id from sighting order by id limit 1)",
        )?)
    }

    /// Records promised so far.
    #[must_use]
    pub fn promised(&self) -> usize {
        self.committed.len()
    }

    /// Makes the hub show one passage twice, as a hub would that did not know it again.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn double_one(&self) -> anyhow::Result<()> {
        let db = rusqlite::Connection::open(self.school.hub_dir().join("hub.db"))?;
        db.busy_timeout(Duration::from_secs(5))?;
        Ok(db.execute_batch(
            "create temp table copy as select * from sighting limit 1;
             update copy set id = 'copy', seq = seq + 1000000;
             insert into sighting select * from copy;",
        )?)
    }

    /// Compares both ends; the door must have ended.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub fn verdict(&self) -> anyhow::Result<Verdict> {
        Ok(self.history()?.verdict())
    }

    /// What both ends say.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub fn history(&self) -> anyhow::Result<History> {
        let mut history = History { committed: self.committed.clone(), ..History::default() };
        history.read_outbox(&self.data.join("outbox.db"))?;
        history.read_hub(&self.school.hub_dir().join("hub.db"), DOOR)?;
        Ok(history)
    }
}

/// Joins as the hub's command `said`.
fn join(said: &str, data: &Path) -> anyhow::Result<()> {
    let line = said.lines().find(|line| line.contains("rollcall-edge join "));
    let words: Vec<_> = line.context("no join command was printed")?.split_whitespace().collect();
    let [.., url, token] = words[..] else { anyhow::bail!("no address and token") };
    Ok(rollcall_edge::join::join(url, token, data).map(drop)?)
}

/// Enrols somebody under this number; a template of them, f16 little-endian.
///
/// # Errors
/// When one of the hub's commands fails.
pub fn somebody(school: &School, number: &str) -> anyhow::Result<Vec<u8>> {
    let photo = portraits().join("obama.jpg");
    let photo = photo.to_str().context("the portraits lie in a folder without a name")?;
    school.hub(&["student", "add", number, "Rig"])?;
    school.hub(&["enrol", number, photo, "--consent-by", "the rig"])?;
    let said = school.hub(&["vision", "embed", photo, "--json"])?;
    let said: serde_json::Value = serde_json::from_str(&said)?;
    let numbers = serde_json::from_value(said["faces"][0]["template"].clone())?;
    Ok(vision::Template::from_raw(numbers)?.to_f16_bytes())
}
