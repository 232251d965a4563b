//! What an admin does to one door: moves it, tells it something, takes its gallery back, cuts it
//! off.

use super::door::show;
use super::{DoorForm, tail, way};
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::doors::galleries::{Before, GalleryBack};
use acts::doors::{DoorChanges, found};
use askama::Template;
use fluent_bundle::FluentArgs;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use rules::error::Error;
use store::audit::{self, AuditFilter};
use store::{Tx, account, device};
use warp::http::StatusCode;
use wire::DeviceId;
use wire::link::{Command, Settings};

/// What was done, after which the page came again.
pub const DONE: [&str; 7] = [
    "doors-done-place",
    "doors-done-restart",
    "doors-done-reload",
    "doors-done-snap",
    "doors-done-one-back",
    "doors-done-revoke",
    "doors-done-settings",
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let end = "/devices/{id}/revoke";
    vec![
        Route::post("/devices/{id}").admin().of(Object::Device).form().page().by(change),
        Route::post("/devices/{id}/settings").admin().of(Object::Device).form().page().by(settle),
        Route::post("/devices/{id}/commands").admin().of(Object::Device).form().page().by(tell),
        Route::post("/devices/{id}/gallery").admin().of(Object::Device).form().page().by(back),
        Route::get(end).admin().of(Object::Device).page().by(ask),
        Route::post(end).admin().of(Object::Device).form().page().by(revoke),
    ]
}

#[derive(Template)]
#[template(path = "door-revoke.html")]
struct RevokeAsk {
    shell: Shell,
    name: String,
    room: String,
}

/// Back to the door's page with what was done, or with what stood in the way.
async fn answer(call: &Call, id: DeviceId, done: Result<&str, Problem>) -> Outcome {
    match done {
        Ok(key) => see(&format!("/devices/{id}?done={key}")),
        Err(problem) => refused(call, id, &problem, Note::problem(&problem)).await,
    }
}

async fn refused(call: &Call, id: DeviceId, problem: &Problem, note: Note) -> Outcome {
    found(&call.app().db, &id).await?;
    // What the form named is not there; the door itself is.
    let status = match problem.status {
        StatusCode::NOT_FOUND => StatusCode::UNPROCESSABLE_ENTITY,
        status => status,
    };
    show(call, id, status, Some(note)).await
}

async fn change(call: Call) -> Outcome {
    let to = |version| Ok(DoorChanges { version, ..DoorForm::of(&call).changes()? });
    let to = call.form_version().and_then(to);
    changed(call, to, DONE[0]).await
}

async fn settle(call: Call) -> Outcome {
    let to = |version| {
        let settings = Some(settings(&call)?);
        Ok(DoorChanges { settings, version, ..DoorChanges::default() })
    };
    let to = call.form_version().and_then(to);
    changed(call, to, DONE[6]).await
}

/// The settings in the form; an empty field leaves one to the door's own file.
fn settings(call: &Call) -> Result<Settings, Problem> {
    let text = |name| call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let number = |name: &'static str| {
        let odd = |_| Problem::field(name, "write a number, or nothing");
        text(name).map(str::parse).transpose().map_err(odd)
    };
    Ok(Settings {
        min_face: number("min_face")?,
        frames: number("frames")?,
        hold_ms: number("hold_ms")?,
        cooldown_ms: number("cooldown_ms")?,
        crops: text("crops").map(|text| text == "yes"),
    })
}

async fn changed(call: Call, to: Result<DoorChanges, Problem>, key: &'static str) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let done = async {
        let doors = call.app().doors();
        Ok::<_, Problem>(doors.change(&id, to?, call.name()?, |_| Ok(()), call.now).await?)
    };
    match done.await {
        Err(problem) if problem.status == StatusCode::CONFLICT => {
            let words = conflict(&call, &id).await?;
            refused(&call, id, &problem, Note { good: false, words }).await
        }
        done => answer(&call, id, done.map(|()| key)).await,
    }
}

/// Who changed the door meanwhile, and to what.
async fn conflict(call: &Call, id: &DeviceId) -> Result<String, Problem> {
    let device = found(&call.app().db, id).await?;
    let name = id.clone();
    let language = language::of(&call.headers);
    let who = call.app().db.read(move |tx| mover(tx, &name)).await?;
    let room = device.room;
    let way = language.say(way(device.direction));
    let mut args = FluentArgs::new();
    for (gap, text) in [("who", who), ("room", room), ("location", device.location), ("way", way)] {
        let text =
            if text.is_empty() { "–".to_owned() } else { format!("\u{2068}{text}\u{2069}") };
        args.set(gap, text);
    }
    Ok(language.tell("doors-conflict", &args))
}

/// Who moved the door last.
fn mover(tx: &Tx<'_>, id: &DeviceId) -> Result<String, Error> {
    let some = |text: &str| Some(text.to_owned());
    let table = some("device");
    let action = some("place");
    let filter = AuditFilter { table, action, id: some(id.as_str()), ..AuditFilter::default() };
    let Some(row) = audit::list(tx, &filter, None, 1)?.pop() else { return Ok(String::new()) };
    Ok(account::name(tx, &row.actor)?.unwrap_or(row.actor))
}

async fn tell(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let (order, key) = match call.content.field("command").unwrap_or("") {
        "log" => (Command::Log, tail::DONE[0]),
        "restart" => (Command::Restart, DONE[1]),
        "reload" => (Command::Reload, DONE[2]),
        "snap" => (Command::Snap, DONE[3]),
        _ => {
            let odd = Problem::field("command", "use the buttons of the page");
            return answer(&call, id, Err(odd)).await;
        }
    };
    let is_log = order == Command::Log;
    let done = async {
        Ok::<_, Problem>(call.app().doors().tell(&id, order, call.name()?, call.now).await?)
    };
    match done.await {
        Err(problem) if problem.status == StatusCode::CONFLICT => {
            let words = language::of(&call.headers).say("doors-is-offline");
            refused(&call, id, &problem, Note { good: false, words }).await
        }
        Ok(()) if is_log => see(&format!("/devices/{id}/log")),
        done => answer(&call, id, done.map(|()| key)).await,
    }
}

async fn back(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    found(&call.app().db, &id).await?;
    let version = call.content.field("version").and_then(|text| text.parse().ok());
    let done = async {
        let odd = || Problem::field("version", "use the buttons of the page");
        let back = GalleryBack::One(id.clone(), Before::Release(version.ok_or_else(odd)?));
        Ok::<_, Problem>(call.app().doors().take_back(back, call.name()?, call.now).await?)
    };
    let done = done.await.map(|()| DONE[4]);
    answer(&call, id, done).await
}

async fn ask(call: Call) -> Outcome {
    let device::Device { id, room, .. } = found(&call.app().db, &call.id("id")?).await?;
    let shell = shell(&call, "devices");
    let name = id.to_string();
    page(StatusCode::OK, &RevokeAsk { shell, name, room })
}

async fn revoke(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    call.app().doors().cut_off(id.clone(), None, call.name()?, call.now).await?;
    answer(&call, id, Ok(DONE[5])).await
}
