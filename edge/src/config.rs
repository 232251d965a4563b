//! `edge.toml`: what was typed ([`Raw`]) and what it means ([`Config`]).
//!
//! Each part owns its own table; this file is only their sum. Nothing here touches the disk but
//! [`Config::load`].

use crate::packs::Packs;
use crate::table::ConfigError;
use crate::table::Paths;
use crate::{capture, gallery, invitation, program, recognise, settings, signal, trigger};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use wire::link::Settings;

/// Where the package puts the configuration.
pub const DEFAULT_FILE: &str = "/etc/rollcall/edge.toml";
/// Where it puts the data.
const DATA: &str = "/var/lib/rollcall-edge";

/// Everything the daemon is told, checked, with every path absolute.
#[derive(Clone, Debug)]
pub struct Config {
    /// Outbox, identity and gallery. Default `/var/lib/rollcall-edge`.
    pub data: PathBuf,
    /// Weights, as `models/fetch` writes them. Default `/usr/share/rollcall/models`.
    pub models: PathBuf,
    /// The control socket. Default `control.sock` in the data directory.
    pub socket: PathBuf,
    /// The invitation by which a new unit joins. Default `/boot/firmware/rollcall-door.toml`.
    pub invitation: PathBuf,
    /// Which camera.
    pub camera: capture::Config,
    /// What of its picture counts.
    pub view: capture::View,
    /// When to look.
    pub trigger: trigger::Config,
    /// Lights and buzzer.
    pub signal: signal::Config,
    /// How to recognise.
    pub recognise: recognise::Config,
    /// How the gallery on this disk is kept.
    pub gallery: gallery::Config,
    /// Whose programs are taken.
    pub update: program::Config,
    /// What the file says, word by word.
    pub typed: toml::Table,
    /// What the hub said since; it counts in `recognise` already.
    pub said: Settings,
}

/// `edge.toml` as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    data: Option<PathBuf>,
    models: Option<PathBuf>,
    socket: Option<PathBuf>,
    invitation: Option<PathBuf>,
    camera: capture::config::Raw,
    #[serde(default)]
    view: capture::View,
    #[serde(default)]
    trigger: trigger::Raw,
    #[serde(default)]
    signal: signal::Config,
    #[serde(default)]
    recognise: recognise::Config,
    #[serde(default)]
    gallery: gallery::Config,
    #[serde(default)]
    update: program::Config,
}

impl Config {
    /// The model packs of this unit.
    #[must_use]
    pub fn packs(&self) -> Packs {
        let min_face = self.recognise.min_face as f32;
        Packs::new(self.models.clone(), self.data.join("models"), min_face)
    }

    /// Reads and checks a file; what the hub said since counts instead.
    ///
    /// # Errors
    /// With the key's name and what to write.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::Read { file: name.clone(), source })?;
        let folder = std::path::absolute(file).ok().and_then(|f| Some(f.parent()?.to_owned()));
        let typed = Self::parse(&text, &Paths(folder.unwrap_or_default()), &name)?;
        let said = settings::load(&typed.data);
        Ok(Self { recognise: settings::over(typed.recognise, &said), said, ..typed })
    }

    /// Where the data lies and whose programs are taken, of a file that [`Config::load`] refuses;
    /// nothing where not even that can be read.
    #[must_use]
    pub fn least(file: &Path) -> Option<(PathBuf, program::Config)> {
        let table: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
        let folder = std::path::absolute(file).ok()?.parent()?.to_owned();
        let data = table.get("data").and_then(toml::Value::as_str).unwrap_or(DATA);
        let update = table.get("update").and_then(toml::Value::as_table);
        let signer = update.and_then(|update| update.get("signer")?.as_str()).map(str::to_owned);
        Some((
            Paths(folder).resolve(data),
            program::Config { signer, ..program::Config::default() },
        ))
    }

    /// Reads and checks `text`; `name` is how errors call it.
    ///
    /// # Errors
    /// With the key's name and what to write.
    pub fn parse(text: &str, paths: &Paths, name: &str) -> Result<Self, ConfigError> {
        let wrong = |error: toml::de::Error| ConfigError::Parse {
            file: name.to_owned(),
            why: error.to_string().trim_end().to_owned(),
        };
        let raw: Raw = toml::from_str(text).map_err(wrong)?;
        let typed = toml::from_str(text).map_err(wrong)?;
        raw.resolve(paths, typed)
    }
}

