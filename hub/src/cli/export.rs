//! `export …`: people or attendance as a table, in pages, however much there is.

use super::hub::{Hub, moment};
use super::import::reader;
use acts::sheets::sheet::SheetValue;
use acts::sheets::take::{Format, SheetSink};
use anyhow::{Context as _, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use rules::person::PersonDetails;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use store::register::{self, Lessons, RegisterEntry, RegisterSpan};
use store::student::{self, Student, StudentFilter};
use store::{Tx, class};

/// People read at once.
const PAGE: u32 = 500;
/// Lessons read at once.
const LESSONS: u32 = 50;

/// Take away people or attendance, for spreadsheets and programs.
#[derive(Debug, Args)]
pub struct ExportCommand {
    #[command(subcommand)]
    what: ExportWhat,
    /// As what.
    #[arg(long, value_parser = format(), default_value = "csv", global = true)]
    format: Format,
    /// A new file, readable for its owner only; without it standard output.
    #[arg(long, value_name = "FILE", global = true)]
    out: Option<PathBuf>,
}

/// Reads a format by its name.
fn format() -> impl TypedValueParser<Value = Format> {
    let named = |name: String| Format::NAMES.into_iter().find(|(known, _)| *known == name);
    let parser = PossibleValuesParser::new(Format::NAMES.map(|(name, _)| name));
    parser.try_map(move |name| named(name).map(|(_, format)| format).ok_or("no such format"))
}

#[derive(Debug, Subcommand)]
enum ExportWhat {
    /// Everybody in the register.
    Students,
    /// Every mark of every lesson, by time.
    Attendance {
        /// Only of this class: its code or own id.
        #[arg(long)]
        class: Option<String>,
        /// Only from this day on, such as 2026-03-02.
        #[arg(long)]
        from: Option<Date>,
        /// Only up to this day.
        #[arg(long)]
        to: Option<Date>,
    },
}

/// The columns of people: who they are, their details, how they stand.
static PERSON: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let who = ["student_number", "first_name", "last_name"];
    let stand = ["is_staff", "is_active", "face_enrolled", "consent"];
    [&who[..], &PersonDetails::NAMES, &stand].concat()
});

const MARKS: &[&str] = &[
    "date",
    "starts_at",
    "class_code",
    "class_name",
    "session_id",
    "session_name",
    "student_number",
    "last_name",
    "first_name",
    "status",
    "source",
    "arrived_at",
    "notes",
];

impl ExportCommand {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let Self { what, format, out: file } = self;
        let Some(path) = file else {
            let shown = format == Format::Xlsx && std::io::stdout().is_terminal();
            ensure!(!shown, "a workbook is nothing to look at here: say --out FILE.xlsx");
            write(&hub, what, format, out).await?;
            return Ok(());
        };
        let mut to = BufWriter::new(own(&path)?);
        let rows = write(&hub, what, format, &mut to).await?;
        Ok(writeln!(out, "{rows} rows are in {}.", path.display())?)
    }
}

/// A new file that only its owner reads: it holds names.
fn own(path: &Path) -> anyhow::Result<File> {
    ensure!(!path.exists(), "{} is there: nothing is overwritten", path.display());
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    new.with_context(|| format!("making {}", path.display()))
}

async fn write(
    hub: &Hub,
    what: ExportWhat,
    format: Format,
    to: &mut dyn Write,
) -> anyhow::Result<u64> {
    let folder = &hub.config.data;
    match what {
        ExportWhat::Students => students(hub, SheetSink::new(format, &PERSON, folder, to)?).await,
        ExportWhat::Attendance { class, from, to: until } => {
            let reader = reader(hub);
            let find =
                move |tx: &Tx<'_>| class.map(|name| class::find(tx, reader, &name)).transpose();
            let class = hub.db.read(find).await?.map(|class| class.id.to_string());
            let lessons = Lessons { class, span: RegisterSpan { from, to: until }, after: None };
            attendance(hub, lessons, SheetSink::new(format, MARKS, folder, to)?).await
        }
    }
}

async fn students(hub: &Hub, mut sink: SheetSink<'_>) -> anyhow::Result<u64> {
    let mut after = None;
    loop {
        let read = move |tx: &Tx<'_>| student::list(tx, &StudentFilter::default(), after, PAGE);
        let people = hub.db.read(read).await?;
        let Some(last) = people.last() else { return Ok(sink.end()?) };
        after = Some(last.id);
        people.into_iter().try_for_each(|person| sink.row(&person_row(person)))?;
    }
}

fn person_row(person: Student) -> Vec<SheetValue> {
    let Student { profile, is_active, face_enrolled, consent, .. } = person;
    let details = profile.details.values().map(|text| text.map(str::to_owned).into());
    let before = [profile.student_number, profile.first_name, profile.last_name];
    let after = [
        SheetValue::Flag(profile.is_staff),
        SheetValue::Flag(is_active),
        SheetValue::Flag(face_enrolled),
        consent.map_or(SheetValue::Nothing, SheetValue::Flag),
    ];
    before.map(SheetValue::from).into_iter().chain(details).chain(after).collect()
}

async fn attendance(hub: &Hub, mut which: Lessons, mut sink: SheetSink<'_>) -> anyhow::Result<u64> {
    loop {
        let page = which.clone();
        let read = move |tx: &Tx<'_>| register::entries(tx, &page, LESSONS);
        let (next, entries) = hub.db.read(read).await?;
        entries.into_iter().try_for_each(|entry| sink.row(&mark_row(entry)))?;
        match next {
            Some(next) => which.after = Some(next),
            None => return Ok(sink.end()?),
        }
    }
}

fn mark_row(entry: RegisterEntry) -> [SheetValue; 13] {
    let RegisterEntry { lesson, class_code, class_name, person, status, source, arrived_at, notes } =
        entry;
    [
        lesson.day.to_string().into(),
        moment(lesson.starts).into(),
        class_code.into(),
        class_name.into(),
        lesson.id.to_string().into(),
        lesson.name.into(),
        person.number.into(),
        person.last_name.into(),
        person.first_name.into(),
        status.as_str().into(),
        source.as_str().into(),
        arrived_at.map(moment).into(),
        notes.into(),
    ]
}

#[cfg(test)]
mod tests;
