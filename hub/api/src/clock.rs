//! `/api/clock`: whether the hub's clock is believed, and to say that it is right.

use acts::timekeeper;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::{json, nothing};
use http::route::Route;
use jiff::Timestamp;
use rules::clock::{ClockWitness, Leap};
use serde::Serialize;
use utoipa::ToSchema;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/clock";
    vec![
        Route::get(path).admin().gives::<ClockBody>().by(show),
        Route::post(path).admin().by(confirm),
    ]
}

/// How the hub's clock is.
#[derive(Serialize, ToSchema)]
#[schema(as = HubClock)]
pub struct ClockBody {
    #[schema(value_type = String, format = DateTime)]
    now: Option<Timestamp>,
    /// While it is not, nothing goes that cannot come back, and no lesson is closed.
    is_believed: bool,
    /// What it should have said when it leapt.
    #[schema(value_type = Option<String>, format = DateTime)]
    leapt_from: Option<Timestamp>,
    /// What it said.
    #[schema(value_type = Option<String>, format = DateTime)]
    leapt_to: Option<Timestamp>,
    /// What it was held against.
    against: Option<ClockWitness>,
}

async fn show(call: Call) -> Outcome {
    let leap: Option<Leap> = call.app().upkeep().leap().await?;
    let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
    json(&ClockBody {
        now: time(call.now),
        is_believed: leap.is_none(),
        leapt_from: leap.and_then(|leap| time(leap.from)),
        leapt_to: leap.and_then(|leap| time(leap.to)),
        against: leap.map(|leap| leap.against),
    })
}

async fn confirm(call: Call) -> Outcome {
    timekeeper::confirm(&call.app().db, call.name()?, call.now).await?;
    nothing()
}
