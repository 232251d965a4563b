//! `/api/alerts`: what is or was wrong with doors for long enough to be told, with its end.

use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Outcome;
use http::route::Route;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::alert::{self, Alert, AlertFilter};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let index = Route::get("/api/alerts").admin().asks::<AlertQuery>().gives::<Vec<AlertBody>>();
    vec![index.by(self::index)]
}

/// Something that was wrong with a door, or is.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub struct AlertBody {
    id: Uuid,
    device_id: String,
    /// The room behind the door.
    classroom_id: String,
    /// offline, blind, hot, `supply_sagged`, `disk_low`, `memory_low` or `old_program`.
    kind: &'static str,
    /// Since when it held.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Until when; nothing while it holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Which to list, the newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Of this door.
    #[param(value_type = Option<String>)]
    device_id: Option<DeviceId>,
    /// Only those that hold, or only the others.
    open: Option<bool>,
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<Alert> for AlertBody {
    fn from(of: Alert) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            id: of.id,
            device_id: of.device.to_string(),
            classroom_id: of.room,
            kind: of.kind.word(),
            since: time(of.since),
            until: of.until.and_then(time),
        }
    }
}

async fn index(call: Call) -> Outcome {
    let AlertQuery { device_id: device, open, after, limit } = call.query()?;
    let limit = rows(limit);
    let filter = AlertFilter { device, open };
    let found = call.app().db.read(move |tx| alert::list(tx, &filter, after, limit)).await?;
    let alerts: Vec<_> = found.into_iter().map(AlertBody::from).collect();
    page(&call, &alerts, limit, alerts.last().map(|last| last.id.to_string()))
}
