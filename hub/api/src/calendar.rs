//! Calendars: lessons out under a secret address, timetables and holidays in from a file.

use acts::auth;
use acts::calendars::{self, NewFeed};
use acts::planning::calendar;
use acts::timetable::TimetableFile;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{bytes, created, json, nothing};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::feed::{self, Feed};
use utoipa::ToSchema;
use uuid::Uuid;

/// How far back a feed shows lessons, milliseconds: four weeks.
const BACK_MS: i64 = 28 * 24 * 3_600_000;
/// And how far ahead.
const AHEAD_MS: i64 = 60 * 24 * 3_600_000;
/// Bytes of a calendar file at most.
const FILE: u64 = 5 * 1024 * 1024;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/calendars";
    vec![
        Route::get(some).staff().gives::<Vec<CalendarBody>>().by(index),
        Route::post(some).staff().takes::<CalendarForm>().gives::<CalendarMade>().created().by(add),
        Route::delete("/api/calendars/{id}").staff().of(Object::Feed).by(remove),
        Route::get("/calendar/{secret}").anyone().file("text/calendar").by(show),
        Route::post("/api/timetable/import")
            .admin()
            .parts(FILE)
            .fields::<CalendarUpload>()
            .gives::<CalendarTaken>()
            .by(take),
    ]
}

/// A calendar address of yours; the address itself is only shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = Calendar)]
pub struct CalendarBody {
    id: Uuid,
    class_id: Option<Uuid>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
}

/// Which lessons: those of one class, or of all you teach.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCalendar)]
pub struct CalendarForm {
    /// Own id or class code.
    class_id: Option<String>,
}

/// A new calendar address.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarMade)]
pub struct CalendarMade {
    id: Uuid,
    /// Whoever has it sees the lessons: keep it to yourself.
    url: String,
}

/// A calendar file.
#[derive(ToSchema)]
#[schema(as = CalendarUpload)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CalendarUpload {
    /// An .ics or .csv file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Own id or code of the class that lessons without a class code belong to.
    class_id: Option<String>,
}

/// What became of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarTaken)]
pub struct CalendarTaken {
    /// Weekly lessons.
    periods: usize,
    /// Single lessons.
    sessions: usize,
    /// Days without lessons.
    holidays: usize,
    /// What was there already.
    unchanged: usize,
    /// What was left out and why.
    skipped: Vec<String>,
}

impl From<Feed> for CalendarBody {
    fn from(feed: Feed) -> Self {
        let created_at = Timestamp::from_millisecond(feed.created_at.0).ok();
        Self { id: feed.id, class_id: feed.class, created_at }
    }
}

async fn index(call: Call) -> Outcome {
    let user = call.actor()?.user;
    let all = call.app().db.read(move |tx| feed::of(tx, user)).await?;
    json(&all.into_iter().map(CalendarBody::from).collect::<Vec<_>>())
}

async fn add(call: Call) -> Outcome {
    let typed: CalendarForm = call.json()?;
    let db = &call.app().db;
    let reader = call.reader()?;
    let NewFeed { id, secret } = calendars::add(db, reader, typed.class_id, call.now).await?;
    let made = CalendarMade { id, url: call.calendar(&secret) };
    created(&format!("/api/calendars/{}", made.id), &made)
}

async fn remove(call: Call) -> Outcome {
    calendars::end(&call.app().db, call.actor()?, call.id("id")?, call.now).await?;
    nothing()
}

async fn show(call: Call) -> Outcome {
    let secret = call.param("secret").trim_end_matches(".ics").to_owned();
    let digest = auth::digest(&secret);
    let now = call.now;
    let today = rules::timetable::day(now, &call.app().config.zone);
    let read = call.app().db.read(move |tx| {
        let Some(feed) = feed::by_digest(tx, &digest, today)? else { return Ok(None) };
        feed::lessons(tx, &feed, now.plus_ms(-BACK_MS), now.plus_ms(AHEAD_MS)).map(Some)
    });
    let gone = || Problem::not_found("There is no calendar at this address any more.");
    let lessons = read.await?.ok_or_else(gone)?;
    bytes("text/calendar; charset=utf-8", calendar::write("Lessons", &lessons, now))
}

async fn take(call: Call) -> Outcome {
    let zone = &call.app().config.zone;
    let file = call.file("file")?;
    let plan = call.app().apart.timetable(file, zone).await?;
    let class = call.content.field("class_id").filter(|name| !name.is_empty()).map(str::to_owned);
    let file = TimetableFile { plan, class };
    let by = call.name()?;
    let done = call.app().timetable().take_over(call.reader()?, file, by, call.now).await?;
    json(&CalendarTaken {
        periods: done.periods,
        sessions: done.sessions,
        holidays: done.holidays,
        unchanged: done.unchanged,
        skipped: done.skipped,
    })
}
