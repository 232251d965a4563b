//! `/api/devices/{id}/commands`, `…/snap` and `…/capture-token`: telling a door what to do, seeing
//! what it sees, and letting a program send pictures as a door.

use super::call::Call;
use super::devices::found;
use super::guard::CAPTURE_TOKEN;
use super::problem::Problem;
use super::reply::{bytes, json, nothing, sentence};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::auth;
use crate::error::Error;
use crate::listener::roster::CommandError;
use crate::store::{capture_token, device};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::{Method, StatusCode};
use wire::DeviceId;
use wire::link::Command;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (commands, token) = ("/api/devices/{id}/commands", "/api/devices/{id}/capture-token");
    let (snap, jpeg) = ("/api/devices/{id}/snap", Shapes::file("image/jpeg"));
    let (door, body, no) = (Object::Device, Takes::Json(SMALL), Takes::Nothing);
    let (told, given) = (Shapes::both::<Wish, Told>().accepted(), Shapes::gives::<Token>());
    vec![
        Route::new((Method::POST, commands), ADMIN, door, body, told, tell),
        Route::new((Method::GET, snap), ADMIN, door, no, jpeg, see),
        Route::new((Method::POST, token), ADMIN, door, no, given, give),
        Route::new((Method::DELETE, token), ADMIN, door, no, Shapes::EMPTY, end),
    ]
}

/// What a door is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Take a burst now; whoever is seen comes as a record, and the picture lies at `…/snap` for
    /// five minutes.
    Snap,
    /// End the process; its supervisor starts it again.
    Restart,
    /// Look again for the gallery it should use.
    Reload,
}

/// A wish.
#[derive(Deserialize, ToSchema)]
#[schema(as = DoorCommand)]
pub struct Wish {
    command: Word,
}

/// The command is on its way; it may be lost with the connection.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorTold)]
pub struct Told {
    device_id: String,
    command: Word,
}

/// What a program shows to send pictures as this door.
#[derive(Serialize, ToSchema)]
#[schema(as = CaptureToken)]
pub struct Token {
    device_id: String,
    /// Shown once: `Authorization: Bearer …`, for `/api/capture` with this door only.
    capture_token: String,
}

impl Word {
    fn command(self) -> (Command, &'static str) {
        match self {
            Self::Snap => (Command::Snap, "snap"),
            Self::Restart => (Command::Restart, "restart"),
            Self::Reload => (Command::Reload, "reload"),
        }
    }
}

async fn tell(call: Call) -> Outcome {
    let (id, wish): (DeviceId, Wish) = (call.id("id")?, call.json()?);
    told(&call, &id, wish.command).await?;
    let told = Told { device_id: id.to_string(), command: wish.command };
    let mut answer = json(&told)?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

/// Tells the door `id` to do something, and the audit log who told it.
///
/// # Errors
/// 404 when there is no such door, 409 when it is not connected, 503 when it takes nothing now.
pub async fn told(call: &Call, id: &DeviceId, word: Word) -> Result<(), Problem> {
    found(call, id).await?;
    let (command, verb) = word.command();
    if !call.app().roster.is_online(id) {
        return Err(Problem::conflict(sentence(&CommandError::Offline(id.clone()).to_string())));
    }
    let (actor, now, name) = (call.actor()?.user.to_string(), call.now, id.clone());
    call.app().db.write(move |tx| device::told(tx, &name, verb, &actor, now)).await?;
    if command == Command::Snap {
        call.app().snaps.ask(id, call.app().clock.mono());
    }
    call.app().roster.command(id, command).map_err(|error| match error {
        CommandError::Offline(_) => Problem::conflict(sentence(&error.to_string())),
        CommandError::Busy(_) => Problem::unavailable(sentence(&error.to_string())).after(5),
    })
}

/// The picture. Who sees it is written down, once for each picture and person, before they do.
async fn see(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    found(&call, &id).await?;
    let (app, by) = (call.app(), call.actor()?.user);
    let (jpeg, came) = app.snaps.see(&id, &app.keys, app.clock.mono()).map_err(Error::from)?;
    if !app.snaps.was_seen(&id, came, by) {
        let (actor, now, name) = (by.to_string(), call.now, id.clone());
        app.db.write(move |tx| device::told(tx, &name, "look", &actor, now)).await?;
        app.snaps.looked(&id, came, by);
    }
    bytes("image/jpeg", jpeg.to_vec())
}

async fn give(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let token = format!("{CAPTURE_TOKEN}{}", auth::secret());
    let (digest, name) = (auth::digest(&token), id.clone());
    let (actor, now) = (call.actor()?.user.to_string(), call.now);
    call.app().db.write(move |tx| capture_token::add(tx, &name, &digest, &actor, now)).await?;
    json(&Token { device_id: id.to_string(), capture_token: token })
}

async fn end(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let (actor, now) = (call.actor()?.user.to_string(), call.now);
    call.app().db.write(move |tx| capture_token::end(tx, &id, &actor, now)).await?;
    nothing()
}
