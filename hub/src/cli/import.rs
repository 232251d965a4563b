//! `import …`: takes over what other programs know.

use super::hub::{Hub, actor, now};
use acts::apart::Apart;
use acts::bring;
use acts::import::archive::ArchiveFile;
use acts::import::{oneroster as roster, people};
use acts::planning::takeover;
use acts::timetable::{Timetable, TimetableFile};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use rules::auth::{Actor, Role};
use rules::timetable::day;
use std::io::Write;
use std::path::{Path, PathBuf};
use store::reader::Reader;

/// Take over what other programs know.
#[derive(Debug, Args)]
pub struct ImportCommand {
    #[command(subcommand)]
    verb: ImportVerb,
}

#[derive(Debug, Subcommand)]
enum ImportVerb {
    /// Weekly lessons, single lessons and holidays from an iCalendar file (.ics), or weekly
    /// lessons from a table: `class_code,weekday,starts,ends,room,from_day,to_day`.
    Timetable {
        /// The file.
        file: PathBuf,
        /// The class whose lessons an iCalendar file holds.
        #[arg(long)]
        class: Option<String>,
    },
    /// People from a table (CSV or XLSX): `first_name, last_name, student_id`.
    Students {
        /// The file.
        file: PathBuf,
        /// Put them on this class's roster too.
        #[arg(long)]
        class: Option<String>,
        /// The first line is a person already.
        #[arg(long)]
        no_header: bool,
    },
    /// People, classes and enrolments from a OneRoster 1.2 CSV export.
    Oneroster {
        /// The ZIP archive, or the folder with its files.
        export: PathBuf,
    },
}

impl ImportCommand {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        match self.verb {
            ImportVerb::Timetable { file, class } => timetable(&hub, &file, class, out).await,
            ImportVerb::Students { file, class, no_header } => {
                students(&hub, &file, class, !no_header, out).await
            }
            ImportVerb::Oneroster { export } => oneroster(&hub, &export, out).await,
        }
    }
}

/// Whoever types on the hub's own machine sees everything.
pub(super) fn reader(hub: &Hub) -> Reader {
    let actor = Actor { user: uuid::Uuid::nil(), role: Role::Admin };
    Reader { actor, today: day(now(), &hub.config.zone) }
}

async fn timetable(
    hub: &Hub,
    file: &Path,
    class: Option<String>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let timetable = Timetable { db: hub.db.clone(), zone: hub.config.zone.clone() };
    let plan = Apart::default().timetable(content(file)?.into(), &timetable.zone).await?;
    let file = TimetableFile { plan, class };
    let done = timetable.take_over(reader(hub), file, actor(), now()).await?;
    for sentence in &done.skipped {
        writeln!(out, "{sentence}")?;
    }
    let takeover::TakeoverDone { periods, sessions, holidays, unchanged, skipped } = &done;
    let left = skipped.len();
    Ok(writeln!(
        out,
        "{periods} weekly lessons, {sessions} single lessons and {holidays} holidays were taken \
         over; {unchanged} were there already; {left} were left out."
    )?)
}

fn content(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

async fn students(
    hub: &Hub,
    file: &Path,
    class: Option<String>,
    has_header: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let file = content(file)?.into();
    let table = Apart::default().table(file, has_header, people::ROWS).await?;
    let rows = people::rows(&table);
    let reader = reader(hub);
    let (_, done) = bring::bring(&hub.db, reader, class, rows, actor(), now()).await?;
    let people::BroughtDone { created, entered, skipped } = done;
    for (row, why) in &skipped {
        writeln!(out, "line {}: {why}", row.line)?;
    }
    let new = created.len();
    let known = entered.len();
    let left = skipped.len();
    Ok(writeln!(out, "{new} people were added, {known} entered, {left} rows changed nothing.")?)
}

async fn oneroster(hub: &Hub, export: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let export = if export.is_dir() {
        folder(export)?
    } else {
        Apart::default().school(content(export)?.into()).await?
    };
    let today = day(now(), &hub.config.zone);
    let done = bring::school(&hub.db, export, today, actor(), now()).await?;
    for sentence in &done.skipped {
        writeln!(out, "{sentence}")?;
    }
    for (kind, count) in &done.counts {
        let roster::OneRosterCount { made, changed, unchanged } = count;
        writeln!(out, "{kind}: {made} new, {changed} changed, {unchanged} as they were.")?;
    }
    Ok(())
}

fn folder(path: &Path) -> anyhow::Result<roster::OneRosterExport> {
    let mut files = std::collections::HashMap::new();
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.to_lowercase().ends_with(".csv") {
            let bytes = content(&path.join(&name))?;
            files.insert(name.to_lowercase(), ArchiveFile { name, bytes });
        }
    }
    Ok(roster::read(&files)?)
}
