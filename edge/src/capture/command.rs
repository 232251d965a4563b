//! A program whose standard output is MJPEG: `rpicam-vid` for CSI modules, `ffmpeg` for RTSP.
//!
//! The supervisor kills it through the lifeline, when the door stops or when it falls silent.

use super::{Camera, CameraError, Frame, Lifeline, Pixels, Splitter, config, said::Ear};
use std::{
    collections::VecDeque,
    io::Read,
    process::{ChildStdout, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};
use wire::{Clock, Mono};

/// How long a program's last words may take.
const WORDS: Duration = Duration::from_millis(500);

struct Program {
    name: String,
    output: ChildStdout,
    splitter: Splitter,
    ready: VecDeque<Vec<u8>>,
    clock: Arc<dyn Clock>,
    latency_ms: u64,
    said: Ear,
    /// Closed when the program says nothing more.
    hushed: Receiver<()>,
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
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| refused(error.to_string()))?;
    let output = child.stdout.take().expect("it was asked for");
    let voice = child.stderr.take().expect("it was asked for");
    lifeline.tie(child);
    let said = Ear::default();
    let (ear, program, by) = (said.clone(), name.clone(), clock.clone());
    let (speaking, hushed) = sync_channel(0);
    // Ends with the program, from whose pipe it reads.
    thread::spawn(move || {
        ear.listen(&program, voice, &by);
        drop(speaking);
    });
    Ok(Program {
        name: name.clone(),
        output,
        splitter: Splitter::default(),
        ready: VecDeque::new(),
        clock,
        latency_ms: config.latency_ms,
        said,
        hushed,
        chunk: vec![0; 64 << 10],
    })
}

impl Program {
    /// When the light fell on the sensor, as near as anybody knows.
    fn taken(&self) -> Mono {
        Mono(self.clock.mono().0.saturating_sub(self.latency_ms))
    }

    fn stopped(&self, why: &str) -> CameraError {
        // Its last words may still be on their way.
        let _ = self.hushed.recv_timeout(WORDS);
        let why = match self.said.last() {
            Some(said) => format!("{why}; it said: {said}"),
            None => why.to_owned(),
        };
        CameraError::Stopped { camera: self.name.clone(), why }
    }
}

impl Camera for Program {
    /// Of pictures that arrive together only the newest counts: the others are older than they
    /// seem, having waited in the pipe.
    fn next(&mut self) -> Result<Frame, CameraError> {
        loop {
            if let Some(jpeg) = self.ready.pop_back() {
                self.ready.clear();
                return Ok(Frame::new(self.taken(), Pixels::Encoded(jpeg)));
            }
            match self.output.read(&mut self.chunk) {
                Ok(0) => return Err(self.stopped("the program ended")),
                Ok(read) => self.ready.extend(self.splitter.push(&self.chunk[..read])),
                Err(error) => return Err(self.stopped(&error.to_string())),
            }
        }
    }
}

#[cfg(test)]
mod tests;
