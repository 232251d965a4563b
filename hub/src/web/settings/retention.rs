//! `/settings/retention`: what goes by itself, after how many days, what went last, and a run by
//! hand.

use super::work::{self, Work};
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{page, see};
use crate::http::retention::due;
use crate::http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::jobs::Progress;
use crate::privacy::daily;
use crate::privacy::retention;
use crate::timekeeper;
use crate::web::note::Note;
use crate::web::shell::Shell;
use crate::web::start::shell;
use askama::Template;
use rules::retention::Retention;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use store::Tx;
use store::audit::{self, Filter};
use warp::http::{Method, StatusCode};

const DONE: [&str; 1] = ["settings-keep-saved"];
/// The address of the page.
const AT: &str = "/settings/retention";
/// The kind of job that takes away what is due.
const RUN: &str = "retention";
/// What is said when it has ended, whole or stopped.
const ENDS: (&str, &str) = ("settings-keep-ran", "settings-keep-stopped");

/// Field of the setting, word of its kind, and what it is called.
const FIELDS: [(&str, &str, &str); 11] = [
    ("crop_days", "crops", "settings-keep-crops"),
    ("pending_days", "pending", "settings-keep-pending"),
    ("logged_days", "logged", "settings-keep-logged"),
    ("decided_days", "decided", "settings-keep-decided"),
    ("leaver_days", "leavers", "settings-keep-leavers"),
    ("undo_days", "undo_steps", "settings-keep-undo"),
    ("mail_days", "mail", "settings-keep-mail"),
    ("session_days", "sign_ins", "settings-keep-sign-ins"),
    ("health_days", "health", "settings-keep-health"),
    ("copy_days", "copies", "settings-keep-copies"),
    ("dead_letter_days", "dead_letters", "settings-keep-dead-letters"),
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (none, form, page) = (Object::None, Takes::Form(SMALL), Shapes::PAGE);
    let (now, stop) = ("/settings/retention/run", "/settings/retention/{id}/cancel");
    vec![
        Route::new((Method::GET, AT), ADMIN, none, Takes::Nothing, page, index),
        Route::new((Method::POST, AT), ADMIN, none, form, page, save),
        Route::new((Method::POST, now), ADMIN, none, form, page, run),
        Route::new((Method::POST, stop), ADMIN, Object::Job, form, page, cancel),
    ]
}

#[derive(Template)]
#[template(path = "settings-retention.html")]
struct Page {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    rows: Vec<Row>,
    /// When the last run was, and the next one will be.
    last: Option<String>,
    next: String,
    /// How many would go now, of every kind.
    due: u64,
    /// A run by hand, whether it goes on, and the page’s own address.
    work: Option<Work>,
    running: bool,
    at: &'static str,
}

/// A kind of thing that goes.
struct Row {
    field: &'static str,
    name: &'static str,
    /// After how many days; empty for never.
    days: String,
    /// How many would go now.
    due: u64,
    /// How many went with the last run.
    gone: Option<u64>,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let today = rules::timetable::day(call.now, &call.app().config.zone);
    let read = move |tx: &Tx<'_>| Ok((retention::get(tx)?, last_run(tx)?, daily::next(tx, today)?));
    let (set, run, next) = call.app().db.read(read).await?;
    let job = work::asked(call, RUN).await?;
    let due = words_of(&json!(due(call).await?));
    let set = json!(set);
    let gone = run.as_ref().map(|(_, meta)| words_of(meta));
    let row = |(field, kind, name): (&'static str, &'static str, &'static str)| Row {
        field,
        name,
        days: set[field].as_u64().map(|days| days.to_string()).unwrap_or_default(),
        due: due.get(kind).copied().unwrap_or(0),
        gone: gone.as_ref().and_then(|gone| gone.get(kind).copied()),
    };
    let shell = shell(call, "settings");
    let last = run.map(|(at, _)| words::ago(shell.tongue, at, call.now));
    let next = match next == today {
        true => shell.say("settings-keep-next-soon"),
        false => shell.one("settings-keep-next", "day", words::say_day(shell.tongue, next, today)),
    };
    let rows = FIELDS.into_iter().map(row).collect();
    let (due, at) = (due.values().sum(), AT);
    let work = job.map(|job| Work::told(shell.tongue, &job, call.now, ENDS));
    let running = work.as_ref().is_some_and(|work| work.running);
    let tab = "retention";
    page(status, &Page { shell, tab, note, rows, last, next, due, work, running, at })
}

