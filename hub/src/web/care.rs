//! `/care`: what waits for a person who runs the system, and what to do about each.

use super::note::Note;
use super::shell::Shell;
use super::start::shell;
use super::tongue::{Said as _, Tongue};
use super::words;
use crate::care::{Worry, facts};
use crate::http::call::Call;
use crate::http::clock::confirmed;
use crate::http::reply::{page, see};
use crate::http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use askama::Template;
use fluent_bundle::FluentArgs;
use jiff::tz::TimeZone;
use warp::http::{Method, StatusCode};

const DONE: [&str; 1] = ["care-clock-done"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (none, page) = (Object::None, Shapes::PAGE);
    vec![
        Route::new((Method::GET, "/care"), ADMIN, none, Takes::Nothing, page, index),
        Route::new((Method::POST, "/care/clock"), ADMIN, none, Takes::Form(SMALL), page, confirm),
    ]
}

#[derive(Template)]
#[template(path = "care.html")]
struct Page {
    shell: Shell,
    note: Option<Note>,
    worries: Vec<Told>,
}

/// A worry as the page shows it.
struct Told {
    worry: Worry,
    what: String,
    next: String,
}

/// What a worry is and what to do about it, in words.
#[must_use]
pub fn words(tongue: Tongue, worry: &Worry, zone: &TimeZone) -> (String, String) {
    let when = worry.at.map(|at| {
        let (day, time) =
            (words::full_day(tongue, words::day(at, zone)), words::minute(tongue, at, zone));
        tongue.two("care-when", ("day", day), ("time", time))
    });
    let mut gaps = FluentArgs::new();
    gaps.set("count", worry.count.value());
    gaps.set("name", worry.name.value());
    gaps.set("when", when.unwrap_or_default().value());
    (tongue.tell(worry.texts.0, &gaps), tongue.tell(worry.texts.1, &gaps))
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

/// Says that the clock is right.
async fn confirm(call: Call) -> Outcome {
    match confirmed(&call).await {
        Ok(()) => see(&format!("/care?done={}", DONE[0])),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let worries = facts::look(call.app()).await?;
    let (shell, zone) = (shell(call, "care"), &call.app().config.zone);
    let told = |worry: Worry| {
        let (what, next) = words(shell.tongue, &worry, zone);
        Told { worry, what, next }
    };
    let worries = worries.into_iter().map(told).collect();
    page(status, &Page { shell, note, worries })
}
