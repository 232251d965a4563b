//! People and photos that files bring: at once, or as a job that says how far it is.

use super::people::People;
use crate::apart::Apart;
use crate::enrol::{self, EnrolmentAsk, EnrolmentDesk};
use crate::import::oneroster;
use crate::import::people;
use crate::import::people::{Brought, BroughtDone, PersonRow, ROWS};
use crate::import::photos;
use crate::import::photos::{ArchivePhoto, Photos};
use crate::jobs::{JobProgress, Jobs};
use bytes::Bytes;
use jiff::civil::Date;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use store::job::Job;
use store::reader::Reader;
use store::{Db, Tx, class, enrolment, student};
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Wall;

/// The kind of job that brings the people of a table.
pub const PEOPLE: &str = "bulk-people";
/// The kind of job that enrols an archive of photos.
pub const PHOTOS: &str = "bulk-enroll";
/// Bytes of a table at most.
pub const TABLE: u64 = 5 * 1024 * 1024;
/// Bytes of an archive of photos at most.
pub const ARCHIVE: u64 = 256 * 1024 * 1024;

/// Where files are brought; cheap to clone.
#[derive(Clone)]
pub struct Bringing {
    /// Where people are looked after.
    pub people: People,
    /// What reads files that people bring.
    pub apart: Apart,
    /// Long work.
    pub jobs: Jobs,
}

/// A table of people.
#[derive(Clone, Debug)]
pub struct PeopleTable {
    /// CSV or XLSX.
    pub file: Bytes,
    /// Whether its first line names the columns.
    pub has_header: bool,
}

/// An archive of photos.
#[derive(Debug)]
pub struct PhotoArchive {
    /// ZIP, from its beginning.
    pub file: File,
    /// Who agreed, for rows that do not say it.
    pub consent_by: Option<String>,
    /// The class whose students alone are enrolled.
    pub class: Option<Uuid>,
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

/// What became of one photo.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = BulkEnrolment)]
pub struct BroughtPhoto {
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
pub struct BroughtPhotos {
    /// Each photo.
    pub photos: Vec<BroughtPhoto>,
}

impl From<BroughtDone> for BroughtRows {
    fn from(done: BroughtDone) -> Self {
        let brought = |outcome: &'static str| {
            move |Brought { id, row, .. }: Brought| BroughtRow {
                line: row.line,
                person: Some(id.0),
                number: None,
                outcome: outcome.to_owned(),
                detail: String::new(),
            }
        };
        let skipped = |(row, detail): (PersonRow, String)| BroughtRow {
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

/// Whether the first line of a table names the columns, as a form says it; it does if nothing is
/// said.
///
/// # Errors
/// `Field` for another word.
pub fn header_said(text: Option<&str>) -> Result<bool, Error> {
    match text.map(str::trim) {
        Some("false" | "0" | "no") => Ok(false),
        None | Some("" | "true" | "1" | "yes" | "on") => Ok(true),
        Some(_) => Err(Error::field("has_header", "write true or false")),
    }
}

/// The people of a table.
///
/// # Errors
/// `Field` for what is no table of people.
pub async fn rows(apart: &Apart, table: PeopleTable) -> Result<Vec<PersonRow>, Error> {
    let read = apart.table(table.file, table.has_header, ROWS).await;
    let table = read.map_err(|error| match error {
        Error::Invalid(why) => Error::field("file", why),
        other => other,
    })?;
    Ok(people::rows(&table))
}

/// Brings `rows` into the register at once, and onto the roster of `class` if there is one.
/// Returns the class, and what became of each row.
///
/// # Errors
/// `NotFound` without such a class; what is wrong with single rows is in the answer.
pub async fn bring(
    db: &Db,
    reader: Reader,
    class: Option<String>,
    rows: Vec<PersonRow>,
    by: String,
    now: Wall,
) -> Result<(Option<Uuid>, BroughtDone), Error> {
    let work = move |tx: &Tx<'_>| {
        let class = class.map(|name| class::find(tx, reader, &name)).transpose()?;
        let class = class.map(|class| class.id);
        Ok((class, people::bring(tx, reader, class, rows, &by, now)?))
    };
    db.write(work).await
}

/// Takes over the people, classes and enrolments of a school.
///
/// # Errors
/// When the database fails; what is wrong with single rows is in the answer.
pub async fn school(
    db: &Db,
    export: oneroster::OneRosterExport,
    today: Date,
    by: String,
    now: Wall,
) -> Result<oneroster::OneRosterDone, Error> {
    db.write(move |tx| oneroster::take(tx, &export, today, &by, now)).await
}

impl Bringing {
    /// Begins to bring the people of a table: into the register, and onto the roster of `class` if
    /// there is one.
    ///
    /// # Errors
    /// `Field` for what is no table of people, `Unavailable` when too much waits.
    pub async fn people(
        &self,
        reader: Reader,
        class: Option<Uuid>,
        table: PeopleTable,
        now: Wall,
    ) -> Result<Job, Error> {
        let rows = rows(&self.apart, table).await?;
        let db = self.people.db.clone();
        let total = rows.len() as u64;
        let by = reader.actor.user;
        let work = move |progress: JobProgress| async move {
            let bring =
                move |tx: &Tx<'_>| people::bring(tx, reader, class, rows, &by.to_string(), now);
            progress.no_return();
            let done = db.write(bring).await?;
            progress.advance(total);
            Ok(BroughtRows::from(done))
        };
        self.jobs.start(PEOPLE, total, by, work).await
    }

