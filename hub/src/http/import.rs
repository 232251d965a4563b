//! People and photos in files: `/api/classes/{id}/bulk-upload-students` and `…/bulk-enroll`.

use super::attendance::reader;
use super::call::Call;
use super::jobs::{Body as Job, goes_on};
use super::problem::Problem;
use super::reply::created;
use super::route::{ADMIN, Object, Outcome, Route, STAFF, Shapes, Takes};
use crate::enrol::{self, Ask, Desk};
use crate::events::Event;
use crate::import::people::{self, Brought, ROWS, Row};
use crate::import::photos::{self, Photo, Photos};
use crate::jobs::Progress;
use crate::parts::Parts;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use store::{class, enrolment, job, student};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// The kind of job that brings the people of a table.
pub const PEOPLE: &str = "bulk-people";
/// The kind of job that enrols an archive of photos.
pub const PHOTOS: &str = "bulk-enroll";
/// Bytes of a table at most.
pub const TABLE: u64 = 5 * 1024 * 1024;
/// Bytes of an archive of photos at most.
pub const ARCHIVE: u64 = 256 * 1024 * 1024;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let upload = (Method::POST, "/api/classes/{id}/bulk-upload-students");
    let photos = (Method::POST, "/api/classes/{id}/bulk-enroll");
    let (class, table) = (Object::Class, Takes::Parts(TABLE));
    let told = Shapes::both::<Upload, Told>().created();
    let job = Shapes::both::<Archive, Job>().accepted();
    vec![
        Route::new(upload, STAFF, class, table, told, bring),
        Route::new(photos, ADMIN, class, Takes::Archive(ARCHIVE), job, enrol_all),
    ]
}

/// A table of people.
#[derive(ToSchema)]
#[schema(as = StudentTable)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Upload {
    /// CSV or XLSX with `first_name`, `last_name` and, if there is one, `student_id`.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Whether the first line names the columns; it does if this is left out.
    has_header: Option<bool>,
}

/// Photos of many.
#[derive(ToSchema)]
#[schema(as = PhotoArchive)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Archive {
    /// ZIP of photos with a table `student_id,file,consent_by` in it; without a table a photo's
    /// name is its student's number.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Who agreed, for rows that do not say it.
    consent_by: Option<String>,
}

/// Somebody new or newly on the roster.
#[derive(Serialize, ToSchema)]
#[schema(as = BroughtStudent)]
pub struct Person {
    id: Uuid,
    /// Number at the school, given or made.
    student_id: String,
    first_name: String,
    last_name: String,
}

/// A row that changed nothing.
#[derive(Serialize, ToSchema)]
#[schema(as = SkippedRow)]
pub struct Skipped {
    /// Its line in the file.
    row: usize,
    first_name: String,
    last_name: String,
    student_id: Option<String>,
    /// Why, in words.
    reason: String,
}

/// What became of a table.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkUpload)]
pub struct Told {
    created: Vec<Person>,
    /// Known people who are on the roster now.
    entered: Vec<Person>,
    skipped: Vec<Skipped>,
    total_created: usize,
    total_entered: usize,
    total_skipped: usize,
    message: String,
}

impl From<Brought> for Person {
    fn from(Brought { id, number, row }: Brought) -> Self {
        let Row { first_name, last_name, .. } = row;
        Self { id: id.0, student_id: number, first_name, last_name }
    }
}

impl From<(Row, String)> for Skipped {
    fn from((row, reason): (Row, String)) -> Self {
        let Row { line, first_name, last_name, number, .. } = row;
        Self { row: line, first_name, last_name, student_id: number, reason }
    }
}

impl From<people::Done> for Told {
    fn from(done: people::Done) -> Self {
        let people::Done { created, entered, skipped } = done;
        let (total_created, total_entered, total_skipped) =
            (created.len(), entered.len(), skipped.len());
        Self {
            created: created.into_iter().map(Person::from).collect(),
            entered: entered.into_iter().map(Person::from).collect(),
            skipped: skipped.into_iter().map(Skipped::from).collect(),
            total_created,
            total_entered,
            total_skipped,
            message: format!(
                "{total_created} people were added, {total_entered} known ones entered, and \
                 {total_skipped} rows changed nothing."
            ),
        }
    }
}

