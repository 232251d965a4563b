//! `/api/auth/totp`: the second factor of one's own account, and its part of signing in.

use acts::entrance;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{created, json, nothing};
use http::route::Route;
use serde::{Deserialize, Serialize};
use store::totp as rows;
use utoipa::ToSchema;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/api/auth/totp";
    vec![
        Route::get(at).everyone().gives::<TotpState>().by(show),
        Route::post(at).everyone().takes::<TotpBegin>().gives::<TotpStarted>().created().by(start),
        Route::post("/api/auth/totp/confirm")
            .everyone()
            .takes::<TotpConfirm>()
            .gives::<Recovery>()
            .by(confirmed),
        Route::post("/api/auth/totp/remove").everyone().takes::<Remove>().by(removed),
    ]
}

/// Whether this account has a second factor.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub struct TotpState {
    /// Whether it counts.
    pub enabled: bool,
    /// Codes that were not used.
    pub recovery_codes_left: i64,
}

/// Begins a second factor.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorBegin)]
pub struct TotpBegin {
    /// The password, once more.
    password: String,
}

/// What an authenticator app needs.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorStarted)]
pub struct TotpStarted {
    /// Base32, to be typed.
    pub secret: String,
    /// The same for a QR code.
    pub uri: String,
}

/// Proves that the app has it.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorConfirm)]
pub struct TotpConfirm {
    /// What the app shows.
    #[serde(alias = "totp")]
    code: String,
}

/// Codes for the day the phone is lost; each works once. They are shown only now.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub struct Recovery {
    recovery_codes: Vec<String>,
}

/// Takes the second factor away.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorRemove)]
pub struct Remove {
    /// What the app shows, or a recovery code.
    #[serde(alias = "totp")]
    code: String,
}

async fn show(call: Call) -> Outcome {
    json(&state(&call).await?)
}

async fn state(call: &Call) -> Result<TotpState, Problem> {
    let id = call.actor()?.user;
    let read = call.app().db.read(move |tx| Ok((rows::get(tx, id)?, rows::left(tx, id)?)));
    let (totp, recovery_codes_left) = read.await?;
    Ok(TotpState { enabled: totp.is_some_and(|totp| totp.confirmed), recovery_codes_left })
}

async fn start(call: Call) -> Outcome {
    let TotpBegin { password } = call.json()?;
    let account = call.own().await?;
    let entrance::CodeStarted { secret, uri } =
        call.visitor().begin_code(&account, password).await?;
    created("/api/auth/totp", &TotpStarted { secret, uri })
}

async fn confirmed(call: Call) -> Outcome {
    let TotpConfirm { code } = call.json()?;
    let account = call.own().await?;
    json(&Recovery { recovery_codes: call.visitor().switch_code_on(&account, &code).await? })
}

async fn removed(call: Call) -> Outcome {
    let Remove { code } = call.json()?;
    let account = call.own().await?;
    call.visitor().switch_code_off(&account, &code).await?;
    nothing()
}
