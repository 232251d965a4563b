//! `/api/students`: people who may be recognised.

use super::attendance::reader;
use super::call::Call;
use super::enrolment::{self, known};
use super::page::{page, rows};
use super::problem::Problem;
use super::reply::{created, json, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, STAFF, Shapes, Takes, Who};
use jiff::Timestamp;
use rules::auth::Role;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::account;
use store::student::{self, Filter, Profile, Student};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;
use wire::{StudentId, Wall};

/// Accounts of students.
pub const PUPIL: Who = Who::Role(&[Role::Student]);

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (one, some) = ("/api/students/{id}", "/api/students");
    let (person, body) = (Object::Student, Takes::Json(SMALL));
    let list = Shapes::gives::<Vec<Body>>().asks::<Which>();
    let (whole, both) = (Shapes::gives::<Whole>(), Shapes::both::<Typed, Body>());
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, Takes::Nothing, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, both.created(), add),
        Route::new(
            (Method::GET, "/api/students/me"),
            PUPIL,
            Object::None,
            Takes::Nothing,
            whole,
            me,
        ),
        Route::new((Method::GET, one), STAFF, person, Takes::Nothing, whole, show),
        Route::new((Method::PUT, one), ADMIN, person, body, both, change),
        Route::new((Method::PATCH, one), ADMIN, person, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, person, Takes::Nothing, Shapes::EMPTY, remove),
    ]
}

/// A person, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Student)]
pub struct Body {
    /// Own id.
    pub id: Uuid,
    student_number: String,
    /// The number again, as S2 calls it.
    student_id: String,
    first_name: String,
    last_name: String,
    full_name: String,
    email: Option<String>,
    phone: Option<String>,
    department: Option<String>,
    position: Option<String>,
    year: Option<String>,
    is_active: bool,
    face_enrolled: bool,
    /// Whether a teacher said that the face enrolled is theirs.
    verified: bool,
    consent: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    version: i64,
}

/// A person with every photo they were enrolled by.
#[derive(Serialize, ToSchema)]
#[schema(as = StudentWithEnrollments)]
pub struct Whole {
    #[serde(flatten)]
    student: Body,
    enrollments: Vec<enrolment::Body>,
    /// Where the history of attendance is.
    attendance: String,
}

/// A person as typed. PATCH leaves out what stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = StudentTyped)]
pub struct Typed {
    #[serde(alias = "student_id", alias = "personnel_code")]
    student_number: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// Instead of the two; the last word is the family name.
    full_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    department: Option<String>,
    position: Option<String>,
    /// A number or a text.
    year: Option<Year>,
    is_active: Option<bool>,
    /// The version that was read, so that nobody's change is overwritten.
    version: Option<i64>,
}

/// A year of study: 2, or “2nd”.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Year {
    /// As a number.
    Number(i64),
    /// In words.
    Text(String),
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those who may be recognised, or only the others.
    is_active: Option<bool>,
    /// Only of this department.
    department: Option<String>,
    /// Only those whose name or number holds each of these words.
    search: Option<String>,
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<Student> for Body {
    fn from(student: Student) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let Student { id, profile, is_active, face_enrolled, verified, consent, version, .. } =
            student;
        Self {
            id: id.0,
            student_id: profile.student_number.clone(),
            full_name: profile.full_name(),
            student_number: profile.student_number,
            first_name: profile.first_name,
            last_name: profile.last_name,
            email: profile.email,
            phone: profile.phone,
            department: profile.department,
            position: profile.position,
            year: profile.year,
            is_active,
            face_enrolled,
            verified,
            consent: consent.unwrap_or(false),
            created_at: time(student.created_at),
            updated_at: time(student.updated_at),
            version,
        }
    }
}

impl Typed {
    /// `old` with what was typed.
    fn over(self, old: Profile) -> Profile {
        let (first, last) = match self.full_name.as_deref().map(str::trim) {
            Some(full) => split(full),
            None => (old.first_name, old.last_name),
        };
        let year = self.year.map(|year| match year {
            Year::Text(text) => text,
            Year::Number(number) => number.to_string(),
        });
        Profile {
            student_number: self.student_number.unwrap_or(old.student_number),
            first_name: self.first_name.unwrap_or(first),
            last_name: self.last_name.unwrap_or(last),
            email: self.email.or(old.email),
            phone: self.phone.or(old.phone),
            department: self.department.or(old.department),
            position: self.position.or(old.position),
            year: year.or(old.year),
            is_staff: old.is_staff,
        }
    }
}

