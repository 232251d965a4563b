//! A clock that a test moves under real programs: Debian's library `faketime` stands between them
//! and the machine's. Monotonic time goes on as it does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// How far a school's clock is from the machine's.
#[derive(Clone, Debug)]
pub struct Shift {
    library: PathBuf,
    file: PathBuf,
}

impl Shift {
    /// One that is kept in `dir`; nothing where the library is not installed.
    #[must_use]
    pub fn new(dir: &Path) -> Option<Self> {
        let machines = fs::read_dir("/usr/lib").ok()?.flatten();
        let mut all = machines.map(|one| one.path().join("faketime/libfaketimeMT.so.1"));
        Some(Self { library: all.find(|one| one.exists())?, file: dir.join("clock") })
    }

    /// From now on clocks are so many days ahead of the machine's; those of running programs too,
    /// within a second.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn days(&self, ahead: i64) -> io::Result<()> {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{ahead:+}d\n"))?;
        fs::rename(next, &self.file)
    }

    /// The program goes by this clock.
    pub fn apply(&self, program: &mut Command) {
        program.env("LD_PRELOAD", &self.library);
        program.env("FAKETIME_TIMESTAMP_FILE", &self.file);
        let as_they_are = ["FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"];
        program.envs(as_they_are.map(|name| (name, "1"))).env("FAKETIME_CACHE_DURATION", "1");
    }
}
