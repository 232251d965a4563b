//! A program as a child process: its output in a file, its end certain.

use anyhow::{Context as _, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running program; killed on drop.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with output and errors going to `log`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let out = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self { child, name, log: log.to_owned() })
    }

    /// The operating system's number for it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until `ready` finds what it looks for; asks again every 20 ms.
    ///
    /// # Errors
    /// When the program ends first, or `limit` passes; the message holds what it said.
    pub fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        loop {
            if let Some(found) = ready() {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}) before {what}:\n{}", self.name, self.said());
            }
            if start.elapsed() > limit {
                bail!("{} took over {limit:?} for {what}:\n{}", self.name, self.said());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// When `limit` passes.
    pub fn end(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{} did not end within {limit:?}:\n{}", self.name, self.said())
    }

    /// Asks it to stop, as systemd does, and waits.
    ///
    /// # Errors
    /// When it does not end in 15 seconds.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        Command::new("kill").arg("-TERM").arg(self.id().to_string()).status()?;
        self.end(Duration::from_secs(15))
    }

    /// SIGKILL: no farewell, nothing flushed.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `command` to its end and returns what it printed.
///
/// # Errors
/// When it exits with anything but 0; the message holds what it said.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = format!("{command:?}");
    let output = command.output().with_context(|| name.clone())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{name} ended ({}):\n{said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(said)
}
