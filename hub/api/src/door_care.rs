//! `/api/devices/{id}/log` and `…/config`: what a door logged lately, and what it runs with beside
//! what was asked of it.

use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::json;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::conflicts::{Dispute, SettingRow, disputes, rows};
use serde::Serialize;
use store::door;
use utoipa::ToSchema;
use wire::care::{Origin, TailLevel};
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/devices/{id}/log")
            .admin()
            .of(Object::Device)
            .gives::<DoorLogBody>()
            .by(log),
        Route::get("/api/devices/{id}/config")
            .admin()
            .of(Object::Device)
            .gives::<DoorRunsBody>()
            .by(config),
    ]
}

/// The newest lines of a door's log: what came when somebody told it to `log`, for five minutes.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorLog)]
pub struct DoorLogBody {
    device_id: String,
    /// When they came.
    #[schema(value_type = String, format = DateTime)]
    at: Option<Timestamp>,
    /// Lines since the start of its program that it does not keep any more.
    missed: u64,
    /// The oldest first.
    lines: Vec<DoorLineBody>,
}

/// One line.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorLogLine)]
pub struct DoorLineBody {
    /// When it was written, by the hub's clock.
    #[schema(value_type = String, format = DateTime)]
    at: Option<Timestamp>,
    /// error, warn, info or debug.
    #[schema(value_type = String)]
    level: TailLevel,
    text: String,
}

/// What a door runs with.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorRuns)]
pub struct DoorRunsBody {
    device_id: String,
    /// Whether the door told what it runs with since this hub started; one of before does not.
    reported: bool,
    settings: Vec<DoorSettingBody>,
    /// What is not as it was said.
    conflicts: Vec<DoorConflictBody>,
}

/// One setting.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorSettingRow)]
pub struct DoorSettingBody {
    /// Its name in the door's `edge.toml`.
    key: String,
    /// What the hub says; nothing where it leaves it to the door.
    desired: Option<String>,
    /// What the door runs with; nothing where it did not tell.
    running: Option<String>,
    /// Who said so: hub, file or default.
    #[schema(value_type = Option<String>)]
    origin: Option<Origin>,
}

/// Something that is not as it was said.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorConflict)]
pub struct DoorConflictBody {
    /// `pending`, `lingering`, `refused`, `not_kept`, `camera_size`, `camera_control` or `line`.
    kind: &'static str,
    /// Which setting.
    key: String,
    /// What was asked for; empty where nobody asked.
    asked: String,
    /// What is so instead, or what stands in the way.
    got: String,
}

impl From<SettingRow> for DoorSettingBody {
    fn from(row: SettingRow) -> Self {
        let SettingRow { key, desired, running } = row;
        let origin = running.as_ref().map(|(_, origin)| *origin);
        Self { key, desired, running: running.map(|(value, _)| value), origin }
    }
}

impl From<Dispute> for DoorConflictBody {
    fn from(dispute: Dispute) -> Self {
        let Dispute { kind, key, asked, got } = dispute;
        Self { kind: kind.word(), key, asked, got }
    }
}

fn moment(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

async fn log(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let by = call.actor()?.user;
    let read = call.app().doors().read_log(&id, by, call.now).await?;
    let lines = read.lines.into_iter().map(|of| DoorLineBody {
        at: moment(of.at),
        level: of.level,
        text: of.text,
    });
    let lines = lines.collect();
    let device_id = id.to_string();
    json(&DoorLogBody { device_id, at: moment(read.at), missed: read.missed, lines })
}

async fn config(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let device = acts::doors::found(&call.app().db, &id).await?;
    let known = call.app().db.read(move |tx| door::known(tx, device)).await?;
    let running = call.app().boards.running(&id);
    let running = running.as_deref();
    json(&DoorRunsBody {
        device_id: id.to_string(),
        reported: running.is_some(),
        settings: rows(&known.settings, running).into_iter().map(Into::into).collect(),
        conflicts: disputes(&known.settings, running).into_iter().map(Into::into).collect(),
    })
}
