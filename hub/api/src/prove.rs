//! `/api/auth/prove`: a proof, once more, of who somebody is.

use crate::shown::PasskeyShown;
use acts::entrance::{self, ProofGiven};
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
    vec![Route::post("/api/auth/prove").everyone().takes::<OnceMore>().by(prove)]
}

/// One of the three.
#[derive(Deserialize, ToSchema)]
pub struct OnceMore {
    /// The password, once more.
    pub password: Option<String>,
    /// A code of the second factor, or a recovery code.
    #[serde(alias = "code")]
    pub totp: Option<String>,
    /// A passkey.
    pub passkey: Option<PasskeyShown>,
}

async fn prove(call: Call) -> Outcome {
    let OnceMore { password, totp: code, passkey } = call.json()?;
    let account = call.own().await?;
    let given = ProofGiven { passkey: passkey.map(entrance::PasskeyAnswer::from), code, password };
    call.visitor().prove(&account, given.into()).await?;
    nothing()
}
