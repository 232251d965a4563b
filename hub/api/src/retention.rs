//! `/api/retention`: after how many days things go by themselves.

use acts::privacy::retention;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::json;
use http::route::Route;
use rules::retention::{Retention, Swept};
use serde::Serialize;
use utoipa::ToSchema;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/retention";
    vec![
        Route::get(path).admin().gives::<Retention>().by(show),
        Route::put(path).admin().takes::<Retention>().gives::<Retention>().by(change),
        Route::get("/api/retention/due").admin().gives::<RetentionDue>().by(count),
    ]
}

/// What the next run would take.
#[derive(Serialize, ToSchema)]
#[schema(as = Due)]
pub struct RetentionDue {
    /// By kind.
    due: Vec<Swept>,
}

async fn show(call: Call) -> Outcome {
    json(&call.app().db.read(retention::get).await?)
}

/// Replaces all of it; what is left out is as it was at first.
async fn change(call: Call) -> Outcome {
    let new: Retention = call.json()?;
    retention::set(&call.app().db, new, call.name()?, call.now).await?;
    json(&new)
}

async fn count(call: Call) -> Outcome {
    json(&RetentionDue { due: call.app().sweeper().due(call.now).await? })
}
