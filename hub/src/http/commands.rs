//! `/api/devices/{id}/commands`, `…/snap` and `…/capture-token`: telling a door what to do, seeing
//! what it sees, and letting a program send pictures as a door.

use super::call::Call;
use super::devices::found;
use super::guard::CAPTURE_TOKEN;
use super::problem::Problem;
use super::reply::{bytes, json, nothing, sentence};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::auth;
use crate::listener::roster::CommandError;
use jiff::Timestamp;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::{capture_token, device};
use utoipa::{IntoParams, ToSchema};
use warp::http::{Method, StatusCode};
use wire::link::Command;
use wire::{DeviceId, Wall};

/// Days a capture token counts unless somebody says otherwise.
const DAYS: i64 = 90;
/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (commands, token) = ("/api/devices/{id}/commands", "/api/devices/{id}/capture-token");
    let (snap, jpeg) = ("/api/devices/{id}/snap", Shapes::file("image/jpeg"));
    let (door, body, no) = (Object::Device, Takes::Json(SMALL), Takes::Nothing);
    let told = Shapes::both::<Wish, Told>().accepted();
    let (new, shown) = (Shapes::gives::<Token>().asks::<Life>(), Shapes::gives::<Until>());
    vec![
        Route::new((Method::POST, commands), ADMIN, door, body, told, tell),
        Route::new((Method::GET, snap), ADMIN, door, no, jpeg, see),
        Route::new((Method::GET, token), ADMIN, door, no, shown, state),
        Route::new((Method::POST, token), ADMIN, door, no, new, give),
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
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// How long a new token counts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Life {
    /// Days; 90 if it is left out.
    #[param(minimum = 1, maximum = 365)]
    pub days: Option<i64>,
    /// Hours for which the token before it counts besides; none if it is left out.
    #[param(minimum = 0, maximum = 72)]
    pub overlap_hours: Option<i64>,
}

/// Until when a door has a token.
#[derive(Serialize, ToSchema)]
#[schema(as = CaptureTokenState)]
pub struct Until {
    device_id: String,
    /// When it ends; nothing where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
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
    let (id, life): (DeviceId, Life) = (call.id("id")?, call.query()?);
    let Given { token, until } = given(&call, &id, life).await?;
    let expires_at = time(until).ok_or_else(Problem::internal)?;
    json(&Token { device_id: id.to_string(), capture_token: token, expires_at })
}

/// A token that was just made.
pub struct Given {
    /// What a program shows.
    pub token: String,
    /// Until when.
    pub until: Wall,
}

/// Gives the door `id` a new token, and the audit log who did.
///
/// # Errors
/// 404 when there is no such door, 409 when it is cut off, 422 for a life that cannot be.
pub async fn given(call: &Call, id: &DeviceId, life: Life) -> Result<Given, Problem> {
    let life = meant(call, &life)?;
    let token = format!("{CAPTURE_TOKEN}{}", auth::secret());
    let (digest, name) = (auth::digest(&token), id.clone());
    let actor = call.actor()?.user.to_string();
    call.app().db.write(move |tx| capture_token::add(tx, &name, &digest, life, &actor)).await?;
    Ok(Given { token, until: life.until })
}

/// How long a new token is to count.
fn meant(call: &Call, life: &Life) -> Result<capture_token::Life, Problem> {
    let (days, hours) = (life.days.unwrap_or(DAYS), life.overlap_hours.unwrap_or(0));
    if !(1..=365).contains(&days) {
        return Err(Problem::field("days", "give a number from 1 to 365"));
    }
    if !(0..=72).contains(&hours) {
        return Err(Problem::field("overlap_hours", "give a number from 0 to 72"));
    }
    let (until, overlap) =
        (call.now.plus_ms(days * 24 * HOUR_MS), call.now.plus_ms(hours * HOUR_MS));
    Ok(capture_token::Life { from: call.now, until, overlap })
}

fn time(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

async fn state(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    found(&call, &id).await?;
    let expires_at = until(&call, &id).await?.and_then(time);
    json(&Until { device_id: id.to_string(), expires_at })
}

/// When the newest token of the door `id` ends, if it has one that counts.
///
/// # Errors
/// When the database fails.
pub async fn until(call: &Call, id: &DeviceId) -> Result<Option<Wall>, Problem> {
    let (id, now) = (id.clone(), call.now);
    Ok(call.app().db.read(move |tx| capture_token::until(tx, &id, now)).await?)
}

async fn end(call: Call) -> Outcome {
    ended(&call, &call.id("id")?).await?;
    nothing()
}

/// Ends the token of the door `id`.
///
/// # Errors
/// 404 when there is no such door.
pub async fn ended(call: &Call, id: &DeviceId) -> Result<(), Problem> {
    let (id, actor, now) = (id.clone(), call.actor()?.user.to_string(), call.now);
    Ok(call.app().db.write(move |tx| capture_token::end(tx, &id, &actor, now)).await?)
}
