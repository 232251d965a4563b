//! `/api/sessions`: lessons, made from the timetable or by hand.

use super::attendance::reader;
use super::call::Call;
use super::key::Key;
use super::page::{page, rows};
use super::problem::Problem;
use super::reply::{created, nothing, versioned};
use super::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::attendance::placing::LONGEST_MS;
use crate::attendance::register;
use crate::error::Error;
use crate::events::Event;
use crate::store::desk::Reader;
use crate::store::session::{self, Filter, Session, Source};
use crate::store::{Tx, class, mark, period};
use crate::timetable::{Change as Differs, booking};
use jiff::civil::{Date, Time};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// A lesson without an end lasts this long, minutes.
const USUAL_MIN: i64 = 45;
/// Longest name, bytes.
const NAME: usize = 200;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/sessions", "/api/sessions/{id}");
    let (of, body, no) = (Object::Session, Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>().asks::<Which>());
    let (new, both) = (Shapes::both::<Typed, Body>().created(), Shapes::both::<Patch, Body>());
    let native = [
        Route::new((Method::GET, some), STAFF, Object::None, no, list, index),
        Route::new((Method::POST, some), STAFF, Object::None, body, new, add),
        Route::new((Method::GET, one), STAFF, of, no, gives, show),
        Route::new((Method::PUT, one), STAFF, of, body, both, change),
        Route::new((Method::PATCH, one), STAFF, of, body, both, change),
        Route::new((Method::DELETE, one), STAFF, of, no, Shapes::EMPTY, remove),
    ];
    let other = |route: &Route| match route.path {
        "/api/sessions" => route.alias("/api/attendance/sessions"),
        _ => route.alias("/api/attendance/sessions/{id}"),
    };
    let aliases: Vec<_> = native.iter().map(other).collect();
    native.into_iter().chain(aliases).collect()
}

/// Why a lesson is there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SessionSource)]
pub enum Why {
    /// The weekly timetable.
    Timetable,
    /// Somebody planned it.
    Manual,
    /// Attendance was taken without a plan.
    Adhoc,
}

/// A lesson, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct Body {
    id: Uuid,
    class_id: Uuid,
    name: String,
    /// The local date.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Local time, `08:45`.
    start_time: String,
    end_time: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// Whoever arrives after this is late.
    #[schema(value_type = Option<String>, format = DateTime)]
    late_after: Option<Timestamp>,
    room: String,
    source: Why,
    /// The weekly lesson it was made from.
    period_id: Option<Uuid>,
    /// When everybody without a mark got one.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    marks: Counts,
    version: i64,
}

/// Marks of a lesson, counted.
#[derive(Serialize, ToSchema)]
#[schema(as = MarkCounts)]
pub struct Counts {
    present: i64,
    late: i64,
    absent: i64,
    excused: i64,
    unverified: i64,
    undecided: i64,
}

/// A new lesson.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSession)]
pub struct Typed {
    /// Own id or class code.
    #[serde(alias = "class", alias = "class_session", alias = "subject_id")]
    class_id: Key,
    /// What people call it; the class's name if it is left out.
    name: Option<String>,
    /// Today if it is left out.
    #[serde(alias = "day", alias = "session_date")]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// Local time; now if it is left out.
    #[schema(value_type = Option<String>, example = "08:45")]
    start_time: Option<Time>,
    /// 45 minutes later if it is left out.
    #[schema(value_type = Option<String>, example = "09:30")]
    end_time: Option<Time>,
    /// The class's usual room if it is left out.
    room: Option<String>,
}

