//! `/api/students`: people who may be recognised.

use super::call::Call;
use super::reply::{created, json, nothing, with};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::error::Error;
use crate::store::student::{self, Filter, Profile, Student};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::{Method, header};
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (one, some) = ("/api/students/{id}", "/api/students");
    let (person, body) = (Object::Student, Takes::Json(SMALL));
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>());
    let both = Shapes::both::<Typed, Body>();
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, Takes::Nothing, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, both, add),
        Route::new((Method::GET, one), STAFF, person, Takes::Nothing, gives, show),
        Route::new((Method::PUT, one), ADMIN, person, body, both, change),
        Route::new((Method::PATCH, one), ADMIN, person, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, person, Takes::Nothing, Shapes::EMPTY, remove),
    ]
}

/// A person, as the API says it.
#[derive(Serialize, ToSchema)]
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
    verified: bool,
    consent: bool,
    version: i64,
}

/// A person as typed. PATCH leaves out what stays.
#[derive(Deserialize, ToSchema)]
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
    #[schema(value_type = Option<String>)]
    year: Option<serde_json::Value>,
    is_active: Option<bool>,
    /// The version that was read, so that nobody's change is overwritten.
    version: Option<i64>,
}

/// Which to list.
#[derive(Deserialize)]
struct Which {
    is_active: Option<bool>,
    department: Option<String>,
    after: Option<Uuid>,
    limit: Option<u32>,
}

impl From<Student> for Body {
    fn from(student: Student) -> Self {
        let Student { id, profile, is_active, face_enrolled, consent, version } = student;
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
            verified: face_enrolled,
            consent: consent.unwrap_or(false),
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
            serde_json::Value::String(text) => text,
            other => other.to_string(),
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
    let limit = which.limit.unwrap_or(100).clamp(1, 500);
    let filter =
        Filter { is_active: which.is_active, is_staff: Some(false), department: which.department };
    let after = which.after.map(StudentId);
    let read = call.app().db.read(move |tx| student::list(tx, &filter, after, limit));
    let people: Vec<Body> = read.await?.into_iter().map(Body::from).collect();
    let next = people.last().filter(|_| people.len() == limit as usize).map(|p| p.id);
    let answer = json(&people)?;
    Ok(match next {
        None => answer,
        Some(id) => {
            let link = format!("</api/students?limit={limit}&after={id}>; rel=\"next\"");
            with(answer, header::LINK, &link)
        }
    })
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

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    json(&Body::from(call.app().db.read(move |tx| student::find(tx, &name)).await?))
}

async fn change(call: Call) -> Outcome {
    let (typed, now): (Typed, _) = (call.json()?, call.now);
    let (actor, name) = (call.actor()?.user.to_string(), call.param("id").to_owned());
    let write = call.app().db.write(move |tx| {
        let old = student::find(tx, &name)?;
        let (version, active) = (typed.version, typed.is_active);
        student::change(tx, old.id, typed.over(old.profile), version, &actor, now)?;
        if let Some(active) = active.filter(|active| *active != old.is_active) {
            student::set_active(tx, old.id, active, &actor, now)?;
        }
        student::get(tx, old.id)?.ok_or_else(|| Error::unknown("student", &name))
    });
    json(&Body::from(write.await?))
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
    call.app().events.say(crate::events::Event::GalleryChanged);
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