async fn bring(call: Call) -> Outcome {
    let (reader, name, now) = (reader(&call)?, call.param("id").to_owned(), call.now);
    let rows = rows(&call).await?;
    let write = call.app().db.write(move |tx| {
        let class = class::find(tx, reader, &name)?;
        let actor = reader.actor.user.to_string();
        Ok((class.id, people::bring(tx, reader, Some(class.id), rows, &actor, now)?))
    });
    let (class, done) = write.await?;
    created(&format!("/api/classes/{class}/students"), &Told::from(done))
}

/// The people of the table that was sent as `file`.
///
/// # Errors
/// 422 for what is no table of people.
pub async fn rows(call: &Call) -> Result<Vec<Row>, Problem> {
    let file = call.file("file")?;
    let header = match call.content.field("has_header").map(str::trim) {
        Some("false" | "0" | "no") => false,
        None | Some("" | "true" | "1" | "yes" | "on") => true,
        Some(_) => return Err(Problem::field("has_header", "write true or false")),
    };
    let table = call.app().apart.table(file, header, ROWS).await;
    Ok(people::rows(&table.map_err(unreadable)?))
}

/// What is wrong with a file is said beside the field it came in.
fn unreadable(error: Error) -> Problem {
    match error {
        Error::Invalid(why) => Problem::field("file", why),
        other => other.into(),
    }
}

/// What became of one row of a table. It holds no name: whoever shows it asks who it is, so that
/// nobody erased stays in it.
#[derive(Serialize, Deserialize)]
pub struct BroughtRow {
    /// Its line in the file.
    pub line: usize,
    /// Who it is, if they are in the register.
    pub person: Option<Uuid>,
    /// Number of somebody who is not.
    pub number: Option<String>,
    /// created, entered, or skipped.
    pub outcome: String,
    /// Why it changed nothing, in words.
    pub detail: String,
}

/// What became of a table: the result of its job, by line.
#[derive(Serialize, Deserialize)]
pub struct BroughtRows {
    /// Each row.
    pub rows: Vec<BroughtRow>,
}

impl From<people::Done> for BroughtRows {
    fn from(done: people::Done) -> Self {
        let brought = |outcome: &'static str| {
            move |Brought { id, row, .. }: Brought| BroughtRow {
                line: row.line,
                person: Some(id.0),
                number: None,
                outcome: outcome.to_owned(),
                detail: String::new(),
            }
        };
        let skipped = |(row, detail): (Row, String)| BroughtRow {
            line: row.line,
            person: None,
            number: row.number,
            outcome: "skipped".to_owned(),
            detail,
        };
        let created = done.created.into_iter().map(brought("created"));
        let entered = done.entered.into_iter().map(brought("entered"));
        let skipped = done.skipped.into_iter().map(skipped);
        let mut rows: Vec<_> = created.chain(entered).chain(skipped).collect();
        rows.sort_by_key(|row| row.line);
        Self { rows }
    }
}

/// Begins to bring the people of the table that was sent as `file`: into the register, and onto
/// the roster of `class` if there is one.
///
/// # Errors
/// 422 for what is no table of people, 503 when too much waits.
pub async fn bring_table(call: &Call, class: Option<Uuid>) -> Result<job::Job, Problem> {
    let (reader, now, rows) = (reader(call)?, call.now, rows(call).await?);
    let (app, total, by) = (call.app().clone(), rows.len() as u64, reader.actor.user);
    let work = move |progress: Progress| async move {
        let write = app.db.write(move |tx| {
            people::bring(tx, reader, class, rows, &reader.actor.user.to_string(), now)
        });
        let done = write.await?;
        progress.advance(total);
        Ok(BroughtRows::from(done))
    };
    Ok(call.app().jobs.start(PEOPLE, total, by, work).await?)
}

/// What became of one photo.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = BulkEnrolment)]
pub struct Line {
    /// The file's own name.
    pub file: String,
    /// Number or own id of the student, as the archive says it.
    pub student_id: String,
    /// enrolled, unchanged, or refused.
    pub outcome: String,
    /// Why, in words.
    pub detail: String,
}

/// What became of an archive: the result of its job.
#[derive(Serialize, Deserialize)]
pub struct Enrolled {
    /// Each photo.
    pub photos: Vec<Line>,
}

async fn enrol_all(call: Call) -> Outcome {
    let (reader, name) = (reader(&call)?, call.param("id").to_owned());
    let class = call.app().db.read(move |tx| class::find(tx, reader, &name)).await?.id;
    goes_on(enrol_archive(&call, Some(class)).await?)
}

