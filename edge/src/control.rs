//! The control socket: a technician on the unit asks for a look, or how the daemon is.
//!
//! One question a connection, one line of JSON each way; a picture follows as plain bytes. Only
//! who may open the socket (0660) may ask.

use crate::burst::PATIENCE;
use crate::capture::{Form, Glance, Glancer, Ring};
use crate::report::Report;
use crate::status::Status;
use crate::trigger::Ask;
use crate::{burst, draw};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, BufRead as _, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream as Blocking},
    path::Path,
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use wire::Clock;

/// Bytes of a question at most.
const QUESTION: u64 = 1024;
/// Bytes of a picture at most, however it is written.
const PICTURE: usize = 64 << 20;
/// A glance takes no longer, milliseconds.
pub const LONGEST_MS: u64 = 10_000;
/// How often a glance looks for frames: their times are known no better.
const GLANCE: Duration = Duration::from_millis(4);
/// Quality of the picture shown to a technician.
const JPEG: u8 = 85;

/// What can be asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Take a burst now, and say what comes of it.
    Snap {
        /// Send the picture too.
        picture: bool,
    },
    /// How are you?
    Status,
    /// What does the camera give? Nothing is looked for in it.
    Glance {
        /// For so long, at most [`LONGEST_MS`].
        ms: u64,
    },
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Snap`]; so many bytes of JPEG follow the line.
    Report {
        /// What came of it.
        report: Report,
        /// Bytes that follow.
        picture_bytes: usize,
    },
    /// To [`Question::Status`].
    Status(Box<Status>),
    /// To [`Question::Glance`]; the newest frame follows the line as it came.
    Glance {
        /// What came.
        glance: Glance,
        /// How the frame is to be read; nothing if none came.
        form: Option<Form>,
        /// Bytes that follow.
        frame_bytes: usize,
    },
    /// A sentence about what went wrong.
    Trouble(String),
}

/// The daemon's end.
pub struct Control {
    /// Where questions come in.
    pub listener: UnixListener,
    /// The shutter.
    pub asks: SyncSender<Ask>,
    /// How the daemon is.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// Where frames arrive.
    pub ring: Arc<Ring>,
    /// Dates the questions.
    pub clock: Arc<dyn Clock>,
}

/// Opens the socket, in place of one that a daemon left behind.
///
/// # Errors
/// When another daemon listens there, or the folder cannot be written.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    if Blocking::connect(path).is_ok() {
        let said = format!("another daemon listens at {}: stop it first", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, said));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

impl Control {
    /// Answers one question after another until `stop`.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        loop {
            let (stream, _) = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                accepted = self.listener.accept() => accepted?,
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                // A technician who went away, or took too long, is no fault of the daemon.
                answered = timeout(2 * PATIENCE, self.serve(stream)) => drop(answered),
            }
        }
    }

    async fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut line = String::new();
        BufReader::new(reader.take(QUESTION)).read_line(&mut line).await?;
        let (answer, picture) = match serde_json::from_str(&line) {
            Ok(question) => self.answer(question).await,
            Err(error) => (Answer::Trouble(format!("the question is not known: {error}")), vec![]),
        };
        let mut said = serde_json::to_vec(&answer)?;
        said.push(b'\n');
        writer.write_all(&said).await?;
        writer.write_all(&picture).await?;
        writer.shutdown().await
    }

    async fn answer(&self, question: Question) -> (Answer, Vec<u8>) {
        match question {
            Question::Status => (Answer::Status(Box::new((self.status)())), vec![]),
            Question::Snap { picture } => self.snap(picture).await,
            Question::Glance { ms } => self.glance(ms).await,
        }
    }

    async fn glance(&self, ms: u64) -> (Answer, Vec<u8>) {
        let mut watch = Glancer::new(self.clock.mono());
        let mut number = self.ring.count();
        let until = self.clock.mono().0 + ms.min(LONGEST_MS);
        while self.clock.mono().0 < until {
            tokio::time::sleep(GLANCE).await;
            while let Some((next, frame)) = self.ring.next(number, Duration::ZERO) {
                number = next;
                watch.see(&frame, self.clock.mono());
            }
        }
        let (glance, newest) = watch.done(self.clock.mono());
        let (form, frame) = newest.map(|frame| frame.pixels.to_bytes()).unzip();
        let frame = frame.unwrap_or_default();
        (Answer::Glance { glance, form, frame_bytes: frame.len() }, frame)
    }

    async fn snap(&self, picture: bool) -> (Answer, Vec<u8>) {
        let report = match burst::take(&self.asks, self.clock.mono()).await {
            Ok(report) => report,
            Err(why) => return (Answer::Trouble(why.into()), vec![]),
        };
        let drawn = draw::boxes(&report).filter(|_| picture);
        let jpeg = drawn.map(|picture| picture.to_jpeg(JPEG)).unwrap_or_default();
        (Answer::Report { report, picture_bytes: jpeg.len() }, jpeg)
    }
}

/// Whether that says that no daemon runs.
#[must_use]
pub fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Asks a running daemon; the picture, if one was asked for, comes with the answer.
///
/// # Errors
/// When nobody listens, or the answer cannot be understood.
pub fn ask(socket: &Path, question: Question) -> io::Result<(Answer, Vec<u8>)> {
    let mut stream = Blocking::connect(socket)?;
    stream.set_read_timeout(Some(2 * PATIENCE))?;
    let mut line = serde_json::to_vec(&question)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reader = io::BufReader::new(stream);
    let mut said = String::new();
    reader.read_line(&mut said)?;
    let answer: Answer = serde_json::from_str(&said)?;
    let mut picture = Vec::new();
    let (Answer::Report { picture_bytes: bytes, .. } | Answer::Glance { frame_bytes: bytes, .. }) =
        &answer
    else {
        return Ok((answer, picture));
    };
    if *bytes > PICTURE {
        return Err(io::Error::other("the daemon sends more than a picture"));
    }
    picture.resize(*bytes, 0);
    reader.read_exact(&mut picture)?;
    Ok((answer, picture))
}

#[cfg(test)]
pub(crate) mod tests;
