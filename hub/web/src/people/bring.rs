//! `/people/bring`: people from a table and photos from an archive, and what became of each row.

use crate::shell::Shell;
use crate::shell::shell;
use acts::bring::{
    ARCHIVE, BroughtPhoto, BroughtPhotos, BroughtRow, BroughtRows, PEOPLE, PHOTOS, PhotoArchive,
    TABLE,
};
use acts::cancel;
use acts::sheets::sheet::{CSV, MARK, SheetValue, line};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::problem::Problem;
use http::reply::{bytes, page, see, with};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use rules::error::Error;
use store::Tx;
use store::class::{self, Class};
use store::job::Job;
use store::job::JobState;
use store::student::{self, Student};
use uuid::Uuid;
use warp::http::{StatusCode, header};
use wire::{StudentId, Wall};
use words::language::Language;

/// Jobs among which those of these pages are listed.
const JOBS: u32 = 50;
/// Rows shown on the page; the file has all.
const SHOWN: usize = 500;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/people/bring").admin().page().by(index),
        Route::post("/people/bring/table").admin().parts(TABLE).page().by(table),
        Route::post("/people/bring/photos").admin().archive(ARCHIVE).page().by(photos),
        Route::get("/people/bring/{id}").admin().of(Object::Job).page().by(show),
        Route::get("/people/bring/{id}/rows.csv").admin().of(Object::Job).part().by(download),
        Route::post("/people/bring/{id}/cancel")
            .admin()
            .of(Object::Job)
            .form()
            .page()
            .by(cancel_it),
    ]
}

#[derive(Template)]
#[template(path = "bring.html")]
struct BringPage {
    shell: Shell,
    note: Option<String>,
    classes: Vec<Class>,
    earlier: Vec<BringProgress>,
}

#[derive(Template)]
#[template(path = "bring-job.html")]
struct Outcomes {
    shell: Shell,
    job: BringProgress,
    sums: Vec<(&'static str, &'static str, usize)>,
    rows: Vec<BringRow>,
    /// Rows that are only in the file.
    more: usize,
}

/// How far a job is.
struct BringProgress {
    id: Uuid,
    title: String,
    when: String,
    class: &'static str,
    words: String,
    open: bool,
    done: u64,
    total: u64,
    rate: String,
    error: Option<String>,
}

/// What became of one row or photo.
struct BringRow {
    /// Line or file.
    place: String,
    person: Option<Uuid>,
    /// Name, or else what the file says.
    who: String,
    number: String,
    outcome: &'static str,
    detail: String,
}

async fn index(call: Call) -> Outcome {
    listed(&call, StatusCode::OK, None).await
}

async fn listed(call: &Call, status: StatusCode, note: Option<String>) -> Outcome {
    let reader = call.reader()?;
    let classes = call.app().db.read(move |tx| class::list(tx, reader)).await?;
    let jobs = call.app().jobs.list(reader.actor.user, None, JOBS).await?;
    let shell = shell(call, "people");
    let ours = jobs.iter().filter(|job| job.kind == PEOPLE || job.kind == PHOTOS);
    let earlier = ours.map(|job| progress(call, shell.language, job)).collect();
    page(status, &BringPage { shell, note, classes, earlier })
}

/// The class that was chosen, if one was.
async fn chosen(call: &Call) -> Result<Option<Uuid>, Problem> {
    let name = call.content.field("class").unwrap_or_default().trim().to_owned();
    if name.is_empty() {
        return Ok(None);
    }
    let reader = call.reader()?;
    Ok(Some(call.app().db.read(move |tx| class::find(tx, reader, &name)).await?.id))
}

async fn table(call: Call) -> Outcome {
    let begun = async {
        let class = chosen(&call).await?;
        let reader = call.reader()?;
        let table = call.people_table()?;
        Ok(call.app().bringing().people(reader, class, table, call.now).await?)
    };
    let begun = begun.await;
    begin(&call, begun).await
}

async fn photos(call: Call) -> Outcome {
    let begun = async {
        let class = chosen(&call).await?;
        let archive = PhotoArchive { class, ..call.photo_archive()? };
        let by = call.actor()?.user;
        Ok(call.app().bringing().photos(archive, by, call.now).await?)
    };
    let begun = begun.await;
    begin(&call, begun).await
}