/// When the last run was, and what it took.
fn last_run(tx: &Tx<'_>) -> Result<Option<(wire::Wall, Value)>, rules::Error> {
    let filter = Filter { action: Some("sweep".into()), ..Filter::default() };
    let row = audit::list(tx, &filter, None, 1)?.pop();
    Ok(row.map(|row| (row.at, serde_json::from_str(&row.meta).unwrap_or_default())))
}

/// Rows by the word of their kind.
fn words_of(swept: &Value) -> HashMap<String, u64> {
    let rows = swept.as_array().into_iter().flatten();
    let one = |row: &Value| Some((row["kind"].as_str()?.to_owned(), row["rows"].as_u64()?));
    rows.filter_map(one).collect()
}

async fn save(call: Call) -> Outcome {
    match saved(&call).await {
        Ok(()) => see(&format!("{AT}?done={}", DONE[0])),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Keeps what the form says; an empty field is “never”, one that is left out stays.
async fn saved(call: &Call) -> Result<(), Problem> {
    let mut typed = Map::new();
    for (field, _, _) in FIELDS {
        let Some(text) = call.content.field(field).map(str::trim) else { continue };
        let days = match text {
            "" => Value::Null,
            text => {
                let odd = |_| Problem::field(field, "write a number of days, or nothing");
                json!(text.parse::<u32>().map_err(odd)?)
            }
        };
        typed.insert(field.to_owned(), days);
    }
    let (actor, now) = (call.actor()?.user.to_string(), call.now);
    let write = move |tx: &Tx<'_>| {
        let Value::Object(mut whole) = json!(retention::get(tx)?) else {
            return Err(rules::Error::Invalid("this is no retention".into()));
        };
        whole.extend(typed);
        let new = serde_json::from_value::<Retention>(Value::Object(whole));
        let new = new.map_err(|why| rules::Error::Invalid(why.to_string()))?;
        retention::set(tx, new, &actor, now)
    };
    Ok(call.app().db.write(write).await?)
}

/// Takes away what is due now, as the daily run does. One at a time: who asks twice sees the first.
async fn run(call: Call) -> Outcome {
    if let Some(job) = work::asked(&call, RUN).await? {
        return see(&format!("{AT}?job={}#verdict", job.id));
    }
    if let Err(why) = timekeeper::refuse(call.app().upkeep().leap().await?) {
        let problem = Problem::from(why);
        return show(&call, problem.status, Some(Note::problem(&problem))).await;
    }
    let total = due(&call).await?.iter().map(|swept| swept.rows).sum();
    let (app, by) = (call.app().clone(), call.actor()?.user);
    let work = move |progress: Progress| async move {
        let (path, actor) = (app.config.database(), by.to_string());
        let (by, gone) = ((actor.as_str(), app.clock.wall()), |rows| progress.advance(rows));
        let swept = retention::run(&app.db, &path, &app.keys, by, &gone).await?;
        app.privacy().flush().await?;
        Ok(swept)
    };
    let job = call.app().jobs.start(RUN, total, by, work).await?;
    see(&format!("{AT}?job={}#verdict", job.id))
}

/// Stops a run by hand; what went by then is written down, as of a whole run.
async fn cancel(call: Call) -> Outcome {
    let (job, stopped) = work::stopped(&call).await?;
    if job.kind == RUN && stopped {
        let (actor, now) = (call.actor()?.user.to_string(), call.now);
        let meta = json!({ "stopped": true, "rows": job.done });
        let note = move |tx: &Tx<'_>| {
            let (action, table, id) = ("sweep", "setting", RUN);
            audit::add(tx, now, &audit::Entry { actor: &actor, action, table, id, meta })
        };
        call.app().db.write(note).await?;
    }
    see(&format!("{AT}?job={}#verdict", job.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_page_is_one_of_the_setting() {
        let set = json!(Retention::default());
        for (field, _, _) in FIELDS {
            assert!(set.get(field).is_some(), "{field}");
        }
    }

    #[test]
    fn what_a_run_took_is_read_from_the_log() {
        let meta = json!([{ "kind": "crops", "rows": 3 }, { "kind": "mail", "rows": 0 }]);
        assert_eq!(words_of(&meta)["crops"], 3);
        assert!(words_of(&json!({})).is_empty());
    }
}
