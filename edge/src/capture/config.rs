//! `[camera]`: which camera looks at the door.

use crate::table::{ConfigError, Paths};
use serde::Deserialize;
use std::path::PathBuf;

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

/// A camera at `/dev/videoN`.
#[derive(Clone, Debug, PartialEq)]
pub struct V4l2 {
    /// N.
    pub index: u32,
    /// Wanted pixels across; the nearest size the camera offers is taken. Default 640.
    pub width: u32,
    /// Wanted pixels down. Default 480.
    pub height: u32,
    /// Wanted frames a second. Default 15.
    pub fps: u32,
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
        /// `/dev/video0` or `0`.
        device: Option<String>,
        /// Pixels.
        width: Option<u32>,
        /// Pixels.
        height: Option<u32>,
        /// Frames a second.
        fps: Option<u32>,
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
            Self::V4l2 { device, width, height, fps } => {
                let (width, height) = (width.unwrap_or(640), height.unwrap_or(480));
                let fps = fps.unwrap_or(15);
                ConfigError::within("camera.width", width.into(), 160..=4096)?;
                ConfigError::within("camera.height", height.into(), 120..=4096)?;
                ConfigError::within("camera.fps", fps.into(), 1..=120)?;
                let index = index(device.as_deref().unwrap_or("0"))?;
                Ok(Config::V4l2(V4l2 { index, width, height, fps }))
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

fn index(device: &str) -> Result<u32, ConfigError> {
    let number = device.strip_prefix("/dev/video").unwrap_or(device);
    number.parse().map_err(|_| {
        ConfigError::key("camera.device", "is no video device: write \"/dev/video0\" or \"0\"")
    })
}
