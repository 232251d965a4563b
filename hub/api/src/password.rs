//! `/api/auth/password`: a new password for one's own account.

use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::nothing;
use http::route::Route;
use serde::Deserialize;
use utoipa::ToSchema;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::post("/api/auth/password").everyone().takes::<PasswordChange>().by(change)]
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
