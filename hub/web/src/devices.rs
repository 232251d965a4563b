//! `/devices`: the doors room by room, how each is, how far they are with the newest gallery, and
//! adding one; a file for each page below it.

mod buttons;
mod door;
mod log;
mod pair;
mod program;
mod push;
pub mod state;
mod updates;

use super::note::Note;
use super::shell::Shell;
use crate::shell::shell;
use acts::doors::state::states;
use acts::doors::{self, DoorChanges};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::page;
use http::route::Route;
use push::Push;
use rules::error::Error;
use serde::Deserialize;
use state::{DoorStateSaid, say};
use store::device::direction_text;
use store::door::{DoorKnown, by_room, tally};
use store::release::Progress;
use store::room::{self, Room};
use store::{Tx, release};
use warp::http::StatusCode;
use wire::DeviceId;
use wire::id::IdError;

/// Doors on a page.
const PER_PAGE: u32 = 100;
/// Doors of which the page counts how far they are.
const SHOWN: u32 = 500;
/// Rooms that are proposed.
const ROOMS: u32 = 500;
const DONE: [&str; 2] = ["doors-done-push", "doors-done-back"];

/// Routes of this page and those below it.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/devices";
    [
        vec![
            Route::get(at).admin().page().by(index),
            Route::post(at).admin().form().page().by(add),
        ],
        push::routes(),
        door::routes(),
        buttons::routes(),
        pair::routes(),
        program::routes(),
        updates::routes(),
    ]
    .concat()
}

#[derive(Template)]
#[template(path = "devices.html")]
struct DoorsPage {
    shell: Shell,
    note: Option<Note>,
    /// Doors, and those that are connected.
    tally: (i64, i64),
    push: Option<Push>,
    places: Vec<DoorsPlace>,
    /// The address of this very list, and of what follows it.
    here: String,
    next: Option<String>,
    rooms: Vec<Room>,
    /// Whether the form for a new door is open.
    open: bool,
    form: DoorForm,
}

/// A door as typed.
#[derive(Default)]
struct DoorForm {
    name: String,
    room: Option<String>,
    location: Option<String>,
    direction: Option<String>,
}

/// A room with its doors.
struct DoorsPlace {
    room: String,
    doors: Vec<DoorsDoor>,
}

/// A door in the list.
struct DoorsDoor {
    name: String,
    location: String,
    said: DoorStateSaid,
    /// How much else is to be said of it.
    more: usize,
    heard: Option<String>,
    in_use: u64,
    wanted: Option<u64>,
}

/// Where the list goes on: after this door of this room.
#[derive(Deserialize, Default)]
struct DoorsQuery {
    #[serde(default)]
    room: String,
    #[serde(default)]
    after: String,
}

impl DoorsQuery {
    fn link(room: &str, after: &str) -> String {
        match after {
            "" => "/devices".to_owned(),
            after => {
                let query = serde_urlencoded::to_string([("room", room), ("after", after)]);
                format!("/devices?{}", query.unwrap_or_default())
            }
        }
    }
}

/// Everything that is read for the page.
struct DoorsFacts {
    doors: Vec<DoorKnown>,
    tally: (i64, i64),
    progress: Vec<Progress>,
    rooms: Vec<Room>,
}

fn facts(tx: &Tx<'_>, asked: &DoorsQuery) -> Result<DoorsFacts, Error> {
    Ok(DoorsFacts {
        doors: by_room(tx, (&asked.room, &asked.after), PER_PAGE)?,
        tally: tally(tx)?,
        progress: release::progress(tx, "", SHOWN)?,
        rooms: room::list(tx, "", ROOMS)?,
    })
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE), None).await
}

/// The list, with what was typed about a new door if it will not do.
async fn show(
    call: &Call,
    status: StatusCode,
    note: Option<Note>,
    form: Option<DoorForm>,
) -> Outcome {
    let asked: DoorsQuery = call.query()?;
    let here = DoorsQuery::link(&asked.room, &asked.after);
    let DoorsFacts { doors, tally, progress, rooms } =
        call.app().db.read(move |tx| facts(tx, &asked)).await?;
    let shell = shell(call, "devices");
    let last = doors.last().filter(|_| doors.len() == PER_PAGE as usize);
    let view = DoorsPage {
        next: last.map(|last| DoorsQuery::link(&last.device.room, last.device.id.as_str())),
        open: tally.0 == 0 || form.is_some(),
        push: Push::new(&shell, progress),
        places: places(call, &shell, doors),
        shell,
        note,
        tally,
        here,
        rooms,
        form: form.unwrap_or_default(),
    };
    page(status, &view)
}

