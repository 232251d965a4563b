//! `/api/setup`: the one-time code of `init` makes the first admin.

use acts::entrance::SetUpFirstAdmin;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::created;
use http::route::Route;
use serde::Deserialize;
use utoipa::ToSchema;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/api/setup")
            .anyone()
            .takes::<SetupForm>()
            .gives::<super::auth::Me>()
            .created()
            .by(set_up),
    ]
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
