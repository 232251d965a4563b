//! Cameras, and the frames they give.
//!
//! A camera streams continuously on a thread of its own into a small [`Ring`]: buffers of an idle
//! camera hold pictures from long before the trigger, so nobody ever asks a camera for "a frame".

mod command;
pub mod config;
mod controls;
mod glance;
mod mjpeg;
mod pictures;
mod ring;
mod said;
mod split;
mod supervisor;
mod v4l2;
mod view;
mod yuyv;

pub use config::Config;
pub use glance::{Form, Glance, Glancer};
pub use pictures::pictures;
pub use ring::Ring;
pub use said::without_password;
pub use split::Splitter;
pub use supervisor::{Lifeline, Supervisor};
pub use v4l2::{BUSY, FORBIDDEN, GONE, formats};
pub use view::View;

use std::sync::Arc;
use vision::{ImageError, Limits, Picture};
use wire::{Clock, Mono, care::Conflict};

/// A picture as the camera gave it; decoded only where somebody looks at it.
#[derive(Debug)]
pub struct Frame {
    /// When the light fell on the sensor, as near as the camera says.
    pub at: Mono,
    /// What it saw.
    pub pixels: Pixels,
    /// What of it counts.
    pub view: View,
}

/// Pixels in the forms cameras give them.
pub enum Pixels {
    /// A whole JPEG (or, from a folder, any format the decoder knows).
    Encoded(Vec<u8>),
    /// Two pixels in four bytes: Y U Y V.
    Yuyv {
        /// Pixels across, even.
        width: u32,
        /// Pixels down.
        height: u32,
        /// `width × height × 2` bytes, maybe more.
        bytes: Vec<u8>,
    },
    /// Decoded already.
    Rgb(Picture),
}

impl std::fmt::Debug for Pixels {
    /// Never a pixel: frames show faces.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encoded(bytes) => write!(f, "Encoded({} bytes)", bytes.len()),
            Self::Yuyv { width, height, .. } => write!(f, "Yuyv({width}×{height})"),
            Self::Rgb(picture) => write!(f, "Rgb({}×{})", picture.width, picture.height),
        }
    }
}

/// A door's camera gives no more than 16 megapixels, whatever its bytes claim.
const LIMITS: Limits =
    Limits { bytes: 10 << 20, pixels: 16_000_000, side: 8_192, alloc: 128 << 20 };

impl Frame {
    /// A frame all of which counts, upright.
    #[must_use]
    pub fn new(at: Mono, pixels: Pixels) -> Self {
        Self { at, pixels, view: View::default() }
    }

    /// Whether it is the same picture as `other`, bit by bit: a program repeats one where the
    /// camera gave none, and a sensor never does.
    #[must_use]
    pub fn is_copy_of(&self, other: &Self) -> bool {
        match (&self.pixels, &other.pixels) {
            (Pixels::Encoded(a), Pixels::Encoded(b)) => a == b,
            (Pixels::Yuyv { bytes: a, .. }, Pixels::Yuyv { bytes: b, .. }) => a == b,
            (Pixels::Rgb(a), Pixels::Rgb(b)) => a == b,
            _ => false,
        }
    }

    /// What counts of the frame, as RGB.
    ///
    /// # Errors
    /// When the bytes are no picture: a damaged frame, which is counted and skipped.
    pub fn picture(&self) -> Result<Picture, ImageError> {
        let picture = match &self.pixels {
            Pixels::Encoded(bytes) => vision::decode(&mjpeg::whole(bytes), &LIMITS),
            Pixels::Yuyv { width, height, bytes } => yuyv::to_rgb(*width, *height, bytes),
            Pixels::Rgb(picture) => Ok(picture.clone()),
        };
        Ok(self.view.of(picture?))
    }
}

/// Something that gives frames, one after another, until it fails.
///
/// `next` may block for ever (V4L2 has no timeout): the [`Supervisor`] gives it a thread to lose.
pub trait Camera {
    /// The next frame.
    ///
    /// # Errors
    /// When there will be no further frame from this camera until it is opened again.
    fn next(&mut self) -> Result<Frame, CameraError>;

    /// What was asked of it and is not so.
    fn differs(&self) -> Vec<Conflict> {
        Vec::new()
    }
}

/// Why a camera gives no frames. Each message says what to look at.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// It could not be opened.
    #[error("camera “{camera}” cannot be opened: {why}")]
    Open {
        /// Device, command or folder.
        camera: String,
        /// What the system says.
        why: String,
    },
    /// None of its formats is one we read.
    #[error(
        "camera “{camera}” offers neither MJPEG nor YUYV, but {offered}: use kind = \"command\""
    )]
    Format {
        /// The device.
        camera: String,
        /// What it offers.
        offered: String,
    },
    /// It was open and stopped.
    #[error("camera “{camera}” stopped: {why}")]
    Stopped {
        /// Device or command.
        camera: String,
        /// What the system says.
        why: String,
    },
    /// The last picture of a list was shown. Not a fault.
    #[error("every picture has been shown")]
    Ended,
    /// Opened again and again, silent each time.
    #[error("the camera hung {0} times: the daemon ends so that its supervisor starts it afresh")]
    Hung(u32),
}

/// Opens the camera that `config` describes.
///
/// # Errors
/// When it is not there, is refused, or gives nothing we can read.
pub fn open(
    config: &Config,
    clock: &Arc<dyn Clock>,
    lifeline: &Lifeline,
) -> Result<Box<dyn Camera>, CameraError> {
    let clock = clock.clone();
    Ok(match config {
        Config::V4l2(wanted) => Box::new(v4l2::open(wanted, clock)?),
        Config::Command(command) => Box::new(command::open(command, clock, lifeline)?),
        Config::Pictures(pictures) => Box::new(pictures::open(pictures, clock, lifeline)?),
    })
}