/// Doors of one room stand together; they come in that order.
fn places(call: &Call, shell: &Shell, doors: Vec<DoorKnown>) -> Vec<DoorsPlace> {
    let mut places: Vec<DoorsPlace> = Vec::new();
    for known in doors {
        let room = known.device.room.clone();
        let door = row(call, shell, known);
        match places.last_mut().filter(|place| place.room == room) {
            Some(place) => place.doors.push(door),
            None => places.push(DoorsPlace { room, doors: vec![door] }),
        }
    }
    places
}

fn row(call: &Call, shell: &Shell, known: DoorKnown) -> DoorsDoor {
    let app = call.app();
    let now = call.now;
    let board = app.boards.of(&known.device.id, app.clock.mono());
    let all = states(&known, board, app.gallery.model(), now);
    let said = say(shell, all[0], &known, &app.config.zone, now);
    let device = known.device;
    DoorsDoor {
        name: device.id.to_string(),
        heard: device.last_seen.map(|at| words::ago(shell.language, at, now)),
        said,
        more: all.len() - 1,
        location: device.location,
        in_use: device.gallery,
        wanted: known.wanted,
    }
}

impl DoorForm {
    fn of(call: &Call) -> Self {
        let field = |name| call.content.field(name).map(str::to_owned);
        Self {
            name: field("device_id").unwrap_or_default(),
            room: field("classroom_id"),
            location: field("location"),
            direction: field("direction"),
        }
    }

    fn id(&self) -> Result<DeviceId, Error> {
        self.name.trim().parse().map_err(|odd: IdError| Error::field("device_id", odd.to_string()))
    }

    fn changes(&self) -> Result<DoorChanges, Error> {
        Ok(DoorChanges {
            room: self.room.clone(),
            location: self.location.clone(),
            direction: self.direction.as_deref().map(doors::direction).transpose()?,
            settings: None,
            version: None,
        })
    }
}

async fn add(call: Call) -> Outcome {
    let form = DoorForm::of(&call);
    match added(&call, &form).await {
        Ok(id) => pair::page_of(&call, StatusCode::CREATED, id).await,
        Err(problem) => {
            show(&call, problem.status, Some(Note::problem(&problem)), Some(form)).await
        }
    }
}

async fn added(call: &Call, form: &DoorForm) -> Result<DeviceId, Problem> {
    let id = form.id()?;
    let new = form.changes()?;
    doors::add(&call.app().db, id.clone(), new, call.name()?, |_| Ok(()), call.now).await?;
    Ok(id)
}

/// Every way people may pass a door: its value and its words.
const WAYS: [(&str, &str); 3] =
    [("both", "doors-way-both"), ("entry", "doors-way-entry"), ("exit", "doors-way-exit")];

/// The words of a direction.
fn way(direction: wire::Direction) -> &'static str {
    let text = direction_text(direction);
    WAYS.iter().find(|(value, _)| *value == text).map_or("doors-way-both", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_after_a_door_of_a_room() {
        assert_eq!(DoorsQuery::link("Room 1", ""), "/devices");
        let link = DoorsQuery::link("Room 1&2", "door-7");
        assert_eq!(link, "/devices?room=Room+1%262&after=door-7");
        let asked: DoorsQuery = serde_urlencoded::from_str(&link[9..]).unwrap();
        assert_eq!((asked.room.as_str(), asked.after.as_str()), ("Room 1&2", "door-7"));
    }

    #[test]
    fn every_direction_has_its_own_words() {
        use wire::Direction::{Both, Entry, Exit};
        let words = [Both, Entry, Exit].map(way);
        assert_eq!(words, ["doors-way-both", "doors-way-entry", "doors-way-exit"]);
    }
}
