//! `/care`: what waits for a person who runs the system, and what to do about each.

use super::alerts::{self, AlertShown};
use super::note::Note;
use super::shell::Shell;
use crate::shell::shell;
use acts::timekeeper;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use rules::care::Worry;
use store::Tx;
use store::alert::{self, AlertFilter};
use warp::http::StatusCode;

/// Alerts that hold, and alerts that are over, that are listed.
const ALERTS: [(bool, u32); 2] = [(true, 100), (false, 50)];
const DONE: [&str; 1] = ["care-clock-done"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/care").admin().page().by(index),
        Route::post("/care/clock").admin().form().page().by(confirm),
    ]
}

#[derive(Template)]
#[template(path = "care.html")]
struct CarePage {
    shell: Shell,
    note: Option<Note>,
    worries: Vec<CareTold>,
    alerts: Vec<AlertShown>,
}

/// A worry as the page shows it.
struct CareTold {
    worry: Worry,
    what: String,
    next: String,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

/// Says that the clock is right.
async fn confirm(call: Call) -> Outcome {
    match timekeeper::confirm(&call.app().db, call.name()?, call.now).await.map_err(Problem::from) {
        Ok(()) => see(&format!("/care?done={}", DONE[0])),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let worries = call.app().cares().worries().await?;
    let shell = shell(call, "care");
    let zone = &call.app().config.zone;
    let told = |worry: Worry| {
        let (what, next) = words::care::said(shell.language, &worry, zone);
        CareTold { worry, what, next }
    };
    let worries = worries.into_iter().map(told).collect();
    let read = |tx: &Tx<'_>| {
        let some = |(open, most)| {
            alert::list(tx, &AlertFilter { device: None, open: Some(open) }, None, most)
        };
        Ok(ALERTS.map(some).into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    };
    let found = call.app().db.read(read).await?.into_iter();
    let alerts = found.map(|of| alerts::shown(&shell, of, zone, call.now)).collect();
    page(status, &CarePage { shell, note, worries, alerts })
}
