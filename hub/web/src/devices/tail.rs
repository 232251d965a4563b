//! `/devices/{id}/log`: the newest lines of a door's log, when an admin asked for them.

use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::tails::{NoTail, TailRead};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::page;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::tz::TimeZone;
use warp::http::StatusCode;
use wire::care::TailLevel;
use wire::{DeviceId, Wall};

/// What was done before the page came.
pub const DONE: [&str; 1] = ["doors-tail-waiting"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::get("/devices/{id}/log").admin().of(Object::Device).page().by(index)]
}

#[derive(Template)]
#[template(path = "door-log.html")]
struct TailPage {
    shell: Shell,
    note: Option<Note>,
    name: String,
    state: TailShown,
}

/// What there is to read.
enum TailShown {
    /// Nobody asked.
    None,
    /// It is on its way.
    Waiting,
    /// It did not come.
    Silent,
    /// The newest lines, the newest first.
    Here { when: String, missed: u64, lines: Vec<TailLineShown> },
}

/// One line.
struct TailLineShown {
    when: String,
    class: &'static str,
    level: &'static str,
    text: String,
}

fn shown(shell: &Shell, read: TailRead, zone: &TimeZone, now: Wall) -> TailShown {
    let lines = read.lines.into_iter().rev().map(|line| {
        let (class, level) = match line.level {
            TailLevel::Error => ("bad", "doors-tail-error"),
            TailLevel::Warn => ("warn", "doors-tail-warn"),
            TailLevel::Info | TailLevel::Debug => ("off", "doors-tail-info"),
        };
        let when = words::when(shell.language, line.at, zone, now);
        TailLineShown { when, class, level, text: line.text }
    });
    let lines = lines.collect();
    let when = words::when(shell.language, read.at, zone, now);
    TailShown::Here { when, missed: read.missed, lines }
}

async fn index(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let app = call.app();
    let doors = app.doors();
    acts::doors::found(&app.db, &id).await?;
    let shell = shell(&call, "devices");
    let state = match app.tails.see(&id, app.clock.mono()) {
        Ok(_) => {
            let read = doors.read_log(&id, call.actor()?.user, call.now).await?;
            shown(&shell, read, &app.config.zone, call.now)
        }
        Err(NoTail::Unasked(_)) => TailShown::None,
        Err(NoTail::Waiting(_)) => TailShown::Waiting,
        Err(NoTail::Silent(_)) => TailShown::Silent,
    };
    let note = Note::done(&call, &DONE);
    page(StatusCode::OK, &TailPage { shell, note, name: id.to_string(), state })
}
