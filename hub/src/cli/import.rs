//! `import …`: takes over what other programs know.

use super::hub::{Hub, actor, now};
use crate::auth::{Actor, Role};
use crate::store::Tx;
use crate::store::desk::Reader;
use crate::timetable::takeover::{self, Wishes};
use crate::web::words::day;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Take over what other programs know.
#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Weekly lessons, single lessons and holidays from an iCalendar file (.ics), or weekly
    /// lessons from a table: `class_code,weekday,starts,ends,room,from_day,to_day`.
    Timetable {
        /// The file.
        file: PathBuf,
        /// The class whose lessons an iCalendar file holds.
        #[arg(long)]
        class: Option<String>,
    },
}

impl Import {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        match self.verb {
            Verb::Timetable { file, class } => timetable(&hub, &file, class, out).await,
        }
    }
}

/// Whoever types on the hub's own machine sees everything.
fn reader(hub: &Hub) -> Reader {
    let actor = Actor { user: uuid::Uuid::nil(), role: Role::Admin };
    Reader { actor, today: day(now(), &hub.config.zone) }
}

async fn timetable(
    hub: &Hub,
    file: &Path,
    class: Option<String>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (reader, zone) = (reader(hub), hub.config.zone.clone());
    let take = move |tx: &Tx<'_>| {
        let class = class.as_deref();
        let wishes = Wishes { text: &text, class, zone: &zone, actor: &actor() };
        takeover::take(tx, reader, &wishes, now())
    };
    let done = hub.db.write(take).await?;
    for sentence in &done.skipped {
        writeln!(out, "{sentence}")?;
    }
    let takeover::Done { periods, sessions, holidays, unchanged, skipped } = &done;
    let left = skipped.len();
    Ok(writeln!(
        out,
        "{periods} weekly lessons, {sessions} single lessons and {holidays} holidays were taken \
         over; {unchanged} were there already; {left} were left out."
    )?)
}
