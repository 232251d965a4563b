//! The things looked at on the unit itself.

use super::{Finding, daemon};
use crate::config::Config;
use crate::identity::{Identity, IdentityError};
use crate::owner::USER;
use crate::trigger::gpio::GpioError;
use crate::{app, capture, disk, invitation, owner};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use wire::{Clock as _, Wall, time::SystemClock};

/// Free space below which the outbox may not be able to grow to its cap.
const DISK_MB: u32 = 1_200;
/// 1 January 2026: no machine that knows the time thinks it is earlier.
const BUILT: Wall = Wall(1_767_225_600_000);

/// The data directory: there, and writable.
pub fn data(config: &Config) -> Finding {
    let folder = config.data.display();
    let probe = config.data.join(".doctor");
    let tried = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Finding::well("data", format!("{folder} can be written")),
        Err(error) => Finding::fault(
            "data",
            format!("{folder} cannot be written ({error})"),
            format!(
                "create it and give it to the daemon's user: sudo install -d -o {USER} -g {USER} {folder}"
            ),
        ),
    }
}

/// Everything in the data directory belongs to whom the directory belongs to: the daemon.
pub fn owner(config: &Config) -> Finding {
    let folder = config.data.display();
    if owner::is_roots(&config.data) {
        let mend = format!("sudo chown -R {USER}: $(realpath {folder})");
        return Finding::fault("owner", format!("{folder} is root's, not {USER}'s"), mend);
    }
    match owner::strange(&config.data).as_deref() {
        Ok([]) => Finding::well("owner", format!("all of {folder} belongs to its owner")),
        Ok([first, ..]) => Finding::fault(
            "owner",
            format!("{} belongs to somebody else than {folder}", first.display()),
            format!("sudo chown -R --reference={folder} $(realpath {folder})"),
        ),
        Err(_) => Finding::unused("owner", "see “data”"),
    }
}

/// Space for the outbox.
pub fn disk(config: &Config) -> Finding {
    match disk::free_mb(&config.data) {
        0 => Finding::fault("disk", "the system does not say how much is free", "see “data”"),
        free if free < DISK_MB => Finding::fault(
            "disk",
            format!("{free} MiB are free; an outbox offline for long needs {DISK_MB}"),
            "free some space, or use a larger card: when it is full, new records are refused",
        ),
        free => Finding::well("disk", format!("{free} MiB are free")),
    }
}

/// The models load.
pub fn models(config: &Config) -> Finding {
    match app::models(&config.packs()) {
        Ok(model) => Finding::well("model", format!("“{}” loads", model.id)),
        Err(error) => Finding::fault(
            "model",
            format!("{error:#}"),
            format!(
                "start the daemon: it gets the hub's model; or copy the folder that “rollcall-hub \
                 models fetch” filled on the hub to {}",
                config.models.display()
            ),
        ),
    }
}

/// The invitation, where the door has not joined.
pub fn invitation(config: &Config) -> Finding {
    if !matches!(Identity::load(&config.data), Err(IdentityError::Missing)) {
        return Finding::unused("invitation", "the door has joined");
    }
    match invitation::read(&config.invitation) {
        Ok(None) => Finding::unused("invitation", "there is none"),
        Ok(Some(found)) => {
            let hub = found.hub;
            Finding::well("invitation", format!("the daemon joins {hub} by it"))
        }
        Err(error) => {
            let mend = "get a new one on the hub's page of this door, and copy it whole";
            Finding::fault("invitation", error.to_string(), mend)
        }
    }
}

