//! `/api/setup`: the one-time code of `init` makes the first admin.

use acts::entrance::SetUpFirstAdmin;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::created;
use http::{
    problem::Outcome,
    route::{Object, Shapes, Who},
    takes::{SMALL, Takes},
};
use serde::Deserialize;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let place = (Method::POST, "/api/setup");
    let shapes = Shapes::both::<SetupForm, super::auth::Me>().created();
    vec![Endpoint::new(place, Who::Anyone, Object::None, Takes::Json(SMALL), shapes, set_up)]
}

/// The first account.
#[derive(Deserialize, ToSchema)]
#[schema(as = Setup)]
pub struct SetupForm {
    /// What `init` printed.
    code: String,
    /// What pages call the admin.
    full_name: String,
    /// Address of the account.
    email: String,
    /// At least 8 characters.
    password: String,
}

async fn set_up(call: Call) -> Outcome {
    let SetupForm { code, full_name, email, password } = call.json()?;
    let first = SetUpFirstAdmin { code, name: full_name, email, password };
    let account = call.visitor().set_up(first).await?;
    created("/api/auth/me", &super::auth::Me::from(&account))
}
