//! A school in a folder: one hub, its doors and its people, as real processes.

use crate::client::Api;
use crate::process::{Process, run};
use crate::shift::Shift;
use crate::{bin, models};
use anyhow::Context as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The first admin of every test school.
pub const ADMIN: &str = "admin@school.test";
/// That admin's password; the hub is reachable on the loopback only.
pub const PASSWORD: &str = "a school for tests, on loopback";

const INVITATION: &str = "rollcall-door.toml";

/// A folder with a hub that is set up.
pub struct School {
    dir: PathBuf,
    models: PathBuf,
    clock: Option<Shift>,
    /// Where people and doors reach it.
    pub ports: Ports,
}

/// Ports that were free a moment ago.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// HTTPS for people.
    pub web: u16,
    /// MQTT for doors.
    pub mqtt: u16,
    /// HTTPS for doors.
    pub device: u16,
}

impl Ports {
    /// Three free ports of the loopback.
    ///
    /// # Errors
    /// When the machine has none left.
    pub fn free() -> anyhow::Result<Self> {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (web, mqtt, device) = (bind()?, bind()?, bind()?);
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Self { web: port(&web)?, mqtt: port(&mqtt)?, device: port(&device)? })
    }
}

impl School {
    /// Sets a hub up in `dir`, with an admin.
    ///
    /// # Errors
    /// When one of the hub's commands fails.
    pub fn found(dir: &Path) -> anyhow::Result<Self> {
        Self::found_by(dir, None)
    }

    /// The same, and its programs go by this clock.
    ///
    /// # Errors
    /// As [`Self::found`].
    pub fn found_by(dir: &Path, clock: Option<Shift>) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let (dir, models, ports) = (dir.to_owned(), models(), Ports::free()?);
        let school = Self { dir, models, clock, ports };
        let identity = school.backup_identity().display().to_string();
        school.hub(&["init", "--name", "localhost", "--backup-identity", &identity])?;
        school.listen()?;
        let password = school.dir.join("password");
        fs::write(&password, PASSWORD)?;
        run(school
            .hub_command(&["user", "add", ADMIN, "--role", "admin", "--password-stdin"])
            .stdin(fs::File::open(password)?))?;
        Ok(school)
    }

    /// The school that was set up in `dir` before, at other ports.
    ///
    /// # Errors
    /// When its settings cannot be written.
    pub fn again(dir: &Path) -> anyhow::Result<Self> {
        let (dir, models, ports) = (dir.to_owned(), models(), Ports::free()?);
        let school = Self { dir, models, clock: None, ports };
        school.listen()?;
        Ok(school)
    }

    /// The same with the weights of another folder at its hub.
    #[must_use]
    pub fn with_models(self, models: PathBuf) -> Self {
        Self { models, ..self }
    }

    fn listen(&self) -> anyhow::Result<()> {
        let Ports { web, mqtt, device } = self.ports;
        let text = format!(
            "host = \"localhost\"\n[listen]\nweb = \"127.0.0.1:{web}\"\n\
             mqtt = \"127.0.0.1:{mqtt}\"\ndevice = \"127.0.0.1:{device}\"\n"
        );
        Ok(fs::write(self.hub_dir().join("hub.toml"), text)?)
    }

    /// The hub's data directory.
    #[must_use]
    pub fn hub_dir(&self) -> PathBuf {
        self.dir.join("hub")
    }

    /// The key that opens backups, as a person keeps it elsewhere.
    #[must_use]
    pub fn backup_identity(&self) -> PathBuf {
        self.dir.join("backup.key")
    }

    /// The authority that signed the hub's certificates.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.hub_dir().join("ca.pem")
    }

    /// `rollcall-hub` with these arguments, in this school.
    #[must_use]
    pub fn hub_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(bin("rollcall-hub"));
        command.arg("--data").arg(self.hub_dir()).args(args).env("ROLLCALL_MODELS", &self.models);
        self.clocked(&mut command);
        command
    }

    /// The program goes by the clock of this school, if it has one of its own.
    pub fn clocked(&self, program: &mut Command) {
        self.clock.iter().for_each(|clock| clock.apply(program));
    }

    /// Runs one of the hub's commands and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn hub(&self, args: &[&str]) -> anyhow::Result<String> {
        run(&mut self.hub_command(args))
    }

    /// Starts the hub and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready in 20 seconds.
    pub fn open(&self) -> anyhow::Result<Process> {
        self.open_with(&mut self.hub_command(&["serve"]))
    }

    /// Starts the hub by a command of its own, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready in 20 seconds.
    pub fn open_with(&self, serve: &mut Command) -> anyhow::Result<Process> {
        let mut hub = Process::start(serve, &self.dir.join("hub.log"))?;
        let api = self.api()?;
        hub.until("ready", Duration::from_secs(20), || api.get("/ready").ok())?;
        Ok(hub)
    }

    /// A client of this hub, not signed in.
    ///
    /// # Errors
    /// Before the hub was set up.
    pub fn api(&self) -> anyhow::Result<Api> {
        Api::new(self.ports.web, &self.ca())
    }

    /// A client signed in as the admin.
    ///
    /// # Errors
    /// When the hub is not open or refuses.
    pub fn admin(&self) -> anyhow::Result<Api> {
        let mut api = self.api()?;
        api.sign_in(ADMIN, PASSWORD)?;
        Ok(api)
    }

    /// Adds a door and lets it join; the hub must be open. `config` is its edge.toml, without
    /// the folders.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn door(&self, name: &str, config: &str) -> anyhow::Result<Door> {
        let door = self.placed(name, &folders(&self.dir.join(name), &models()), config)?;
        let said =
            self.hub(&["device", "add", name, "--room", "Room 1", "--direction", "entry"])?;
        let line = said.lines().find(|line| line.contains("rollcall-edge join "));
        let mut words = line
            .context("no join command was printed")?
            .split_whitespace()
            .skip_while(|w| *w != "join");
        let (_, url, token) = (words.next(), words.next(), words.next());
        door.edge(&["join", url.context("no address")?, token.context("no token")?])?;
        Ok(door)
    }

    /// A unit as it comes from the box: the program, a camera, neither identity nor weights.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn blank(&self, name: &str, config: &str) -> anyhow::Result<Door> {
        let dir = self.dir.join(name);
        let invitation = format!("invitation = {:?}\n", dir.join(INVITATION));
        self.placed(name, &(invitation + &folders(&dir, &dir.join("no-models"))), config)
    }

    fn placed(&self, name: &str, folders: &str, config: &str) -> anyhow::Result<Door> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir)?;
        let path = dir.join("edge.toml");
        fs::write(&path, format!("{folders}{config}"))?;
        Ok(Door { dir, config: path, clock: self.clock.clone() })
    }
}

