//! A program whose standard output is MJPEG: `rpicam-vid` for CSI modules, `ffmpeg` for RTSP.
//!
//! The supervisor kills it through the lifeline, when the door stops or when it falls silent.

use super::{Camera, CameraError, Frame, Lifeline, Pixels, Splitter, config};
use std::{
    collections::VecDeque,
    io::Read,
    process::{ChildStdout, Command, Stdio},
    sync::Arc,
};
use wire::Clock;

struct Program {
    name: String,
    output: ChildStdout,
    splitter: Splitter,
    ready: VecDeque<Vec<u8>>,
    clock: Arc<dyn Clock>,
    chunk: Vec<u8>,
}

/// Starts the program.
pub fn open(
    config: &config::Command,
    clock: Arc<dyn Clock>,
    lifeline: &Lifeline,
) -> Result<impl Camera + use<>, CameraError> {
    let (name, arguments) = config.command.split_first().expect("checked by the config");
    let refused = |why: String| CameraError::Open { camera: name.clone(), why };
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| refused(error.to_string()))?;
    let output = child.stdout.take().expect("it was asked for");
    lifeline.tie(child);
    let splitter = Splitter::default();
    let ready = VecDeque::new();
    Ok(Program { name: name.clone(), output, splitter, ready, clock, chunk: vec![0; 64 << 10] })
}

impl Camera for Program {
    /// Of pictures that arrive together only the newest counts: the others are older than they
    /// seem, having waited in the pipe.
    fn next(&mut self) -> Result<Frame, CameraError> {
        let stopped =
            |why: &str| CameraError::Stopped { camera: self.name.clone(), why: why.into() };
        loop {
            if let Some(jpeg) = self.ready.pop_back() {
                self.ready.clear();
                return Ok(Frame { at: self.clock.mono(), pixels: Pixels::Encoded(jpeg) });
            }
            match self.output.read(&mut self.chunk) {
                Ok(0) => return Err(stopped("the program ended")),
                Ok(read) => self.ready.extend(self.splitter.push(&self.chunk[..read])),
                Err(error) => return Err(stopped(&error.to_string())),
            }
        }
    }
}
