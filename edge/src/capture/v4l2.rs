//! USB cameras: nokhwa says what they offer, v4l streams.
//!
//! Cameras refuse formats they list and list formats they refuse: what it has is listed, ordered by
//! how well it fits, and tried in turn. The stream is v4l's own, which says how much of a buffer a
//! frame fills, whether the driver thinks it is damaged, and gives up on a camera that is silent.

use super::{Camera, CameraError, Frame, Pixels, config::V4l2, controls, mjpeg};
use crate::care::conflict;
use nokhwa::{
    Camera as Listed, NokhwaError,
    utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType},
};
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use v4l::buffer::{Flags, Metadata, Type};
use v4l::io::{mmap, traits::CaptureStream as _};
use v4l::video::{Capture as _, capture::Parameters};
use v4l::{Device, Format, FourCC};
use wire::care::{Conflict, ConflictKind};
use wire::{Clock, Mono};

/// A stream that gives nothing for so long is opened anew.
const SILENCE: Duration = Duration::from_secs(5);
/// Buffers of a stream: a frame may be late in being fetched by so many.
const BUFFERS: u32 = 4;
const KINDS: [FrameFormat; 2] = [FrameFormat::MJPEG, FrameFormat::YUYV];

struct Usb {
    name: String,
    stream: mmap::Stream<'static>,
    format: CameraFormat,
    clock: Arc<dyn Clock>,
    /// Whether its pictures have an end: some cameras leave it out of each.
    has_ends: bool,
    /// What was asked of it and is not so.
    differs: Vec<Conflict>,
}

/// Opens the camera in the best format it accepts, streaming.
pub fn open(wanted: &V4l2, clock: Arc<dyn Clock>) -> Result<impl Camera + use<>, CameraError> {
    let name = wanted.device.display().to_string();
    let offered = offered(&wanted.device)?;
    let refused =
        |error: io::Error| CameraError::Open { camera: name.clone(), why: why(&error.to_string()) };
    let device = Device::new(index(&wanted.device)? as usize).map_err(refused)?;
    for format in best(&offered, wanted) {
        match stream(&device, format) {
            Ok(stream) => {
                let refused = controls::set(&device, wanted);
                for Conflict { key, asked, got, .. } in &refused {
                    tracing::warn!("camera {name} refuses {key} = {asked} ({got})");
                }
                tracing::info!(%format, "camera {name} streams {format}");
                let differs = size(wanted, format).into_iter().chain(refused).collect();
                return Ok(Usb { name, stream, format, clock, has_ends: false, differs });
            }
            Err(error) => tracing::info!(%error, "camera {name} refuses {format}"),
        }
    }
    Err(CameraError::Format { camera: name, offered: list(&offered) })
}

/// That it has another size than the one asked for, if it has.
fn size(wanted: &V4l2, given: CameraFormat) -> Option<Conflict> {
    let asked = format!("{} × {}", wanted.width, wanted.height);
    let got = format!("{} × {}", given.width(), given.height());
    (asked != got).then(|| conflict(ConflictKind::CameraSize, "camera.width", &asked, &got))
}

fn stream(device: &Device, wanted: CameraFormat) -> io::Result<mmap::Stream<'static>> {
    let fourcc = FourCC::new(if wanted.format() == FrameFormat::MJPEG { b"MJPG" } else { b"YUYV" });
    let given = device.set_format(&Format::new(wanted.width(), wanted.height(), fourcc))?;
    let size = (given.width, given.height);
    if given.fourcc != fourcc || size != (wanted.width(), wanted.height()) {
        return Err(io::Error::other(format!("it gives {} {size:?} instead", given.fourcc)));
    }
    // A camera that cannot choose its rate has one all the same.
    let _ = device.set_params(&Parameters::with_fps(wanted.frame_rate()));
    let mut stream = mmap::Stream::with_buffers(device, Type::VideoCapture, BUFFERS)?;
    stream.set_timeout(SILENCE);
    // Only the first frame shows that the bus has room for this format.
    stream.next()?;
    Ok(stream)
}

/// What the camera offers, for `doctor`.
///
/// # Errors
/// When it cannot be opened.
pub fn formats(device: &Path) -> Result<String, CameraError> {
    offered(device).map(|offered| list(&offered))
}

fn offered(device: &Path) -> Result<Vec<CameraFormat>, CameraError> {
    let refused = |error: NokhwaError| CameraError::Open {
        camera: device.display().to_string(),
        why: why(&error.to_string()),
    };
    // Opened with whatever it has, because its formats can be listed only then.
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &KINDS);
    let mut listed = Listed::new(CameraIndex::Index(index(device)?), any).map_err(refused)?;
    listed.compatible_camera_formats().map_err(refused)
}

