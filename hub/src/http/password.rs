//! `/api/auth/password`: a new password for one's own account.

use super::auth::hashed;
use super::call::Call;
use super::problem::Problem;
use super::reply::nothing;
use super::route::{EVERYONE, Object, Outcome, Route, SMALL, Shapes, Takes};
use super::totp::proven;
use serde::Deserialize;
use store::people;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (place, shapes) = ((Method::POST, "/api/auth/password"), Shapes::EMPTY.takes::<Change>());
    let change = Route::new(place, EVERYONE, Object::None, Takes::Json(SMALL), shapes, change);
    vec![change.alias("/api/auth/users/set_password"), change]
}

/// An old and a new password.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
pub struct Change {
    /// The one that counts now.
    #[serde(alias = "old_password")]
    current_password: String,
    /// At least 8 characters.
    new_password: String,
}

async fn change(call: Call) -> Outcome {
    let Change { current_password, new_password } = call.json()?;
    changed(&call, current_password, new_password).await?;
    nothing()
}

/// Sets a new password. Every other sign-in of the account ends: whoever knew the old one is out.
///
/// # Errors
/// 422 for a wrong or a weak one, 429 after too many tries, 409 for an account without one.
pub async fn changed(call: &Call, current: String, new: String) -> Result<(), Problem> {
    let account = call.own().await?;
    proven(call, &account, "current_password", current).await?;
    let phc = hashed(call, "new_password", new, &account.email).await?;
    let (id, keep, now) = (account.id, call.kept(), call.now);
    let by = id.to_string();
    let write = call.app().db.write(move |tx| people::set_password(tx, id, &phc, &keep, &by, now));
    Ok(write.await?)
}
