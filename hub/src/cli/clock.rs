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
pub struct Clock {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say whether it leapt. While it is not believed, nothing goes that cannot come back.
    Show,
    /// Say that it is right as it is.
    Confirm,
}

impl Clock {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let now = now();
        if matches!(self.verb, Verb::Confirm) {
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
