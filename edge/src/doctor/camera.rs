//! The camera: whether frames come. Where the daemon has it, the daemon is asked.

use super::{Ailment, Finding, picture};
use crate::app::peek::{Patience, Peek, peek};
use crate::capture::{self, CameraError, Config as Camera, Frame, Pixels};
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::status::Status;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wire::Mono;
use wire::record::CameraState;

/// For how long the daemon is asked what comes, milliseconds.
const GLANCE_MS: u64 = 1_000;

/// The camera, and what its picture shows.
pub fn findings(config: &Config, status: Option<&Status>, patience: &Patience) -> Vec<Finding> {
    if let Camera::Pictures(pictures) = &config.camera {
        return vec![match capture::pictures(&pictures.paths) {
            Ok(files) => Finding::well("camera", format!("{} pictures in its place", files.len())),
            Err(error) => {
                let mend = "correct [camera] paths in edge.toml";
                Finding::fault(Ailment::PicturesMissing, error.to_string(), mend)
            }
        }];
    }
    match status {
        Some(status) => of_daemon(config, status),
        None => match missing(config) {
            Some(fault) => vec![fault],
            None => seen(config, peek(config, patience)),
        },
    }
}

/// What the daemon, which has the camera, sees.
fn of_daemon(config: &Config, status: &Status) -> Vec<Finding> {
    if status.camera == CameraState::Blind {
        let mend = "plug it out and in; journalctl -u rollcall-edge says what the camera said";
        let wrong = "the daemon gets no frames from it";
        return vec![Finding::fault(Ailment::CameraSilent, wrong, mend)];
    }
    let came = format!("the daemon has it; {} frames since its start", status.camera_frames);
    let question = Question::Glance { ms: GLANCE_MS };
    let shown = match control::ask(&config.socket, question) {
        Ok((Answer::Glance { form: Some(form), .. }, bytes)) => Pixels::from_bytes(form, bytes),
        // A daemon of before does not know the question: what its status says must do.
        _ => None,
    };
    let view = config.view;
    let frame = shown.map(|pixels| Arc::new(Frame { view, ..Frame::new(Mono(0), pixels) }));
    let looked = picture::of_daemon(config, status, frame.as_deref());
    vec![Finding::well("camera", came), looked]
}

/// What this look at the camera showed.
fn seen(config: &Config, peek: Peek) -> Vec<Finding> {
    let frames = peek.glance.frames;
    let Some(frame) = peek.newest else { return vec![nothing(config, peek.error)] };
    // A program that ends after some frames is started again and again.
    if let Some(error) = peek.error.filter(|_| matches!(config.camera, Camera::Command(_))) {
        return vec![nothing(config, Some(error))];
    }
    let rate = peek.glance.rate();
    let say = format!("{} gives {rate:.0} frames a second", name(config));
    let still = frames >= 5 && peek.glance.copies + 1 == frames;
    vec![Finding::well("camera", say), picture::finding(config, &frame, still)]
}

fn name(config: &Config) -> String {
    match &config.camera {
        Camera::V4l2(camera) => camera.device.display().to_string(),
        Camera::Command(camera) => camera.command[0].clone(),
        Camera::Pictures(_) => "a folder".to_owned(),
    }
}

/// Why not one frame came.
fn nothing(config: &Config, error: Option<CameraError>) -> Finding {
    let program = matches!(config.camera, Camera::Command(_));
    let name = name(config);
    let Some(error) = error else {
        return if program {
            let wrong = format!("“{name}” runs and writes no JPEG");
            let mend = "it must write MJPEG to its standard output: rpicam-vid with --codec mjpeg \
                        -o -, ffmpeg with -f mjpeg - ; try it by hand, and look at its own cable";
            Finding::fault(Ailment::ProgramNoPicture, wrong, mend)
        } else {
            let wrong = format!("{name} is open and gives no frame");
            let mend = "plug it out and in; then another cable or port";
            Finding::fault(Ailment::CameraSilent, wrong, mend)
        };
    };
    let said = error.to_string();
    match error {
        CameraError::Stopped { .. } if program => {
            let mend = "type the command of [camera] by hand: it must run until it is stopped";
            Finding::fault(Ailment::ProgramEnds, said, mend)
        }
        CameraError::Open { why, .. } if why == capture::FORBIDDEN => {
            let mend = "sudo usermod -a -G video rollcall-edge, then restart the daemon (the \
                        package does that by itself)";
            Finding::fault(Ailment::CameraRefused, said, mend)
        }
        CameraError::Open { why, .. } if why == capture::BUSY => {
            let mend = format!("`sudo fuser -v {name}` says which program has it; end that");
            Finding::fault(Ailment::CameraBusy, said, mend)
        }
        CameraError::Open { why, .. } if why == capture::GONE => gone(said),
        CameraError::Format { .. } => {
            let mend = "use kind = \"command\" with ffmpeg or rpicam-vid, which converts";
            Finding::fault(Ailment::CameraStrange, said, mend)
        }
        _ => {
            let mend = "plug it out and in; `dmesg | tail` says what the system thinks of it";
            Finding::fault(Ailment::CameraStrange, said, mend)
        }
    }
}

fn gone(said: String) -> Finding {
    let mend = "plug it in; `ls /dev/video*` lists what there is, and [camera] device names one (a \
                name in /dev/v4l/by-id stays with its camera)";
    Finding::fault(Ailment::CameraMissing, said, mend)
}

/// What is not there need not be opened.
fn missing(config: &Config) -> Option<Finding> {
    match &config.camera {
        Camera::V4l2(camera) if !camera.device.exists() => {
            let device = camera.device.display();
            Some(gone(format!("camera “{device}” is not there")))
        }
        Camera::Command(camera) if find(&camera.command[0]).is_none() => {
            let wrong = format!("the program “{}” is not there", camera.command[0]);
            let mend = "install it (rpicam-vid is in rpicam-apps), or write its whole path in \
                        [camera] command";
            Some(Finding::fault(Ailment::ProgramMissing, wrong, mend))
        }
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Paths;

    fn config(camera: &str) -> Config {
        let text = format!("data = \".\"\n[camera]\n{camera}");
        Config::parse(&text, &Paths("/nowhere".into()), "edge.toml").unwrap()
    }

    fn open(why: &str) -> CameraError {
        CameraError::Open { camera: "/dev/video0".into(), why: why.into() }
    }

    #[test]
    fn what_only_a_driver_says_of_a_usb_camera_is_told_apart() {
        let usb = config("kind = \"v4l2\"");
        let of = |error| nothing(&usb, error).ailment().unwrap();
        assert_eq!(of(Some(open(capture::BUSY))), Ailment::CameraBusy);
        assert_eq!(of(Some(open(capture::FORBIDDEN))), Ailment::CameraRefused);
        assert_eq!(of(Some(open(capture::GONE))), Ailment::CameraMissing);
        let format = CameraError::Format { camera: "c".into(), offered: "H264".into() };
        assert_eq!(of(Some(format)), Ailment::CameraStrange);
        assert_eq!(of(None), Ailment::CameraSilent);
    }

    #[test]
    fn a_busy_camera_says_how_to_find_who_has_it() {
        let said = nothing(&config("kind = \"v4l2\""), Some(open(capture::BUSY)));
        let super::super::State::Fault { wrong, mend, .. } = said.state else { panic!() };
        assert!(wrong.contains("another program uses it") && mend.contains("fuser -v /dev/video0"));
    }
}
