//! `/api/auth/totp`: the second factor of one's own account, and its part of signing in.

use super::auth::{guess, reserve, too_busy, wrong};
use super::call::{Call, signed_out};
use super::front::mono;
use super::problem::Problem;
use super::proof::again;
use super::reply::{created, json, nothing};
use super::route::{EVERYONE, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::auth::totp;
use data_encoding::BASE64URL_NOPAD;
use rules::auth::throttle::What;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::account::{self, Account};
use store::{login, passkey, people, totp as rows};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::{Method, StatusCode};
use wire::Wall;

/// How long the second step may take, milliseconds.
const STEP_MS: i64 = 5 * 60 * 1000;
/// What the second step's token is sealed for.
const STEP: &str = "second step";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (own, body) = (Object::None, Takes::Json(SMALL));
    let post = |path| (Method::POST, path);
    let state = Shapes::gives::<State>();
    let begin = Shapes::both::<Begin, Started>().created();
    let confirm = Shapes::both::<Confirm, Recovery>();
    let remove = Shapes::EMPTY.takes::<Remove>();
    let (at, no) = ("/api/auth/totp", Takes::Nothing);
    vec![
        Route::new((Method::GET, at), EVERYONE, own, no, state, show),
        Route::new(post(at), EVERYONE, own, body, begin, start),
        Route::new(post("/api/auth/totp/confirm"), EVERYONE, own, body, confirm, confirmed),
        Route::new(post("/api/auth/totp/remove"), EVERYONE, own, body, remove, removed),
    ]
}

/// Whether this account has a second factor.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub struct State {
    /// Whether it counts.
    pub enabled: bool,
    /// Codes that were not used.
    pub recovery_codes_left: i64,
}

/// Begins a second factor.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorBegin)]
pub struct Begin {
    /// The password, once more.
    password: String,
}

/// What an authenticator app needs.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorStarted)]
pub struct Started {
    /// Base32, to be typed.
    pub secret: String,
    /// The same for a QR code.
    pub uri: String,
}

