//! `/devices/{id}/program`: the token by which a program sends pictures for a door, shown once.

use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::doors::programs::{self, Lifetime};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use warp::http::StatusCode;
use wire::DeviceId;

/// The page's address.
const AT: &str = "/devices/{id}/program";
/// What may have been done before it came.
const DONE: [&str; 1] = ["doors-program-ended"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get(AT).admin().of(Object::Device).page().by(index),
        Route::post(AT).admin().of(Object::Device).form().page().by(act),
    ]
}

#[derive(Template)]
#[template(path = "door-program.html")]
struct ProgramPage {
    shell: Shell,
    note: Option<Note>,
    name: String,
    /// Until when its token counts, if it has one.
    until: Option<String>,
    /// A new one, shown once.
    token: Option<String>,
}

async fn index(call: Call) -> Outcome {
    let id = call.id("id")?;
    show(&call, StatusCode::OK, id, Note::done(&call, &DONE), None).await
}

async fn show(
    call: &Call,
    status: StatusCode,
    id: DeviceId,
    note: Option<Note>,
    token: Option<String>,
) -> Outcome {
    let shell = shell(call, "devices");
    let until = programs::until(&call.app().db, &id, call.now).await?;
    let until = until.map(|at| words::when(shell.language, at, &call.app().config.zone, call.now));
    page(status, &ProgramPage { shell, note, name: id.to_string(), until, token })
}

/// Gives the door a new token, or ends the one it has.
async fn act(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let done = match call.content.field("end") {
        Some(_) => end(&call, &id).await.map(|()| None),
        None => new(&call, &id).await.map(Some),
    };
    match done {
        Ok(None) => see(&format!("/devices/{id}/program?done={}", DONE[0])),
        Ok(Some(token)) => show(&call, StatusCode::CREATED, id, None, Some(token)).await,
        Err(problem) => show(&call, problem.status, id, Some(Note::problem(&problem)), None).await,
    }
}

async fn new(call: &Call, id: &DeviceId) -> Result<String, Problem> {
    let number = |name: &str| {
        let typed = call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
        let read = typed.map(str::parse).transpose();
        read.map_err(|_| Problem::field(name, "write a number"))
    };
    let life = Lifetime { days: number("days")?, overlap_hours: number("overlap_hours")? };
    let db = &call.app().db;
    let by = call.name()?;
    Ok(programs::give(db, id.clone(), life, by, call.now).await?.token)
}

async fn end(call: &Call, id: &DeviceId) -> Result<(), Problem> {
    Ok(programs::end(&call.app().db, id.clone(), call.name()?, call.now).await?)
}
