//! `/class`: one's classes, each with its roll, its report, its photos and its roster.

pub mod policy;
pub mod roster;

use super::shell::Shell;
use crate::shell::shell;
use acts::classes::{self, ClassSettings, NewClass};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use rules::auth::Role;
use rules::timetable::day_of;
use serde::Deserialize;
use std::collections::HashMap;
use store::class::{self, Class};
use store::session::{self, Session, SessionFilter};
use uuid::Uuid;
use warp::http::StatusCode;
use wire::Wall;

/// Classes on a page.
const PER_PAGE: u32 = 100;
/// Lessons of one day that are looked at.
const LESSONS: u32 = 500;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/class";
    [
        vec![
            Route::get(at).staff().page().by(index),
            Route::post(at).admin().form().page().by(add),
        ],
        roster::routes(),
    ]
    .concat()
}

#[derive(Template)]
#[template(path = "class.html")]
struct ClassesPage {
    shell: Shell,
    admin: bool,
    problem: Option<String>,
    classes: Vec<ClassesRow>,
    after: Option<Uuid>,
}

/// A class in the list.
struct ClassesRow {
    id: Uuid,
    name: String,
    code: String,
    students: i64,
    /// Its lesson now, or the next one today: whether it runs, and its hours.
    lesson: Option<(bool, String)>,
}

#[derive(Deserialize)]
struct ClassesQuery {
    after: Option<Uuid>,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, None).await
}

/// A new class; its roster and its teachers follow on its own page.
async fn add(call: Call) -> Outcome {
    let typed = |name| call.content.field(name).unwrap_or("").trim().to_owned();
    let name = typed("class_name");
    let code = typed("class_code");
    let room = typed("room");
    let room = Some(room).filter(|room| !room.is_empty());
    let new = NewClass { name, code, rest: ClassSettings { room, ..ClassSettings::default() } };
    let made =
        classes::add(&call.app().db, call.reader()?, new, |_, class| Ok(class), call.now).await;
    match made.map_err(Problem::from) {
        Ok(class) => see(&format!("/class/{}?done=class-made", class.id)),
        Err(problem) => show(&call, problem.status, Some(problem.detail)).await,
    }
}

async fn show(call: &Call, status: StatusCode, problem: Option<String>) -> Outcome {
    let which: ClassesQuery = call.query()?;
    let reader = call.reader()?;
    let (from, until) = day_of(reader.today, &call.app().config.zone)?;
    let read = call.app().db.read(move |tx| {
        let today =
            SessionFilter { from: Some(from), until: Some(until), ..SessionFilter::default() };
        let lessons = session::list(tx, reader, &today, LESSONS)?;
        Ok((class::page(tx, reader, which.after, PER_PAGE)?, lessons))
    });
    let (classes, lessons) = read.await?;
    let full = classes.len() == PER_PAGE as usize;
    let after = classes.last().filter(|_| full).map(|class| class.id);
    let due = due(lessons, call.now);
    let admin = reader.actor.role == Role::Admin;
    let shell = shell(call, "class");
    let row = |class: Class| ClassesRow {
        lesson: due.get(&class.id).map(|lesson| {
            let hours =
                words::hours(shell.language, (lesson.starts, lesson.ends), &call.app().config.zone);
            (lesson.starts <= call.now, hours)
        }),
        id: class.id,
        name: class.class_name,
        code: class.class_code,
        students: class.students,
    };
    let classes = classes.into_iter().map(row).collect();
    page(status, &ClassesPage { shell, admin, problem, classes, after })
}

/// The lesson of each class that runs, or else its next one; `lessons` come by their start.
fn due(lessons: Vec<Session>, now: Wall) -> HashMap<Uuid, Session> {
    let mut due = HashMap::new();
    for lesson in lessons.into_iter().filter(|lesson| lesson.ends > now) {
        due.entry(lesson.class).or_insert(lesson);
    }
    due
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use rules::timetable::Source;

    /// A lesson of 45 minutes of the class `class`, from this minute on.
    pub fn lesson(id: u128, class: u128, minute: i64) -> Session {
        let starts = Wall(minute * 60_000);
        Session {
            id: Uuid::from_u128(id),
            class: Uuid::from_u128(class),
            name: format!("Lesson {id}"),
            day: jiff::civil::date(1970, 1, 1),
            starts,
            ends: starts.plus_ms(45 * 60_000),
            late_after: starts.plus_ms(10 * 60_000),
            room: "204".into(),
            source: Source::Timetable,
            period: None,
            closed_at: None,
            version: 1,
        }
    }

    #[test]
    fn a_class_shows_the_lesson_that_runs_or_comes_next() {
        let day = vec![lesson(1, 7, 60), lesson(2, 8, 60), lesson(3, 7, 120)];
        let at = |minute: i64| {
            let due = due(day.clone(), Wall(minute * 60_000));
            [7, 8].map(|class| due.get(&Uuid::from_u128(class)).map(|of| of.id.as_u128()))
        };
        assert_eq!(at(0), [Some(1), Some(2)]);
        assert_eq!(at(104), [Some(1), Some(2)]);
        assert_eq!(at(105), [Some(3), None]);
        assert_eq!(at(165), [None, None]);
    }
}
