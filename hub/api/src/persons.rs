//! `/api/persons`: everybody who may be recognised, staff and students, with a personnel code.

use super::enrolment;
use acts::people::{self, PersonChanges, Turn};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{created, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::person::PersonDetails;
use serde::{Deserialize, Serialize};
use store::enrolment as enrolments;
use store::student::{self, Student, StudentFilter, StudentProfile};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/persons";
    let one = "/api/persons/{id}";
    vec![
        Route::get(some).admin().asks::<PersonQuery>().gives::<Vec<PersonBody>>().by(index),
        Route::post(some).admin().takes::<PersonForm>().gives::<PersonBody>().created().by(add),
        Route::get(one).admin().of(Object::Student).gives::<PersonWhole>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Student)
            .takes::<PersonForm>()
            .gives::<PersonBody>()
            .by(change),
        Route::patch(one)
            .admin()
            .of(Object::Student)
            .takes::<PersonForm>()
            .gives::<PersonBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Student).by(remove),
        Route::patch("/api/persons/{id}/toggle-active")
            .admin()
            .of(Object::Student)
            .gives::<PersonBody>()
            .by(|call| turned(call, Turn::Over)),
        Route::patch("/api/persons/{id}/activate")
            .admin()
            .of(Object::Student)
            .gives::<PersonBody>()
            .by(|call| turned(call, Turn::On)),
        Route::patch("/api/persons/{id}/deactivate")
            .admin()
            .of(Object::Student)
            .gives::<PersonBody>()
            .by(|call| turned(call, Turn::Off)),
    ]
}

/// Staff, or a student.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = PersonsKind)]
pub enum PersonKindWord {
    /// Works here.
    Staff,
    /// Learns here.
    Student,
}

/// A person, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = PersonsPerson)]
pub struct PersonBody {
    /// Own id.
    pub id: Uuid,
    first_name: String,
    last_name: String,
    full_name: String,
    /// Unique in the school; of a student, the student number.
    personnel_code: String,
    kind: PersonKindWord,
    department: Option<String>,
    position: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    is_active: bool,
    face_enrolled: bool,
    consent: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    version: i64,
}

/// A person with every photo they were enrolled by.
#[derive(Serialize, ToSchema)]
#[schema(as = PersonWithEnrollments)]
pub struct PersonWhole {
    #[serde(flatten)]
    person: PersonBody,
    enrollments: Vec<enrolment::EnrolmentBody>,
}

/// A person as typed. A change leaves out what stays.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = PersonTyped)]
pub struct PersonForm {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Needed for a new person.
    pub personnel_code: Option<String>,
    /// A new person is staff unless this says otherwise.
    pub kind: Option<PersonKindWord>,
    pub department: Option<String>,
    pub position: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub is_active: Option<bool>,
    /// The version that was read, so that nobody’s change is overwritten.
    pub version: Option<i64>,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PersonQuery {
    /// Only those who may be recognised, or only the others.
    is_active: Option<bool>,
    /// Only of this department.
    department: Option<String>,
    /// Only staff, or only students.
    #[param(inline)]
    kind: Option<PersonKindWord>,
    /// Only those whose name or number holds each of these words.
    search: Option<String>,
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<Student> for PersonBody {
    fn from(person: Student) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let full_name = person.profile.full_name();
        let StudentProfile { student_number, first_name, last_name, is_staff, details } =
            person.profile;
        // The year of study is no field of a person here.
        let PersonDetails { email, phone, department, position, year: _ } = details;
        Self {
            id: person.id.0,
            first_name,
            last_name,
            full_name,
            personnel_code: student_number,
            kind: if is_staff { PersonKindWord::Staff } else { PersonKindWord::Student },
            department,
            position,
            email,
            phone,
            is_active: person.is_active,
            face_enrolled: person.face_enrolled,
            consent: person.consent.unwrap_or(false),
            created_at: time(person.created_at),
            updated_at: time(person.updated_at),
            version: person.version,
        }
    }
}

impl From<PersonKindWord> for people::PersonKind {
    fn from(kind: PersonKindWord) -> Self {
        match kind {
            PersonKindWord::Staff => Self::Staff,
            PersonKindWord::Student => Self::Student,
        }
    }
}

impl From<PersonForm> for PersonChanges {
    fn from(typed: PersonForm) -> Self {
        Self {
            number: typed.personnel_code,
            first_name: typed.first_name,
            last_name: typed.last_name,
            details: PersonDetails {
                email: typed.email,
                phone: typed.phone,
                department: typed.department,
                position: typed.position,
                year: None,
            },
            kind: typed.kind.map(people::PersonKind::from),
            turn: typed.is_active.map(Turn::wished),
            version: typed.version,
            full_name: None,
        }
    }
}

async fn index(call: Call) -> Outcome {
    let which: PersonQuery = call.query()?;
    let limit = rows(which.limit);
    let filter = StudentFilter {
        is_active: which.is_active,
        is_staff: which.kind.map(|kind| kind == PersonKindWord::Staff),
        department: which.department,
        reader: Some(call.reader()?),
        search: which.search,
        ..StudentFilter::default()
    };
    let after = which.after.map(StudentId);
    let people = call.app().db.read(move |tx| student::list(tx, &filter, after, limit)).await?;
    let last = people.last().map(|person| person.id.to_string());
    page(&call, &people.into_iter().map(PersonBody::from).collect::<Vec<_>>(), limit, last)
}

async fn add(call: Call) -> Outcome {
    let made = made(&call, call.json()?).await?;
    created(&format!("/api/persons/{}", made.id), &made)
}

/// Adds the person that was typed.
///
/// # Errors
/// 409 when the code is taken, 422 when something cannot be.
pub async fn made(call: &Call, typed: PersonForm) -> Result<PersonBody, Problem> {
    let kind = typed.kind.unwrap_or(PersonKindWord::Staff);
    let new = PersonChanges { kind: Some(kind.into()), ..typed.into() };
    Ok(PersonBody::from(people::add(&call.app().db, new, call.name()?, call.now).await?))
}

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let read = call.app().db.read(move |tx| {
        let person = student::find(tx, &name)?;
        let enrolments = enrolments::of(tx, person.id)?;
        Ok((person, enrolments))
    });
    let (person, rows) = read.await?;
    let enrollments = rows.into_iter().map(enrolment::EnrolmentBody::from).collect();
    let version = person.version;
    versioned(&PersonWhole { person: person.into(), enrollments }, version)
}

async fn change(call: Call) -> Outcome {
    let typed: PersonForm = call.json()?;
    let to = PersonChanges { version: call.version(typed.version)?, ..typed.into() };
    let name = call.param("id").to_owned();
    let body =
        PersonBody::from(call.app().people().change(name, to, call.name()?, call.now).await?);
    versioned(&body, body.version)
}

/// Lets a person be recognised, or not.
async fn turned(call: Call, to: Turn) -> Outcome {
    let name = call.param("id").to_owned();
    let version = call.version(None)?;
    let people = call.app().people();
    let body = PersonBody::from(people.turn(name, to, version, call.name()?, call.now).await?);
    versioned(&body, body.version)
}

/// Takes a person out of every list and gallery; erasing is another, deliberate step.
async fn remove(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let version = call.version(None)?;
    call.app().people().turn(name, Turn::Off, version, call.name()?, call.now).await?;
    nothing()
}
