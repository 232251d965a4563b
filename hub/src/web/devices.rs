//! `/devices`: the doors, their states, and how a new one joins.

use super::shell::Shell;
use super::start::shell;
use super::tongue::Tongue;
use super::words;
use crate::http::call::Call;
use crate::http::devices::{create, cut, doors, new_token};
use crate::http::problem::Problem;
use crate::http::reply::{page, see};
use crate::http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::store::device::{self, Device, Place, direction};
use askama::Template;
use warp::http::{Method, StatusCode};
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (no, form, door) = (Shapes::PAGE, Takes::Form(SMALL), Object::Device);
    let (token, end) = ("/devices/{id}/token", "/devices/{id}/revoke");
    vec![
        Route::new((Method::GET, "/devices"), ADMIN, Object::None, Takes::Nothing, no, index),
        Route::new((Method::POST, "/devices"), ADMIN, Object::None, form, no, add),
        Route::new((Method::POST, token), ADMIN, door, form, no, invite),
        Route::new((Method::POST, end), ADMIN, door, form, no, revoke),
    ]
}

#[derive(Template)]
#[template(path = "devices.html")]
struct Page {
    shell: Shell,
    total_words: String,
    note: Option<(bool, String)>,
    join: Option<Join>,
    devices: Vec<Row>,
}

/// How a unit joins.
struct Join {
    device: String,
    command: String,
    until: String,
}

/// A door in the list.
struct Row {
    name: String,
    room: String,
    state: String,
    class: &'static str,
    seen: String,
    revoked: bool,
}

impl Row {
    fn new(device: &Device, now: Wall) -> Self {
        let (class, state) = state(device);
        Self {
            name: device.id.to_string(),
            room: if device.room.is_empty() { "not said".into() } else { device.room.clone() },
            state,
            class,
            seen: device
                .last_seen
                .map_or_else(|| "never".into(), |at| words::ago(Tongue::default(), at, now)),
            revoked: !device.is_active,
        }
    }
}

/// Colour and words; the words carry the meaning.
fn state(device: &Device) -> (&'static str, String) {
    match device {
        Device { is_active: false, .. } => ("off", "cut off".into()),
        Device { last_seen: None, .. } => ("off", "not joined yet".into()),
        Device { online: false, .. } => ("bad", "offline".into()),
        Device { trouble, .. } if !trouble.is_empty() => ("warn", trouble.clone()),
        _ => ("good", "watching".into()),
    }
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, None, None).await
}

async fn show(
    call: &Call,
    status: StatusCode,
    note: Option<(bool, String)>,
    join: Option<Join>,
) -> Outcome {
    let doors = doors(call).await?;
    let devices: Vec<_> = doors.iter().map(|door| Row::new(door, call.now)).collect();
    let online = doors.iter().filter(|door| door.online).count();
    let many = i64::try_from(doors.len()).unwrap_or(i64::MAX);
    let total_words = format!("{}, {online} online", words::count(many, "door", "doors"));
    page(status, &Page { shell: shell(call, "devices"), total_words, note, join, devices })
}

async fn add(call: Call) -> Outcome {
    let made = async {
        let id: DeviceId = call.field("device_id")?.parse().map_err(named)?;
        let text = |name| call.content.field(name).unwrap_or("").trim().to_owned();
        let direction = direction(&text("direction")).map_err(Problem::from)?;
        let place = Place { room: text("classroom_id"), location: String::new(), direction };
        create(&call, id.clone(), place).await?;
        join(&call, id).await
    };
    match made.await {
        Ok(join) => show(&call, StatusCode::CREATED, None, Some(join)).await,
        Err(problem) => show(&call, problem.status, Some((false, problem.detail)), None).await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn named(error: wire::id::IdError) -> Problem {
    Problem::field("device_id", error.to_string())
}

async fn join(call: &Call, id: DeviceId) -> Result<Join, Problem> {
    let device = id.to_string();
    let token = new_token(call, id).await?;
    let ends = call.now.plus_ms(device::TOKEN_MS);
    Ok(Join { device, command: token.command, until: words::time(ends, &call.app().config.zone) })
}

async fn invite(call: Call) -> Outcome {
    let join = join(&call, call.id("id")?).await?;
    show(&call, StatusCode::OK, None, Some(join)).await
}

async fn revoke(call: Call) -> Outcome {
    cut(&call, call.id("id")?).await?;
    see("/devices")
}
