//! The first thing that `rollcall-edge run` does: begins the program that is to run.
//!
//! What is installed is what always starts; it gives its process to a program of the shelf, and
//! runs itself where there is none. So a program that does not come up never locks the door out.

use super::book::{Book, Here, Start};
use super::config::Config;
use super::shelf::{Shelf, name};
use crate::identity::Identity;
use anyhow::bail;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use wire::program::Program;

/// What this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is installed.
    Own,
    /// A program of the shelf that proved itself.
    Settled,
    /// One that is to prove itself.
    Trial,
}

/// Set for a program of the shelf: what the installed one made of the configuration.
const HANDED_ON: &str = "ROLLCALL_HANDED_ON";

/// What the installed program makes of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// It understands it.
    Settings,
    /// Hardly more of it than where the data lies.
    Nothing,
}

impl Reads {
    /// What [`HANDED_ON`] is set to.
    fn word(self) -> &'static str {
        match self {
            Self::Settings => "1",
            Self::Nothing => "refused",
        }
    }
}

/// Whether this process was begun by [`launch`] of a program that understands the configuration:
/// that this one does not is no reason for systemd to let it be.
#[must_use]
pub fn another_reads_it() -> bool {
    std::env::var_os(HANDED_ON).is_some_and(|word| word == Reads::Settings.word())
}

/// What follows where this process, which is `role`, does not understand the configuration.
///
/// One on trial has failed: what proved itself before it may understand it. Where neither what proved
/// itself nor what is installed does, that says nothing of the program, and this start does not count.
///
/// # Errors
/// On trial; the program before it gets its turn.
pub fn unread(data: &Path, role: Role) -> anyhow::Result<()> {
    let by_nobody = std::env::var_os(HANDED_ON).is_some_and(|word| word == Reads::Nothing.word());
    match role {
        Role::Trial => bail!("the program on trial does not understand the configuration"),
        Role::Settled if by_nobody => {
            let shelf = Shelf::new(data);
            let mut book = shelf.book();
            book.uncount();
            if let Err(error) = shelf.keep(&book) {
                tracing::warn!(%error, "that a start did not count cannot be written down");
            }
        }
        Role::Settled | Role::Own => {}
    }
    Ok(())
}

/// Begins the program that is to run at the door whose data folder is `data`. Returns only in the
/// process that is to be the daemon.
///
/// # Errors
/// When the program cannot be started; it is given up, and the next start begins another.
pub fn launch(data: &Path, config: &Config, reads: Reads) -> anyhow::Result<Role> {
    let shelf = Shelf::new(data);
    if let Some(running) = shelf.runs() {
        let book = shelf.book();
        let on_trial = book.trial().is_some_and(|(signed, ..)| name(signed) == running);
        return Ok(if on_trial { Role::Trial } else { Role::Settled });
    }
    let identity = Identity::load(data).ok();
    let here = Here::new(config.signer(identity.as_ref()));
    let mut book = shelf.book();
    let before = book.clone();
    let mut start = book.begin(&here);
    if book != before
        && let Err(error) = shelf.keep(&book)
    {
        tracing::error!(%error, "which program runs cannot be written down: no new one is tried");
        start = uncounted(before, &here);
    }
    let (program, is_trial) = match start {
        Start::Own => return Ok(Role::Own),
        Start::Settled(program) => (program, false),
        Start::Trial(program) => (program, true),
    };
    let why = begin(&shelf, &program, reads);
    match is_trial {
        true => book.refuse(&why),
        false => book.fell(),
    }
    if let Err(error) = shelf.keep(&book) {
        // Nobody is to be kept out by a disk that keeps nothing.
        tracing::error!(%error, "that it is given up cannot be written down: what is installed runs");
        return Ok(Role::Own);
    }
    bail!("version {} cannot be started and is given up: {why}", program.version)
}

/// What can be started without writing anything down: never a program on trial, which would be
/// tried for ever.
fn uncounted(mut book: Book, here: &Here) -> Start {
    book.refuse("");
    book.begin(here)
}

/// Gives this process to `program`. Returns only where that cannot be, and says why.
fn begin(shelf: &Shelf, program: &Program, reads: Reads) -> String {
    if !shelf.has(program) {
        return "its file is missing or damaged".into();
    }
    let error = Command::new(shelf.path(program))
        .args(std::env::args_os().skip(1))
        .env(HANDED_ON, reads.word())
        .exec();
    format!("the system refuses it: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ConfigError;

    #[test]
    fn a_program_on_trial_that_does_not_understand_the_settings_has_failed_like_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let error = unread(dir.path(), Role::Trial).unwrap_err();
        // With one systemd would let it be, and what proved itself before got no turn.
        assert!(!error.chain().any(|cause| cause.is::<ConfigError>()));
        assert!(unread(dir.path(), Role::Own).is_ok());
    }
}
