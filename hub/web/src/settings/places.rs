//! `/settings/holidays` and `/settings/rooms`: when there are no lessons, and where they are.

use super::users::day;
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::holidays::{self, Days};
use acts::rooms::{self, NewRoom, RoomChanges};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::Date;
use rules::timetable::Holiday;
use store::holiday;
use store::room::{self, Room};
use warp::http::StatusCode;

/// Rows of a list.
const MOST: u32 = 500;
const DONE: [&str; 4] = [
    "settings-holiday-saved",
    "settings-holiday-gone",
    "settings-room-saved",
    "settings-room-gone",
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let days = "/settings/holidays";
    let rooms = "/settings/rooms";
    vec![
        Route::get(days).admin().page().by(holidays_page),
        Route::post(days).admin().form().page().by(add_holiday),
        Route::post("/settings/holidays/{id}")
            .admin()
            .of(Object::Holiday)
            .form()
            .page()
            .by(change_holiday),
        Route::get(rooms).admin().page().by(rooms_page),
        Route::post(rooms).admin().form().page().by(add_room),
        Route::post("/settings/rooms/{id}").admin().of(Object::Room).form().page().by(change_room),
    ]
}

#[derive(Template)]
#[template(path = "settings-holidays.html")]
struct Holidays {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    /// Those ahead, and those that are over.
    ahead: Vec<Holiday>,
    over: Vec<Holiday>,
    today: Date,
}

#[derive(Template)]
#[template(path = "settings-rooms.html")]
struct Rooms {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    rooms: Vec<Room>,
}

async fn holidays_page(call: Call) -> Outcome {
    list_holidays(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn list_holidays(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let store::reader::Reader { today, .. } = call.reader()?;
    let mut all = call.app().db.read(|tx| holiday::list(tx, None, MOST)).await?;
    all.sort_by_key(|holiday| (holiday.from, holiday.id));
    let (ahead, over) = all.into_iter().partition(|holiday| holiday.to >= today);
    let shell = shell(call, "settings");
    page(status, &Holidays { shell, tab: "holidays", note, ahead, over, today })
}

fn typed(call: &Call) -> Result<Days, Problem> {
    let missing = || Problem::field("from", "this field is missing");
    let from = day(call, "from")?.ok_or_else(missing)?;
    let to = day(call, "to")?.unwrap_or(from);
    Ok(Days { name: call.field("name")?.to_owned(), from, to })
}

async fn add_holiday(call: Call) -> Outcome {
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let done = async {
        let days = typed(&call)?;
        let by = call.actor()?;
        Ok::<_, Problem>(holidays::add(db, zone, days, by, call.now).await?)
    };
    let done = done.await.map(|_| DONE[0]);
    told_holidays(&call, done).await
}

/// Takes a holiday away. Who mistyped one adds it anew.
async fn change_holiday(call: Call) -> Outcome {
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let done = async {
        let id = call.id("id")?;
        let by = call.actor()?;
        Ok::<_, Problem>(holidays::remove(db, zone, id, by, call.now).await?)
    };
    let done = done.await.map(|()| DONE[1]);
    told_holidays(&call, done).await
}

async fn told_holidays(call: &Call, done: Result<&str, Problem>) -> Outcome {
    match done {
        Ok(key) => see(&format!("/settings/holidays?done={key}")),
        Err(problem) => list_holidays(call, problem.status, Some(Note::problem(&problem))).await,
    }
}

async fn rooms_page(call: Call) -> Outcome {
    list_rooms(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn list_rooms(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let rooms = call.app().db.read(|tx| room::list(tx, "", MOST)).await?;
    page(status, &Rooms { shell: shell(call, "settings"), tab: "rooms", note, rooms })
}

fn location(call: &Call) -> String {
    call.content.field("location").unwrap_or("").to_owned()
}

async fn add_room(call: Call) -> Outcome {
    let done = async {
        let new = NewRoom { name: call.field("name")?.to_owned(), location: location(&call) };
        Ok::<_, Problem>(rooms::add(&call.app().db, new, call.actor()?, call.now).await?)
    };
    let done = done.await.map(|_| DONE[2]);
    told_rooms(&call, done).await
}

async fn change_room(call: Call) -> Outcome {
    let db = &call.app().db;
    let by = call.actor()?;
    let now = call.now;
    let room = call.param("id").to_owned();
    let version = match call.form_version() {
        Ok(version) => version,
        Err(problem) => return told_rooms(&call, Err(problem)).await,
    };
    let done = if call.content.field("remove").is_some() {
        rooms::remove(db, room, version, by, now).await.map(|()| DONE[3])
    } else {
        let to = RoomChanges { room, location: location(&call), version };
        rooms::change(db, to, by, now).await.map(|_| DONE[2])
    };
    told_rooms(&call, done.map_err(Problem::from)).await
}

async fn told_rooms(call: &Call, done: Result<&str, Problem>) -> Outcome {
    match done {
        Ok(key) => see(&format!("/settings/rooms?done={key}")),
        Err(problem) => list_rooms(call, problem.status, Some(Note::problem(&problem))).await,
    }
}