/// N of the `/dev/videoN` to which `device` leads now: a name in `/dev/v4l` stays with its camera,
/// the number does not.
fn index(device: &Path) -> Result<u32, CameraError> {
    let refused =
        |text: String| CameraError::Open { camera: device.display().to_string(), why: why(&text) };
    let node = device.canonicalize().map_err(|error| refused(error.to_string()))?;
    let number = node.file_name().and_then(|name| name.to_str()?.strip_prefix("video"));
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| refused(format!("{} is no video device", node.display())))
}

/// Why a camera cannot be opened: it is not there …
pub const GONE: &str = "it is not there: is it plugged in?";
/// … it may not be …
pub const FORBIDDEN: &str = "permission denied: add the daemon's user to the group “video”";
/// … or somebody else has it.
pub const BUSY: &str = "another program uses it";

fn why(text: &str) -> String {
    match () {
        () if text.contains("No such file") => GONE.into(),
        () if text.contains("Permission denied") => FORBIDDEN.into(),
        () if text.contains("busy") => BUSY.into(),
        () if text.contains("No space left") => {
            "its USB bus has no room for it: use another port or a smaller picture".into()
        }
        () => text.to_owned(),
    }
}

/// Formats we read, MJPEG before YUYV (a USB 2 cable carries few raw frames), then by distance
/// from the wanted size, then by rate: the lowest that is at least the wanted one.
fn best(offered: &[CameraFormat], wanted: &V4l2) -> Vec<CameraFormat> {
    let kind = |format: &CameraFormat| match format.format() {
        FrameFormat::MJPEG => Some(0),
        FrameFormat::YUYV => Some(1),
        _ => None,
    };
    let distance =
        |f: &CameraFormat| f.width().abs_diff(wanted.width) + f.height().abs_diff(wanted.height);
    let rate = |f: &CameraFormat| match f.frame_rate() {
        fps if fps >= wanted.fps => fps - wanted.fps,
        fps => 1_000 + wanted.fps - fps,
    };
    let mut good: Vec<_> = offered.iter().copied().filter(|f| kind(f).is_some()).collect();
    // A far size is worse than raw frames: distance counts in steps of 64 pixels before the kind.
    good.sort_by_key(|f| (distance(f) / 64, kind(f), distance(f), rate(f)));
    good.dedup();
    good
}

fn list(offered: &[CameraFormat]) -> String {
    let mut texts: Vec<_> =
        offered.iter().map(|f| format!("{} {}×{}", f.format(), f.width(), f.height())).collect();
    texts.sort();
    texts.dedup();
    if texts.is_empty() { "nothing we know".into() } else { texts.join(", ") }
}

impl Camera for Usb {
    fn next(&mut self) -> Result<Frame, CameraError> {
        let (name, clock, format) = (&self.name, &self.clock, self.format);
        let has_ends = &mut self.has_ends;
        let (buffer, meta) = self.stream.next().map_err(|error| stopped(name, &error))?;
        let now = clock_gettime(ClockId::Monotonic).try_into().unwrap_or_default();
        let at = taken(clock.mono(), now, meta);
        Ok(Frame::new(at, pixels(format, buffer, meta, has_ends)))
    }

    fn differs(&self) -> Vec<Conflict> {
        self.differs.clone()
    }
}

fn stopped(name: &str, error: &io::Error) -> CameraError {
    let why = match error.kind() {
        io::ErrorKind::TimedOut => format!("it sent nothing for {} s", SILENCE.as_secs()),
        _ => why(&error.to_string()),
    };
    CameraError::Stopped { camera: name.to_owned(), why }
}

/// What the driver put into the buffer, and not what was in it before. A frame that is damaged or
/// cut short comes without a byte: whoever looks at it counts it.
fn pixels(format: CameraFormat, buffer: &[u8], meta: &Metadata, has_ends: &mut bool) -> Pixels {
    let used = buffer.get(..meta.bytesused as usize).unwrap_or_default();
    let used = if meta.flags.contains(Flags::ERROR) { &[][..] } else { used };
    match format.format() {
        FrameFormat::YUYV => {
            let (width, height) = (format.width(), format.height());
            Pixels::Yuyv { width, height, bytes: used.to_vec() }
        }
        _ => match mjpeg::ended(used) {
            // Of a camera whose pictures never have an end, this may be a whole one.
            [] if !*has_ends => Pixels::Encoded(mjpeg::with_end(used)),
            whole => {
                *has_ends |= !whole.is_empty();
                Pixels::Encoded(whole.to_vec())
            }
        },
    }
}