/// Settings of a camera that looks at a grey wall, whose picture is put into `dir`.
///
/// # Errors
/// When it cannot be written.
pub fn wall(dir: &Path) -> anyhow::Result<String> {
    let wall = dir.join("wall.jpg");
    let grey = vision::Picture::new(320, 240, vec![128; 320 * 240 * 3])?;
    fs::write(&wall, grey.to_jpeg(90))?;
    Ok(format!("[camera]\nkind = \"pictures\"\npaths = [{wall:?}]\nrepeat = true\n"))
}

fn folders(dir: &Path, models: &Path) -> String {
    format!("data = {:?}\nmodels = {models:?}\n", dir.join("data"))
}

/// A doorway unit in a folder.
pub struct Door {
    dir: PathBuf,
    config: PathBuf,
    clock: Option<Shift>,
}

impl Door {
    /// `rollcall-edge` with these arguments, at this door.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(bin("rollcall-edge"));
        let (verb, rest) = args.split_first().expect("a command has a verb");
        command.arg(verb).arg("--config").arg(&self.config).args(rest);
        self.clock.iter().for_each(|clock| clock.apply(&mut command));
        command
    }

    /// Runs one of the daemon's commands and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn edge(&self, args: &[&str]) -> anyhow::Result<String> {
        run(&mut self.command(args))
    }

    /// How the running daemon is: what `status` prints.
    ///
    /// # Errors
    /// When it does not run.
    pub fn status(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&self.edge(&["status"])?)?)
    }

    /// What the door makes of each picture in `folder`; nothing is recorded.
    ///
    /// # Errors
    /// When it fails.
    pub fn replay(&self, folder: &Path) -> anyhow::Result<String> {
        self.edge(&["replay", &folder.display().to_string()])
    }

    /// The same door with another camera: another configuration over the same state.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn with_camera(&self, file: &str, config: &str) -> anyhow::Result<Self> {
        let path = self.dir.join(file);
        fs::write(&path, folders(&self.dir, &models()) + config)?;
        Ok(Self { dir: self.dir.clone(), config: path, clock: self.clock.clone() })
    }

    /// Lets the door reach the hub's MQTT listener through another port.
    ///
    /// # Errors
    /// When the door has not joined.
    pub fn redirect(&self, from: u16, to: u16) -> anyhow::Result<()> {
        let path = self.data().join("identity.json");
        let text = fs::read_to_string(&path)?;
        let (from, to) = (format!("localhost:{from}\""), format!("localhost:{to}\""));
        anyhow::ensure!(text.contains(&from), "the door's identity does not name {from}");
        Ok(fs::write(&path, text.replace(&from, &to))?)
    }

    /// Its edge.toml.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Where a blank unit looks for the hub's invitation: its card's boot partition.
    #[must_use]
    pub fn invitation(&self) -> PathBuf {
        self.dir.join(INVITATION)
    }

    /// Its folder of state.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Starts the daemon.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn open(&self) -> anyhow::Result<Process> {
        Process::start(&mut self.command(&["run"]), &self.dir.join("edge.log"))
    }
}
