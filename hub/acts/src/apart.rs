//! Files that people bring are read apart: by this very program in a process of its own, with
//! little memory and little time, that may die alone.
//!
//! The job and the file go in, the answer comes out, and nothing else is shared: no environment,
//! no files, no log.

use crate::import::{oneroster, table::TableFile};
use crate::planning::takeover;
use bytes::Bytes;
use rules::error::{Doing, Error};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How the hidden command is called.
pub const VERB: &str = "read-apart";
/// Bytes of memory that one reader may ask for.
const MEMORY: u64 = 512 * 1024 * 1024;
/// Seconds of computing for one file.
const CPU: u64 = 10;
/// For one file, its turn included.
const TIME: Duration = Duration::from_secs(20);
/// Until it is a file's turn.
const WAIT: Duration = Duration::from_secs(10);
/// Readers at once.
const READERS: usize = 2;
/// Files that a reader may have open: time zones are files.
const OPEN: u64 = 32;
/// Bytes of an answer at most.
const ANSWER: u64 = 256 * 1024 * 1024;
/// Bytes of a file at most.
const FILE: u64 = 256 * 1024 * 1024;

/// What is to be read, and how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ApartJob {
    /// A [`TableFile`] of at most so many rows.
    Table {
        /// Whether its first line names the columns.
        has_header: bool,
        /// Rows at most.
        most: usize,
    },
    /// A [`takeover::TakeoverPlan`].
    Timetable {
        /// The site's time zone.
        zone: String,
    },
    /// A [`oneroster::OneRosterExport`].
    School,
}

impl ApartJob {
    /// The answer, or a sentence for whoever brought the file; as bytes.
    fn answer(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let doing = "writing what a file holds";
        let bytes = match self {
            Self::Table { has_header, most } => {
                let table =
                    TableFile::read(bytes, *has_header, *most).map_err(|why| why.to_string());
                postcard::to_stdvec(&table)
            }
            Self::Timetable { zone } => {
                let zone = jiff::tz::TimeZone::get(zone).doing("reading the site's time zone")?;
                let plan = takeover::read(&String::from_utf8_lossy(bytes), &zone);
                postcard::to_stdvec(&plan.map_err(|why| why.to_string()))
            }
            Self::School => {
                let export = oneroster::read_zip(bytes).map_err(|why| why.to_string());
                postcard::to_stdvec(&export)
            }
        };
        bytes.doing(doing)
    }
}

/// Reads files apart; cheap to clone.
#[derive(Clone, Debug)]
pub struct Apart {
    places: Arc<Semaphore>,
    /// In this process: for tests, which are another program.
    here: bool,
}

impl Default for Apart {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(READERS)), here: false }
    }
}

impl Apart {
    /// Reads in this process, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn here() -> Self {
        Self { here: true, ..Self::default() }
    }

    /// The table in a file.
    ///
    /// # Errors
    /// `Invalid` with a sentence when there is none, `Unavailable` when too many files wait.
    pub async fn table(
        &self,
        file: Bytes,
        has_header: bool,
        most: usize,
    ) -> Result<TableFile, Error> {
        self.read(ApartJob::Table { has_header, most }, file).await
    }

    /// The lessons in a calendar or a table.
    ///
    /// # Errors
    /// As [`Apart::table`].
    pub async fn timetable(
        &self,
        file: Bytes,
        zone: &jiff::tz::TimeZone,
    ) -> Result<takeover::TakeoverPlan, Error> {
        let zone = zone.iana_name().unwrap_or("UTC").to_owned();
        self.read(ApartJob::Timetable { zone }, file).await
    }

    /// The school in a `OneRoster` archive.
    ///
    /// # Errors
    /// As [`Apart::table`].
    pub async fn school(&self, file: Bytes) -> Result<oneroster::OneRosterExport, Error> {
        self.read(ApartJob::School, file).await
    }

    async fn read<T: DeserializeOwned>(&self, job: ApartJob, file: Bytes) -> Result<T, Error> {
        let waits = || Error::Unavailable("other files are being read: try again soon".into());
        let place = timeout(WAIT, self.places.acquire()).await.map_err(|_| waits())?;
        let _place = place.doing("waiting for a file's turn")?;
        let answer =
            if self.here { in_here(job, file).await? } else { beside(&job, &file).await? };
        let answer: Result<T, String> = postcard::from_bytes(&answer).map_err(|_| died())?;
        answer.map_err(Error::Invalid)
    }
}

async fn in_here(job: ApartJob, file: Bytes) -> Result<Vec<u8>, Error> {
    tokio::task::spawn_blocking(move || job.answer(&file)).await.map_err(|_| died())?
}

/// What another process made of it; one that died or took too long made nothing.
async fn beside(job: &ApartJob, file: &[u8]) -> Result<Vec<u8>, Error> {
    let doing = "starting a reader of files";
    let job = postcard::to_stdvec(job).doing(doing)?;
    let length = u32::try_from(job.len()).doing(doing)?.to_le_bytes();
    let mut child = Command::new("/proc/self/exe")
        .arg(VERB)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .doing(doing)?;
    let told = timeout(TIME, talk(&mut child, [&length, &job, file])).await;
    told.map_err(|_| died())?.map_err(|_| died())
}

async fn talk(child: &mut Child, parts: [&[u8]; 3]) -> std::io::Result<Vec<u8>> {
    let gone = || std::io::Error::other("the reader is gone");
    let (mut to, from) = (child.stdin.take().ok_or_else(gone)?, child.stdout.take());
    let tell = async move {
        for part in parts {
            to.write_all(part).await?;
        }
        to.shutdown().await
    };
    let mut answer = Vec::new();
    let mut from = from.ok_or_else(gone)?.take(ANSWER);
    let (told, heard) = tokio::join!(tell, from.read_to_end(&mut answer));
    let ended = child.wait().await?;
    heard?;
    if !ended.success() {
        tracing::warn!(%ended, "a file that somebody brought ended its reader");
        return Err(gone());
    }
    told.map(|()| answer)
}

fn died() -> Error {
    let say = "the file needs more memory or time than any such file should: is it the right one? \
               Save it anew, or split it";
    Error::Invalid(say.into())
}

/// The hidden command: reads one file under limits, and says what it holds.
///
/// # Errors
/// When the limits cannot be set, or nobody listens.
pub fn run(from: &mut dyn Read, to: &mut dyn Write) -> anyhow::Result<()> {
    let limits = [
        (Resource::As, MEMORY),
        (Resource::Cpu, CPU),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, OPEN),
    ];
    for (what, most) in limits {
        setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut job = Vec::new();
    from.take(u64::from(u32::from_le_bytes(length))).read_to_end(&mut job)?;
    let job: ApartJob = postcard::from_bytes(&job)?;
    let mut bytes = Vec::new();
    from.take(FILE).read_to_end(&mut bytes)?;
    Ok(to.write_all(&job.answer(&bytes)?)?)
}
