//! `/class/{id}/today`: today's lessons of a class, and the roll of one of them.
//!
//! The buttons of the roll are in [`hand`](crate::roll_buttons).

use super::class::policy::suspended;
use super::roll::{self, RollFacts, RollRow};
use super::shell::Shell;
use crate::shell::shell;
use acts::marks;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::tz::TimeZone;
use rules::error::Error;
use rules::timetable::day_of;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use store::class::{self, Class};
use store::session::{self, Session, SessionFilter};
use store::{Tx, mark, passage, watch};
use uuid::Uuid;
use warp::http::StatusCode;
use wire::Wall;

/// Lessons of one class on one day.
const LESSONS: u32 = 100;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let today = "/class/{id}/today";
    vec![
        Route::get(today).staff().of(Object::Class).page().by(index),
        Route::post(today).staff().of(Object::Class).form().page().by(start),
        Route::post("/lesson/{id}/close").staff().of(Object::Session).form().page().by(close),
        Route::post("/lesson/{id}/open").staff().of(Object::Session).form().page().by(open),
    ]
}

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    shell: Shell,
    class: Class,
    day: String,
    tabs: Vec<Tab>,
    lesson: Option<TodayLesson>,
    rows: Vec<RollRow>,
    /// Whom no door can know, to be ticked.
    unknown: Vec<RollRow>,
    counts: Vec<(&'static str, &'static str, usize)>,
    note: Option<String>,
    /// Why the class does not mark by itself any more.
    suspended: Option<String>,
    /// Whether a lesson can be started by hand: none runs.
    free: bool,
}

/// A lesson to choose.
struct Tab {
    id: Uuid,
    name: String,
    hours: String,
    here: bool,
    now: bool,
}

/// The lesson that is shown.
struct TodayLesson {
    id: Uuid,
    name: String,
    room: String,
    hours: String,
    /// When it was closed.
    closed: Option<String>,
    /// Whether it can be closed: it has begun.
    begun: bool,
    /// Whether it is over, so that it cannot be opened again.
    over: bool,
}

#[derive(Deserialize)]
struct TodayQuery {
    lesson: Option<Uuid>,
    /// Who was just marked, for browsers without JavaScript.
    done: Option<Uuid>,
    /// How many a class photo marked just now.
    photo: Option<u32>,
}

async fn index(call: Call) -> Outcome {
    let which: TodayQuery = call.query()?;
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let zone = call.app().config.zone.clone();
    let now = call.now;
    let wanted = which.lesson;
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        let wanted = wanted.map(|id| session::find(tx, reader, &id.to_string())).transpose()?;
        if wanted.as_ref().is_some_and(|lesson| lesson.class != class.id) {
            return Err(Error::unknown("lesson of this class", wanted.map_or(class.id, |l| l.id)));
        }
        let day = wanted.as_ref().map_or(reader.today, |lesson| lesson.day);
        let (from, until) = day_of(day, &zone)?;
        let from = Some(from);
        let until = Some(until);
        let of = Some(class.id);
        let filter = SessionFilter { class: of, from, until, ..SessionFilter::default() };
        let lessons = session::list(tx, reader, &filter, LESSONS)?;
        let lesson = wanted.or_else(|| roll::first(&lessons, now).cloned());
        let facts = lesson.as_ref().map(|lesson| facts(tx, lesson, &zone, now)).transpose()?;
        Ok((class, day, lessons, lesson, facts.unwrap_or_default()))
    });
    let (class, day, lessons, lesson, facts) = read.await?;
    let shell = shell(&call, "class");
    let zone = &call.app().config.zone;
    let rows: Vec<_> =
        facts.into_iter().map(|facts| RollRow::new(facts, shell.language, zone)).collect();
    let done = which.done.and_then(|id| rows.iter().find(|row| row.id == id));
    let note = done.map(|row| said(&shell, row));
    let note = note.or(which.photo.map(|n| shell.one("roll-from-photo", "count", n)));
    let here = lesson.as_ref().map(|lesson| lesson.id);
    let tab = |of: &Session| Tab {
        id: of.id,
        name: of.name.clone(),
        hours: words::hours(shell.language, (of.starts, of.ends), zone),
        here: here == Some(of.id),
        now: of.starts <= now && now < of.ends,
    };
    let tabs: Vec<Tab> = lessons.iter().map(tab).collect();
    let counts = roll::counts(&rows);
    let (unknown, rows) = rows.into_iter().partition(|row| row.tick);
    let view = TodayPage {
        free: day == reader.today && !tabs.iter().any(|tab| tab.now),
        day: words::say_day(shell.language, day, reader.today),
        suspended: suspended(shell.language, &class, now),
        lesson: lesson.map(|of| shown(&of, &shell, zone, now)),
        counts,
        tabs,
        class,
        rows,
        unknown,
        note,
        shell,
    };
    page(StatusCode::OK, &view)
}

