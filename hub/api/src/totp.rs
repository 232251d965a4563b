//! `/api/auth/totp`: the second factor of one's own account, and its part of signing in.

use acts::entrance;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{created, json, nothing};
use http::{
    problem::Outcome,
    route::{EVERYONE, Object, Shapes},
    takes::{SMALL, Takes},
};
use serde::{Deserialize, Serialize};
use store::totp as rows;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let own = Object::None;
    let body = Takes::Json(SMALL);
    let post = |path| (Method::POST, path);
    let state = Shapes::gives::<TotpState>();
    let begin = Shapes::both::<TotpBegin, TotpStarted>().created();
    let confirm = Shapes::both::<TotpConfirm, Recovery>();
    let remove = Shapes::EMPTY.takes::<Remove>();
    let at = "/api/auth/totp";
    let no = Takes::Nothing;
    vec![
        Endpoint::new((Method::GET, at), EVERYONE, own, no, state, show),
        Endpoint::new(post(at), EVERYONE, own, body, begin, start),
        Endpoint::new(post("/api/auth/totp/confirm"), EVERYONE, own, body, confirm, confirmed),
        Endpoint::new(post("/api/auth/totp/remove"), EVERYONE, own, body, remove, removed),
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
