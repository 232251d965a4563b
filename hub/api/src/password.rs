//! `/api/auth/password`: a new password for one's own account.

use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::nothing;
use http::{
    problem::Outcome,
    route::{EVERYONE, Object, Shapes},
    takes::{SMALL, Takes},
};
use serde::Deserialize;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let place = (Method::POST, "/api/auth/password");
    let shapes = Shapes::EMPTY.takes::<PasswordChange>();
    let change = Endpoint::new(place, EVERYONE, Object::None, Takes::Json(SMALL), shapes, change);
    vec![change.alias("/api/auth/users/set_password"), change]
}

/// An old and a new password.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
pub struct PasswordChange {
    /// The one that counts now.
    #[serde(alias = "old_password")]
    current_password: String,
    /// At least 8 characters.
    new_password: String,
}

async fn change(call: Call) -> Outcome {
    let PasswordChange { current_password, new_password } = call.json()?;
    let account = call.own().await?;
    call.visitor().new_password(&account, current_password, new_password).await?;
    nothing()
}
