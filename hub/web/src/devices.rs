//! `/devices`: the doors room by room, how each is, how far they are with the newest gallery, and
//! adding one; a file for each page below it.

mod buttons;
mod door;
mod log;
mod pair;
mod program;
mod push;
mod runs;
pub mod state;
mod tail;
mod updates;

use super::note::Note;
use super::shell::Shell;
use crate::shell::shell;
use acts::doors::list::{DoorFilter, DoorListed, counts, listed};
use acts::doors::state::DoorState;
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
use serde::{Deserialize, Serialize};
use state::{DoorStateSaid, badge, say};
use store::device::direction_text;
use store::door::DoorKnown;
use store::release::Progress;
use store::room::{self, Room};
use store::{Tx, release};
use warp::http::StatusCode;
use wire::DeviceId;
use wire::id::IdError;

/// Doors on a page.
const PER_PAGE: usize = 100;
/// Doors of which the page counts how far they are.
const SHOWN: u32 = 5_000;
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
        tail::routes(),
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
    tally: (usize, usize),
    /// How many are how, each a link to those.
    counts: Vec<DoorsCount>,
    asked: DoorsQuery,
    /// Every room with a door.
    at: Vec<String>,
    /// Doors that were asked for, if some were.
    found: Option<usize>,
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

/// How many doors are so, and the address of their list.
struct DoorsCount {
    said: String,
    class: &'static str,
    icon: &'static str,
    count: usize,
    link: String,
    /// Whether it is the list that is shown.
    here: bool,
}

/// Which doors somebody asked for, and where the list goes on: after this door of this room.
#[derive(Clone, Deserialize, Serialize, Default)]
struct DoorsQuery {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    at: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    room: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    after: String,
}

impl DoorsQuery {
    fn link(&self) -> String {
        let query = serde_urlencoded::to_string(self).unwrap_or_default();
        if query.is_empty() { "/devices".to_owned() } else { format!("/devices?{query}") }
    }

    fn filter(&self) -> DoorFilter {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        DoorFilter { state: some(&self.state), room: some(&self.at), text: some(&self.q) }
    }

    /// The same from the first door on.
    fn first(&self) -> Self {
        Self { room: String::new(), after: String::new(), ..self.clone() }
    }

    fn is_later(&self, door: &DoorListed) -> bool {
        let device = &door.known.device;
        self.after.is_empty()
            || (device.room.as_str(), device.id.as_str())
                > (self.room.as_str(), self.after.as_str())
    }
}

/// Everything that is read for the page.
struct DoorsFacts {
    doors: Vec<DoorKnown>,
    progress: Vec<Progress>,
    rooms: Vec<Room>,
}

fn facts(tx: &Tx<'_>) -> Result<DoorsFacts, Error> {
    Ok(DoorsFacts {
        doors: store::door::all(tx)?,
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
    let app = call.app();
    let DoorsFacts { doors, progress, rooms } = app.db.read(facts).await?;
    let all = listed(doors, &app.boards, app.gallery.model(), (call.now, app.clock.mono()));
    let shell = shell(call, "devices");
    let online = all.iter().filter(|door| door.known.device.online).count();
    let counts = tell(&shell, &asked, &all);
    let filter = asked.filter();
    let mut at: Vec<_> = all.iter().map(|door| door.known.device.room.clone()).collect();
    at.dedup();
    let tally = (all.len(), online);
    let some: Vec<_> = all.into_iter().filter(|door| filter.wants(door)).collect();
    let found = (asked.first().link() != "/devices").then_some(some.len());
    let mut later = some.into_iter().filter(|door| asked.is_later(door)).peekable();
    let shown: Vec<_> = later.by_ref().take(PER_PAGE).collect();
    let last = shown.last().filter(|_| later.peek().is_some()).map(|last| &last.known.device);
    let next = last.map(|last| {
        DoorsQuery { room: last.room.clone(), after: last.id.to_string(), ..asked.clone() }.link()
    });
    let view = DoorsPage {
        next,
        open: tally.0 == 0 || form.is_some(),
        push: Push::new(&shell, progress),
        places: places(call, &shell, shown),
        here: asked.link(),
        counts,
        asked,
        at,
        found,
        shell,
        note,
        tally,
        rooms,
        form: form.unwrap_or_default(),
    };
    page(status, &view)
}

/// How many doors are how.
fn tell(shell: &Shell, asked: &DoorsQuery, all: &[DoorListed]) -> Vec<DoorsCount> {
    let one = |(state, count): (DoorState, usize)| {
        let (class, icon) = badge(state);
        let here = asked.state == state.word();
        // Chosen once more it is chosen no longer.
        let word = if here { "" } else { state.word() };
        let link = DoorsQuery { state: word.to_owned(), ..asked.first() }.link();
        DoorsCount { said: shell.say(state.keys().0), class, icon, count, link, here }
    };
    counts(all).into_iter().map(one).collect()
}

/// Doors of one room stand together; they come in that order.
fn places(call: &Call, shell: &Shell, doors: Vec<DoorListed>) -> Vec<DoorsPlace> {
    let mut places: Vec<DoorsPlace> = Vec::new();
    for listed in doors {
        let room = listed.known.device.room.clone();
        let door = row(call, shell, listed);
        match places.last_mut().filter(|place| place.room == room) {
            Some(place) => place.doors.push(door),
            None => places.push(DoorsPlace { room, doors: vec![door] }),
        }
    }
    places
}

fn row(call: &Call, shell: &Shell, listed: DoorListed) -> DoorsDoor {
    let DoorListed { known, states, .. } = listed;
    let now = call.now;
    let said = say(shell, states[0], &known, &call.app().config.zone, now);
    let device = known.device;
    DoorsDoor {
        name: device.id.to_string(),
        heard: device.last_seen.map(|at| words::ago(shell.language, at, now)),
        said,
        more: states.len() - 1,
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
    fn a_list_goes_on_after_a_door_of_a_room_with_what_was_asked_for() {
        assert_eq!(DoorsQuery::default().link(), "/devices");
        let text = String::from;
        let room = text("Room 1&2");
        let asked =
            DoorsQuery { state: text("hot"), room, after: text("door-7"), ..Default::default() };
        assert_eq!(asked.link(), "/devices?state=hot&room=Room+1%262&after=door-7");
        let read: DoorsQuery = serde_urlencoded::from_str(&asked.link()[9..]).unwrap();
        assert_eq!((read.room.as_str(), read.after.as_str()), ("Room 1&2", "door-7"));
        assert_eq!(asked.first().link(), "/devices?state=hot");
    }

    #[test]
    fn every_direction_has_its_own_words() {
        use wire::Direction::{Both, Entry, Exit};
        let words = [Both, Entry, Exit].map(way);
        assert_eq!(words, ["doors-way-both", "doors-way-entry", "doors-way-exit"]);
    }
}
