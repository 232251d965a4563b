//! Enrolment by one photo: `/api/students/upload-face`, `/api/face/register`, `/api/enrollment`.

use acts::enrol::{self, Enrolled, EnrolmentAsk};
use acts::people::Turn;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{created, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object, takes::PHOTO};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::enrolment::{self, Enrolment, EnrolmentFilter};
use store::{Tx, student};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/enrollment";
    let one = "/api/enrollment/{id}";
    let new = Route::post(some).admin().parts(PHOTO).fields::<EnrolmentPhoto>();
    vec![
        new.gives::<EnrolmentBody>().created().by(add),
        Route::get(some).admin().asks::<EnrolmentQuery>().gives::<Vec<EnrolmentBody>>().by(index),
        Route::get(one).admin().of(Object::Enrolment).gives::<EnrolmentBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Enrolment)
            .takes::<EnrolmentForm>()
            .gives::<EnrolmentBody>()
            .by(change),
        Route::patch("/api/enrollment/{id}/toggle-active")
            .admin()
            .of(Object::Enrolment)
            .gives::<EnrolmentBody>()
            .by(turn),
        Route::delete(one).admin().of(Object::Enrolment).by(remove),
    ]
}

/// An enrolment, as the API says it; never its template.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrollment)]
pub struct EnrolmentBody {
    id: Uuid,
    /// Own id of the person.
    person_id: Uuid,
    /// Student number or personnel code.
    student_id: String,
    model_id: String,
    /// Where the picture came from: photo, webcam, crop or import.
    source: String,
    quality: EnrolmentQuality,
    /// How sure the detector is that the picture shows a face, 0 to 1.
    confidence_score: f32,
    /// Always null: no photo is kept.
    face_image_path: Option<String>,
    /// Always null: templates lie sealed in the database.
    face_encoding_path: Option<String>,
    is_active: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    face_enrolled: bool,
    /// What whoever enrols should know.
    warnings: Vec<String>,
    message: String,
    version: i64,
}

/// How good the picture was.
#[derive(Serialize, ToSchema)]
#[schema(as = Quality)]
pub struct EnrolmentQuality {
    /// Pixels between the eyes.
    eye_px: f32,
    sharpness: f32,
    /// Mean brightness, 0 to 255.
    brightness: f32,
    /// 0 is frontal.
    turn: f32,
    /// The detector’s score, 0 to 1.
    detector: f32,
}

/// A photo of one person.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read field by field; this is its description")]
#[schema(as = EnrolmentPhoto)]
pub struct EnrolmentPhoto {
    /// Whose face: own id, student number or personnel code.
    student_id: Option<String>,
    /// The same under another name; one of the two is needed.
    person_id: Option<String>,
    /// JPEG, PNG, BMP, TIFF or WebP with exactly one face.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Who consented, if nobody did before.
    consent_by: Option<String>,
    /// `true` if a face much like another’s is a twin’s.
    another_person: Option<String>,
}

/// What may be changed about an enrolment.
#[derive(Deserialize, ToSchema)]
#[schema(as = EnrollmentTyped)]
pub struct EnrolmentForm {
    is_active: bool,
    /// The version that was read, so that nobody’s change is overwritten.
    version: Option<i64>,
}

impl From<wire::Quality> for EnrolmentQuality {
    fn from(quality: wire::Quality) -> Self {
        let wire::Quality { eye_px, sharpness, brightness, turn, detector } = quality;
        Self { eye_px, sharpness, brightness, turn, detector }
    }
}

impl From<Enrolment> for EnrolmentBody {
    fn from(row: Enrolment) -> Self {
        Self {
            id: row.id,
            person_id: row.student.0,
            student_id: row.number,
            model_id: row.model.to_string(),
            source: row.source,
            confidence_score: row.quality.detector,
            face_image_path: None,
            face_encoding_path: None,
            quality: row.quality.into(),
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
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EnrolmentQuery {
    /// Only of this person: own id, student number or personnel code.
    #[serde(alias = "person_id")]
    student_id: Option<String>,
    /// Only those that count, or only the others.
    is_active: Option<bool>,
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

async fn add(call: Call) -> Outcome {
    let name = call.field("student_id").or_else(|_| call.field("person_id"))?.to_owned();
    let photo = call.content.file("file").or_else(|| call.content.file("image")).cloned();
    let photo = photo.ok_or_else(|| Problem::field("file", "a picture is missing"))?;
    let person = call.app().db.read(move |tx| student::find(tx, &name)).await?;
    let body = enrol(&call, person.id, photo).await?;
    created(&format!("/api/enrollment/{}", body.id), &body)
}

/// Enrols `student` by a photo; consent comes from the form's `consent_by` or the ledger. From
/// then on every search knows the person.
///
/// # Errors
/// 422 for a photo that will not do, or without consent; 409 for another person's face.
async fn enrol(
    call: &Call,
    student: StudentId,
    photo: bytes::Bytes,
) -> Result<EnrolmentBody, Problem> {
    let field = |name| call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let ask = EnrolmentAsk {
        student,
        photo: photo.to_vec(),
        consent_by: field("consent_by").map(str::to_owned),
        another_person: field("another_person") == Some("true"),
        source: "photo".to_owned(),
        actor: call.name()?,
    };
    let _place = call.photo_place().await?;
    let shown = |tx: &Tx<'_>, done: Enrolled| {
        Ok(EnrolmentBody {
            warnings: done.warnings,
            message: "The face is enrolled; the photo was not kept.".into(),
            ..EnrolmentBody::from(enrolment::get(tx, done.id)?)
        })
    };
    match call.app().people().enrol(ask, shown, call.now).await? {
        Ok(body) => Ok(body),
        Err(refusal) => Err(enrol::refused(&call.app().db, refusal).await.into()),
    }
}

async fn index(call: Call) -> Outcome {
    let which: EnrolmentQuery = call.query()?;
    let limit = rows(which.limit);
    let read = call.app().db.read(move |tx| {
        let student = which.student_id.map(|name| student::find(tx, &name)).transpose()?;
        let filter = EnrolmentFilter {
            student: student.map(|person| person.id),
            is_active: which.is_active,
        };
        enrolment::list(tx, filter, which.after, limit)
    });
    let found = read.await?;
    let last = found.last().map(|row| row.id.to_string());
    page(&call, &found.into_iter().map(EnrolmentBody::from).collect::<Vec<_>>(), limit, last)
}

async fn show(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    let body = EnrolmentBody::from(call.app().db.read(move |tx| enrolment::get(tx, id)).await?);
    versioned(&body, body.version)
}

async fn change(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    let typed: EnrolmentForm = call.json()?;
    let to = Turn::wished(typed.is_active);
    let version = call.version(typed.version)?;
    let people = call.app().people();
    let body = EnrolmentBody::from(people.count(id, to, version, call.name()?, call.now).await?);
    versioned(&body, body.version)
}

async fn turn(call: Call) -> Outcome {
    let id = call.id("id")?;
    let people = call.app().people();
    let turned = people.count(id, Turn::Over, call.version(None)?, call.name()?, call.now);
    let body = EnrolmentBody::from(turned.await?);
    versioned(&body, body.version)
}

async fn remove(call: Call) -> Outcome {
    let version = call.version(None)?;
    call.app().people().delete(call.id("id")?, version, call.name()?, call.now).await?;
    nothing()
}
