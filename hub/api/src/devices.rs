//! `/api/devices`: doors, and how they join and leave.

use super::door_settings::DeviceSettings;
use acts::doors::list::{self, DoorFilter, DoorListed};
use acts::doors::state::DoorState;
use acts::doors::{self, DoorChanges};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{created, json, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::device::{self, Device, direction_text};
use store::door::{self, DoorKnown, LastHealth};
use utoipa::{IntoParams, ToSchema};
use wire::care::Condition;
use wire::link::Vitals;
use wire::{ClockState, DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/devices";
    let one = "/api/devices/{id}";
    vec![
        Route::get(some).staff().asks::<DeviceQuery>().gives::<Vec<DeviceBody>>().by(index),
        Route::post(some).admin().takes::<DeviceForm>().gives::<DeviceBody>().created().by(add),
        Route::get(one).staff().of(Object::Device).gives::<DeviceBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Device)
            .takes::<DeviceForm>()
            .gives::<DeviceBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Device).by(revoke),
        Route::post("/api/devices/{id}/join-token")
            .admin()
            .of(Object::Device)
            .gives::<JoinTokenBody>()
            .by(join_token),
        Route::post("/api/devices/{id}/invitation")
            .admin()
            .of(Object::Device)
            .gives::<InvitationBody>()
            .by(invitation),
        Route::post("/api/devices/{id}/revoke").admin().of(Object::Device).by(revoke),
    ]
}

/// A door, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = DevicesBody)]
pub struct DeviceBody {
    id: String,
    device_id: String,
    classroom_id: String,
    location: String,
    direction: &'static str,
    /// active, inactive (offline or revoked) or error.
    status: &'static str,
    /// Everything that is to be said of how it is, the worst first, such as `offline` or `blind`;
    /// `watching` where nothing is wrong.
    states: Vec<&'static str>,
    is_active: bool,
    online: bool,
    #[schema(value_type = Option<String>)]
    last_seen: Option<Timestamp>,
    software: String,
    model_id: String,
    gallery_version: u64,
    trouble: String,
    /// What the hub tells the door.
    config: DeviceConfig,
    /// What the door last said about itself; nothing before its first report.
    health: Option<DeviceHealth>,
    /// How its board is; nothing where it did not say so in the last three minutes.
    board: Option<DeviceBoard>,
    /// How its program is; nothing where it did not say so in the last three minutes.
    program: Option<DeviceProgram>,
    /// When its certificate ends; nothing before it joined.
    #[schema(value_type = Option<String>, format = DateTime)]
    certificate_expires_at: Option<Timestamp>,
    version: i64,
}

/// What the hub tells a door.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorConfig)]
pub struct DeviceConfig {
    classroom_id: String,
    direction: &'static str,
    /// The gallery release it should use; nothing while it is cut off.
    gallery_version: Option<u64>,
    settings: DeviceSettings,
}

/// A door's last report.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorHealth)]
pub struct DeviceHealth {
    /// At the end of the span it speaks of; nothing while the door's clock is not set.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// watching or blind.
    camera: String,
    /// Share of the time it speaks of in which the door watched, percent.
    watched_percent: f64,
    disk_free_mb: i64,
}

/// Which doors to list, by name.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeviceQuery {
    /// Of which this is said, such as `offline` or `blind`.
    state: Option<String>,
    /// At this very room.
    classroom_id: Option<String>,
    /// Whose name, room or place holds this.
    q: Option<String>,
    /// The page after this one, as the last answer's `Link` says it.
    after: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A door as typed.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = DevicesTyped)]
pub struct DeviceForm {
    /// Its name; a new door only.
    #[schema(value_type = Option<String>)]
    pub device_id: Option<DeviceId>,
    /// Room behind it.
    #[serde(alias = "room")]
    pub classroom_id: Option<String>,
    /// Where it hangs.
    pub location: Option<String>,
    /// entry, exit or both.
    pub direction: Option<String>,
    /// Settings the door is told; left out, they stay.
    #[serde(default)]
    pub settings: Option<DeviceSettings>,
    /// Counts changes.
    pub version: Option<i64>,
}

