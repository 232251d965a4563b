//! Enrolment by one photo: `/api/students/upload-face`, `/api/face/register`, `/api/enrollment`.

use super::call::Call;
use super::problem::Problem;
use super::reply::{created, json, nothing};
use super::route::{ADMIN, Object, Outcome, PHOTO, Route, Shapes, Takes};
use crate::enrol::{self, Ask, Desk, Enrolled};
use crate::events::Event;
use crate::store::enrolment::{self, Enrolment};
use crate::store::student;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/enrollment", "/api/enrollment/{id}");
    let (row, photo, nothing) = (Object::Enrolment, Takes::Parts(PHOTO), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>());
    let enrol = Route::new((Method::POST, some), ADMIN, Object::None, photo, gives, add);
    let toggle = (Method::PATCH, "/api/enrollment/{id}/toggle-active");
    vec![
        enrol.alias("/api/students/upload-face"),
        enrol.alias("/api/face/register"),
        enrol,
        Route::new((Method::GET, some), ADMIN, Object::None, nothing, list, index),
        Route::new((Method::GET, one), ADMIN, row, nothing, gives, show),
        Route::new(toggle, ADMIN, row, nothing, gives, turn),
        Route::new((Method::DELETE, one), ADMIN, row, nothing, Shapes::EMPTY, remove),
    ]
}

/// An enrolment, as the API says it; never its template.
#[derive(Serialize, ToSchema)]
pub struct Body {
    id: Uuid,
    /// Own id of the person.
    person_id: Uuid,
    student_id: Option<String>,
    model_id: String,
    source: String,
    is_active: bool,
    #[schema(value_type = String)]
    created_at: Option<Timestamp>,
    face_enrolled: bool,
    /// What whoever enrols should know.
    warnings: Vec<String>,
    message: String,
    version: i64,
}

impl From<Enrolment> for Body {
    fn from(row: Enrolment) -> Self {
        Self {
            id: row.id,
            person_id: row.student.0,
            student_id: None,
            model_id: row.model.to_string(),
            source: row.source,
            is_active: row.is_active,
            created_at: Timestamp::from_millisecond(row.created_at.0).ok(),
            face_enrolled: row.is_active,
            warnings: Vec::new(),
            message: String::new(),
            version: row.version,
        }
    }
}

/// Which to list.
#[derive(Deserialize)]
struct Which {
    #[serde(alias = "person_id")]
    student_id: Option<String>,
    after: Option<Uuid>,
    limit: Option<u32>,
}

async fn add(call: Call) -> Outcome {
    let name = call.field("student_id").or_else(|_| call.field("person_id"))?.to_owned();
    let photo = call.content.file("file").or_else(|| call.content.file("image")).cloned();
    let photo = photo.ok_or_else(|| Problem::field("file", "a picture is missing"))?;
    let person = call.app().db.read(move |tx| student::find(tx, &name)).await?;
    let done = enrol(&call, person.id, photo, "photo").await?;
    let row = call.app().db.read(move |tx| enrolment::get(tx, done.id)).await?;
    let body = Body {
        student_id: Some(person.profile.student_number),
        warnings: done.warnings,
        message: "The face is enrolled; the photo was not kept.".into(),
        ..Body::from(row)
    };
    created(&format!("/api/enrollment/{}", body.id), &body)
}

/// Enrols `student` by a photo; consent comes from the form's `consent_by` or the ledger. From
/// then on every search knows the person.
///
/// # Errors
/// 422 for a photo that will not do, or without consent; 409 for another person's face.
pub async fn enrol(
    call: &Call,
    student: StudentId,
    photo: bytes::Bytes,
    source: &'static str,
) -> Result<Enrolled, Problem> {
    let app = call.app();
    let field = |name| call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let ask = Ask {
        student,
        photo: photo.to_vec(),
        consent_by: field("consent_by").map(str::to_owned),
        another_person: field("another_person") == Some("true"),
        source,
        actor: call.actor()?.user.to_string(),
    };
    let index = app.gallery.index();
    let desk = Desk { db: &app.db, keys: &app.keys, recogniser: &app.recogniser, index: &index };
    let place = call.front.photos.acquire().await.map_err(|_| Problem::internal())?;
    let done = enrol::enrol(desk, ask, call.now).await?;
    drop(place);
    known(call).await?;
    Ok(done)
}

/// Lets every search and every door know what changed.
async fn known(call: &Call) -> Result<(), Problem> {
    call.app().follow_gallery().await?;
    call.app().events.say(Event::GalleryChanged);
    Ok(())
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    let limit = which.limit.unwrap_or(100).clamp(1, 500);
    let read = call.app().db.read(move |tx| match which.student_id {
        Some(name) => enrolment::of(tx, student::find(tx, &name)?.id),
        None => enrolment::list(tx, which.after, limit),
    });
    json(&read.await?.into_iter().map(Body::from).collect::<Vec<_>>())
}

async fn show(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    json(&Body::from(call.app().db.read(move |tx| enrolment::get(tx, id)).await?))
}

async fn turn(call: Call) -> Outcome {
    let (id, now): (Uuid, _) = (call.id("id")?, call.now);
    let actor = call.actor()?.user.to_string();
    let write = call.app().db.write(move |tx| {
        let active = enrolment::get(tx, id)?.is_active;
        enrolment::set_active(tx, id, !active, &actor, now)?;
        enrolment::get(tx, id)
    });
    let row = write.await?;
    known(&call).await?;
    json(&Body::from(row))
}

async fn remove(call: Call) -> Outcome {
    let (id, now): (Uuid, _) = (call.id("id")?, call.now);
    let actor = call.actor()?.user.to_string();
    call.app().db.write(move |tx| enrolment::delete(tx, id, &actor, now)).await?;
    known(&call).await?;
    nothing()
}
