//! `/settings/audit`: who did what, and whether the chain of it is whole.

use super::work::{self, JobWork};
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::audit::WALK;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::Date;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::audit::{self, AuditFilter, AuditRow as Stored};
use store::{Tx, account, audit_head};
use warp::http::StatusCode;
use wire::Wall;

/// Rows on a page.
const PER_PAGE: u32 = 50;
/// What is said when it has ended, whole or stopped.
const ENDS: (&str, &str) = ("audit-whole", "audit-cancelled");
/// The address of the page.
const AT: &str = "/settings/audit";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get(AT).admin().page().by(index),
        Route::post("/settings/audit/verify").admin().form().page().by(verify),
        Route::post("/settings/audit/{id}/cancel").admin().of(Object::Job).form().page().by(cancel),
    ]
}

#[derive(Template)]
#[template(path = "settings-audit.html")]
struct AuditPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    asked: AuditPageQuery,
    rows: Vec<AuditPageRow>,
    /// The address of the next page.
    next: Option<String>,
    /// The newest signed head: its day and rows.
    head: Option<(String, i64)>,
    work: Option<JobWork>,
    /// The page’s own address.
    at: &'static str,
}

/// What the address asks for.
#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct AuditPageQuery {
    who: String,
    action: String,
    target: String,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
}

/// A row of the chain.
struct AuditPageRow {
    n: i64,
    at: String,
    who: String,
    who_id: String,
    action: String,
    target: String,
    meta: String,
}

async fn index(call: Call) -> Outcome {
    let mut asked: AuditPageQuery = call.query()?;
    let (filter, note) = match filter(&call, &asked).await {
        Ok(filter) => (filter, None),
        Err(problem) => (AuditFilter::default(), Some(Note::problem(&problem))),
    };
    let after = asked.after;
    let zone = call.app().config.zone.clone();
    let read = call.app().db.read(move |tx| {
        let rows = audit::list(tx, &filter, after, PER_PAGE)?;
        Ok((names(tx, &rows)?, rows, audit_head::list(tx, None, 1)?.pop()))
    });
    let (names, rows, head) = read.await?;
    let next = rows.last().filter(|_| rows.len() == PER_PAGE as usize).map(|row| row.n);
    let row = |row: Stored| {
        let day = rules::timetable::day(row.at, &zone);
        let at = format!("{day} {}", words::time(row.at, &zone));
        let who = names.get(&row.actor).cloned().unwrap_or_else(|| row.actor.clone());
        let meta = if row.meta == "{}" { String::new() } else { row.meta };
        let target = format!("{} {}", row.table, row.id);
        AuditPageRow { n: row.n, at, who, who_id: row.actor, action: row.action, target, meta }
    };
    let rows = rows.into_iter().map(row).collect();
    let job = work::asked(&call, WALK).await?;
    asked.after = next;
    let next = next.and_then(|_| serde_urlencoded::to_string(&asked).ok());
    let shell = shell(&call, "settings");
    let head = head.map(|head| (head.day, head.head.rows));
    let told = |job| JobWork::told(shell.language, &job, call.now, ENDS);
    let work = job.map(told);
    page(
        StatusCode::OK,
        &AuditPage { shell, tab: "audit", note, asked, rows, next, head, work, at: AT },
    )
}

/// Which rows are asked for. Whoever is named by an address or a number becomes their id.
async fn filter(call: &Call, asked: &AuditPageQuery) -> Result<AuditFilter, Problem> {
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
    Ok(AuditFilter {
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
    let found = call.app().db.read(move |tx| store::accounts::find(tx, &key)).await;
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
    let job = call.app().walking().start(call.actor()?.user).await?;
    see(&format!("{AT}?job={}#verdict", job.id))
}

/// Stops the walk that the address names.
async fn cancel(call: Call) -> Outcome {
    let job = work::stopped(&call).await?;
    see(&format!("{AT}?job={}#verdict", job.id))
}
