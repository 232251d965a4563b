//! USB cameras by nokhwa.
//!
//! Cameras refuse formats they list and list formats they refuse: what it has is listed, ordered by
//! how well it fits, and tried in turn.

use super::{Camera, CameraError, Frame, Pixels, config::V4l2};
use nokhwa::{
    Buffer, Camera as Device, NokhwaError,
    pixel_format::RgbFormat,
    utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType},
};
use std::sync::Arc;
use wire::{Clock, Mono};

struct Usb {
    name: String,
    device: Device,
    clock: Arc<dyn Clock>,
}

/// Opens the camera in the best format it accepts, streaming.
pub fn open(wanted: &V4l2, clock: Arc<dyn Clock>) -> Result<impl Camera + use<>, CameraError> {
    let name = format!("/dev/video{}", wanted.index);
    let refused = |error: &NokhwaError| CameraError::Open { camera: name.clone(), why: why(error) };
    let mut device = first(wanted.index).map_err(|error| refused(&error))?;
    let offered = device.compatible_camera_formats().map_err(|error| refused(&error))?;
    for format in best(&offered, wanted) {
        let kinds = [format.format()];
        let exact = RequestedFormat::with_formats(RequestedFormatType::Exact(format), &kinds);
        match device.set_camera_requset(exact).and_then(|_| device.open_stream()) {
            Ok(()) => {
                tracing::info!(%format, "camera {name} streams {format}");
                return Ok(Usb { name, device, clock });
            }
            Err(error) => tracing::debug!(%error, "camera {name} refuses {format}"),
        }
    }
    Err(CameraError::Format { camera: name, offered: list(&offered) })
}

/// What the camera offers, for `doctor`.
///
/// # Errors
/// When it cannot be opened.
pub fn formats(index: u32) -> Result<String, CameraError> {
    let refused = |error: &NokhwaError| CameraError::Open {
        camera: format!("/dev/video{index}"),
        why: why(error),
    };
    let mut device = first(index).map_err(|error| refused(&error))?;
    let offered = device.compatible_camera_formats().map_err(|error| refused(&error))?;
    Ok(list(&offered))
}

/// Opened with whatever it has, because its formats can be listed only then.
fn first(index: u32) -> Result<Device, NokhwaError> {
    let any = RequestedFormat::new::<RgbFormat>(RequestedFormatType::None);
    Device::new(CameraIndex::Index(index), any)
}

fn why(error: &NokhwaError) -> String {
    let text = error.to_string();
    match () {
        () if text.contains("No such file") => "it is not there: is it plugged in?".into(),
        () if text.contains("Permission denied") => {
            "permission denied: add the daemon's user to the group “video”".into()
        }
        () if text.contains("busy") => "another program uses it".into(),
        () => text,
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
        let buffer = self.device.frame().map_err(|error| CameraError::Stopped {
            camera: self.name.clone(),
            why: error.to_string(),
        })?;
        let at = taken(self.clock.mono(), self.clock.wall(), &buffer);
        let bytes = buffer.buffer().to_vec();
        let pixels = match buffer.source_frame_format() {
            FrameFormat::YUYV => {
                let size = buffer.resolution();
                Pixels::Yuyv { width: size.width(), height: size.height(), bytes }
            }
            _ => Pixels::Encoded(bytes),
        };
        Ok(Frame { at, pixels })
    }
}

/// nokhwa turns the driver's timestamp into wall time at the moment it hands the frame over; its
/// age leads back to monotonic time, which is what triggers are dated by.
fn taken(now: Mono, wall: wire::Wall, buffer: &Buffer) -> Mono {
    let age = |taken: std::time::Duration| {
        let taken = i64::try_from(taken.as_millis()).unwrap_or(i64::MAX);
        u64::try_from(wall.0.saturating_sub(taken)).unwrap_or(0)
    };
    let age_ms = buffer.capture_timestamp().map_or(0, age);
    // Older than the ring of buffers can be: the clock stepped between the two readings.
    Mono(now.0.saturating_sub(if age_ms < 60_000 { age_ms } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn format(kind: FrameFormat, width: u32, height: u32, fps: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, kind, fps)
    }

    fn wanted() -> V4l2 {
        V4l2 { index: 0, width: 640, height: 480, fps: 15 }
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
    fn a_frame_is_as_old_as_its_buffer() {
        let size = nokhwa::utils::Resolution::new(2, 1);
        let buffer = |wall_ms| {
            let at = Some(Duration::from_millis(wall_ms));
            Buffer::with_timestamp(size, &[0; 4], FrameFormat::YUYV, at)
        };
        let taken = |at| taken(Mono(50_000), wire::Wall(1_000_000), &buffer(at));
        assert_eq!(taken(999_700), Mono(49_700));
        assert_eq!(taken(1_000_400), Mono(50_000), "from the future: the clock stepped");
        assert_eq!(taken(1), Mono(50_000), "from 1970");
    }
}
