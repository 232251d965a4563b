//! `/people`: who can be recognised, and enrolment by a photo.

use super::shell::Shell;
use super::start::shell;
use super::words;
use crate::http::call::Call;
use crate::http::enrolment::enrol;
use crate::http::problem::Problem;
use crate::http::reply::{page, sentence};
use crate::http::route::{ADMIN, Object, Outcome, PHOTO, Route, Shapes, Takes};
use crate::http::students::split;
use crate::store::student::{self, Filter, Profile, Student};
use crate::store::{Tx, params};
use askama::Template;
use serde::Deserialize;
use std::collections::HashMap;
use uuid::Uuid;
use warp::http::{Method, StatusCode};
use wire::StudentId;

/// People on a page.
const PER_PAGE: u32 = 100;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (no, photo) = (Shapes::PAGE, Takes::Parts(PHOTO));
    let another = (Method::POST, "/people/{id}/photo");
    vec![
        Route::new((Method::GET, "/people"), ADMIN, Object::None, Takes::Nothing, no, index),
        Route::new((Method::POST, "/people"), ADMIN, Object::None, photo, no, add),
        Route::new(another, ADMIN, Object::Student, photo, no, photograph),
    ]
}

#[derive(Template)]
#[template(path = "people.html")]
struct Page {
    shell: Shell,
    total_words: String,
    note: Option<(bool, String)>,
    people: Vec<Row>,
    after: Option<Uuid>,
}

/// A person in the list.
struct Row {
    id: Uuid,
    name: String,
    number: String,
    templates: i64,
    consent: bool,
}

#[derive(Deserialize)]
struct Which {
    after: Option<Uuid>,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, None).await
}

async fn show(call: &Call, status: StatusCode, note: Option<(bool, String)>) -> Outcome {
    let after = call.query::<Which>()?.after.map(StudentId);
    let read = call.app().db.read(move |tx| {
        let filter = Filter { is_active: Some(true), ..Filter::default() };
        let people = student::list(tx, &filter, after, PER_PAGE)?;
        Ok((people, templates(tx)?))
    });
    let (people, templates) = read.await?;
    let full = people.len() == PER_PAGE as usize;
    let after = people.last().filter(|_| full).map(|person| person.id.0);
    let enrolled = i64::try_from(templates.len()).unwrap_or(i64::MAX);
    let total_words = format!("The doors know {}", words::count(enrolled, "person", "people"));
    let people = people.into_iter().map(|person| row(person, &templates)).collect();
    page(status, &Page { shell: shell(call, "people"), total_words, note, people, after })
}

fn row(person: Student, templates: &HashMap<String, i64>) -> Row {
    Row {
        id: person.id.0,
        name: person.profile.full_name(),
        number: person.profile.student_number,
        templates: templates.get(&person.id.to_string()).copied().unwrap_or(0),
        consent: person.consent.unwrap_or(false),
    }
}

fn templates(tx: &Tx<'_>) -> Result<HashMap<String, i64>, crate::Error> {
    let sql = "select e.student, count(*) from enrolment e join student s on s.id = e.student
         where e.is_active = 1 and s.is_active = 1 group by e.student";
    let rows = tx.query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.into_iter().collect())
}

/// A new person with a first photo. If only the photo will not do, the person stays in the list
/// and another photo can be added there.
async fn add(call: Call) -> Outcome {
    let done = async {
        let (number, name) = (call.field("student_number")?, call.field("full_name")?.to_owned());
        let (first_name, last_name) = split(&name);
        let student_number = number.to_owned();
        let profile = Profile { student_number, first_name, last_name, ..Profile::default() };
        let photo = call.file("file")?;
        call.field("consent_by")?;
        let (actor, now) = (call.actor()?.user.to_string(), call.now);
        let id = call.app().db.write(move |tx| student::add(tx, profile, &actor, now)).await?;
        let enrolled = enrol(&call, id, photo, "photo").await.map_err(|problem| {
            let detail =
                format!("“{name}” is in the list now, but without the photo. {}", problem.detail);
            Problem { detail, ..problem }
        })?;
        Ok::<_, Problem>((name, enrolled.warnings))
    };
    answer(&call, done.await).await
}

async fn photograph(call: Call) -> Outcome {
    let done = async {
        let (name, photo) = (call.param("id").to_owned(), call.file("file")?);
        let person = call.app().db.read(move |tx| student::find(tx, &name)).await?;
        let enrolled = enrol(&call, person.id, photo, "photo").await?;
        Ok::<_, Problem>((person.profile.full_name(), enrolled.warnings))
    };
    answer(&call, done.await).await
}

async fn answer(call: &Call, done: Result<(String, Vec<String>), Problem>) -> Outcome {
    match done {
        Ok((name, warnings)) => {
            let known = format!("{name} can now be recognised at the doors");
            let words = std::iter::once(known).chain(warnings).map(|words| sentence(&words));
            let words = words.collect::<Vec<_>>().join(" ");
            show(call, StatusCode::CREATED, Some((true, words))).await
        }
        Err(problem) => show(call, problem.status, Some((false, problem.detail))).await,
    }
}