/// Proves that the app has it.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorConfirm)]
pub struct Confirm {
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

/// Whether the caller has a second factor.
///
/// # Errors
/// When the database fails.
pub async fn state(call: &Call) -> Result<State, Problem> {
    let id = call.actor()?.user;
    let read = call.app().db.read(move |tx| Ok((rows::get(tx, id)?, rows::left(tx, id)?)));
    let (totp, recovery_codes_left) = read.await?;
    Ok(State { enabled: totp.is_some_and(|totp| totp.confirmed), recovery_codes_left })
}

async fn start(call: Call) -> Outcome {
    let Begin { password } = call.json()?;
    created("/api/auth/totp", &begun(&call, password).await?)
}

/// Begins a second factor, which counts once it is [`switched_on`].
///
/// # Errors
/// As [`proven`]; 403 for who has a passkey and did not just prove it; 409 when there is one already.
pub async fn begun(call: &Call, password: String) -> Result<Started, Problem> {
    let account = call.own().await?;
    let owner = account.id;
    if call.app().db.read(move |tx| passkey::any(tx, owner)).await? {
        again(call)?; // the password alone opens nothing
    }
    proven(call, &account, "password", password).await?;
    let (secret, id, now) = (totp::secret(), account.id, call.now);
    let sealed = call.app().keys.seal(&rows::place(id), &secret);
    call.app().db.write(move |tx| rows::start(tx, id, &sealed, now)).await?;
    Ok(started(call, &account, &secret))
}

fn started(call: &Call, account: &Account, secret: &[u8]) -> Started {
    let uri = totp::uri(secret, &account.email, &call.app().config.host);
    Started { secret: totp::typed(secret), uri }
}

/// The second factor that waits for its first code, to show it once more after a wrong one.
///
/// # Errors
/// 409 when none waits.
pub async fn waiting(call: &Call) -> Result<Started, Problem> {
    let account = call.own().await?;
    let (secret, _) = unconfirmed(call, &account).await?;
    Ok(started(call, &account, &secret))
}

async fn unconfirmed(call: &Call, account: &Account) -> Result<(Vec<u8>, i64), Problem> {
    let id = account.id;
    let waiting = call.app().db.read(move |tx| rows::get(tx, id)).await?;
    let waiting = waiting.filter(|totp| !totp.confirmed).ok_or_else(|| {
        Problem::conflict("No second factor waits to be confirmed: begin with one.")
    })?;
    let secret = call.app().keys.unseal(&rows::place(id), &waiting.sealed)?;
    Ok((secret.to_vec(), waiting.last_step))
}

async fn confirmed(call: Call) -> Outcome {
    let Confirm { code } = call.json()?;
    json(&Recovery { recovery_codes: switched_on(&call, &code).await? })
}

/// The second factor counts from now on, for every sign-in; the others end. These are its
/// recovery codes.
///
/// # Errors
/// 422 for a wrong code, 429 after too many, 409 when none waits.
pub async fn switched_on(call: &Call, code: &str) -> Result<Vec<String>, Problem> {
    let account = call.own().await?;
    let (id, now) = (account.id, call.now);
    let (secret, last_step) = unconfirmed(call, &account).await?;
    let guess = guess(call, What::Code(&account.email), Some(id));
    reserve(call, &guess)?;
    let Some(step) = totp::step(&secret, code, last_step, now) else {
        wrong(call, Some(id), "code").await?;
        return Err(Problem::field("code", "this is not what the app shows now"));
    };
    call.front.throttle(|t| t.right(&guess, mono(call.app())));
    let codes = totp::recovery_codes();
    let digests: Vec<_> = codes.iter().filter_map(|code| totp::recovery_digest(code)).collect();
    let keep = call.kept();
    let write = call.app().db.write(move |tx| {
        rows::confirm(tx, id, step, &digests, now)?;
        login::end_all(tx, id, &keep, now)
    });
    write.await?;
    Ok(codes)
}

async fn removed(call: Call) -> Outcome {
    let Remove { code } = call.json()?;
    switched_off(&call, &code).await?;
    nothing()
}

/// Takes the second factor away, for whoever has it.
///
/// # Errors
/// 422 for a wrong code, 429 after too many, 409 when there is none.
pub async fn switched_off(call: &Call, code: &str) -> Result<(), Problem> {
    let account = call.own().await?;
    let (id, now) = (account.id, call.now);
    let has = call.app().db.read(move |tx| rows::get(tx, id)).await?;
    if !has.is_some_and(|totp| totp.confirmed) {
        return Err(Problem::conflict("This account has no second factor."));
    }
    let wrong = |problem: Problem| match problem.status {
        StatusCode::UNAUTHORIZED => Problem::field("code", "this code is not right"),
        _ => problem,
    };
    second(call, &account, code).await.map_err(wrong)?;
    let by = id.to_string();
    call.app().db.write(move |tx| rows::remove(tx, id, &by, now).map(drop)).await?;
    Ok(())
}

/// Asks for one's own password once more.
///
/// # Errors
/// 422 naming the field, 429 after too many tries, 409 for an account without a password.
pub async fn proven(
    call: &Call,
    account: &Account,
    field: &str,
    password: String,
) -> Result<(), Problem> {
    let id = account.id;
    let stored = call.app().db.read(move |tx| people::password(tx, id)).await?;
    let stored = stored.ok_or_else(|| {
        Problem::conflict("This account has no password here: an administrator can set one.")
    })?;
    let guess = guess(call, What::Secret(&account.email), Some(id));
    reserve(call, &guess)?;
    let right = call.front.passwords.verify(password, Some(stored)).await;
    if right.map_err(|busy| too_busy(call, &guess, &busy))? {
        call.front.throttle(|t| t.right(&guess, mono(call.app())));
        return Ok(());
    }
    wrong(call, Some(id), "password").await?;
    Err(Problem::field(field, "this is not your password"))
}

/// The answer that asks for a code.
#[must_use]
pub fn needed() -> Problem {
    let say = "The password is right. This account has a second factor: send its code as “totp”.";
    Problem::new(StatusCode::UNAUTHORIZED, "second-factor-needed", say)
}

/// Checks and uses up a code of the second factor, or a recovery code.
///
/// # Errors
/// 401 for a wrong or used one, 429 after too many.
pub async fn second(call: &Call, account: &Account, code: &str) -> Result<(), Problem> {
    let guess = guess(call, What::Code(&account.email), Some(account.id));
    reserve(call, &guess)?;
    let (id, now) = (account.id, call.now);
    let row = call.app().db.read(move |tx| rows::get(tx, id)).await?;
    let row = row.filter(|row| row.confirmed).ok_or_else(signed_out)?;
    let secret = call.app().keys.unseal(&rows::place(id), &row.sealed)?;
    let step = totp::step(&secret, code, row.last_step, now);
    let digest = totp::recovery_digest(code);
    let used = call.app().db.write(move |tx| -> Result<bool, Error> {
        match (step, digest) {
            (Some(step), _) => rows::use_step(tx, id, step),
            (None, Some(digest)) => rows::use_recovery(tx, id, &digest, now),
            (None, None) => Ok(false),
        }
    });
    if used.await? {
        call.front.throttle(|t| t.right(&guess, mono(call.app())));
        return Ok(());
    }
    wrong(call, Some(id), "code").await?;
    let say = "This code is not right, or was used before: wait for the next one.";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "second-factor-wrong", say))
}

/// Whoever holds this gave the right password of `account` just now.
#[must_use]
pub fn step_token(call: &Call, account: Uuid) -> String {
    let plain = format!("{account} {}", call.now.0);
    BASE64URL_NOPAD.encode(&call.app().keys.seal(STEP, plain.as_bytes()))
}

/// The account of a [`step_token`] that is not too old.
///
/// # Errors
/// When the database fails.
pub async fn step_account(call: &Call, token: &str) -> Result<Option<Account>, Problem> {
    let Some((id, made)) = step_parts(call, token) else { return Ok(None) };
    if call.now.0 < made.0 || call.now >= made.plus_ms(STEP_MS) {
        return Ok(None);
    }
    Ok(call.app().db.read(move |tx| account::get(tx, id)).await?)
}

fn step_parts(call: &Call, token: &str) -> Option<(Uuid, Wall)> {
    let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let plain = call.app().keys.unseal(STEP, &sealed).ok()?;
    let (id, made) = std::str::from_utf8(&plain).ok()?.split_once(' ')?;
    Some((id.parse().ok()?, Wall(made.parse().ok()?)))
}