/// The driver dates frames by the monotonic clock, whose `now` leads to ours, which goes on while
/// the machine sleeps and is what triggers are dated by.
fn taken(ours: Mono, now: Duration, meta: &Metadata) -> Mono {
    if meta.flags & Flags::TIMESTAMP_MASK != Flags::TIMESTAMP_MONOTONIC {
        return ours;
    }
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    let stamp = Duration::from_secs(part(meta.timestamp.sec))
        + Duration::from_micros(part(meta.timestamp.usec));
    // Older than the ring of buffers can be: no stamp of this clock.
    let age_ms = now.saturating_sub(stamp).as_millis();
    Mono(ours.0.saturating_sub(u64::try_from(age_ms).ok().filter(|ms| *ms < 60_000).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use v4l::timestamp::Timestamp;

    fn format(kind: FrameFormat, width: u32, height: u32, fps: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, kind, fps)
    }

    fn wanted() -> V4l2 {
        let (device, controls) = ("/dev/video0".into(), Default::default());
        V4l2 { device, width: 640, height: 480, fps: 15, controls }
    }

    #[test]
    fn mjpeg_near_the_wanted_size_comes_first_then_raw_then_far() {
        let offered = [
            format(FrameFormat::MJPEG, 1920, 1080, 30),
            format(FrameFormat::YUYV, 640, 480, 30),
            format(FrameFormat::MJPEG, 640, 480, 60),
            format(FrameFormat::MJPEG, 640, 480, 30),
            format(FrameFormat::NV12, 640, 480, 30),
        ];
        let order = best(&offered, &wanted());
        assert_eq!(order, [3, 2, 1, 0].map(|n: usize| offered[n]));
    }

    #[test]
    fn a_camera_with_nothing_we_read_has_no_best_format() {
        let offered = [format(FrameFormat::NV12, 640, 480, 30)];
        assert!(best(&offered, &wanted()).is_empty());
        assert_eq!(list(&offered), "NV12 640×480");
    }

    #[test]
    fn a_camera_is_found_by_the_name_that_stays_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("video7");
        std::fs::write(&node, "").unwrap();
        let stable = folder.path().join("usb-046d_HD_Webcam-video-index0");
        std::os::unix::fs::symlink(&node, &stable).unwrap();
        assert_eq!(index(&stable).unwrap(), 7);
        std::fs::remove_file(&node).unwrap();
        assert!(index(&stable).unwrap_err().to_string().contains("plugged in"));
        assert!(index(folder.path()).unwrap_err().to_string().contains("no video device"));
    }

    fn meta(bytesused: u32, flags: Flags, ms: i64) -> Metadata {
        let timestamp = Timestamp::new(ms / 1_000, ms % 1_000 * 1_000);
        Metadata { bytesused, flags, timestamp, ..Metadata::default() }
    }

    #[test]
    fn a_frame_ends_where_the_driver_says_and_not_where_an_older_one_did() {
        let jpeg = format(FrameFormat::MJPEG, 640, 480, 15);
        let buffer = [0xff, 0xd8, 1, 0xff, 0xd9, 0, 0xff, 0xd9];
        let mut has_ends = false;
        let mut bytes =
            |used, flags| match pixels(jpeg, &buffer, &meta(used, flags, 0), &mut has_ends) {
                Pixels::Encoded(bytes) => bytes,
                other => panic!("{other:?}"),
            };
        let endless = [&buffer[..3], &[0xff, 0xd9]].concat();
        assert_eq!(bytes(3, Flags::empty()), endless, "none had an end: it may be whole");
        assert_eq!(bytes(6, Flags::empty()), buffer[..5], "what pads it goes");
        assert_eq!(bytes(4, Flags::empty()), [0; 0], "cut short: the rest is of an older frame");
        assert_eq!(bytes(6, Flags::ERROR), [0; 0], "the driver says that it is damaged");
        assert_eq!(bytes(99, Flags::empty()), [0; 0]);
        let yuyv = format(FrameFormat::YUYV, 2, 2, 15);
        let raw = pixels(yuyv, &buffer, &meta(4, Flags::empty(), 0), &mut has_ends);
        assert!(Frame::new(Mono(0), raw).picture().is_err(), "half a raw frame is none");
    }

    #[test]
    fn a_frame_is_as_old_as_its_buffer() {
        let taken = |flags, ms| taken(Mono(50_000), Duration::from_secs(900), &meta(9, flags, ms));
        assert_eq!(taken(Flags::TIMESTAMP_MONOTONIC, 899_700), Mono(49_700));
        assert_eq!(taken(Flags::TIMESTAMP_MONOTONIC, 900_400), Mono(50_000), "from the future");
        assert_eq!(taken(Flags::TIMESTAMP_MONOTONIC, 1), Mono(50_000), "not of this clock");
        assert_eq!(taken(Flags::TIMESTAMP_COPY, 899_700), Mono(50_000));
    }
}
