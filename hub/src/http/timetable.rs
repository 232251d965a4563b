//! `/api/timetable`: lessons that come each week, and the days on which they differ.

use super::attendance::reader;
use super::call::Call;
use super::page::{page, rows};
use super::problem::Problem;
use super::reply::{created, json, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::planning::booking;
use crate::planning::maker::{Of, make};
use jiff::civil::{Date, Time, Weekday};
use rules::Error;
use rules::timetable::{Change, Period};
use serde::{Deserialize, Serialize};
use store::desk::Reader;
use store::period::{self, Filter, clock};
use store::{Tx, class};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/timetable", "/api/timetable/{id}");
    let exceptions = "/api/timetable/{id}/exceptions";
    let exception = "/api/timetable/{id}/exceptions/{day}";
    let (of, body, no) = (Object::Period, Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>().asks::<Which>());
    let (new, both) = (Shapes::both::<Typed, Body>().created(), Shapes::both::<Patch, Body>());
    let differ = Shapes::both::<Different, Body>();
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, no, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, new, add),
        Route::new((Method::GET, one), STAFF, of, no, gives, show),
        Route::new((Method::PUT, one), ADMIN, of, body, both, change),
        Route::new((Method::PATCH, one), ADMIN, of, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, of, no, Shapes::EMPTY, remove),
        Route::new((Method::POST, exceptions), ADMIN, of, body, differ, except),
        Route::new((Method::DELETE, exception), ADMIN, of, no, Shapes::EMPTY, unexcept),
    ]
}

/// A weekly lesson, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Period)]
pub struct Body {
    id: Uuid,
    class_id: Uuid,
    /// 1 is Monday.
    weekday: i8,
    /// Local time, `08:45`.
    starts: String,
    ends: String,
    room: String,
    #[schema(value_type = String, format = Date)]
    from_day: Date,
    /// The last day, inclusive; null until further notice.
    #[schema(value_type = Option<String>, format = Date)]
    to_day: Option<Date>,
    /// Days that differ, from today on, within a year.
    exceptions: Vec<Exception>,
    version: i64,
}

/// A day that differs, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = PeriodException)]
pub struct Exception {
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// Whether there is no lesson at all.
    cancelled: bool,
    starts: Option<String>,
    ends: Option<String>,
    room: Option<String>,
}

/// A new weekly lesson.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewPeriod)]
pub struct Typed {
    /// Own id or class code.
    pub class_id: String,
    /// 1 is Monday.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: i8,
    /// Local time of its beginning.
    #[schema(value_type = String, example = "08:45")]
    pub starts: Time,
    /// Local time of its end.
    #[schema(value_type = String, example = "09:30")]
    pub ends: Time,
    /// The class's usual room if it is left out.
    pub room: Option<String>,
    /// Today if it is left out.
    #[schema(value_type = Option<String>, format = Date)]
    pub from_day: Option<Date>,
    /// Last day, inclusive.
    #[schema(value_type = Option<String>, format = Date)]
    pub to_day: Option<Date>,
}

/// What may change about a weekly lesson; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = PeriodChange)]
pub struct Patch {
    /// 1 is Monday.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: Option<i8>,
    /// Local time of its beginning.
    #[schema(value_type = Option<String>, example = "08:45")]
    pub starts: Option<Time>,
    /// Local time of its end.
    #[schema(value_type = Option<String>, example = "09:30")]
    pub ends: Option<Time>,
    /// Where.
    pub room: Option<String>,
    /// First day it can be on.
    #[schema(value_type = Option<String>, format = Date)]
    pub from_day: Option<Date>,
    /// Last day, inclusive.
    #[schema(value_type = Option<String>, format = Date)]
    pub to_day: Option<Date>,
    /// Counts changes.
    pub version: Option<i64>,
}