fn shown(of: &Session, shell: &Shell, zone: &TimeZone, now: Wall) -> TodayLesson {
    TodayLesson {
        id: of.id,
        name: of.name.clone(),
        room: of.room.clone(),
        hours: words::hours(shell.language, (of.starts, of.ends), zone),
        closed: of.closed_at.map(|at| words::minute(shell.language, at, zone)),
        begun: of.starts <= now,
        over: of.ends <= now,
    }
}

/// What is known of everybody on the roster of a lesson.
pub(super) fn facts(
    tx: &Tx<'_>,
    lesson: &Session,
    zone: &TimeZone,
    now: Wall,
) -> Result<Vec<RollFacts>, Error> {
    let mut marks: HashMap<_, _> = mark::of_session(tx, lesson.id)?.into_iter().collect();
    let names = mark::names(tx, lesson.id)?;
    let waiting: HashSet<_> = passage::waiting(tx, lesson.id)?.into_iter().collect();
    let seen = passage::elsewhere(tx, lesson, day_of(lesson.day, zone)?)?;
    let mut seen: HashMap<_, _> = seen.into_iter().map(|seen| (seen.student, seen)).collect();
    let mut grounds = mark::grounds(tx, lesson.id)?;
    let mut unknown = watch::unknown(tx, lesson.class, &lesson.room, now)?;
    let one = |member: class::Member| {
        let mark = marks.remove(&member.student);
        RollFacts {
            grounds: grounds.remove(&member.student),
            counts: marks::counts(lesson),
            unknown: unknown.remove(&member.student),
            by: mark.as_ref().and_then(|mark| names.get(&mark.by).cloned()),
            waiting: waiting.contains(&member.student),
            elsewhere: seen.remove(&member.student),
            id: member.student.0,
            number: member.number,
            name: member.name,
            mark,
        }
    };
    Ok(class::members(tx, lesson.class)?.into_iter().map(one).collect())
}

/// What stands of a student now, in words.
pub(super) fn said(shell: &Shell, row: &RollRow) -> String {
    shell.two("roll-stands", "name", &row.name, "state", shell.say(row.state))
}

/// A lesson without a plan begins now; if one is due, that one is shown.
async fn start(call: Call) -> Outcome {
    let class = call.param("id").to_owned();
    let lesson = call.app().classroom().begin(call.reader()?, class, call.now).await?;
    see(&at(&lesson))
}

async fn close(call: Call) -> Outcome {
    let lesson = call.param("id").to_owned();
    see(&at(&call.app().classroom().close(call.reader()?, lesson, call.now).await?))
}

async fn open(call: Call) -> Outcome {
    let lesson = call.param("id").to_owned();
    see(&at(&call.app().classroom().open(call.reader()?, lesson, call.now).await?))
}

/// Where the roll of a lesson is.
fn at(lesson: &Session) -> String {
    format!("/class/{}/today?lesson={}", lesson.class, lesson.id)
}
