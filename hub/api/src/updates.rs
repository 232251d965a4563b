//! `/api/updates` and `/api/rollouts`: programs for doors, and how they go from door to door.

use acts::doors::updates::{self, Far, UPDATE_BYTES};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::proof::fresh;
use http::reply::{created, json};
use http::route::Route;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::rollout::{self, Asked, RolloutState};
use store::update::{self, Update};
use utoipa::ToSchema;
use wire::program::Step;
use wire::{DeviceId, Wall};

/// Updates and rollouts that are listed at most: the newest.
const SHOWN: u32 = 50;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/updates").admin().gives::<Vec<UpdateBody>>().by(index),
        Route::post("/api/updates")
            .admin()
            .archive(UPDATE_BYTES)
            .fields::<UpdateUpload>()
            .gives::<UpdateBody>()
            .created()
            .by(bring),
        Route::get("/api/rollouts").admin().gives::<Vec<RolloutBody>>().by(rollouts),
        Route::post("/api/rollouts")
            .admin()
            .takes::<RolloutForm>()
            .gives::<RolloutBody>()
            .created()
            .by(begin),
        Route::patch("/api/rollouts").admin().takes::<RolloutSay>().gives::<RolloutBody>().by(say),
    ]
}

/// A program that can be handed on.
#[derive(Serialize, ToSchema)]
#[schema(as = Update)]
pub struct UpdateBody {
    /// BLAKE3 of it in hexadecimal digits.
    id: String,
    version: String,
    /// amd64, arm64 or armhf.
    machine: &'static str,
    #[schema(value_type = Option<String>, format = DateTime)]
    released_at: Option<Timestamp>,
    bytes: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    added_at: Option<Timestamp>,
    added_by: String,
}

/// A signed program.
#[derive(ToSchema)]
#[schema(as = UpdateUpload)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct UpdateUpload {
    /// What `rollcall-hub update sign` wrote.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// An update on its way to the doors.
#[derive(Serialize, ToSchema)]
#[schema(as = Rollout)]
pub struct RolloutBody {
    number: u32,
    update_id: String,
    version: String,
    machine: &'static str,
    /// one, tenth or all.
    stage: &'static str,
    /// going, paused, halted or ended.
    state: &'static str,
    /// The door that tries it first, where one was chosen.
    first_device_id: Option<String>,
    /// Doors that can run it.
    doors: usize,
    /// Those that were asked.
    asked: Vec<RolloutDoorBody>,
    #[schema(value_type = Option<String>, format = DateTime)]
    began_at: Option<Timestamp>,
    began_by: String,
}

/// How far a door is with it.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutDoor)]
pub struct RolloutDoorBody {
    device_id: String,
    #[schema(value_type = String)]
    step: Step,
    /// Why no further, in a sentence; empty if it goes on.
    why: String,
    online: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// What is to go to the doors.
#[derive(Deserialize, ToSchema)]
#[schema(as = RolloutBegin)]
struct RolloutForm {
    update_id: String,
    /// The door that tries it first; the first by name if it is left out.
    #[schema(value_type = Option<String>)]
    first_device_id: Option<DeviceId>,
}

/// Whether it goes on.
#[derive(Deserialize, ToSchema)]
#[schema(as = RolloutSay)]
struct RolloutSay {
    /// Which rollout.
    number: u32,
    state: RolloutWish,
}

/// What a person may say of a rollout.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RolloutWish {
    /// It goes on, whatever refused it so far.
    Going,
    /// It waits.
    Paused,
    /// It goes to no further door, for good.
    Ended,
}

fn moment(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

impl From<Update> for UpdateBody {
    fn from(of: Update) -> Self {
        Self {
            id: of.name,
            version: of.version,
            machine: of.machine.as_str(),
            released_at: moment(of.released),
            bytes: of.length,
            added_at: moment(of.added),
            added_by: of.added_by,
        }
    }
}

impl From<Far> for RolloutBody {
    fn from(Far { rollout, reach, asked }: Far) -> Self {
        Self {
            number: rollout.n,
            update_id: rollout.name,
            version: rollout.version,
            machine: rollout.machine.as_str(),
            stage: rollout.stage.as_str(),
            state: rollout.state.as_str(),
            first_device_id: rollout.first.map(|id| id.to_string()),
            doors: reach,
            asked: asked.into_iter().map(RolloutDoorBody::from).collect(),
            began_at: moment(rollout.began),
            began_by: rollout.began_by,
        }
    }
}

impl From<Asked> for RolloutDoorBody {
    fn from(of: Asked) -> Self {
        let Asked { id, step, why, online, at } = of;
        Self { device_id: id.to_string(), step, why, online, since: moment(at) }
    }
}

async fn index(call: Call) -> Outcome {
    let updates = call.app().db.read(|tx| update::list(tx, SHOWN)).await?;
    json(&updates.into_iter().map(UpdateBody::from).collect::<Vec<_>>())
}

async fn bring(call: Call) -> Outcome {
    let app = call.app();
    let file = call.spooled("file")?;
    let by = call.name()?;
    let update = updates::bring(&app.db, &app.config.data, file, by, call.now).await?;
    created("/api/updates", &UpdateBody::from(update))
}

async fn rollouts(call: Call) -> Outcome {
    let read = call.app().db.read(|tx| {
        let all = rollout::list(tx, SHOWN)?.into_iter();
        all.map(|one| updates::far(tx, one).map(RolloutBody::from)).collect::<Result<Vec<_>, _>>()
    });
    json(&read.await?)
}

async fn begin(call: Call) -> Outcome {
    let RolloutForm { update_id, first_device_id } = call.json()?;
    let updates = call.app().updates();
    let far = updates.begin(update_id, first_device_id, call.name()?, call.now).await?;
    created(&format!("/api/rollouts/{}", far.rollout.n), &RolloutBody::from(far))
}

async fn say(call: Call) -> Outcome {
    let RolloutSay { number, state } = call.json()?;
    let state = match state {
        RolloutWish::Going => {
            fresh(&call)?;
            RolloutState::Going
        }
        RolloutWish::Paused => RolloutState::Paused,
        RolloutWish::Ended => RolloutState::Ended,
    };
    let far = call.app().updates().say(number, state, call.name()?, call.now).await?;
    json(&RolloutBody::from(far))
}