impl Raw {
    fn resolve(self, paths: &Paths, typed: toml::Table) -> Result<Config, ConfigError> {
        let or = |path: Option<PathBuf>, default: &str| {
            paths.resolve(path.unwrap_or_else(|| PathBuf::from(default)))
        };
        let data = or(self.data, DATA);
        self.recognise.check()?;
        self.view.check()?;
        Ok(Config {
            models: or(self.models, "/usr/share/rollcall/models"),
            invitation: or(self.invitation, invitation::DEFAULT_FILE),
            socket: self.socket.map_or_else(|| data.join("control.sock"), |s| paths.resolve(s)),
            camera: self.camera.resolve(paths)?,
            view: self.view,
            trigger: self.trigger.resolve()?,
            signal: self.signal.checked()?,
            recognise: self.recognise,
            gallery: self.gallery,
            update: self.update.checked()?,
            typed,
            said: Settings::default(),
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: &str = "[camera]\nkind = \"v4l2\"\n";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, &Paths("/etc/rollcall".into()), "edge.toml")
    }

    fn wrong(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_example_file_is_a_good_configuration() {
        let config = parse(include_str!("../edge.example.toml")).unwrap();
        assert_eq!(config.data, Path::new("/var/lib/rollcall-edge"));
        assert_eq!(config.gallery.key, gallery::KeyPlace::Hub);
    }

    #[test]
    fn of_a_file_with_settings_of_another_version_the_least_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("edge.toml");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write("data = \"d\"\nnewer = 1\n[update]\nsigner = \"ab\"\nalso = 2\n");
        assert!(Config::load(&file).is_err());
        let (data, update) = Config::least(&file).unwrap();
        assert_eq!((data, update.signer.as_deref()), (dir.path().join("d"), Some("ab")));
        write("no table");
        assert!(Config::least(&file).is_none());
    }

    #[test]
    fn a_camera_alone_is_enough() {
        let config = parse(CAMERA).unwrap();
        assert_eq!(config.socket, Path::new("/var/lib/rollcall-edge/control.sock"));
        let capture::Config::V4l2(camera) = config.camera else { panic!() };
        assert_eq!(camera.device, Path::new("/dev/video0"));
        assert_eq!((camera.width, camera.height, camera.fps), (640, 480, 15));
    }

    #[test]
    fn relative_paths_start_where_the_file_lies() {
        let config = parse(&format!("data = \"data\"\n{CAMERA}")).unwrap();
        assert_eq!(config.data, Path::new("/etc/rollcall/data"));
    }

    #[test]
    fn a_wrong_key_is_named_with_what_to_write() {
        assert!(wrong("").contains("missing field `camera`"));
        assert!(wrong(&format!("dta = \"x\"\n{CAMERA}")).contains("unknown field `dta`"));
        let device = wrong("[camera]\nkind = \"v4l2\"\ndevice = \"usb\"");
        assert!(device.contains("`camera.device`") && device.contains("/dev/video0"), "{device}");
        let empty = wrong("[camera]\nkind = \"command\"\ncommand = []");
        assert!(empty.contains("`camera.command`") && empty.contains("rpicam-vid"), "{empty}");
        let pin = wrong(&format!("{CAMERA}[signal]\ngreen = 77"));
        assert!(pin.contains("`signal.green`") && pin.contains("0 to 27"), "{pin}");
        let every = wrong(&format!("{CAMERA}[trigger]\nevery = \"soon\""));
        assert!(every.contains("`trigger.every`") && every.contains("\"5s\""), "{every}");
        let key = wrong(&format!("{CAMERA}[gallery]\nkey = \"usb\""));
        assert!(key.contains("`hub` or `disk`"), "{key}");
        let frames = wrong(&format!("{CAMERA}[recognise]\nframes = 0"));
        assert!(frames.contains("`recognise.frames`") && frames.contains("1 to"), "{frames}");
    }
}