/// A one-time token for a unit at a door.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct JoinTokenBody {
    device_id: String,
    /// Shown once.
    pub join_token: String,
    /// What to run on the unit.
    pub command: String,
    #[schema(value_type = String)]
    expires_at: Option<Timestamp>,
}

/// What makes a unit a door at its first start, without a keyboard.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody {
    device_id: String,
    /// Its name on the boot partition of the unit's card.
    file: &'static str,
    /// What is in it; shown once.
    text: String,
    #[schema(value_type = String)]
    expires_at: Option<Timestamp>,
}

impl DeviceBody {
    fn new(listed: DoorListed) -> Self {
        let DoorListed { known, board, states } = listed;
        let DoorKnown { device, settings, wanted, health, certificate } = known;
        let id = device.id.to_string();
        let direction = direction_text(device.direction);
        Self {
            status: status(&device),
            states: states.into_iter().map(DoorState::word).collect(),
            device_id: id.clone(),
            id,
            config: DeviceConfig {
                classroom_id: device.room.clone(),
                direction,
                gallery_version: wanted,
                settings: settings.into(),
            },
            health: health.map(DeviceHealth::from),
            board: board.vitals.map(DeviceBoard::from),
            program: board.condition.map(DeviceProgram::from),
            certificate_expires_at: certificate.and_then(|it| moment(it.ends)),
            classroom_id: device.room,
            location: device.location,
            direction,
            is_active: device.is_active,
            online: device.online,
            last_seen: device.last_seen.and_then(moment),
            software: device.software,
            model_id: device.model,
            gallery_version: device.gallery,
            trouble: device.trouble,
            version: device.version,
        }
    }
}

/// What a board says of itself; nothing where it does not.
#[derive(Serialize, ToSchema)]
pub struct DeviceBoard {
    /// Whole degrees of the processor.
    celsius: Option<i16>,
    /// Whether its supply sagged since it was switched on.
    sagged: Option<bool>,
    /// Whether its processor is slowed down.
    slowed: Option<bool>,
    memory_free_mb: Option<u32>,
    /// Seconds since it started.
    up_seconds: Option<u32>,
}

impl From<Vitals> for DeviceBoard {
    fn from(said: Vitals) -> Self {
        let Vitals { celsius, sagged, slowed, memory_free_mb, up_s: up_seconds } = said;
        Self { celsius, sagged, slowed, memory_free_mb, up_seconds }
    }
}

/// What a door says of its program.
#[derive(Serialize, ToSchema)]
pub struct DeviceProgram {
    /// How sharp the sharpest picture of the last minutes was; nothing where none showed enough.
    focus_percent: Option<u8>,
    /// How bright the newest picture is, of 255.
    light: Option<u8>,
    /// Records that wait for the hub.
    records_waiting: u64,
    /// Looks that it had no time for, since its start.
    looks_dropped: u64,
    /// Frames that it had no time for, since its start.
    frames_dropped: u64,
    /// Where its time is from: unset, floor, rtc, ntp or hub.
    clock: &'static str,
    /// How far its clock may be off; nothing while nobody vouches for it.
    clock_error_ms: Option<u32>,
    disk_free_mb: u32,
}

impl From<Condition> for DeviceProgram {
    fn from(said: Condition) -> Self {
        Self {
            focus_percent: said.focus,
            light: said.light,
            records_waiting: said.waiting,
            looks_dropped: said.dropped_looks,
            frames_dropped: said.dropped_frames,
            clock: match said.clock {
                ClockState::Unset => "unset",
                ClockState::Floor => "floor",
                ClockState::Rtc => "rtc",
                ClockState::Ntp => "ntp",
                ClockState::Hub => "hub",
            },
            clock_error_ms: said.clock_err_ms,
            disk_free_mb: said.disk_free_mb,
        }
    }
}

/// How these doors are now.
fn listed(call: &Call, doors: Vec<DoorKnown>) -> Vec<DoorListed> {
    let app = call.app();
    list::listed(doors, &app.boards, app.gallery.model(), (call.now, app.clock.mono()))
}