/// How one day differs: cancelled, or at these times.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewPeriodException)]
pub struct Different {
    /// Which day.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// Whether there is no lesson at all.
    #[serde(default)]
    pub cancelled: bool,
    /// Local time of its beginning.
    #[schema(value_type = Option<String>, example = "10:00")]
    pub starts: Option<Time>,
    /// Local time of its end.
    #[schema(value_type = Option<String>, example = "10:45")]
    pub ends: Option<Time>,
    /// Where.
    pub room: Option<String>,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Own id or code of a class.
    class_id: Option<String>,
    room: Option<String>,
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

fn weekday(n: i8) -> Result<Weekday, Error> {
    let wrong = |_| Error::Invalid("weekday: 1 is Monday and 7 is Sunday".into());
    Weekday::from_monday_one_offset(n).map_err(wrong)
}

/// A period with the days ahead that differ.
fn body(tx: &Tx<'_>, period: Period, today: Date) -> Result<Body, Error> {
    let until = today.checked_add(jiff::Span::new().years(1)).unwrap_or(today);
    let changes = period::changes(tx, Some(period.id), today, until)?;
    let mut exceptions: Vec<_> = changes.into_iter().map(|((_, day), c)| differs(day, c)).collect();
    exceptions.sort_by_key(|exception| exception.day);
    Ok(Body {
        id: period.id,
        class_id: period.class,
        weekday: period.weekday.to_monday_one_offset(),
        starts: clock(period.starts),
        ends: clock(period.ends),
        room: period.room,
        from_day: period.from,
        to_day: period.to,
        exceptions,
        version: period.version,
    })
}

fn differs(day: Date, change: Change) -> Exception {
    match change {
        Change::Cancelled => {
            Exception { day, cancelled: true, starts: None, ends: None, room: None }
        }
        Change::Moved { starts, ends, room } => {
            let (starts, ends) = (Some(clock(starts)), Some(clock(ends)));
            Exception { day, cancelled: false, starts, ends, room: Some(room) }
        }
    }
}

async fn index(call: Call) -> Outcome {
    let (which, reader): (Which, _) = (call.query()?, reader(&call)?);
    let limit = rows(which.limit);
    let read = call.app().db.read(move |tx| {
        let class = which.class_id.map(|name| class::find(tx, reader, &name)).transpose();
        let class = match class {
            Ok(class) => class.map(|class| class.id),
            Err(Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let filter = Filter { class, room: which.room, after: which.after, limit };
        let periods = period::list(tx, reader, &filter)?;
        periods.into_iter().map(|period| body(tx, period, reader.today)).collect()
    });
    let periods: Vec<Body> = read.await?;
    page(&call, &periods, limit, periods.last().map(|last| last.id.to_string()))
}

async fn show(call: Call) -> Outcome {
    let (id, reader) = (call.id("id")?, reader(&call)?);
    let read = call.app().db.read(move |tx| {
        let period = period::find(tx, reader, id)?;
        body(tx, period, reader.today)
    });
    let period = read.await?;
    versioned(&period, period.version)
}

async fn add(call: Call) -> Outcome {
    let made = added(&call, call.json()?).await?;
    created(&format!("/api/timetable/{}", made.id), &made)
}

/// A new weekly lesson, with its lessons of the days ahead.
///
/// # Errors
/// 404 without such a class, 409 when class or room are taken, 422 for times that cannot be.
pub async fn added(call: &Call, typed: Typed) -> Result<Body, Problem> {
    let id = wire::id::v7(call.now);
    let made = stored(call, move |tx, reader| {
        let class = class::find(tx, reader, &typed.class_id)?;
        Ok(Period {
            id,
            class: class.id,
            weekday: weekday(typed.weekday)?,
            starts: typed.starts,
            ends: typed.ends,
            room: typed.room.or(class.room).unwrap_or_default().trim().to_owned(),
            from: typed.from_day.unwrap_or(reader.today),
            to: typed.to_day,
            version: 1,
        })
    });
    made.await
}

async fn change(call: Call) -> Outcome {
    let period = changed(&call, call.json()?).await?;
    versioned(&period, period.version)
}

/// Changes the weekly lesson that the address names.
///
/// # Errors
/// 404, 409 and 422 as [`added`].
pub async fn changed(call: &Call, patch: Patch) -> Result<Body, Problem> {
    let id: Uuid = call.id("id")?;
    let version = call.version(patch.version)?;
    let changed = stored(call, move |tx, reader| {
        let old = period::find(tx, reader, id)?;
        Ok(Period {
            weekday: patch.weekday.map_or(Ok(old.weekday), weekday)?,
            starts: patch.starts.unwrap_or(old.starts),
            ends: patch.ends.unwrap_or(old.ends),
            room: patch.room.map_or(old.room, |room| room.trim().to_owned()),
            from: patch.from_day.unwrap_or(old.from),
            to: patch.to_day.or(old.to),
            version: version.unwrap_or(old.version),
            ..old
        })
    });
    changed.await
}

/// Stores the period that `make_it` says, and its lessons of the days ahead.
async fn stored(
    call: &Call,
    make_it: impl FnOnce(&Tx<'_>, Reader) -> Result<Period, Error> + Send + 'static,
) -> Result<Body, Problem> {
    let (reader, now, zone) = (reader(call)?, call.now, call.app().config.zone.clone());
    let write = call.app().db.write(move |tx| {
        let period = make_it(tx, reader)?;
        period::put(tx, &period, &reader.actor.user.to_string(), now)?;
        booking::weekly(tx, &period, now, &zone)?;
        make(tx, Of::Period(period.id), &zone, now)?;
        let period = period::find(tx, reader, period.id)?;
        body(tx, period, reader.today)
    });
    Ok(write.await?)
}

async fn remove(call: Call) -> Outcome {
    removed(&call).await?;
    nothing()
}

/// Takes the weekly lesson that the address names out: what took place stays.
///
/// # Errors
/// 404.
pub async fn removed(call: &Call) -> Result<(), Problem> {
    let (id, reader, now): (Uuid, _, _) = (call.id("id")?, reader(call)?, call.now);
    let write = call.app().db.write(move |tx| {
        let period = period::find(tx, reader, id)?;
        period::remove(tx, period.id, reader.today, &reader.actor.user.to_string(), now)
    });
    Ok(write.await?)
}

async fn except(call: Call) -> Outcome {
    json(&excepted(&call, call.json()?).await?)
}

/// Makes one day of the weekly lesson that the address names different.
///
/// # Errors
/// 404; 422 for times that cannot be, or a day it is not on.
pub async fn excepted(call: &Call, typed: Different) -> Result<Body, Problem> {
    let (id, reader): (Uuid, _) = (call.id("id")?, reader(call)?);
    let (now, zone) = (call.now, call.app().config.zone.clone());
    let write = call.app().db.write(move |tx| {
        let period = period::find(tx, reader, id)?;
        let change = if typed.cancelled {
            Change::Cancelled
        } else {
            let starts = typed.starts.unwrap_or(period.starts);
            let ends = typed.ends.unwrap_or(period.ends);
            let room = typed.room.unwrap_or_else(|| period.room.clone()).trim().to_owned();
            Change::Moved { starts, ends, room }
        };
        let (actor, day) = (reader.actor.user.to_string(), typed.day);
        period::except(tx, &period, day, &change, &actor, now)?;
        booking::one_day(tx, &period, (day, Some(&change)), (now, &zone))?;
        make(tx, Of::Period(id), &zone, now)?;
        body(tx, period, reader.today)
    });
    Ok(write.await?)
}

async fn unexcept(call: Call) -> Outcome {
    let day: Date = call.id("day")?;
    usual(&call, day).await?;
    nothing()
}

/// Makes one day of the weekly lesson that the address names as usual again.
///
/// # Errors
/// 404, for a day that is as usual too.
pub async fn usual(call: &Call, day: Date) -> Result<(), Problem> {
    let (id, reader): (Uuid, _) = (call.id("id")?, reader(call)?);
    let (now, zone) = (call.now, call.app().config.zone.clone());
    let write = call.app().db.write(move |tx| {
        let period = period::find(tx, reader, id)?;
        period::unexcept(tx, period.id, day, &reader.actor.user.to_string(), now)?;
        booking::one_day(tx, &period, (day, None), (now, &zone))?;
        make(tx, Of::Period(id), &zone, now)
    });
    Ok(write.await.map(drop)?)
}