/// The camera is there and is read.
pub fn camera(config: &Config) -> Finding {
    match &config.camera {
        capture::Config::V4l2(camera) => match capture::formats(&camera.device) {
            Ok(formats) => {
                Finding::well("camera", format!("{}: {formats}", camera.device.display()))
            }
            Err(_) if daemon::is_running(config) => Finding::well("camera", "the daemon has it"),
            Err(error) => {
                let mend = "plug it in; `ls /dev/video*` lists what there is, and [camera] device names one (a name in /dev/v4l/by-id stays with its camera)";
                Finding::fault("camera", error.to_string(), mend)
            }
        },
        capture::Config::Command(camera) => match find(&camera.command[0]) {
            Some(program) => Finding::well("camera", format!("by {}", program.display())),
            None => Finding::fault(
                "camera",
                format!("the program “{}” is not there", camera.command[0]),
                "install it (rpicam-vid is in rpicam-apps), or write its whole path in [camera] command",
            ),
        },
        capture::Config::Pictures(pictures) => match capture::pictures(&pictures.paths) {
            Ok(files) => Finding::well("camera", format!("{} pictures in its place", files.len())),
            Err(error) => Finding::fault("camera", error.to_string(), "correct [camera] paths"),
        },
    }
}

/// A program in PATH, or at its own path.
fn find(program: &str) -> Option<PathBuf> {
    let there = |path: &Path| path.is_file().then(|| path.to_owned());
    if program.contains('/') {
        return there(Path::new(program));
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).find_map(|folder| there(&folder.join(program)))
}

/// The GPIO, where it is used.
pub fn gpio(config: &Config) -> Finding {
    if config.trigger.gpio.is_none() && !config.signal.is_used() {
        return Finding::unused("gpio", "neither [trigger.gpio] nor [signal] names a line");
    }
    match rppal::gpio::Gpio::new().map_err(|error| GpioError::new("lines", &error)) {
        Ok(_) => Finding::well("gpio", "can be used"),
        Err(error @ GpioError::NoPi { .. }) => {
            let mend = "take [trigger.gpio] and [signal] out of the configuration on this machine";
            Finding::fault("gpio", error.to_string(), mend)
        }
        Err(error) => {
            let mend =
                "install the package rollcall-edge, which brings udev rules and the group, restart";
            Finding::fault("gpio", error.to_string(), mend)
        }
    }
}

/// The clock is set, and kept.
pub fn clock() -> Finding {
    if SystemClock.wall() < BUILT {
        let mend = "let it reach a time server, or the hub; records until then say “clock not set”";
        return Finding::fault("clock", "it is not set", mend);
    }
    let asked =
        Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    match asked.map(|said| String::from_utf8_lossy(&said.stdout).trim() == "yes") {
        Ok(true) => Finding::well("clock", "set and synchronised"),
        _ => Finding::well(
            "clock",
            "set; nothing says that it is synchronised, the hub's time will be used",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Paths;

    fn config(folder: &Path, camera: &str) -> Config {
        let text = format!("data = \".\"\nmodels = \"none\"\n[camera]\n{camera}");
        Config::parse(&text, &Paths(folder.to_owned()), "edge.toml").unwrap()
    }

    #[test]
    fn each_fault_of_a_bare_unit_says_how_to_mend_it() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            config(&folder.path().join("gone"), "kind = \"command\"\ncommand = [\"no-such\"]");
        for (finding, mend) in [
            (data(&config), "install -d"),
            (models(&config), "models fetch"),
            (camera(&config), "install it"),
        ] {
            assert!(finding.is_fault() && finding.to_string().contains(mend), "{finding}");
        }
    }

    #[test]
    fn half_an_invitation_is_a_fault_of_a_unit_that_has_not_joined() {
        let folder = tempfile::tempdir().unwrap();
        let text = "data = \".\"\ninvitation = \"file\"\n[camera]\nkind = \"v4l2\"";
        let config = Config::parse(text, &Paths(folder.path().to_owned()), "edge.toml").unwrap();
        std::fs::write(&config.invitation, "hub = \"https://hub:8443\"").unwrap();
        assert!(invitation(&config).to_string().contains("copy it whole"));
        std::fs::write(&config.invitation, "hub = \"https://hub:8443\"\ntoken = \"t\"").unwrap();
        assert!(!invitation(&config).is_fault());
    }

    #[test]
    fn what_works_and_what_is_not_used_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "kind = \"command\"\ncommand = [\"sh\"]");
        for finding in [data(&config), camera(&config), gpio(&config), clock(), invitation(&config)]
        {
            assert!(!finding.is_fault(), "{finding}");
        }
    }
}