/// Given name and family name of a full name: the last word is the family's.
#[must_use]
pub fn split(full: &str) -> (String, String) {
    let (first, last) = full.rsplit_once(char::is_whitespace).unwrap_or(("", full));
    (first.trim().to_owned(), last.to_owned())
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    let limit = rows(which.limit);
    let filter = Filter {
        is_active: which.is_active,
        is_staff: Some(false),
        department: which.department,
        reader: Some(reader(&call)?),
        search: which.search,
        ..Filter::default()
    };
    let after = which.after.map(StudentId);
    let read = call.app().db.read(move |tx| student::list(tx, &filter, after, limit));
    let people: Vec<Body> = read.await?.into_iter().map(Body::from).collect();
    let last = people.last().map(|person| person.id.to_string());
    page(&call, &people, limit, last)
}

async fn add(call: Call) -> Outcome {
    let typed: Typed = call.json()?;
    let (profile, now) = (typed.over(Profile::default()), call.now);
    let actor = call.actor()?.user.to_string();
    let write = call.app().db.write(move |tx| {
        let id = student::add(tx, profile, &actor, now)?;
        student::get(tx, id)?.ok_or_else(|| Error::unknown("student", id))
    });
    let made = Body::from(write.await?);
    created(&format!("/api/students/{}", made.id), &made)
}

/// The student whose account asks.
///
/// # Errors
/// 404 for an account that belongs to no student yet.
pub async fn own(call: &Call) -> Result<Student, Problem> {
    let id = call.actor()?.user;
    let read = call.app().db.read(move |tx| {
        let student = account::get(tx, id)?.and_then(|account| account.student);
        student.map(|student| student::get(tx, student)).transpose().map(Option::flatten)
    });
    read.await?.ok_or_else(|| {
        let say = "This account belongs to no student yet: an administrator can say to which.";
        Problem::not_found(say)
    })
}

/// One's own record.
async fn me(call: Call) -> Outcome {
    let student = own(&call).await?;
    let id = student.id;
    let rows = call.app().db.read(move |tx| store::enrolment::of(tx, id)).await?;
    json(&Whole {
        attendance: "/api/students/me/attendance".into(),
        student: student.into(),
        enrollments: rows.into_iter().map(enrolment::Body::from).collect(),
    })
}

async fn show(call: Call) -> Outcome {
    let (reader, name) = (reader(&call)?, call.param("id").to_owned());
    let read = call.app().db.read(move |tx| {
        let person = student::find_for(tx, reader, &name)?;
        let enrolments = store::enrolment::of(tx, person.id)?;
        Ok((person, enrolments))
    });
    let (person, rows) = read.await?;
    let version = person.version;
    let whole = Whole {
        attendance: format!("/api/students/{}/attendance", person.id),
        student: person.into(),
        enrollments: rows.into_iter().map(enrolment::Body::from).collect(),
    };
    versioned(&whole, version)
}

async fn change(call: Call) -> Outcome {
    let typed: Typed = call.json()?;
    let (version, active) = (call.version(typed.version)?, typed.is_active);
    let body = Body::from(changed(&call, (version, active), |old| typed.over(old)).await?);
    versioned(&body, body.version)
}

/// Changes the person that the address names, and whether they are active; every search and every
/// door follows.
///
/// # Errors
/// 404; 409 when it was changed since `version`; 422 for what cannot be.
pub(super) async fn changed(
    call: &Call,
    (version, active): (Option<i64>, Option<bool>),
    over: impl FnOnce(Profile) -> Profile + Send + 'static,
) -> Result<Student, Problem> {
    let (actor, now) = (call.actor()?.user.to_string(), call.now);
    let name = call.param("id").to_owned();
    let write = call.app().db.write(move |tx| {
        let old = student::find(tx, &name)?;
        student::change(tx, old.id, over(old.profile), version, &actor, now)?;
        let turned = active.filter(|active| *active != old.is_active);
        if let Some(active) = turned {
            student::set_active(tx, old.id, active, &actor, now)?;
        }
        let person = student::get(tx, old.id)?.ok_or_else(|| Error::unknown("person", &name))?;
        Ok((person, turned.is_some()))
    });
    let (person, turned) = write.await?;
    if turned {
        known(call).await?;
    }
    Ok(person)
}

/// Takes a person out of every list and gallery. Erasing all data of a person is another,
/// deliberate step.
async fn remove(call: Call) -> Outcome {
    let (actor, name, now) =
        (call.actor()?.user.to_string(), call.param("id").to_owned(), call.now);
    let write = call.app().db.write(move |tx| {
        let id = student::find(tx, &name)?.id;
        student::set_active(tx, id, false, &actor, now)
    });
    write.await?;
    known(&call).await?;
    nothing()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_last_word_of_a_full_name_is_the_family_name() {
        assert_eq!(split("Ada King Lovelace"), ("Ada King".into(), "Lovelace".into()));
        assert_eq!(split("Pelé"), (String::new(), "Pelé".into()));
    }
}
