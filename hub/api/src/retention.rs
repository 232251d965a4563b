//! `/api/retention`: after how many days things go by themselves.

use acts::privacy::retention;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::json;
use http::{
    problem::Outcome,
    route::{ADMIN, Object, Shapes},
    takes::{SMALL, Takes},
};
use rules::retention::{Retention, Swept};
use serde::Serialize;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/retention";
    let due = "/api/retention/due";
    let none = Object::None;
    let nothing = Takes::Nothing;
    let gives = Shapes::gives::<Retention>();
    let put = Shapes::both::<Retention, Retention>();
    let body = Takes::Json(SMALL);
    vec![
        Endpoint::new((Method::GET, path), ADMIN, none, nothing, gives, show),
        Endpoint::new((Method::PUT, path), ADMIN, none, body, put, change),
        Endpoint::new(
            (Method::GET, due),
            ADMIN,
            none,
            nothing,
            Shapes::gives::<RetentionDue>(),
            count,
        ),
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
