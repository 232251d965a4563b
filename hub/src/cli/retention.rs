//! `retention …`: what goes by itself, run by hand.

use super::hub::{Hub, actor, now};
use acts::privacy::retention;
use acts::retention::Sweeper;
use acts::timekeeper::{self, Timekeeper};
use acts::upkeep::{Aside, Upkeep};
use anyhow::ensure;
use clap::{Args, Subcommand};
use rules::retention::{Retention, RetentionKind, Swept};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use store::line::Duty;
use wire::time::SystemClock;

/// What goes because its time is over: show, run.
#[derive(Debug, Args)]
pub struct RetentionArgs {
    #[command(subcommand)]
    verb: RetentionVerb,
}

#[derive(Debug, Subcommand)]
enum RetentionVerb {
    /// Print after how many days what goes.
    Show,
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
        let hub = Hub::open(data)?;
        match self.verb {
            RetentionVerb::Show => show(hub.db.read(retention::get).await?, out),
            RetentionVerb::Run { dry_run } => sweep(&hub, dry_run, out).await,
        }
    }
}

fn show(set: Retention, out: &mut dyn Write) -> anyhow::Result<()> {
    for (kind, days) in set.days() {
        let after = match days {
            None => "kept".into(),
            Some(1) => "1 day".into(),
            Some(days) => format!("{days} days"),
        };
        writeln!(out, "{:<14} {after:>9}", word(kind)?)?;
    }
    Ok(())
}

async fn sweep(hub: &Hub, dry_run: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let aside = Aside::default();
    let swept = match dry_run {
        true => retention::count(&hub.db, now()).await?,
        false => {
            let leap = timekeeper::leap_at(&hub.db, now()).await?;
            let upkeep = Upkeep {
                db: hub.db.clone(),
                clock: Arc::new(SystemClock),
                aside: aside.clone(),
                timekeeper: Timekeeper::default(),
                duty: Duty::default(),
            };
            let sweeper = Sweeper { upkeep, keys: hub.keys()? };
            sweeper.run(leap, &actor(), now(), &|_| {}).await?
        }
    };
    for Swept { kind, rows } in swept {
        writeln!(out, "{:<14} {rows:>9}", word(kind)?)?;
    }
    let word = if dry_run { "would go; nothing was touched" } else { "are gone" };
    writeln!(out, "These rows {word}.")?;
    left(&aside, out)
}

/// Says what could not be erased, and ends with that.
fn left(aside: &Aside, out: &mut dyn Write) -> anyhow::Result<()> {
    let left = aside.list();
    for failed in &left {
        writeln!(out, "left: {} {}: {}", failed.what.word(), failed.id, failed.why)?;
    }
    ensure!(left.is_empty(), "{} could not be erased and is still here: see above", left.len());
    Ok(())
}

/// The name of a kind, as the API says it.
fn word(kind: RetentionKind) -> anyhow::Result<String> {
    Ok(serde_json::from_value(serde_json::to_value(kind)?)?)
}