/// What may change about a lesson; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = SessionChange)]
pub struct Patch {
    name: Option<String>,
    #[serde(alias = "day", alias = "session_date")]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    #[schema(value_type = Option<String>, example = "08:45")]
    start_time: Option<Time>,
    #[schema(value_type = Option<String>, example = "09:30")]
    end_time: Option<Time>,
    room: Option<String>,
    /// The version that was read, so that nobody’s change is overwritten.
    version: Option<i64>,
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

impl Body {
    fn new(session: Session, tally: [i64; 6], zone: &TimeZone) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let local = |at: Wall| {
            let local = time(at).map(|at| at.to_zoned(zone.clone()));
            local.map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
        };
        let [present, late, absent, excused, unverified, undecided] = tally;
        Self {
            id: session.id,
            class_id: session.class,
            name: session.name,
            date: session.day,
            start_time: local(session.starts),
            end_time: local(session.ends),
            starts_at: time(session.starts),
            ends_at: time(session.ends),
            late_after: time(session.late_after),
            room: session.room,
            source: match session.source {
                Source::Timetable => Why::Timetable,
                Source::Manual => Why::Manual,
                Source::Adhoc => Why::Adhoc,
            },
            period_id: session.period,
            closed_at: session.closed_at.and_then(time),
            marks: Counts { present, late, absent, excused, unverified, undecided },
            version: session.version,
        }
    }
}

/// Midnight of `day`, and of the day after.
///
/// # Errors
/// `Invalid` for a day beyond all calendars.
pub fn day_of(day: Date, zone: &TimeZone) -> Result<(Wall, Wall), Error> {
    let next = day.tomorrow().map_err(|_| odd_day(day))?;
    Ok((moment(day, Time::midnight(), zone)?, moment(next, Time::midnight(), zone)?))
}

fn odd_day(day: Date) -> Error {
    Error::Invalid(format!("date: {day} is no day a school has lessons on"))
}

/// The moment of a local time; in a gap or fold of the clock as jiff's `compatible` says.
fn moment(day: Date, time: Time, zone: &TimeZone) -> Result<Wall, Error> {
    if !(1900..=9000).contains(&day.year()) {
        return Err(odd_day(day));
    }
    let at = day.to_datetime(time).to_zoned(zone.clone()).map_err(|_| odd_day(day))?;
    Ok(Wall(at.timestamp().as_millisecond()))
}

/// First and last moment of a lesson.
fn times(day: Date, (from, to): (Time, Time), zone: &TimeZone) -> Result<(Wall, Wall), Error> {
    if to <= from {
        return Err(Error::Invalid("end_time: a lesson ends after it starts, on one day".into()));
    }
    let (starts, ends) = (moment(day, from, zone)?, moment(day, to, zone)?);
    Ok((starts, ends.max(starts.plus_ms(60_000)).min(starts.plus_ms(LONGEST_MS))))
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
        booking::lesson(tx, &session, (reader.today, &zone))?;
        session::add(tx, &session)?;
        noted(tx, reader, "add", &session, now)?;
        let records = register::adopt(tx, &session, now)?;
        Ok((whole(tx, session, &zone)?, records))
    });
    let (body, records) = write.await?;
    for record in records {
        call.app().events.say(Event::PendingAdded(record));
    }
    created(&format!("/api/sessions/{}", body.id), &body)
}

fn plan(
    tx: &Tx<'_>,
    reader: Reader,
    typed: Typed,
    zone: &TimeZone,
    now: Wall,
) -> Result<Session, Error> {
    let class = class::find(tx, reader, &typed.class_id.text())?;
    let local = Timestamp::from_millisecond(now.0).unwrap_or_default().to_zoned(zone.clone());
    let minute = Time::constant(local.hour(), local.minute(), 0, 0);
    let from = typed.start_time.unwrap_or(minute);
    let usual = jiff::SignedDuration::from_mins(USUAL_MIN);
    let to = typed.end_time.unwrap_or_else(|| from.saturating_add(usual));
    let day = typed.date.unwrap_or(reader.today);
    let (starts, ends) = times(day, (from, to), zone)?;
    Ok(Session {
        id: wire::id::v7(now),
        name: typed.name.unwrap_or_else(|| class.class_name.clone()),
        class: class.id,
        day,
        starts,
        ends,
        late_after: starts.plus_ms(class.grace_min * 60_000),
        room: named(tx, &typed.room.or(class.room).unwrap_or_default())?,
        source: Source::Manual,
        period: None,
        closed_at: None,
        version: 1,
    })
}

/// The name of a room that is typed: a name, known or new, or the own id of a known one.
fn named(tx: &Tx<'_>, typed: &str) -> Result<String, Error> {
    match crate::store::room::find(tx, typed) {
        Ok(room) => Ok(room.name),
        Err(Error::NotFound(_)) => Ok(typed.trim().to_owned()),
        Err(error) => Err(error),
    }
}

