//! `/api/persons`: everybody who may be recognised, staff and students, with a personnel code.

use super::attendance::reader;
use super::call::Call;
use super::enrolment::{self, known};
use super::page::{page, rows};
use super::problem::Problem;
use super::reply::{created, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use super::students::changed;
use jiff::Timestamp;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::student::{self, Filter, Profile, Student};
use store::{Tx, enrolment as enrolments};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;
use wire::{StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/persons", "/api/persons/{id}");
    let (person, body, no) = (Object::Student, Takes::Json(SMALL), Takes::Nothing);
    let list = Shapes::gives::<Vec<Body>>().asks::<Which>();
    let (gives, whole) = (Shapes::gives::<Body>(), Shapes::gives::<Whole>());
    let both = Shapes::both::<Typed, Body>();
    let turn = |path: &'static str, run: super::route::Run| {
        Route::new((Method::PATCH, path), ADMIN, person, no, gives, run)
    };
    vec![
        Route::new((Method::GET, some), ADMIN, Object::None, no, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, both.created(), add),
        Route::new((Method::GET, one), ADMIN, person, no, whole, show),
        Route::new((Method::PUT, one), ADMIN, person, body, both, change),
        Route::new((Method::PATCH, one), ADMIN, person, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, person, no, Shapes::EMPTY, remove),
        turn("/api/persons/{id}/toggle-active", (|call| turned(call, |was| !was)).into()),
        turn("/api/persons/{id}/activate", (|call| turned(call, |_| true)).into()),
        turn("/api/persons/{id}/deactivate", (|call| turned(call, |_| false)).into()),
    ]
}

/// Staff, or a student.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Works here.
    Staff,
    /// Learns here.
    Student,
}

/// A person, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub struct Body {
    /// Own id.
    pub id: Uuid,
    first_name: String,
    last_name: String,
    full_name: String,
    /// Unique in the school; of a student, the student number.
    personnel_code: String,
    kind: Kind,
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
pub struct Whole {
    #[serde(flatten)]
    person: Body,
    enrollments: Vec<enrolment::Body>,
}

/// A person as typed. A change leaves out what stays.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = PersonTyped)]
pub struct Typed {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Needed for a new person.
    pub personnel_code: Option<String>,
    /// A new person is staff unless this says otherwise.
    pub kind: Option<Kind>,
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
struct Which {
    /// Only those who may be recognised, or only the others.
    is_active: Option<bool>,
    /// Only of this department.
    department: Option<String>,
    /// Only staff, or only students.
    #[param(inline)]
    kind: Option<Kind>,
    /// Only those whose name or number holds each of these words.
    search: Option<String>,
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<Student> for Body {
    fn from(person: Student) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let full_name = person.profile.full_name();
        let Profile { student_number, first_name, last_name, .. } = person.profile;
        Self {
            id: person.id.0,
            first_name,
            last_name,
            full_name,
            personnel_code: student_number,
            kind: if person.profile.is_staff { Kind::Staff } else { Kind::Student },
            department: person.profile.department,
            position: person.profile.position,
            email: person.profile.email,
            phone: person.profile.phone,
            is_active: person.is_active,
            face_enrolled: person.face_enrolled,
            consent: person.consent.unwrap_or(false),
            created_at: time(person.created_at),
            updated_at: time(person.updated_at),
            version: person.version,
        }
    }
}

impl Typed {
    /// `old` with what was typed.
    fn over(self, old: Profile) -> Profile {
        Profile {
            student_number: self.personnel_code.unwrap_or(old.student_number),
            first_name: self.first_name.unwrap_or(old.first_name),
            last_name: self.last_name.unwrap_or(old.last_name),
            email: self.email.or(old.email),
            phone: self.phone.or(old.phone),
            department: self.department.or(old.department),
            position: self.position.or(old.position),
            year: old.year,
            is_staff: self.kind.map_or(old.is_staff, |kind| kind == Kind::Staff),
        }
    }
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    let limit = rows(which.limit);
    let filter = Filter {
        is_active: which.is_active,
        is_staff: which.kind.map(|kind| kind == Kind::Staff),
        department: which.department,
        reader: Some(reader(&call)?),
        search: which.search,
        ..Filter::default()
    };
    let after = which.after.map(StudentId);
    let people = call.app().db.read(move |tx| student::list(tx, &filter, after, limit)).await?;
    let last = people.last().map(|person| person.id.to_string());
    page(&call, &people.into_iter().map(Body::from).collect::<Vec<_>>(), limit, last)
}

async fn add(call: Call) -> Outcome {
    let made = made(&call, call.json()?).await?;
    created(&format!("/api/persons/{}", made.id), &made)
}

/// Adds the person that was typed.
///
/// # Errors
/// 409 when the code is taken, 422 when something cannot be.
pub async fn made(call: &Call, typed: Typed) -> Result<Body, Problem> {
    let (actor, now, active) = (call.actor()?.user.to_string(), call.now, typed.is_active);
    let profile = typed.over(Profile { is_staff: true, ..Profile::default() });
    let write = call.app().db.write(move |tx| {
        let id = student::add(tx, profile, &actor, now)?;
        if active == Some(false) {
            student::set_active(tx, id, false, &actor, now)?;
        }
        again(tx, id)
    });
    Ok(Body::from(write.await?))
}

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let read = call.app().db.read(move |tx| {
        let person = student::find(tx, &name)?;
        let enrolments = enrolments::of(tx, person.id)?;
        Ok((person, enrolments))
    });
    let (person, rows) = read.await?;
    let enrollments = rows.into_iter().map(enrolment::Body::from).collect();
    let version = person.version;
    versioned(&Whole { person: person.into(), enrollments }, version)
}

async fn change(call: Call) -> Outcome {
    let typed: Typed = call.json()?;
    let (version, active) = (call.version(typed.version)?, typed.is_active);
    let body = Body::from(changed(&call, (version, active), |old| typed.over(old)).await?);
    versioned(&body, body.version)
}

async fn turned(call: Call, to: fn(bool) -> bool) -> Outcome {
    let person = turn(&call, to).await?;
    let body = Body::from(person);
    versioned(&body, body.version)
}

/// Lets a person be recognised, or not; every search and every door follows.
async fn turn(call: &Call, to: fn(bool) -> bool) -> Result<Student, Problem> {
    let (actor, now) = (call.actor()?.user.to_string(), call.now);
    let name = call.param("id").to_owned();
    let write = call.app().db.write(move |tx| {
        let old = student::find(tx, &name)?;
        if to(old.is_active) != old.is_active {
            student::set_active(tx, old.id, to(old.is_active), &actor, now)?;
        }
        again(tx, old.id)
    });
    let person = write.await?;
    known(call).await?;
    Ok(person)
}

/// Takes a person out of every list and gallery; erasing is another, deliberate step.
async fn remove(call: Call) -> Outcome {
    turn(&call, |_| false).await?;
    nothing()
}

fn again(tx: &Tx<'_>, id: StudentId) -> Result<Student, Error> {
    student::get(tx, id)?.ok_or_else(|| Error::unknown("person", id))
}
