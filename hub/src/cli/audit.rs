//! `audit …`: the chain of who did what.

use super::hub::Hub;
use crate::store::audit;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::Path;

/// The chain of who did what: verify.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Walk the whole chain; fails at the first row that was changed.
    Verify,
}

impl Audit {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let Verb::Verify = self.verb;
        // On the writer: a long chain takes longer than a reader may.
        let head = Hub::open(data)?.db.write(audit::verify).await?;
        writeln!(out, "{} rows, unbroken; the head is {}", head.rows, head.hash)?;
        Ok(())
    }
}
