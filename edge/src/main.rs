//! `rollcall-edge`: arguments, logging, exit codes; everything else is in the library.

use clap::Parser;
use rollcall_edge::{cli, program, table::ConfigError};
use std::{io::Write as _, process::ExitCode};

/// The configuration is wrong (`EX_USAGE` of sysexits, which systemd is told not to restart after).
const WRONG_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let args = cli::Args::parse();
    cli::log();
    // One TLS provider for the whole process; a second call would find it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::run(args, &mut std::io::stdout().lock()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "rollcall-edge: {error:#}");
            let wrong = error.chain().any(|cause| cause.is::<ConfigError>());
            let wrong = wrong && !program::another_reads_it();
            ExitCode::from(if wrong { WRONG_CONFIG } else { 1 })
        }
    }
}
