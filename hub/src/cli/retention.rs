//! `retention …`: what goes by itself, run by hand.

use super::hub::{Hub, actor, now};
use crate::privacy::retention::{self, Swept};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::Path;

/// What goes because its time is over: run.
#[derive(Debug, Args)]
pub struct RetentionArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Take away what is due now; the hub does it each day.
    Run {
        /// Only count it.
        #[arg(long)]
        dry_run: bool,
    },
}

impl RetentionArgs {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let Verb::Run { dry_run } = self.verb;
        let hub = Hub::open(data)?;
        let swept = match dry_run {
            true => retention::count(&hub.db, now()).await?,
            false => retention::run(&hub.db, &hub.keys()?, &actor(), now()).await?,
        };
        for Swept { kind, rows } in swept {
            let kind = serde_json::to_value(kind)?;
            writeln!(out, "{:<14} {rows:>9}", kind.as_str().unwrap_or_default())?;
        }
        let word = if dry_run { "would go; nothing was touched" } else { "are gone" };
        Ok(writeln!(out, "These rows {word}.")?)
    }
}
