//! `/settings/retention`: what goes by itself, after how many days, what went last, and a run by
//! hand.

use super::work::{self, JobWork};
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::privacy::daily;
use acts::privacy::retention::{self, RetentionKeep};
use acts::retention::RUN;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use rules::retention::{RetentionKind, Swept};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::HashMap;
use store::Tx;
use store::audit::{self, AuditFilter};
use warp::http::StatusCode;

const DONE: [&str; 1] = ["settings-keep-saved"];
/// The address of the page.
const AT: &str = "/settings/retention";
/// What is said when it has ended, whole or stopped.
const ENDS: (&str, &str) = ("settings-keep-ran", "settings-keep-stopped");

/// Each kind, its field in the setting, and what it is called.
const FIELDS: [(RetentionKind, &str, &str); 11] = [
    (RetentionKind::Crops, "crop_days", "settings-keep-crops"),
    (RetentionKind::Pending, "pending_days", "settings-keep-pending"),
    (RetentionKind::Logged, "logged_days", "settings-keep-logged"),
    (RetentionKind::Decided, "decided_days", "settings-keep-decided"),
    (RetentionKind::Leavers, "leaver_days", "settings-keep-leavers"),
    (RetentionKind::UndoSteps, "undo_days", "settings-keep-undo"),
    (RetentionKind::Mail, "mail_days", "settings-keep-mail"),
    (RetentionKind::SignIns, "session_days", "settings-keep-sign-ins"),
    (RetentionKind::Health, "health_days", "settings-keep-health"),
    (RetentionKind::Copies, "copy_days", "settings-keep-copies"),
    (RetentionKind::DeadLetters, "dead_letter_days", "settings-keep-dead-letters"),
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get(AT).admin().page().by(index),
        Route::post(AT).admin().form().page().by(save),
        Route::post("/settings/retention/run").admin().form().page().by(run),
        Route::post("/settings/retention/{id}/cancel")
            .admin()
            .of(Object::Job)
            .form()
            .page()
            .by(cancel),
    ]
}

#[derive(Template)]
#[template(path = "settings-retention.html")]
struct RetentionPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    rows: Vec<RetentionRow>,
    /// When the last run was, and the next one will be.
    last: Option<String>,
    next: String,
    /// How many would go now, of every kind.
    due: u64,
    /// A run by hand, whether it goes on, and the page’s own address.
    work: Option<JobWork>,
    running: bool,
    at: &'static str,
}

/// A kind of thing that goes.
struct RetentionRow {
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
    let due = by_kind(call.app().sweeper().due(call.now).await?);
    let days = HashMap::from(set.days());
    let gone = run.as_ref().map(|(_, meta)| gone(meta));
    let row = |(kind, field, name): (RetentionKind, &'static str, &'static str)| RetentionRow {
        field,
        name,
        days: days[&kind].map(|days| days.to_string()).unwrap_or_default(),
        due: due.get(&kind).copied().unwrap_or(0),
        gone: gone.as_ref().and_then(|gone| gone.get(&kind).copied()),
    };
    let shell = shell(call, "settings");
    let last = run.map(|(at, _)| words::ago(shell.language, at, call.now));
    let next = match next == today {
        true => shell.say("settings-keep-next-soon"),
        false => {
            shell.one("settings-keep-next", "day", words::say_day(shell.language, next, today))
        }
    };
    let rows = FIELDS.into_iter().map(row).collect();
    let due = due.values().sum();
    let at = AT;
    let work = job.map(|job| JobWork::told(shell.language, &job, call.now, ENDS));
    let running = work.as_ref().is_some_and(|work| work.running);
    let tab = "retention";
    page(status, &RetentionPage { shell, tab, note, rows, last, next, due, work, running, at })
}

/// When the last run was, and what it took.
fn last_run(tx: &Tx<'_>) -> Result<Option<(wire::Wall, Value)>, rules::Error> {
    let filter = AuditFilter { action: Some("sweep".into()), ..AuditFilter::default() };
    let row = audit::list(tx, &filter, None, 1)?.pop();
    Ok(row.map(|row| (row.at, serde_json::from_str(&row.meta).unwrap_or_default())))
}

fn by_kind(swept: impl IntoIterator<Item = Swept>) -> HashMap<RetentionKind, u64> {
    swept.into_iter().map(|swept| (swept.kind, swept.rows)).collect()
}

/// What a run took, as the log says it.
fn gone(meta: &Value) -> HashMap<RetentionKind, u64> {
    let rows = meta.as_array().into_iter().flatten();
    by_kind(rows.filter_map(|row| Swept::deserialize(row).ok()))
}

async fn save(call: Call) -> Outcome {
    match saved(&call).await {
        Ok(()) => see(&format!("{AT}?done={}", DONE[0])),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Keeps what the form says; an empty field is “never”, one that is left out stays.
async fn saved(call: &Call) -> Result<(), Problem> {
    let mut said = Vec::new();
    for (kind, field, _) in FIELDS {
        let Some(text) = call.content.field(field).map(str::trim) else { continue };
        let odd = |_| Problem::field(field, "write a number of days, or nothing");
        let days = match text {
            "" => None,
            text => Some(text.parse().map_err(odd)?),
        };
        said.push(RetentionKeep { kind, days });
    }
    Ok(retention::change(&call.app().db, said, call.name()?, call.now).await?)
}

/// Takes away what is due now, as the daily run does.
async fn run(call: Call) -> Outcome {
    match call.app().sweeping().start(call.actor()?.user, call.now).await.map_err(Problem::from) {
        Ok(job) => see(&format!("{AT}?job={}#verdict", job.id)),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Stops a run by hand; what went by then is written down, as of a whole run.
async fn cancel(call: Call) -> Outcome {
    let job = work::stopped(&call).await?;
    see(&format!("{AT}?job={}#verdict", job.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::retention::Retention;
    use serde_json::json;

    #[test]
    fn every_field_of_the_page_is_one_of_the_setting() {
        for (kind, field, _) in FIELDS {
            let set = json!(Retention::default().with(kind, Some(77)));
            assert_eq!(set[field], 77, "{field}");
        }
        assert!(
            RetentionKind::ALL.into_iter().all(|kind| FIELDS.iter().any(|(of, _, _)| *of == kind))
        );
    }

    #[test]
    fn what_a_run_took_is_read_from_the_log() {
        let meta = json!([{ "kind": "crops", "rows": 3 }, { "kind": "mail", "rows": 0 }]);
        assert_eq!(gone(&meta)[&RetentionKind::Crops], 3);
        assert!(gone(&json!({})).is_empty());
    }
}
