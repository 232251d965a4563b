//! `/api/students`: people who may be recognised.

use super::enrolment;
use acts::people::{self, PersonChanges, Turn};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{created, json, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::person::PersonDetails;
use serde::{Deserialize, Serialize};
use store::account;
use store::student::{self, Student, StudentFilter};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/students";
    let one = "/api/students/{id}";
    vec![
        Route::get(some).staff().asks::<StudentQuery>().gives::<Vec<StudentBody>>().by(index),
        Route::post(some).admin().takes::<StudentForm>().gives::<StudentBody>().created().by(add),
        Route::get("/api/students/me").pupil().gives::<StudentWhole>().by(me),
        Route::get(one).staff().of(Object::Student).gives::<StudentWhole>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Student)
            .takes::<StudentForm>()
            .gives::<StudentBody>()
            .by(change),
        Route::patch(one)
            .admin()
            .of(Object::Student)
            .takes::<StudentForm>()
            .gives::<StudentBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Student).by(remove),
    ]
}

/// A person, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Student)]
pub struct StudentBody {
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
pub struct StudentWhole {
    #[serde(flatten)]
    student: StudentBody,
    enrollments: Vec<enrolment::EnrolmentBody>,
    /// Where the history of attendance is.
    attendance: String,
}

/// A person as typed. PATCH leaves out what stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = StudentTyped)]
pub struct StudentForm {
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
    year: Option<StudentYear>,
    is_active: Option<bool>,
    /// The version that was read, so that nobody's change is overwritten.
    version: Option<i64>,
}

/// A year of study: 2, or “2nd”.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Year)]
pub enum StudentYear {
    /// As a number.
    Number(i64),
    /// In words.
    Text(String),
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StudentQuery {
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

impl From<Student> for StudentBody {
    fn from(student: Student) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let Student { id, profile, is_active, face_enrolled, verified, consent, version, .. } =
            student;
        let PersonDetails { email, phone, department, position, year } = profile.details.clone();
        Self {
            id: id.0,
            student_id: profile.student_number.clone(),
            full_name: profile.full_name(),
            student_number: profile.student_number,
            first_name: profile.first_name,
            last_name: profile.last_name,
            email,
            phone,
            department,
            position,
            year,
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

impl From<StudentForm> for PersonChanges {
    fn from(typed: StudentForm) -> Self {
        let year = typed.year.map(|year| match year {
            StudentYear::Text(text) => text,
            StudentYear::Number(number) => number.to_string(),
        });
        Self {
            number: typed.student_number,
            full_name: typed.full_name,
            first_name: typed.first_name,
            last_name: typed.last_name,
            details: PersonDetails {
                email: typed.email,
                phone: typed.phone,
                department: typed.department,
                position: typed.position,
                year,
            },
            kind: None,
            turn: typed.is_active.map(Turn::wished),
            version: typed.version,
        }
    }
}

async fn index(call: Call) -> Outcome {
    let which: StudentQuery = call.query()?;
    let limit = rows(which.limit);
    let filter = StudentFilter {
        is_active: which.is_active,
        is_staff: Some(false),
        department: which.department,
        reader: Some(call.reader()?),
        search: which.search,
        ..StudentFilter::default()
    };
    let after = which.after.map(StudentId);
    let read = call.app().db.read(move |tx| student::list(tx, &filter, after, limit));
    let people: Vec<StudentBody> = read.await?.into_iter().map(StudentBody::from).collect();
    let last = people.last().map(|person| person.id.to_string());
    page(&call, &people, limit, last)
}

async fn add(call: Call) -> Outcome {
    let typed: StudentForm = call.json()?;
    let made = people::add(&call.app().db, typed.into(), call.name()?, call.now).await?;
    let made = StudentBody::from(made);
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
    json(&StudentWhole {
        attendance: "/api/students/me/attendance".into(),
        student: student.into(),
        enrollments: rows.into_iter().map(enrolment::EnrolmentBody::from).collect(),
    })
}

async fn show(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let read = call.app().db.read(move |tx| {
        let person = student::find_for(tx, reader, &name)?;
        let enrolments = store::enrolment::of(tx, person.id)?;
        Ok((person, enrolments))
    });
    let (person, rows) = read.await?;
    let version = person.version;
    let whole = StudentWhole {
        attendance: format!("/api/students/{}/attendance", person.id),
        student: person.into(),
        enrollments: rows.into_iter().map(enrolment::EnrolmentBody::from).collect(),
    };
    versioned(&whole, version)
}

async fn change(call: Call) -> Outcome {
    let typed: StudentForm = call.json()?;
    let to = PersonChanges { version: call.version(typed.version)?, ..typed.into() };
    let name = call.param("id").to_owned();
    let body =
        StudentBody::from(call.app().people().change(name, to, call.name()?, call.now).await?);
    versioned(&body, body.version)
}

/// Takes a person out of every list and gallery. Erasing all data of a person is another,
/// deliberate step.
async fn remove(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let version = call.version(None)?;
    call.app().people().turn(name, Turn::Off, version, call.name()?, call.now).await?;
    nothing()
}
