//! Parses what was typed, runs it, and says in one sentence what went wrong.

use clap::Parser;
use rollcall_hub::cli::{self, Cli};
use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "the last word to the person at the terminal")]
fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough: `… | head`.
        Err(error) if cli::is_unread(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rollcall-hub: {error:#}");
            cli::code(&error)
        }
    }
}
