//! A unit where all is well, in a folder of its own, at which something can be planted.

use crate::hubs::{Authority, Days, Manner, hub};
use rollcall_edge::app::peek::Patience;
use rollcall_edge::capture::{Frame, Pixels, Ring};
use rollcall_edge::config::Config;
use rollcall_edge::control::{Control, listen};
use rollcall_edge::doctor::{Ailment, Checkup, Finding, State, whats};
use rollcall_edge::identity::Identity;
use rollcall_edge::status::{Counts, Road, Status, Stock};
use rollcall_edge::trigger::asking;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use vision::Picture;
use wire::record::CameraState;
use wire::{Clock as _, Direction, HubKey, Joined, Wall, time::SystemClock};

/// A certificate of 90 days that is not due for renewal.
pub const GOOD: Days = Days { from: -10, to: 80 };

pub struct Unit {
    folder: TempDir,
    pub authority: Authority,
    /// What the unit thinks what time it is.
    pub now: Wall,
    /// What the daemon says, where one runs.
    pub status: Arc<Mutex<Status>>,
    daemon: Option<Runtime>,
    /// Whether nothing counts but the network.
    only_model: bool,
}

/// What doctor is to say of what was planted.
pub struct Said<'a> {
    pub of: Ailment,
    pub says: &'a str,
    pub mend: &'a str,
    /// What follows from it.
    pub also: &'a [Ailment],
}

/// Just the one fault.
pub fn said<'a>(of: Ailment, says: &'a str, mend: &'a str) -> Said<'a> {
    Said { of, says, mend, also: &[] }
}

impl Unit {
    pub fn new() -> Self {
        let unit = Self {
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
            now: SystemClock.wall(),
            status: Arc::new(Mutex::new(status())),
            daemon: None,
            only_model: false,
        };
        for folder in ["data", "frames", "root"] {
            fs::create_dir(unit.path(folder)).unwrap();
        }
        unit.board("51234", "0", "MemAvailable: 2048000 kB");
        unit.films(|x, y| if (200..400).contains(&x) && y > 80 { 180 } else { 60 + y / 8 });
        unit.write(&format!("models = {:?}", models()), "[trigger.motion]");
        unit.join(GOOD, Manner::of(&unit.authority), Manner::of(&unit.authority));
        unit
    }

    /// Of which only the network is looked at.
    pub fn of_models() -> Self {
        Self { only_model: true, ..Self::new() }
    }