    /// Begins to enrol the photos of an archive.
    ///
    /// # Errors
    /// `Invalid` or `Field` for what is no archive of photos, `Unavailable` when too much waits.
    pub async fn photos(&self, archive: PhotoArchive, by: Uuid, now: Wall) -> Result<Job, Error> {
        let PhotoArchive { file, consent_by: consent, class } = archive;
        let opened = tokio::task::spawn_blocking(move || photos::open(file)).await;
        let damaged = |_| Error::field("file", "the file is damaged");
        let (archive, table) = opened.map_err(damaged)??;
        let table = match table {
            Some(table) => Some(self.apart.table(table.into(), true, photos::PHOTOS).await?),
            None => None,
        };
        let photos = Photos::new(archive, table)?;
        let list = photos.list.clone();
        let actor = by.to_string();
        let photos = Arc::new(Mutex::new(photos));
        let total = list.len() as u64;
        let enrolling = Enrolling { people: self.people.clone(), class, actor, now };
        let work = move |progress: JobProgress| async move {
            let mut lines = Vec::new();
            for mut photo in list {
                if lines.len() as u64 + 1 == total {
                    progress.no_return();
                }
                photo.consent_by = photo.consent_by.or_else(|| consent.clone());
                let picture = picture(&photos, &photo).await;
                lines.push(enrolling.line(photo, picture).await?);
                progress.advance(1);
            }
            enrolling.people.follow().await;
            Ok(BroughtPhotos { photos: lines })
        };
        self.jobs.start(PHOTOS, total, by, work).await
    }
}

/// The picture of `photo`, unpacked when its turn comes. A damaged one may trip the reader: off
/// the runtime, a panic harms nobody.
async fn picture(
    photos: &Arc<Mutex<Photos<File>>>,
    photo: &ArchivePhoto,
) -> Result<Vec<u8>, Error> {
    let photos = photos.clone();
    let photo = photo.clone();
    let read = move || photos.lock().unwrap_or_else(PoisonError::into_inner).picture(&photo);
    let damaged = |_| Error::Invalid("this photo is damaged".into());
    tokio::task::spawn_blocking(read).await.map_err(damaged)?
}

/// One archive that is being enrolled.
struct Enrolling {
    people: People,
    class: Option<Uuid>,
    actor: String,
    now: Wall,
}

impl Enrolling {
    /// One photo of one student; what is wrong with it is in the answer.
    async fn line(
        &self,
        photo: ArchivePhoto,
        picture: Result<Vec<u8>, Error>,
    ) -> Result<BroughtPhoto, Error> {
        let file = photo.file.clone();
        let student_id = photo.student.clone();
        let done = match picture {
            Ok(bytes) => self.one(photo, bytes).await,
            Err(error) => Err(error),
        };
        let (outcome, detail) = match done {
            Ok(Some(warnings)) => ("enrolled", warnings.join("; ")),
            Ok(None) => ("unchanged", "this photo is enrolled already".to_owned()),
            Err(error @ Error::Internal { .. }) => return Err(error),
            Err(why) => ("refused", why.to_string()),
        };
        Ok(BroughtPhoto { file, student_id, outcome: outcome.to_owned(), detail })
    }

    async fn one(&self, photo: ArchivePhoto, bytes: Vec<u8>) -> Result<Option<Vec<String>>, Error> {
        let People { db, keys, galleries, recogniser, .. } = &self.people;
        let name = photo.student;
        let class = self.class;
        let find = move |tx: &Tx<'_>| {
            let person = student::find(tx, &name)?;
            if !class.map_or(Ok(true), |class| class::has(tx, class, person.id))? {
                return Err(Error::Invalid("this student is not in the class".into()));
            }
            Ok((person.id, enrolment::of(tx, person.id)?))
        };
        let (student, there) = db.read(find).await?;
        let source = photos::source(student, &bytes);
        if there.iter().any(|row| row.source == source && row.model == *recogniser.model()) {
            return Ok(None);
        }
        let consent_by = photo.consent_by;
        let actor = self.actor.clone();
        let ask = EnrolmentAsk {
            student,
            photo: bytes,
            consent_by,
            another_person: false,
            source,
            actor,
        };
        let index = galleries.gallery.index();
        let desk = EnrolmentDesk { db, keys, recogniser, index: &index };
        let done = enrol::enrol(desk, ask, self.now).await?;
        // So that the next photo of the archive is compared with this person too.
        galleries.follow().await?;
        Ok(Some(done.warnings))
    }
}
