//! `/api/classes`: classes and their rosters.

use super::attendance::reader;
use super::call::Call;
use super::reply::{created, json, nothing};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::store::class::{self, Class, Member};
use crate::store::student;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/classes", "/api/classes/{id}");
    let (roster, member) = ("/api/classes/{id}/students", "/api/classes/{id}/students/{student}");
    let (class, body, nothing) = (Object::Class, Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>());
    let (both, people) = (Shapes::both::<Typed, Body>(), Shapes::gives::<Vec<Person>>());
    let enter = Shapes::both::<Enter, Vec<Person>>();
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, nothing, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, both.created(), add),
        Route::new((Method::GET, one), STAFF, class, nothing, gives, show),
        Route::new((Method::GET, roster), STAFF, class, nothing, people, members),
        Route::new((Method::POST, roster), ADMIN, class, body, enter, put),
        Route::new((Method::DELETE, member), ADMIN, class, nothing, Shapes::EMPTY, take_off),
    ]
}

/// A class, as the API says it.
#[derive(Serialize, ToSchema)]
pub struct Body {
    id: Uuid,
    class_name: String,
    class_code: String,
    room: Option<String>,
    is_active: bool,
    student_count: i64,
}

/// A class as typed.
#[derive(Deserialize, ToSchema)]
pub struct Typed {
    #[serde(alias = "name")]
    class_name: String,
    #[serde(alias = "code")]
    class_code: String,
    room: Option<String>,
    /// Account of the teacher.
    teacher_id: Option<Uuid>,
    /// Or several.
    #[serde(default)]
    teacher_ids: Vec<Uuid>,
}

/// Who enters a roster: own ids or student numbers.
#[derive(Deserialize, ToSchema)]
pub struct Enter {
    students: Vec<String>,
}

/// Somebody on a roster.
#[derive(Serialize, ToSchema)]
pub struct Person {
    id: Uuid,
    student_id: String,
    full_name: String,
    verified: bool,
}

impl From<Class> for Body {
    fn from(class: Class) -> Self {
        let Class { id, class_name, class_code, room, is_active, students } = class;
        Self { id, class_name, class_code, room, is_active, student_count: students }
    }
}

impl From<Member> for Person {
    fn from(member: Member) -> Self {
        let Member { student, number, name, verified } = member;
        Self { id: student.0, student_id: number, full_name: name, verified }
    }
}

async fn index(call: Call) -> Outcome {
    let reader = reader(&call)?;
    let classes = call.app().db.read(move |tx| class::list(tx, reader)).await?;
    json(&classes.into_iter().map(Body::from).collect::<Vec<_>>())
}

async fn add(call: Call) -> Outcome {
    let (typed, reader, now): (Typed, _, _) = (call.json()?, reader(&call)?, call.now);
    let actor = reader.actor.user.to_string();
    let write = call.app().db.write(move |tx| {
        let words = (typed.class_name.as_str(), typed.class_code.as_str(), typed.room.as_deref());
        let id = class::add(tx, words, &actor, now)?;
        for teacher in typed.teacher_ids.into_iter().chain(typed.teacher_id) {
            class::add_teacher(tx, id, teacher, reader.today, &actor, now)?;
        }
        class::find(tx, reader, &id.to_string())
    });
    let body = Body::from(write.await?);
    created(&format!("/api/classes/{}", body.id), &body)
}

async fn show(call: Call) -> Outcome {
    let (reader, name) = (reader(&call)?, call.param("id").to_owned());
    json(&Body::from(call.app().db.read(move |tx| class::find(tx, reader, &name)).await?))
}

async fn members(call: Call) -> Outcome {
    let (reader, name) = (reader(&call)?, call.param("id").to_owned());
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        class::members(tx, class.id)
    });
    json(&read.await?.into_iter().map(Person::from).collect::<Vec<_>>())
}

async fn put(call: Call) -> Outcome {
    let (enter, reader, now): (Enter, _, _) = (call.json()?, reader(&call)?, call.now);
    let name = call.param("id").to_owned();
    let write = call.app().db.write(move |tx| {
        let (class, actor) = (class::find(tx, reader, &name)?, reader.actor.user.to_string());
        for student in &enter.students {
            let student = student::find(tx, student)?.id;
            class::add_member(tx, class.id, student, &actor, now)?;
        }
        class::members(tx, class.id)
    });
    json(&write.await?.into_iter().map(Person::from).collect::<Vec<_>>())
}

async fn take_off(call: Call) -> Outcome {
    let (reader, now) = (reader(&call)?, call.now);
    let (name, student) = (call.param("id").to_owned(), call.param("student").to_owned());
    let write = call.app().db.write(move |tx| {
        let (class, student) = (class::find(tx, reader, &name)?, student::find(tx, &student)?);
        class::remove_member(tx, class.id, student.id, &reader.actor.user.to_string(), now)
    });
    write.await?;
    nothing()
}