/// On to the job, or back to the form with what is wrong.
async fn begin(call: &Call, begun: Result<Job, Problem>) -> Outcome {
    match begun {
        Ok(job) => see(&format!("/people/bring/{}", job.id)),
        Err(problem) => {
            let wrong = problem.errors.iter().map(|wrong| wrong.detail.clone()).collect::<Vec<_>>();
            let words = if wrong.is_empty() { problem.detail } else { wrong.join(" ") };
            listed(call, problem.status, Some(words)).await
        }
    }
}

async fn job(call: &Call) -> Result<Job, Problem> {
    Ok(call.app().jobs.get(call.id("id")?, call.actor()?.user, true).await?)
}

async fn cancel_it(call: Call) -> Outcome {
    let app = call.app();
    let id = call.id("id")?;
    cancel::stop(&app.db, &app.jobs, id, call.actor()?, call.now).await?;
    see(&format!("/people/bring/{id}"))
}

async fn show(call: Call) -> Outcome {
    let job = job(&call).await?;
    let mut rows = rows(&call, &job).await?;
    let sums = sums(&rows);
    // What went wrong comes first: it is what somebody has to do something about.
    rows.sort_by_key(|row| !needs_care(row.outcome));
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let shell = shell(&call, "people");
    let job = progress(&call, shell.language, &job);
    page(StatusCode::OK, &Outcomes { shell, job, sums, rows, more })
}

async fn download(call: Call) -> Outcome {
    let rows = rows(&call, &job(&call).await?).await?;
    let language = language::of(&call.headers);
    let text = |text: String| SheetValue::Text(text);
    let head = [
        "people-col-place",
        "people-col-name",
        "people-col-number",
        "people-col-outcome",
        "people-col-why",
    ];
    let mut csv = MARK.as_bytes().to_vec();
    csv.extend(line(&head.map(|key| text(language.say(key))))?);
    for row in rows {
        let cells = [row.place, row.who, row.number, language.say(row.outcome), row.detail];
        csv.extend(line(&cells.map(text))?);
    }
    let answer = bytes(CSV, csv)?;
    Ok(with(answer, header::CONTENT_DISPOSITION, "attachment; filename=\"rollcall-rows.csv\""))
}

/// What became of each row, with the names that people have now.
async fn rows(call: &Call, job: &Job) -> Result<Vec<BringRow>, Problem> {
    let Some(result) = job.result.clone() else { return Ok(Vec::new()) };
    let brought: Vec<BroughtRow> = serde_json::from_value(result.clone())
        .map_or_else(|_| Vec::new(), |all: BroughtRows| all.rows);
    let lines: Vec<BroughtPhoto> =
        serde_json::from_value(result).map_or_else(|_| Vec::new(), |all: BroughtPhotos| all.photos);
    let read = call.app().db.read(move |tx| {
        let people = brought.into_iter().map(|row| of_table(tx, row));
        people
            .chain(lines.into_iter().map(|line| of_archive(tx, line)))
            .collect::<Result<Vec<_>, Error>>()
    });
    Ok(read.await?)
}

fn of_table(tx: &Tx<'_>, row: BroughtRow) -> Result<BringRow, Error> {
    let person = match (row.person, &row.number) {
        (Some(id), _) => student::get(tx, StudentId(id))?,
        (None, Some(number)) => there(student::find(tx, number))?,
        (None, None) => None,
    };
    let said = row.number.unwrap_or_default();
    Ok(shown(row.line.to_string(), person, said, &row.outcome, row.detail))
}

fn of_archive(tx: &Tx<'_>, line: BroughtPhoto) -> Result<BringRow, Error> {
    let person = there(student::find(tx, &line.student_id))?;
    Ok(shown(line.file, person, line.student_id, &line.outcome, line.detail))
}

