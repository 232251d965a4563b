//! `/settings/audit`: who did what, and whether the chain of it is whole.

use crate::error::{Doing, Error};
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{page, see};
use crate::http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::jobs::{Progress, State};
use crate::store::audit::{self, Filter, Row as Stored};
use crate::store::job::Job;
use crate::store::{Tx, account, audit_head, file};
use crate::web::note::Note;
use crate::web::shell::Shell;
use crate::web::start::shell;
use crate::web::words;
use askama::Template;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;
use warp::http::{Method, StatusCode};
use wire::Wall;

/// Rows on a page.
const PER_PAGE: u32 = 50;
/// The kind of job that walks the chain.
const WALK: &str = "audit";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let none = Object::None;
    let (get, post) = ((Method::GET, "/settings/audit"), (Method::POST, "/settings/audit/verify"));
    vec![
        Route::new(get, ADMIN, none, Takes::Nothing, Shapes::PAGE, index),
        Route::new(post, ADMIN, none, Takes::Form(SMALL), Shapes::PAGE, verify),
    ]
}

#[derive(Template)]
#[template(path = "settings-audit.html")]
struct Page {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    asked: Asked,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    /// The newest signed head: its day and rows.
    head: Option<(String, i64)>,
    walk: Option<Walk>,
}

/// What the address asks for.
#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Asked {
    who: String,
    action: String,
    target: String,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
    #[serde(skip_serializing)]
    job: Option<Uuid>,
}

/// A row of the chain.
struct Row {
    n: i64,
    at: String,
    who: String,
    who_id: String,
    action: String,
    target: String,
    meta: String,
}

/// A walk along the chain.
#[derive(PartialEq, Debug)]
struct Walk {
    id: Uuid,
    running: bool,
    done: u64,
    total: u64,
    rate: u64,
    /// How it ended: well or not, and a sentence.
    verdict: Option<(bool, String)>,
}

/// What a whole chain comes to.
#[derive(Serialize)]
struct Whole {
    rows: i64,
    hash: String,
}

async fn index(call: Call) -> Outcome {
    let mut asked: Asked = call.query()?;
    let (filter, note) = match filter(&call, &asked).await {
        Ok(filter) => (filter, None),
        Err(problem) => (Filter::default(), Some(Note::problem(&problem))),
    };
    let (after, zone) = (asked.after, call.app().config.zone.clone());
    let read = call.app().db.read(move |tx| {
        let rows = audit::list(tx, &filter, after, PER_PAGE)?;
        Ok((names(tx, &rows)?, rows, audit_head::list(tx, None, 1)?.pop()))
    });
    let (names, rows, head) = read.await?;
    let next = rows.last().filter(|_| rows.len() == PER_PAGE as usize).map(|row| row.n);
    let row = |row: Stored| {
        let day = words::day(row.at, &zone);
        let at = format!("{day} {}", words::time(row.at, &zone));
        let who = names.get(&row.actor).cloned().unwrap_or_else(|| row.actor.clone());
        let meta = if row.meta == "{}" { String::new() } else { row.meta };
        let target = format!("{} {}", row.table, row.id);
        Row { n: row.n, at, who, who_id: row.actor, action: row.action, target, meta }
    };
    let rows = rows.into_iter().map(row).collect();
    let walk = walk(&call, asked.job).await?;
    asked.after = next;
    let next = next.and_then(|_| serde_urlencoded::to_string(&asked).ok());
    let (shell, head) = (shell(&call, "settings"), head.map(|head| (head.day, head.head.rows)));
    page(StatusCode::OK, &Page { shell, tab: "audit", note, asked, rows, next, head, walk })
}

