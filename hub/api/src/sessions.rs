//! `/api/sessions`: lessons, made from the timetable or by hand.

use super::lesson::{SessionBody, SessionForm, SessionPatch};
use acts::lessons::LessonChanges;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{created, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::{civil::Date, tz::TimeZone};
use rules::error::Error;
use rules::timetable::day_of;
use serde::Deserialize;
use store::session::{self, Session, SessionFilter};
use store::{Tx, class, mark};
use utoipa::IntoParams;
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/sessions";
    let one = "/api/sessions/{id}";
    vec![
        Route::get(some).staff().asks::<SessionQuery>().gives::<Vec<SessionBody>>().by(index),
        Route::post(some).staff().takes::<SessionForm>().gives::<SessionBody>().created().by(add),
        Route::get(one).staff().of(Object::Session).gives::<SessionBody>().by(show),
        Route::put(one)
            .staff()
            .of(Object::Session)
            .takes::<SessionPatch>()
            .gives::<SessionBody>()
            .by(change),
        Route::patch(one)
            .staff()
            .of(Object::Session)
            .takes::<SessionPatch>()
            .gives::<SessionBody>()
            .by(change),
        Route::delete(one).staff().of(Object::Session).by(remove),
    ]
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionQuery {
    /// Own id or code of a class.
    class_id: Option<String>,
    /// Name of a room.
    room: Option<String>,
    /// Not before this local date.
    #[param(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    /// Not after this local date.
    #[param(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    /// From the list's next link.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Start and id of the last one, as the next link carries them.
pub(super) fn cursor(at: Wall, id: Uuid) -> String {
    format!("{}_{id}", at.0)
}

pub(super) fn parse_cursor(text: &str) -> Result<(Wall, Uuid), Problem> {
    let parse = || {
        let (at, id) = text.split_once('_')?;
        Some((Wall(at.parse().ok()?), id.parse().ok()?))
    };
    parse().ok_or_else(|| Problem::field("after", "this is not from a list’s next link"))
}

/// The lesson with its marks counted.
fn whole(tx: &Tx<'_>, session: Session, zone: &TimeZone) -> Result<SessionBody, Error> {
    let tally = mark::tally(tx, session.id)?;
    Ok(SessionBody::new(session, tally, zone))
}

async fn index(call: Call) -> Outcome {
    let which: SessionQuery = call.query()?;
    let reader = call.reader()?;
    let limit = rows(which.limit);
    let zone = call.app().config.zone.clone();
    let after = which.after.as_deref().map(parse_cursor).transpose()?;
    let read = call.app().db.read(move |tx| {
        let class = which.class_id.map(|name| class::find(tx, reader, &name)).transpose()?;
        let filter = SessionFilter {
            class: class.map(|class| class.id),
            room: which.room,
            from: which.date_from.map(|day| day_of(day, &zone)).transpose()?.map(|day| day.0),
            until: which.date_to.map(|day| day_of(day, &zone)).transpose()?.map(|day| day.1),
            after,
        };
        let sessions = session::list(tx, reader, &filter, limit)?;
        let last = sessions.last().map(|session| cursor(session.starts, session.id));
        let all = sessions.into_iter().map(|session| whole(tx, session, &zone));
        Ok((all.collect::<Result<Vec<_>, Error>>()?, last))
    });
    let (all, last) = read.await?;
    page(&call, &all, limit, last)
}

async fn show(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let zone = call.app().config.zone.clone();
    let read = call.app().db.read(move |tx| {
        let session = session::find(tx, reader, &name)?;
        whole(tx, session, &zone)
    });
    let session = read.await?;
    versioned(&session, session.version)
}

async fn add(call: Call) -> Outcome {
    let typed: SessionForm = call.json()?;
    let zone = call.app().config.zone.clone();
    let shown = move |tx: &Tx<'_>, lesson| whole(tx, lesson, &zone);
    let classroom = call.app().classroom();
    let body = classroom.add(call.reader()?, typed.into(), shown, call.now).await?;
    created(&format!("/api/sessions/{}", body.id), &body)
}

async fn change(call: Call) -> Outcome {
    let patch: SessionPatch = call.json()?;
    let version = call.version(patch.version)?;
    let to = LessonChanges { version, ..patch.of(call.param("id")) };
    let zone = call.app().config.zone.clone();
    let shown = move |tx: &Tx<'_>, lesson| whole(tx, lesson, &zone);
    let body = call.app().classroom().change(call.reader()?, to, shown, call.now).await?;
    versioned(&body, body.version)
}

async fn remove(call: Call) -> Outcome {
    let lesson = call.param("id").to_owned();
    let version = call.version(None)?;
    call.app().classroom().remove(call.reader()?, lesson, version, call.now).await?;
    nothing()
}