/// Whether a lesson can be as it is typed.
fn check(tx: &Tx<'_>, session: &Session) -> Result<(), Error> {
    if session.name.trim().is_empty() || session.name.len() > NAME {
        return Err(Error::Invalid(format!("name: give 1 to {NAME} bytes")));
    }
    crate::store::room::ensure(tx, &session.room, session.starts)
}

fn is_moved(old: &Session, new: &Session) -> bool {
    (old.starts, old.ends, &old.room) != (new.starts, new.ends, &new.room)
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
            booking::lesson(tx, &new, (reader.today, &zone))?;
        }
        differ(tx, &old, &new, &zone, (reader, now))?;
        session::change(tx, &new)?;
        noted(tx, reader, "change", &new, now)?;
        let new = session::find(tx, reader, &name)?;
        let (actor, mut marked) = (reader.actor.user.to_string(), Vec::new());
        for student in class::roster(tx, new.class)? {
            marked.extend(register::follow(tx, &new, student, &actor, now)?);
        }
        let records = register::adopt(tx, &new, now)?;
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

fn patched(
    tx: &Tx<'_>,
    old: &Session,
    patch: Patch,
    zone: &TimeZone,
    now: Wall,
) -> Result<Session, Error> {
    let stale = || Error::Conflict("this lesson was changed meanwhile: look again".into());
    if patch.version.is_some_and(|version| version != old.version) {
        return Err(stale());
    }
    let day = patch.date.unwrap_or(old.day);
    if old.period.is_some() && day != old.day {
        let say = "date: a lesson of the timetable stays on its day: cancel it and add another";
        return Err(Error::Invalid(say.into()));
    }
    let (mut starts, mut ends) = (old.starts, old.ends);
    if patch.date.is_some() || patch.start_time.is_some() || patch.end_time.is_some() {
        let (from, to) = (local(old.starts, zone), local(old.ends, zone));
        let span = (patch.start_time.unwrap_or(from), patch.end_time.unwrap_or(to));
        (starts, ends) = times(day, span, zone)?;
    }
    let (_, grace) = period::lesson_of(tx, old.class)?;
    Ok(Session {
        name: patch.name.unwrap_or_else(|| old.name.clone()),
        day,
        starts,
        ends,
        late_after: starts.plus_ms(grace * 60_000),
        room: patch.room.map_or_else(|| Ok(old.room.clone()), |room| named(tx, &room))?,
        closed_at: old.closed_at.filter(|_| ends <= now),
        ..old.clone()
    })
}

/// The timetable remembers that this day of it differs, so that the lesson stays as it was made.
fn differ(
    tx: &Tx<'_>,
    old: &Session,
    new: &Session,
    zone: &TimeZone,
    (reader, now): (Reader, Wall),
) -> Result<(), Error> {
    let Some(of) = old.period.filter(|_| is_moved(old, new) && old.starts > now) else {
        return Ok(());
    };
    let (starts, ends) = (local(new.starts, zone), local(new.ends, zone));
    let change = Differs::Moved { starts, ends, room: new.room.clone() };
    except(tx, of, new.day, &change, (reader, now))
}

fn except(
    tx: &Tx<'_>,
    of: Uuid,
    day: Date,
    change: &Differs,
    (reader, now): (Reader, Wall),
) -> Result<(), Error> {
    match period::find(tx, reader, of) {
        Ok(period) if period.is_on(day) => {
            period::except(tx, &period, day, change, &reader.actor.user.to_string(), now)
        }
        Ok(_) | Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn local(at: Wall, zone: &TimeZone) -> Time {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone()).time()
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
    crate::store::change::bump(tx, crate::store::change::GALLERY)?; // doors are told who is due
    let (actor, id) = (reader.actor.user.to_string(), session.id.to_string());
    let meta = json!({ "class": session.class, "starts": session.starts.0 });
    let entry =
        crate::store::audit::Entry { actor: &actor, action, table: "session", id: &id, meta };
    crate::store::audit::add(tx, now, &entry)
}
