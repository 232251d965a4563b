//! `clock …`: whether the hub's clock is believed.

use super::hub::{Hub, actor, moment, now};
use acts::timekeeper;
use clap::{Args, Subcommand};
use rules::clock::judge;
use std::io::Write;
use std::path::Path;
use store::clock;
use wire::Mono;

/// Whether the hub's clock is believed: show, confirm.
#[derive(Debug, Args)]
pub struct ClockCommand {
    #[command(subcommand)]
    verb: ClockVerb,
}

#[derive(Debug, Subcommand)]
enum ClockVerb {
    /// Say whether it leapt. While it is not believed, nothing goes that cannot come back.
    Show,
    /// Say that it is right as it is.
    Confirm,
}

impl ClockCommand {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let now = now();
        if matches!(self.verb, ClockVerb::Confirm) {
            timekeeper::confirm(&hub.db, actor(), now).await?;
        }
        let facts = hub.db.read(clock::facts).await?;
        match judge(&facts, now, Mono(0)) {
            None => writeln!(out, "The clock is believed: {}.", moment(now))?,
            Some(leap) => {
                let (from, to) = (moment(leap.from), moment(leap.to));
                writeln!(out, "The clock leapt: it said {to} where {from} was expected.")?;
                writeln!(out, "Set it right, or say that it is: rollcall-hub clock confirm")?;
            }
        }
        Ok(())
    }
}