    /// With a daemon that answers at its socket.
    pub fn running() -> Self {
        let unit = Self::new();
        let runtime = Runtime::new().unwrap();
        let path = unit.data().join("control.sock");
        let told = unit.status.clone();
        let ring = Arc::new(Ring::default());
        let films = fs::read(unit.path("frames/0.jpg")).unwrap();
        let filled = ring.clone();
        runtime.spawn(async move {
            loop {
                filled.push(Frame::new(SystemClock.mono(), Pixels::Encoded(films.clone())));
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        });
        let status = Arc::new(move || told.lock().unwrap().clone());
        let listener = runtime.block_on(async { listen(&path) }).unwrap();
        let (asks, _) = asking();
        let control = Control { listener, asks, status, ring, clock: Arc::new(SystemClock) };
        runtime.spawn(control.run(CancellationToken::new()));
        Self { daemon: Some(runtime), ..unit }
    }

    /// Its daemon ends.
    pub fn end(&mut self) {
        self.daemon.take().unwrap().shutdown_background();
        fs::remove_file(self.data().join("control.sock")).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// `edge.toml`: what stands at its top and at its end.
    pub fn write(&self, top: &str, end: &str) {
        let show = "while :; do for f in \"$1\"/*; do cat \"$f\"; sleep 0.03; done; done";
        let camera = format!("[\"sh\", \"-c\", {show:?}, \"sh\", {:?}]", self.path("frames"));
        self.write_camera(top, &format!("kind = \"command\"\ncommand = {camera}"), end);
    }

    pub fn write_camera(&self, top: &str, camera: &str, end: &str) {
        let text = format!(
            "data = \"data\"\ninvitation = \"invitation\"\n{top}\n[camera]\n{camera}\n{end}\n"
        );
        fs::write(self.path("edge.toml"), text).unwrap();
    }

    /// Another camera, and all else as it was.
    pub fn camera(&self, camera: &str) {
        self.write_camera(&format!("models = {:?}", models()), camera, "[trigger.motion]");
    }

    /// Another camera that is a program in `sh`.
    pub fn program_in_sh(&self, script: &str) {
        let frames = self.path("frames");
        self.camera(&format!(
            "kind = \"command\"\ncommand = [\"sh\", \"-c\", {script:?}, \"sh\", {frames:?}]"
        ));
    }

    /// The camera films what is so bright at x, y; no two frames are alike.
    pub fn films(&self, light: impl Fn(u32, u32) -> u32) {
        self.films_at([640, 480], light);
    }

    pub fn films_at(&self, [width, height]: [u32; 2], light: impl Fn(u32, u32) -> u32) {
        for frame in 0..5 {
            let pixel = |n: u32| {
                let noise = (n.wrapping_mul(2_654_435_761) >> 16).wrapping_add(frame) % 4;
                [(light(n % width, n / width) + noise).min(255) as u8; 3]
            };
            let rgb = (0..width * height).flat_map(pixel).collect();
            let jpeg = Picture::new(width, height, rgb).unwrap().to_jpeg(90);
            fs::write(self.path(&format!("frames/{frame}.jpg")), jpeg).unwrap();
        }
    }

    /// What the board tells: its heat, the firmware's word, its memory.
    pub fn board(&self, heat: &str, firmware: &str, memory: &str) {
        let place = |path: &str, text: &str| {
            let path = self.path("root").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        place("sys/class/thermal/thermal_zone0/temp", heat);
        place("sys/devices/platform/soc/soc:firmware/get_throttled", firmware);
        place("proc/meminfo", memory);
    }

    /// Joins a hub that speaks MQTT and HTTPS like that.
    pub fn join(&self, days: Days, mqtt: Manner, https: Manner) {
        self.join_at(days, &format!("localhost:{}", hub(mqtt, true)), hub(https, false));
    }

    pub fn join_at(&self, days: Days, mqtt: &str, https: u16) {
        let badge = self.authority.sign("door-1", days);
        let joined = Joined {
            device: "door-1".parse().unwrap(),
            certificate_pem: badge.certificate,
            ca_pem: self.authority.pem.clone(),
            mqtt: mqtt.to_owned(),
            https: format!("localhost:{https}"),
            hub_key: HubKey { id: 1, public: [1; 32] },
            gallery_key: [2; 32],
            room: "204".into(),
            direction: Direction::Entry,
            program_key: None,
        };
        Identity::new(joined, badge.key).store(&self.data()).unwrap();
    }

    /// Everything but the network, which takes a second to load; or nothing but that.
    pub fn examine(&self) -> Vec<Finding> {
        let only: Vec<_> = whats()
            .filter(|what| (*what == "model") == self.only_model)
            .map(str::to_owned)
            .collect();
        let config = Config::load(&self.path("edge.toml")).unwrap();
        let ms = Duration::from_millis;
        let patience = Patience { first: ms(4_000), span: ms(200), still: ms(400) };
        let root = self.path("root");
        Checkup { config: &config, root: &root, now: self.now, patience, only: &only }.examine()
    }

    pub fn ailments(&self) -> Vec<Ailment> {
        self.examine().iter().filter_map(Finding::ailment).collect()
    }

    /// Nothing is wrong; then something is `planted`, and doctor says that.
    #[track_caller]
    pub fn planted(mut self, plant: impl FnOnce(&mut Self), said: &Said<'_>) {
        assert_eq!(self.ailments(), [], "before anything was planted");
        plant(&mut self);
        let found = self.examine();
        let faults: Vec<_> = found.iter().filter(|finding| finding.is_fault()).collect();
        let one = faults.iter().find(|finding| finding.ailment() == Some(said.of));
        let one = one.unwrap_or_else(|| panic!("{:?} is not among {faults:#?}", said.of));
        let State::Fault { wrong, mend, .. } = &one.state else { panic!() };
        assert!(wrong.contains(said.says), "{wrong}");
        assert!(mend.contains(said.mend), "{mend}");
        let others =
            faults.iter().filter_map(|finding| finding.ailment()).filter(|of| *of != said.of);
        assert_eq!(others.collect::<Vec<_>>(), said.also, "what follows from it");
    }

    /// The real program, which asks for its own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall-edge"));
        command.arg("--config").arg(self.path("edge.toml")).args(arguments);
        command
    }

    pub fn program(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The faults that it names of everything, or of `only`.
    pub fn named(&self, only: &[&str]) -> Vec<String> {
        names(&self.program(&[&["doctor", "--json"], only].concat()))
    }
}

pub fn names(output: &Output) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let names = list.as_array().unwrap().iter().filter_map(|one| one["fault"].as_str());
    names.map(str::to_owned).collect()
}

pub fn models() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights");
    std::env::var_os("ROLLCALL_MODELS").map_or(project, PathBuf::from)
}

/// A daemon that is well.
fn status() -> Status {
    Status {
        software: "0.1.0".into(),
        camera: CameraState::Watching,
        camera_frames: 900,
        gallery: 3,
        people: 24,
        gallery_trouble: String::new(),
        gallery_lack: None,
        blind: None,
        stock: Stock::default(),
        way: Road { online: true, ..Road::default() },
        outbox_trouble: String::new(),
        line_trouble: String::new(),
        model: "test-1".into(),
        certificate_ends: Wall(0),
        certificate_trouble: String::new(),
        ready_ms: 300,
        memory_peak_kb: 90_000,
        vitals: Default::default(),
        counts: Counts { bursts: 400, frames: 2_000, ..Counts::default() },
    }
}
