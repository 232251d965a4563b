//! `/api/devices/{id}/commands`, `…/snap` and `…/capture-token`: telling a door what to do, seeing
//! what it sees, and letting a program send pictures as a door.

use acts::doors::programs::{self, Lifetime};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{bytes, json, nothing};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warp::http::StatusCode;
use wire::link::Command;
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let token = "/api/devices/{id}/capture-token";
    vec![
        Route::post("/api/devices/{id}/commands")
            .admin()
            .of(Object::Device)
            .takes::<CommandForm>()
            .gives::<CommandTold>()
            .accepted()
            .by(tell),
        Route::get("/api/devices/{id}/snap").admin().of(Object::Device).file("image/jpeg").by(see),
        Route::get(token).admin().of(Object::Device).gives::<Until>().by(state),
        Route::post(token)
            .admin()
            .of(Object::Device)
            .asks::<CaptureTokenLife>()
            .gives::<CaptureTokenBody>()
            .by(give),
        Route::delete(token).admin().of(Object::Device).by(end),
    ]
}

/// What a door is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Word)]
pub enum CommandWord {
    /// Take a burst now; whoever is seen comes as a record, and the picture lies at `…/snap` for
    /// five minutes.
    Snap,
    /// End the process; its supervisor starts it again.
    Restart,
    /// Look again for the gallery it should use.
    Reload,
    /// Say the newest lines of its log; they lie at `…/log` for five minutes.
    Log,
}

/// A wish.
#[derive(Deserialize, ToSchema)]
#[schema(as = DoorCommand)]
pub struct CommandForm {
    command: CommandWord,
}

/// The command is on its way; it may be lost with the connection.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorTold)]
pub struct CommandTold {
    device_id: String,
    command: CommandWord,
}

/// What a program shows to send pictures as this door.
#[derive(Serialize, ToSchema)]
#[schema(as = CaptureToken)]
pub struct CaptureTokenBody {
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
struct CaptureTokenLife {
    /// Days; 90 if it is left out.
    #[param(minimum = 1, maximum = 365)]
    days: Option<i64>,
    /// Hours for which the token before it counts besides; none if it is left out.
    #[param(minimum = 0, maximum = 72)]
    overlap_hours: Option<i64>,
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

impl From<CommandWord> for Command {
    fn from(word: CommandWord) -> Self {
        match word {
            CommandWord::Snap => Self::Snap,
            CommandWord::Restart => Self::Restart,
            CommandWord::Reload => Self::Reload,
            CommandWord::Log => Self::Log,
        }
    }
}

async fn tell(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let wish: CommandForm = call.json()?;
    call.app().doors().tell(&id, wish.command.into(), call.name()?, call.now).await?;
    let mut answer = json(&CommandTold { device_id: id.to_string(), command: wish.command })?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

async fn see(call: Call) -> Outcome {
    let id = call.id("id")?;
    let by = call.actor()?.user;
    let jpeg = call.app().doors().see(&id, by, call.now).await?;
    bytes("image/jpeg", jpeg.to_vec())
}

async fn give(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let life: CaptureTokenLife = call.query()?;
    let life = Lifetime { days: life.days, overlap_hours: life.overlap_hours };
    let given = programs::give(&call.app().db, id.clone(), life, call.name()?, call.now).await?;
    let expires_at = time(given.until).ok_or_else(Problem::internal)?;
    json(&CaptureTokenBody { device_id: id.to_string(), capture_token: given.token, expires_at })
}

fn time(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

async fn state(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let until = programs::until(&call.app().db, &id, call.now).await?;
    json(&Until { device_id: id.to_string(), expires_at: until.and_then(time) })
}

async fn end(call: Call) -> Outcome {
    programs::end(&call.app().db, call.id("id")?, call.name()?, call.now).await?;
    nothing()
}
