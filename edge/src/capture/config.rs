//! `[camera]`: which camera looks at the door.

use super::controls;
use crate::table::{ConfigError, Paths};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// The camera, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// A USB camera.
    V4l2(V4l2),
    /// A program that writes MJPEG to its standard output.
    Command(Command),
    /// Pictures instead of a camera.
    Pictures(Pictures),
}

/// A USB camera.
#[derive(Clone, Debug, PartialEq)]
pub struct V4l2 {
    /// `/dev/videoN`, or a name in `/dev/v4l`, which stays with the camera. Default `/dev/video0`.
    pub device: PathBuf,
    /// Wanted pixels across; the nearest size the camera offers is taken. Default 640.
    pub width: u32,
    /// Wanted pixels down. Default 480.
    pub height: u32,
    /// Wanted frames a second. Default 15.
    pub fps: u32,
    /// The camera's own settings, as `v4l2-ctl --list-ctrls` names them. Default as it is.
    pub controls: BTreeMap<String, i64>,
}

/// `rpicam-vid` for CSI modules, `ffmpeg` for network cameras, or anything like them.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Program and arguments; no shell is involved.
    pub command: Vec<String>,
    /// From the light on the sensor to the picture in our hands, milliseconds. A frame counts as
    /// taken so long before it came, so that one from before the trigger is known as such.
    /// Default 150.
    pub latency_ms: u64,
}

/// A folder or a list of pictures: one picture is one passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// Files, and folders whose files are taken in the order of their names.
    pub paths: Vec<PathBuf>,
    /// Milliseconds from one picture to the next. Default 2000.
    pub pace_ms: u64,
    /// Whether it starts anew after the last picture. Default no.
    pub repeat: bool,
}

/// `[camera]` as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
pub enum Raw {
    /// `kind = "v4l2"`
    V4l2 {
        /// `/dev/video0`, `/dev/v4l/by-id/…` or `0`.
        device: Option<String>,
        /// Pixels.
        width: Option<u32>,
        /// Pixels.
        height: Option<u32>,
        /// Frames a second.
        fps: Option<u32>,
        /// Settings by name.
        #[serde(default)]
        controls: BTreeMap<String, i64>,
    },
    /// `kind = "command"`
    Command {
        /// Program and arguments.
        command: Vec<String>,
        /// Milliseconds.
        latency_ms: Option<u64>,
    },
    /// `kind = "pictures"`
    Pictures {
        /// Files and folders.
        paths: Vec<PathBuf>,
        /// Milliseconds.
        pace_ms: Option<u64>,
        /// Start anew at the end.
        repeat: Option<bool>,
    },
}

impl Raw {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn resolve(self, paths: &Paths) -> Result<Config, ConfigError> {
        match self {
            Self::V4l2 { device, width, height, fps, controls } => {
                let (width, height) = (width.unwrap_or(640), height.unwrap_or(480));
                let fps = fps.unwrap_or(15);
                ConfigError::within("camera.width", width.into(), 160..=4096)?;
                ConfigError::within("camera.height", height.into(), 120..=4096)?;
                ConfigError::within("camera.fps", fps.into(), 1..=120)?;
                controls::check(controls.keys())?;
                let device = node(device.as_deref().unwrap_or("0"))?;
                Ok(Config::V4l2(V4l2 { device, width, height, fps, controls }))
            }
            Self::Command { command, .. } if command.is_empty() => Err(ConfigError::key(
                "camera.command",
                "is empty: write program and arguments, such as \
                 [\"rpicam-vid\", \"-t\", \"0\", \"--codec\", \"mjpeg\", \"-o\", \"-\"]",
            )),
            Self::Command { command, latency_ms } => {
                let latency_ms = latency_ms.unwrap_or(150);
                ConfigError::within("camera.latency_ms", latency_ms, 0..=5_000)?;
                Ok(Config::Command(Command { command, latency_ms }))
            }
            Self::Pictures { paths: files, pace_ms, repeat } => {
                if files.is_empty() {
                    let say = "is empty: name at least one picture or folder";
                    return Err(ConfigError::key("camera.paths", say));
                }
                let pace_ms = pace_ms.unwrap_or(2_000);
                ConfigError::within("camera.pace_ms", pace_ms, 1..=3_600_000)?;
                let files = files.into_iter().map(|file| paths.resolve(file)).collect();
                let repeat = repeat.unwrap_or(false);
                Ok(Config::Pictures(Pictures { paths: files, pace_ms, repeat }))
            }
        }
    }
}

fn node(device: &str) -> Result<PathBuf, ConfigError> {
    match device.parse::<u32>() {
        Ok(number) => Ok(format!("/dev/video{number}").into()),
        Err(_) if device.starts_with("/dev/") => Ok(device.into()),
        Err(_) => {
            let say = "is no video device: write \"/dev/video0\", or a name in /dev/v4l/by-id";
            Err(ConfigError::key("camera.device", say))
        }
    }
}
