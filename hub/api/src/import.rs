//! People and photos in files: `/api/classes/{id}/bulk-upload-students` and `…/bulk-enroll`.

use super::jobs::{JobBody as Job, goes_on};
use acts::bring::{self, ARCHIVE, PhotoArchive, TABLE};
use acts::import::people::{self, Brought, PersonRow};
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::created;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use serde::Serialize;
use store::class;
use utoipa::ToSchema;
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/api/classes/{id}/bulk-upload-students")
            .staff()
            .of(Object::Class)
            .parts(TABLE)
            .fields::<ImportUpload>()
            .gives::<ImportTold>()
            .created()
            .by(bring_table),
        Route::post("/api/classes/{id}/bulk-enroll")
            .admin()
            .of(Object::Class)
            .archive(ARCHIVE)
            .fields::<ImportArchive>()
            .gives::<Job>()
            .accepted()
            .by(enrol_all),
    ]
}

/// A table of people.
#[derive(ToSchema)]
#[schema(as = StudentTable)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ImportUpload {
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
pub struct ImportArchive {
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
pub struct ImportPerson {
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
pub struct ImportTold {
    created: Vec<ImportPerson>,
    /// Known people who are on the roster now.
    entered: Vec<ImportPerson>,
    skipped: Vec<Skipped>,
    total_created: usize,
    total_entered: usize,
    total_skipped: usize,
    message: String,
}

impl From<Brought> for ImportPerson {
    fn from(Brought { id, number, row }: Brought) -> Self {
        let PersonRow { first_name, last_name, .. } = row;
        Self { id: id.0, student_id: number, first_name, last_name }
    }
}

impl From<(PersonRow, String)> for Skipped {
    fn from((row, reason): (PersonRow, String)) -> Self {
        let PersonRow { line, first_name, last_name, number, .. } = row;
        Self { row: line, first_name, last_name, student_id: number, reason }
    }
}

impl From<people::BroughtDone> for ImportTold {
    fn from(done: people::BroughtDone) -> Self {
        let people::BroughtDone { created, entered, skipped } = done;
        let total_created = created.len();
        let total_entered = entered.len();
        let total_skipped = skipped.len();
        Self {
            created: created.into_iter().map(ImportPerson::from).collect(),
            entered: entered.into_iter().map(ImportPerson::from).collect(),
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

async fn bring_table(call: Call) -> Outcome {
    let reader = call.reader()?;
    let app = call.app();
    let rows = bring::rows(&app.apart, call.people_table()?).await?;
    let class = Some(call.param("id").to_owned());
    let done = bring::bring(&app.db, reader, class, rows, call.name()?, call.now).await?;
    let class = done.0.map(|class| class.to_string()).unwrap_or_default();
    created(&format!("/api/classes/{class}/students"), &ImportTold::from(done.1))
}

async fn enrol_all(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let class = call.app().db.read(move |tx| class::find(tx, reader, &name)).await?.id;
    let archive = PhotoArchive { class: Some(class), ..call.photo_archive()? };
    goes_on(call.app().bringing().photos(archive, reader.actor.user, call.now).await?)
}