/// How one door is now, once it was read.
fn shown(call: &Call, id: &DeviceId) -> impl FnOnce(&Tx<'_>) -> Result<DeviceBody, Error> + use<> {
    let (id, app, now) = (id.clone(), call.app(), call.now);
    let (boards, model) = (app.boards.clone(), app.gallery.model().clone());
    let mono = app.clock.mono();
    move |tx| {
        let device = device::get(tx, &id)?.ok_or_else(|| Error::unknown("door", &id))?;
        let known = vec![door::known(tx, device)?];
        let listed = list::listed(known, &boards, &model, (now, mono)).pop();
        listed.map(DeviceBody::new).ok_or_else(|| Error::unknown("door", &id))
    }
}

fn moment(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

impl From<LastHealth> for DeviceHealth {
    fn from(said: LastHealth) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a percentage of some minutes")]
        let share = said.watched_ms as f64 / said.span_ms.max(1) as f64 * 100.0;
        Self {
            at: said.at.and_then(moment),
            camera: said.camera,
            watched_percent: (share * 100.0).round() / 100.0,
            disk_free_mb: said.disk_free_mb,
        }
    }
}

/// S1's three states.
#[must_use]
pub fn status(device: &Device) -> &'static str {
    match device {
        Device { is_active: false, .. } | Device { online: false, .. } => "inactive",
        Device { trouble, .. } if !trouble.is_empty() => "error",
        _ => "active",
    }
}

impl DeviceForm {
    fn changes(self) -> Result<DoorChanges, Error> {
        Ok(DoorChanges {
            room: self.classroom_id,
            location: self.location,
            direction: self.direction.as_deref().map(doors::direction).transpose()?,
            settings: self.settings.map(Into::into),
            version: self.version,
        })
    }
}

async fn index(call: Call) -> Outcome {
    let DeviceQuery { state, classroom_id: room, q: text, after, limit } = call.query()?;
    let limit = rows(limit);
    let filter = DoorFilter { state, room, text };
    let all = listed(&call, call.app().db.read(door::all).await?);
    let mut found: Vec<_> = all.into_iter().filter(|door| filter.wants(door)).collect();
    found.sort_by(|one, other| one.known.device.id.cmp(&other.known.device.id));
    let after = after.unwrap_or_default();
    let later = found.into_iter().filter(|door| door.known.device.id.as_str() > after.as_str());
    let doors: Vec<_> = later.take(limit as usize).map(DeviceBody::new).collect();
    page(&call, &doors, limit, doors.last().map(|last| last.id.clone()))
}

async fn add(call: Call) -> Outcome {
    let typed: DeviceForm = call.json()?;
    let id = typed.device_id.clone();
    let id = id.ok_or_else(|| Problem::field("device_id", "every door needs a name"))?;
    let db = &call.app().db;
    let shown = shown(&call, &id);
    let body = doors::add(db, id, typed.changes()?, call.name()?, shown, call.now).await?;
    created(&format!("/api/devices/{}", body.id), &body)
}

async fn show(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let door = call.app().db.read(shown(&call, &id)).await?;
    versioned(&door, door.version)
}

async fn change(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let typed: DeviceForm = call.json()?;
    if typed.settings.is_some() {
        http::proof::fresh(&call)?;
    }
    let to = DoorChanges { version: call.version(typed.version)?, ..typed.changes()? };
    let shown = shown(&call, &id);
    let door = call.app().doors().change(&id, to, call.name()?, shown, call.now).await?;
    versioned(&door, door.version)
}

async fn join_token(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let app = call.app();
    let token = doors::join_token(&app.db, &app.pki, id.clone(), call.name()?, call.now).await?;
    json(&JoinTokenBody {
        device_id: id.to_string(),
        command: call.join_command(&token),
        join_token: token,
        expires_at: moment(call.now.plus_ms(device::TOKEN_MS)),
    })
}

async fn invitation(call: Call) -> Outcome {
    let id: DeviceId = call.id("id")?;
    let app = call.app();
    let by = call.name()?;
    let text = doors::invitation(&app.db, &app.pki, id.clone(), app.config.joining(), by, call.now)
        .await?;
    json(&InvitationBody {
        device_id: id.to_string(),
        file: doors::INVITATION_FILE,
        text,
        expires_at: moment(call.now.plus_ms(device::INVITATION_MS)),
    })
}

async fn revoke(call: Call) -> Outcome {
    let version = call.version(None)?;
    call.app().doors().cut_off(call.id("id")?, version, call.name()?, call.now).await?;
    nothing()
}