/// Which rows are asked for. Whoever is named by an address or a number becomes their id.
async fn filter(call: &Call, asked: &Asked) -> Result<Filter, Problem> {
    let zone = call.app().config.zone.clone();
    let start = |field: &str, text: &str, more: bool| -> Result<Option<Wall>, Problem> {
        if text.is_empty() {
            return Ok(None);
        }
        let odd = || Problem::field(field, "write the day as 2026-03-02");
        let day: Date = text.parse().map_err(|_| odd())?;
        let day = if more { day.tomorrow().map_err(|_| odd())? } else { day };
        let at = day.to_zoned(zone.clone()).map_err(|_| odd())?;
        Ok(Some(Wall(at.timestamp().as_millisecond())))
    };
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (table, id) = match asked.target.trim().split_once(' ') {
        Some((table, id)) => (some(table), some(id)),
        None => (some(&asked.target), None),
    };
    Ok(Filter {
        actor: actor(call, &asked.who).await?,
        action: some(&asked.action),
        table,
        id,
        from: start("from", &asked.from, false)?,
        until: start("to", &asked.to, true)?,
    })
}

async fn actor(call: &Call, who: &str) -> Result<Option<String>, Problem> {
    let who = who.trim().to_owned();
    if who.is_empty() {
        return Ok(None);
    }
    let key = who.clone();
    let found = call.app().db.read(move |tx| crate::store::people::find(tx, &key)).await;
    Ok(Some(found.map_or(who, |person| person.account.id.to_string())))
}

/// What to call those who acted; the command line and the hub keep their own words.
fn names(tx: &Tx<'_>, rows: &[Stored]) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    for row in rows {
        if !names.contains_key(&row.actor) {
            let name = account::name(tx, &row.actor)?;
            names.extend(name.map(|name| (row.actor.clone(), name)));
        }
    }
    Ok(names)
}

/// Starts a walk along the chain.
async fn verify(call: Call) -> Outcome {
    let total = call.app().db.read(audit::head).await?.rows;
    let (path, by) = (call.app().config.database(), call.actor()?.user);
    let work = move |progress: Progress| async move {
        let walk = move || file::look(&path, |tx| audit::walk(tx, |_, _| progress.advance(1)));
        let head = tokio::task::spawn_blocking(walk).await.doing("checking the audit chain")??;
        Ok(Whole { rows: head.rows, hash: head.hash })
    };
    let total = u64::try_from(total).unwrap_or(0);
    let job = call.app().jobs.start(WALK, total, by, work).await?;
    see(&format!("/settings/audit?job={}#verdict", job.id))
}

async fn walk(call: &Call, job: Option<Uuid>) -> Result<Option<Walk>, Problem> {
    let Some(id) = job else { return Ok(None) };
    let job = call.app().jobs.get(id, call.actor()?.user, true).await?;
    let shell = shell(call, "settings");
    Ok(Some(told(&shell, &job, call.now)).filter(|_| job.kind == WALK))
}

/// What a walk has come to at `now`.
fn told(shell: &Shell, job: &Job, now: Wall) -> Walk {
    let ms = job.started_at.map_or(0, |at| job.ended_at.unwrap_or(now).0 - at.0);
    let rate = job.done * 1000 / u64::try_from(ms).unwrap_or(0).max(1);
    let running = matches!(job.state, State::Queued | State::Running);
    let verdict = match job.state {
        State::Done => Some((true, shell.one("audit-whole", "count", job.done))),
        State::Failed => Some((false, job.error.clone().unwrap_or_default())),
        State::Cancelled => Some((false, shell.say("audit-cancelled"))),
        State::Queued | State::Running => None,
    };
    Walk { id: job.id, running, done: job.done, total: job.total.max(1), rate, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: State) -> Job {
        Job {
            id: Uuid::nil(),
            kind: WALK.into(),
            state,
            done: 500,
            total: 1000,
            result: None,
            error: Some("The audit chain is broken at row 501.".into()),
            by: Uuid::nil(),
            created_at: Wall(0),
            started_at: Some(Wall(1_000)),
            ended_at: None,
        }
    }

    #[test]
    fn a_walk_says_how_far_and_how_fast_it_is_and_how_it_ended() {
        let told = |state| told(&Shell::default(), &job(state), Wall(3_000));
        let half = told(State::Running);
        assert_eq!((half.running, half.done, half.rate, half.verdict), (true, 500, 250, None));
        let broken = told(State::Failed).verdict.unwrap();
        assert_eq!(broken, (false, "The audit chain is broken at row 501.".into()));
        assert!(told(State::Done).verdict.unwrap().0);
    }
}
