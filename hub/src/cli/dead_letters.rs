//! `dead-letters …`: records that could not be used: list, show, replay, drop.

use super::hub::{Hub, actor, moment, now};
use acts::dead_letters;
use acts::gallery::Gallery;
use acts::ingest::replay::replay;
use acts::ingest::school::Schools;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::Path;
use store::dead_letter::{self, DeadLetterKept};
use vision::pack::{self, Manifest};

/// Letters read at once.
const SOME: u32 = 100;

/// Records that could not be used: list, show, replay, drop.
#[derive(Debug, Args)]
pub struct DeadLetters {
    #[command(subcommand)]
    verb: DeadLetterVerb,
}

#[derive(Debug, Subcommand)]
enum DeadLetterVerb {
    /// List what waits for somebody to look into it, oldest first.
    List,
    /// Say what is known of one letter.
    Show {
        /// Its number.
        n: i64,
    },
    /// Settle records anew, once the cause is mended.
    Replay(Replay),
    /// Let a letter go, and the record in it.
    Drop {
        /// Its number.
        n: i64,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Replay {
    /// The letter's number.
    n: Option<i64>,
    /// Every letter that waits.
    #[arg(long)]
    all: bool,
}

impl DeadLetters {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        match self.verb {
            DeadLetterVerb::List => list(&hub, out).await,
            DeadLetterVerb::Show { n } => {
                let letter = hub.db.read(move |tx| dead_letter::get(tx, n)).await?;
                show(&letter, out)
            }
            DeadLetterVerb::Replay(Replay { n: Some(n), .. }) => {
                let schools = schools(&hub).await?;
                again(&hub, &schools, n, out).await
            }
            DeadLetterVerb::Replay(_) => replay_all(&hub, out).await,
            DeadLetterVerb::Drop { n } => {
                dead_letters::remove(&hub.db, n, actor(), now()).await?;
                Ok(writeln!(out, "Dead letter {n} is gone, and the record in it.")?)
            }
        }
    }
}

async fn list(hub: &Hub, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut after = 0;
    let mut none = true;
    loop {
        let some = hub.db.read(move |tx| dead_letter::waiting(tx, after, SOME)).await?;
        let Some(last) = some.last() else { break };
        (after, none) = (last.n, false);
        for letter in &some {
            let n = letter.n;
            let device = letter.device.as_str();
            let error = &letter.error;
            writeln!(out, "{n:>6} {} {device:<24} {error:<10} {}", moment(letter.at), of(letter))?;
        }
    }
    if none {
        writeln!(out, "No record waits for anybody.")?;
    }
    Ok(())
}

/// Which record it was.
fn of(letter: &DeadLetterKept) -> String {
    letter.of.map_or_else(|| "no record".into(), |(_, seq)| format!("record {seq}"))
}

fn show(letter: &DeadLetterKept, out: &mut dyn Write) -> anyhow::Result<()> {
    let DeadLetterKept { n, device, error, detail, software, bytes, .. } = letter;
    writeln!(out, "Dead letter {n} of {device}, {}", moment(letter.at))?;
    writeln!(out, "{}, {bytes} bytes, sent by version {software}", of(letter))?;
    writeln!(out, "{error}: {detail}")?;
    if let Some(at) = letter.replayed_at {
        writeln!(out, "Replayed {}: its record is stored.", moment(at))?;
    }
    Ok(())
}

async fn replay_all(hub: &Hub, out: &mut dyn Write) -> anyhow::Result<()> {
    let schools = schools(hub).await?;
    let mut after = 0;
    loop {
        let some = hub.db.read(move |tx| dead_letter::waiting(tx, after, SOME)).await?;
        let Some(last) = some.last() else { return Ok(()) };
        after = last.n;
        for letter in &some {
            if let Err(error) = again(hub, &schools, letter.n, out).await {
                writeln!(out, "Dead letter {} stays: {error}", letter.n)?;
            }
        }
    }
}

async fn again(hub: &Hub, schools: &Schools, n: i64, out: &mut dyn Write) -> anyhow::Result<()> {
    let done = replay(&hub.db, &hub.keys()?, schools, n, actor(), now()).await?;
    let what = if done.is_new { "its record is stored" } else { "its record was stored before" };
    Ok(writeln!(out, "Dead letter {n}: {what}.")?)
}

/// Everybody who may be recognised, as the running hub knows them.
async fn schools(hub: &Hub) -> anyhow::Result<Schools> {
    let folder = pack::folder(&hub.config.models)?;
    let model: wire::ModelId =
        Manifest::read(&folder)?.model_id.parse().context("reading the pack's model")?;
    let (lines, _) = hub.config.lines.of(model.as_str())?;
    let gallery = Gallery::new(model).with_lines(lines);
    gallery.rebuild(&hub.db, &hub.keys()?).await?;
    let schools = Schools::default();
    schools.set(gallery.schools());
    Ok(schools)
}