fn there(found: Result<Student, Error>) -> Result<Option<Student>, Error> {
    match found {
        Ok(person) => Ok(Some(person)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn shown(
    place: String,
    person: Option<Student>,
    said: String,
    outcome: &str,
    detail: String,
) -> BringRow {
    let outcome = key(outcome);
    match person {
        Some(Student { id, profile, .. }) => {
            let who = profile.full_name();
            BringRow {
                place,
                person: Some(id.0),
                who,
                number: profile.student_number,
                outcome,
                detail,
            }
        }
        None => BringRow { place, person: None, who: String::new(), number: said, outcome, detail },
    }
}

/// The text's key of an outcome.
fn key(outcome: &str) -> &'static str {
    match outcome {
        "created" => "people-row-created",
        "entered" => "people-row-entered",
        "skipped" => "people-row-skipped",
        "enrolled" => "people-row-enrolled",
        "unchanged" => "people-row-unchanged",
        _ => "people-row-refused",
    }
}

fn needs_care(outcome: &str) -> bool {
    matches!(outcome, "people-row-refused" | "people-row-skipped")
}

/// The colour of an outcome; its words carry the meaning.
fn colour(outcome: &str) -> &'static str {
    match outcome {
        "people-row-refused" => "bad",
        "people-row-skipped" | "people-row-unchanged" => "off",
        _ => "good",
    }
}

impl BringRow {
    fn class(&self) -> &'static str {
        colour(self.outcome)
    }
}

/// How many rows came to what: colour, text's key, number.
fn sums(rows: &[BringRow]) -> Vec<(&'static str, &'static str, usize)> {
    let outcomes = ["created", "entered", "enrolled", "unchanged", "skipped", "refused"].map(key);
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let all = outcomes.map(|outcome| (colour(outcome), outcome, count(outcome)));
    all.into_iter().filter(|(.., count)| *count > 0).collect()
}

fn progress(call: &Call, language: Language, job: &Job) -> BringProgress {
    let zone = &call.app().config.zone;
    let day = words::say_day(
        language,
        rules::timetable::day(job.created_at, zone),
        rules::timetable::day(call.now, zone),
    );
    let time = language.digits(&words::time(job.created_at, zone));
    let (class, key) = match job.state {
        JobState::Queued => ("off", "people-job-queued"),
        JobState::Running => ("warn", "people-job-running"),
        JobState::Done => ("good", "people-job-done"),
        JobState::Failed => ("bad", "people-job-failed"),
        JobState::Cancelled => ("off", "people-job-cancelled"),
    };
    let title = if job.kind == PEOPLE { "people-job-table" } else { "people-job-photos" };
    let rate = rate(job, call.now).map(|rate| language.one("people-job-rate", "count", rate));
    BringProgress {
        id: job.id,
        title: language.say(title),
        when: format!("{day}, {time}"),
        class,
        words: language.say(key),
        open: job.ended_at.is_none(),
        done: job.done,
        total: job.total,
        rate: rate.unwrap_or_default(),
        error: job.error.clone(),
    }
}

/// Pieces a minute, once there is enough to tell.
fn rate(job: &Job, now: Wall) -> Option<u64> {
    let took = job.ended_at.unwrap_or(now).0.saturating_sub(job.started_at?.0);
    let took = u64::try_from(took).ok().filter(|took| *took >= 1_000)?;
    (job.done > 0).then(|| (job.done * 60_000).div_ceil(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(done: u64, started: Option<i64>, ended: Option<i64>) -> Job {
        Job {
            id: Uuid::nil(),
            kind: PHOTOS.into(),
            state: JobState::Running,
            done,
            total: 100,
            result: None,
            error: None,
            by: Uuid::nil(),
            created_at: Wall(0),
            started_at: started.map(Wall),
            ended_at: ended.map(Wall),
        }
    }

    #[test]
    fn the_rate_is_told_once_there_is_one() {
        assert_eq!(rate(&job(10, None, None), Wall(9_000)), None);
        assert_eq!(rate(&job(10, Some(0), None), Wall(500)), None);
        assert_eq!(rate(&job(0, Some(0), None), Wall(9_000)), None);
        assert_eq!(rate(&job(10, Some(0), None), Wall(60_000)), Some(10));
        assert_eq!(rate(&job(30, Some(0), Some(60_000)), Wall(900_000)), Some(30));
    }

    #[test]
    fn outcomes_are_counted_and_what_went_wrong_is_marked() {
        let row = |outcome| shown("2".into(), None, String::new(), outcome, String::new());
        let rows = [row("enrolled"), row("refused"), row("refused"), row("odd")];
        let wanted = [("good", "people-row-enrolled", 1), ("bad", "people-row-refused", 3)];
        assert_eq!(sums(&rows), wanted);
        assert!(needs_care(rows[1].outcome) && !needs_care(rows[0].outcome));
    }
}