/// Begins to enrol the photos of the archive that was sent as `file`: of students of `class`, or
/// of anybody.
///
/// # Errors
/// 422 for what is no archive of photos, 503 when too much waits.
pub async fn enrol_archive(call: &Call, class: Option<Uuid>) -> Result<job::Job, Problem> {
    let (file, actor, now) = (call.spooled("file")?, call.actor()?, call.now);
    let consent = call.content.field("consent_by").map(str::trim).filter(|by| !by.is_empty());
    let consent = consent.map(str::to_owned);
    let opened = tokio::task::spawn_blocking(move || photos::open(file)).await;
    let (archive, table) = opened.map_err(|_| Problem::field("file", "the file is damaged"))??;
    let table = match table {
        Some(table) => Some(call.app().apart.table(table.into(), true, photos::PHOTOS).await?),
        None => None,
    };
    let photos = Photos::new(archive, table)?;
    let (app, list) = (call.app().clone(), photos.list.clone());
    let (photos, total) = (Arc::new(Mutex::new(photos)), list.len() as u64);
    let work = move |progress: Progress| async move {
        let mut lines = Vec::new();
        for mut photo in list {
            photo.consent_by = photo.consent_by.or_else(|| consent.clone());
            let (by, picture) = (actor.user.to_string(), picture(&photos, &photo).await);
            lines.push(line(&app, class, (photo, picture), by, now).await?);
            progress.advance(1);
        }
        app.galleries().follow().await?;
        app.events.say(Event::GalleryChanged);
        Ok(Enrolled { photos: lines })
    };
    Ok(call.app().jobs.start(PHOTOS, total, actor.user, work).await?)
}

/// The picture of `photo`, unpacked when its turn comes. A damaged one may trip the reader: off
/// the runtime, a panic harms nobody.
async fn picture(photos: &Arc<Mutex<Photos<File>>>, photo: &Photo) -> Result<Vec<u8>, Error> {
    let (photos, photo) = (photos.clone(), photo.clone());
    let read = move || photos.lock().unwrap_or_else(PoisonError::into_inner).picture(&photo);
    let damaged = |_| Error::Invalid("this photo is damaged".into());
    tokio::task::spawn_blocking(read).await.map_err(damaged)?
}

/// One photo of one student; what is wrong with it is in the answer.
async fn line(
    app: &Parts,
    class: Option<Uuid>,
    (photo, picture): (Photo, Result<Vec<u8>, Error>),
    actor: String,
    now: Wall,
) -> Result<Line, Error> {
    let (file, student_id) = (photo.file.clone(), photo.student.clone());
    let done = match picture {
        Ok(bytes) => one(app, class, photo, bytes, actor, now).await,
        Err(error) => Err(error),
    };
    let (outcome, detail) = match done {
        Ok(Some(warnings)) => ("enrolled", warnings.join("; ")),
        Ok(None) => ("unchanged", "this photo is enrolled already".to_owned()),
        Err(error @ Error::Internal { .. }) => return Err(error),
        Err(why) => ("refused", why.to_string()),
    };
    Ok(Line { file, student_id, outcome: outcome.to_owned(), detail })
}

async fn one(
    app: &Parts,
    class: Option<Uuid>,
    photo: Photo,
    bytes: Vec<u8>,
    actor: String,
    now: Wall,
) -> Result<Option<Vec<String>>, Error> {
    let name = photo.student;
    let find = move |tx: &store::Tx<'_>| {
        let person = student::find(tx, &name)?;
        if !class.map_or(Ok(true), |class| class::has(tx, class, person.id))? {
            return Err(Error::Invalid("this student is not in the class".into()));
        }
        Ok((person.id, enrolment::of(tx, person.id)?))
    };
    let (student, there) = app.db.read(find).await?;
    let source = photos::source(student, &bytes);
    if there.iter().any(|row| row.source == source && row.model == *app.recogniser.model()) {
        return Ok(None);
    }
    let consent_by = photo.consent_by;
    let ask = Ask { student, photo: bytes, consent_by, another_person: false, source, actor };
    let index = app.gallery.index();
    let desk = Desk { db: &app.db, keys: &app.keys, recogniser: &app.recogniser, index: &index };
    let done = enrol::enrol(desk, ask, now).await?;
    // So that the next photo of the archive is compared with this person too.
    app.galleries().follow().await?;
    Ok(Some(done.warnings))
}
