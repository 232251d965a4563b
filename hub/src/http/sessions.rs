//! `/api/sessions`: lessons, made from the timetable or by hand.

use super::attendance::reader;
use super::call::Call;
use super::lesson::{Body, Patch, Typed};
use super::page::{page, rows};
use super::planning::{check, day_of, differ, except, is_moved, patched, plan};
use super::problem::Problem;
use super::reply::{created, nothing, versioned};
use super::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::events::Event;
use crate::marks;
use crate::planning::booking;
use jiff::{civil::Date, tz::TimeZone};
use rules::error::Error;
use rules::timetable::Change as Differs;
use serde::Deserialize;
use serde_json::json;
use store::desk::Reader;
use store::session::{self, Filter, Session};
use store::{Tx, class, mark};
use utoipa::IntoParams;
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/sessions", "/api/sessions/{id}");
    let (of, body, no) = (Object::Session, Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>().asks::<Which>());
    let (new, both) = (Shapes::both::<Typed, Body>().created(), Shapes::both::<Patch, Body>());
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, no, list, index),
        Route::new((Method::POST, some), STAFF, Object::None, body, new, add),
        Route::new((Method::GET, one), STAFF, of, no, gives, show),
        Route::new((Method::PUT, one), STAFF, of, body, both, change),
        Route::new((Method::PATCH, one), STAFF, of, body, both, change),
        Route::new((Method::DELETE, one), STAFF, of, no, Shapes::EMPTY, remove),
    ]
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
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

fn whole(tx: &Tx<'_>, session: Session, zone: &TimeZone) -> Result<Body, Error> {
    let tally = mark::tally(tx, session.id)?;
    Ok(Body::new(session, tally, zone))
}

async fn index(call: Call) -> Outcome {
    let (which, reader): (Which, _) = (call.query()?, reader(&call)?);
    let (limit, zone) = (rows(which.limit), call.app().config.zone.clone());
    let after = which.after.as_deref().map(parse_cursor).transpose()?;
    let read = call.app().db.read(move |tx| {
        let class = which.class_id.map(|name| class::find(tx, reader, &name)).transpose()?;
        let filter = Filter {
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
    let (reader, name) = (reader(&call)?, call.param("id").to_owned());
    let zone = call.app().config.zone.clone();
    let read = call.app().db.read(move |tx| {
        let session = session::find(tx, reader, &name)?;
        whole(tx, session, &zone)
    });
    let session = read.await?;
    versioned(&session, session.version)
}

async fn add(call: Call) -> Outcome {
    let (typed, reader, now): (Typed, _, _) = (call.json()?, reader(&call)?, call.now);
    let zone = call.app().config.zone.clone();
    let write = call.app().db.write(move |tx| {
        let session = plan(tx, reader, typed, &zone, now)?;
        check(tx, &session)?;
        booking::lesson(tx, &session, (now, &zone))?;
        session::add(tx, &session)?;
        noted(tx, reader, "add", &session, now)?;
        let records = marks::adopt(tx, &session, now)?;
        Ok((whole(tx, session, &zone)?, records))
    });
    let (body, records) = write.await?;
    for record in records {
        call.app().events.say(Event::PendingAdded(record));
    }
    created(&format!("/api/sessions/{}", body.id), &body)
}

async fn change(call: Call) -> Outcome {
    let (mut patch, reader, now): (Patch, _, _) = (call.json()?, reader(&call)?, call.now);
    patch.version = call.version(patch.version)?;
    let (name, zone) = (call.param("id").to_owned(), call.app().config.zone.clone());
    let write = call.app().db.write(move |tx| {
        let old = session::find(tx, reader, &name)?;
        let new = patched(tx, &old, patch, &zone, now)?;
        check(tx, &new)?;
        if is_moved(&old, &new) {
            booking::lesson(tx, &new, (now, &zone))?;
        }
        differ(tx, &old, &new, &zone, (reader, now))?;
        session::change(tx, &new)?;
        noted(tx, reader, "change", &new, now)?;
        let new = session::find(tx, reader, &name)?;
        let (actor, mut marked) = (reader.actor.user.to_string(), Vec::new());
        for student in class::roster(tx, new.class)? {
            marked.extend(marks::follow(tx, &new, student, &actor, now)?);
        }
        let records = marks::adopt(tx, &new, now)?;
        Ok((whole(tx, new, &zone)?, marked, records))
    });
    let (body, marked, records) = write.await?;
    for (session, student) in marked {
        call.app().events.say(Event::Marked { session, student });
    }
    for record in records {
        call.app().events.say(Event::PendingAdded(record));
    }
    versioned(&body, body.version)
}

/// Takes a lesson away with its marks; one of the timetable is cancelled on that day.
async fn remove(call: Call) -> Outcome {
    let (reader, name, now) = (reader(&call)?, call.param("id").to_owned(), call.now);
    let write = call.app().db.write(move |tx| {
        let session = session::find(tx, reader, &name)?;
        if let Some(of) = session.period {
            except(tx, of, session.day, &Differs::Cancelled, (reader, now))?;
        }
        session::remove(tx, session.id)?;
        noted(tx, reader, "remove", &session, now)
    });
    write.await?;
    nothing()
}

fn noted(
    tx: &Tx<'_>,
    reader: Reader,
    action: &str,
    session: &Session,
    now: Wall,
) -> Result<(), Error> {
    store::change::bump(tx, store::change::GALLERY)?; // doors are told who is due
    let (actor, id) = (reader.actor.user.to_string(), session.id.to_string());
    let meta = json!({ "class": session.class, "starts": session.starts.0 });
    let entry = store::audit::Entry { actor: &actor, action, table: "session", id: &id, meta };
    store::audit::add(tx, now, &entry)
}
