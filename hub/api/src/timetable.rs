//! `/api/timetable`: lessons that come each week, and the days on which they differ.

use acts::timetable::{Differs, NewPeriod, OtherDay, PeriodChanges};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::reply::{created, json, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::{Date, Time};
use rules::Error;
use rules::timetable::{Change, Period};
use serde::{Deserialize, Serialize};
use store::period::{self, PeriodFilter, clock};
use store::{Tx, class};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/timetable";
    let one = "/api/timetable/{id}";
    vec![
        Route::get(some).staff().asks::<TimetableQuery>().gives::<Vec<TimetableBody>>().by(index),
        Route::post(some)
            .admin()
            .takes::<TimetableForm>()
            .gives::<TimetableBody>()
            .created()
            .by(add),
        Route::get(one).staff().of(Object::Period).gives::<TimetableBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Period)
            .takes::<TimetablePatch>()
            .gives::<TimetableBody>()
            .by(change),
        Route::patch(one)
            .admin()
            .of(Object::Period)
            .takes::<TimetablePatch>()
            .gives::<TimetableBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Period).by(remove),
        Route::post("/api/timetable/{id}/exceptions")
            .admin()
            .of(Object::Period)
            .takes::<Different>()
            .gives::<TimetableBody>()
            .by(except),
        Route::delete("/api/timetable/{id}/exceptions/{day}")
            .admin()
            .of(Object::Period)
            .by(unexcept),
    ]
}

/// A weekly lesson, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Period)]
pub struct TimetableBody {
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
pub struct TimetableForm {
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
pub struct TimetablePatch {
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
pub struct TimetableQuery {
    /// Own id or code of a class.
    class_id: Option<String>,
    room: Option<String>,
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<TimetableForm> for NewPeriod {
    fn from(typed: TimetableForm) -> Self {
        let TimetableForm { class_id, weekday, starts, ends, room, from_day, to_day } = typed;
        Self { class: class_id, weekday, starts, ends, room, from: from_day, to: to_day }
    }
}

/// A period with the days ahead that differ.
fn body(tx: &Tx<'_>, period: Period, today: Date) -> Result<TimetableBody, Error> {
    let until = today.checked_add(jiff::Span::new().years(1)).unwrap_or(today);
    let changes = period::changes(tx, Some(period.id), today, until)?;
    let mut exceptions: Vec<_> = changes.into_iter().map(|((_, day), c)| differs(day, c)).collect();
    exceptions.sort_by_key(|exception| exception.day);
    Ok(TimetableBody {
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
    let which: TimetableQuery = call.query()?;
    let reader = call.reader()?;
    let limit = rows(which.limit);
    let read = call.app().db.read(move |tx| {
        let class = which.class_id.map(|name| class::find(tx, reader, &name)).transpose();
        let class = match class {
            Ok(class) => class.map(|class| class.id),
            Err(Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let filter = PeriodFilter { class, room: which.room, after: which.after, limit };
        let periods = period::list(tx, reader, &filter)?;
        periods.into_iter().map(|period| body(tx, period, reader.today)).collect()
    });
    let periods: Vec<TimetableBody> = read.await?;
    page(&call, &periods, limit, periods.last().map(|last| last.id.to_string()))
}

async fn show(call: Call) -> Outcome {
    let id = call.id("id")?;
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let period = period::find(tx, reader, id)?;
        body(tx, period, reader.today)
    });
    let period = read.await?;
    versioned(&period, period.version)
}

async fn add(call: Call) -> Outcome {
    let typed: TimetableForm = call.json()?;
    let reader = call.reader()?;
    let shown = move |tx: &Tx<'_>, period| body(tx, period, reader.today);
    let made = call.app().timetable().add(reader, typed.into(), shown, call.now).await?;
    created(&format!("/api/timetable/{}", made.id), &made)
}

async fn change(call: Call) -> Outcome {
    let patch: TimetablePatch = call.json()?;
    let period = call.id("id")?;
    let TimetablePatch { weekday, starts, ends, room, from_day: from, to_day: to, version } = patch;
    let version = call.version(version)?;
    let changes = PeriodChanges { period, weekday, starts, ends, room, from, to, version };
    let reader = call.reader()?;
    let shown = move |tx: &Tx<'_>, period| body(tx, period, reader.today);
    let period = call.app().timetable().change(reader, changes, shown, call.now).await?;
    versioned(&period, period.version)
}

async fn remove(call: Call) -> Outcome {
    call.app()
        .timetable()
        .end(call.reader()?, call.id("id")?, call.version(None)?, call.now)
        .await?;
    nothing()
}

async fn except(call: Call) -> Outcome {
    let typed: Different = call.json()?;
    let period = call.id("id")?;
    let Different { day, cancelled, starts, ends, room } = typed;
    let differs =
        if cancelled { Differs::Cancelled } else { Differs::Moved { starts, ends, room } };
    let other = OtherDay { period, day, differs, version: call.version(None)? };
    let reader = call.reader()?;
    let shown = move |tx: &Tx<'_>, period| body(tx, period, reader.today);
    json(&call.app().timetable().except(reader, other, shown, call.now).await?)
}

async fn unexcept(call: Call) -> Outcome {
    let id = call.id("id")?;
    let day = call.id("day")?;
    let version = call.version(None)?;
    call.app().timetable().unexcept(call.reader()?, id, day, version, call.now).await?;
    nothing()
}
