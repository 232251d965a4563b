//! What people type: one file per noun.

mod models;

use clap::{Parser, Subcommand};
use std::io::Write;

/// The hub of Rollcall: takes what the doors saw, and lets teachers decide.
#[derive(Debug, Parser)]
#[command(name = "rollcall-hub", version)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Weights: fetch them, list them.
    Models(models::Models),
}

impl Cli {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn run(self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self.verb {
            Verb::Models(models) => models.run(out),
        }
    }
}
