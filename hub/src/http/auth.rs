//! `/api/auth`: tokens for programs. Browsers get a session from `/sign-in` instead.

use super::call::{Call, Proof};
use super::problem::Problem;
use super::reply::{json, nothing, sentence};
use super::route::{EVERYONE, Object, Outcome, Route, SMALL, Shapes, Takes, Who};
use crate::auth::{self, Role, throttle::Wait};
use crate::store::account::{self, Account};
use crate::store::{login, totp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let post = |path| (Method::POST, path);
    let (none, body) = (Object::None, Takes::Json(SMALL));
    let pair = Shapes::both::<Login, Tokens>();
    let again = Shapes::both::<Refresh, Tokens>();
    let sign_in = Route::new(post("/api/auth/login"), Who::Anyone, none, body, pair, log_in);
    let renew = Route::new(post("/api/auth/refresh"), Who::Anyone, none, body, again, refresh);
    let gives = Shapes::gives::<Me>();
    let me = Route::new((Method::GET, "/api/auth/me"), EVERYONE, none, Takes::Nothing, gives, me);
    let out = post("/api/auth/logout");
    vec![
        sign_in.alias("/api/auth/jwt/create"),
        sign_in,
        renew.alias("/api/auth/jwt/refresh"),
        renew,
        me.alias("/api/auth/users/me"),
        me,
        Route::new(out, EVERYONE, none, Takes::Nothing, Shapes::EMPTY, log_out),
    ]
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// E-mail address of the account.
    #[serde(alias = "username")]
    email: String,
    /// Its password.
    password: String,
    /// The code of the second factor, or a recovery code, where the account has one.
    #[serde(alias = "code")]
    totp: Option<String>,
}

/// An old refresh token.
#[derive(Deserialize, ToSchema)]
pub struct Refresh {
    /// The newest refresh token of the family.
    #[serde(alias = "refresh_token")]
    refresh: String,
}

/// A pair of tokens, under the names of every seed.
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    access: String,
    refresh: String,
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    expires_in: i64,
    user: Me,
}

/// An account, to its owner.
#[derive(Serialize, ToSchema)]
pub struct Me {
    id: Uuid,
    email: String,
    name: String,
    full_name: String,
    role: Role,
    /// The student this account belongs to.
    student_id: Option<Uuid>,
}

impl From<&Account> for Me {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            full_name: account.name.clone(),
            role: account.role,
            student_id: account.student.map(|student| student.0),
        }
    }
}

async fn log_in(call: Call) -> Outcome {
    let Login { email, password, totp } = call.json()?;
    let account = match (check(&call, &email, password).await?, totp) {
        (Checked::Done(account), _) => account,
        (Checked::NeedsCode(account), Some(code)) => {
            super::totp::second(&call, &account, &code).await?;
            account
        }
        (Checked::NeedsCode(_), None) => return Err(super::totp::needed()),
    };
    let (family, secret, now) = (auth::nonce(), auth::secret(), call.now);
    let (digest, id) = (auth::digest(&secret), account.id);
    call.app().db.write(move |tx| login::begin(tx, family, id, &digest, now)).await?;
    json(&pair(&call, &account, family, &secret))
}

async fn refresh(call: Call) -> Outcome {
    let Refresh { refresh } = call.json()?;
    let (secret, now) = (auth::secret(), call.now);
    let (old, new) = (auth::digest(&refresh), auth::digest(&secret));
    let limits = call.front.tokens.limits();
    let turned = call.app().db.write(move |tx| login::rotate(tx, &old, &new, limits, now)).await?;
    let (account, family) = turned.ok_or_else(|| {
        Problem::unauthorised("This refresh token is not valid any more: sign in again.")
    })?;
    json(&pair(&call, &account, family, &secret))
}

fn pair(call: &Call, account: &Account, family: Uuid, refresh: &str) -> Tokens {
    let access = call.front.tokens.issue(account.actor(), family, call.now);
    Tokens {
        access_token: access.clone(),
        refresh_token: refresh.to_owned(),
        access,
        refresh: refresh.to_owned(),
        token_type: "bearer",
        expires_in: call.front.tokens.seconds(),
        user: Me::from(account),
    }
}

async fn log_out(call: Call) -> Outcome {
    end(&call).await?;
    nothing()
}

async fn me(call: Call) -> Outcome {
    let id = call.actor()?.user;
    let account = call.app().db.read(move |tx| account::get(tx, id)).await?;
    json(&Me::from(&account.ok_or_else(super::call::signed_out)?))
}

/// The account behind `email` and `password`. An unknown address costs the same time, and both
/// are refused in the same words.
///
/// # Errors
/// 401, or 429 for who guesses too much or comes when too many sign in.
pub async fn check(call: &Call, email: &str, password: String) -> Result<Checked, Problem> {
    let front = &call.front;
    let name = email.trim().to_lowercase();
    may_try(call, &name)?;
    let key = name.clone();
    let found = front.app.db.read(move |tx| account::by_email(tx, &key)).await?;
    let (account, stored) = found.map_or((None, None), |(account, phc)| (Some(account), phc));
    let busy = |busy: auth::Busy| Problem::too_many(sentence(&busy.to_string())).after(5);
    let right = front.passwords.verify(password, stored).await.map_err(busy)?;
    let Some(account) = account.filter(|_| right) else {
        failed(call, &name);
        return Err(Problem::unauthorised("E-mail or password is wrong."));
    };
    let id = account.id;
    let factor = front.app.db.read(move |tx| totp::get(tx, id)).await?;
    if factor.is_some_and(|factor| factor.confirmed) {
        return Ok(Checked::NeedsCode(account));
    }
    front.throttle(|t| t.succeeded(&name));
    Ok(Checked::Done(account))
}

/// What a right password comes to.
pub enum Checked {
    /// They are in.
    Done(Account),
    /// A code of the second factor is asked for besides.
    NeedsCode(Account),
}

/// Whether `name` may be tried now from where the call comes from.
///
/// # Errors
/// 429 with the wait.
pub fn may_try(call: &Call, name: &str) -> Result<(), Problem> {
    let (front, peer) = (&call.front, call.peer);
    let wait = |wait: Wait| Problem::too_many(sentence(&wait.to_string())).after(wait.seconds());
    front.throttle(|t| t.check(name, peer, super::front::mono(&front.app))).map_err(wait)
}

/// Remembers that `name` was tried and was not it.
pub fn failed(call: &Call, name: &str) {
    let (front, peer) = (&call.front, call.peer);
    front.throttle(|t| t.failed(name, peer, super::front::mono(&front.app)));
    crate::security!("login", address = %peer, "a login failed");
}

/// A new password as it is kept, once it was looked at.
///
/// # Errors
/// 422 for a weak one, 429 when too many are being made.
pub async fn hashed(call: &Call, field: &str, new: String, email: &str) -> Result<String, Problem> {
    let weak = |weak: auth::password::Weak| Problem::field(field, weak.to_string());
    auth::password::check(&new, email).map_err(weak)?;
    let busy = |busy: auth::Busy| Problem::too_many(sentence(&busy.to_string())).after(5);
    call.front.passwords.hash(new).await.map_err(busy)
}

/// Opens a browser's session: its secret, for the cookie.
///
/// # Errors
/// When the database fails.
pub async fn open_session(call: &Call, account: Uuid) -> Result<String, Problem> {
    let (secret, now) = (auth::secret(), call.now);
    let digest = auth::digest(&secret);
    let refresh_ms = call.front.tokens.limits().refresh_ms;
    let over = now.plus_ms(-2 * call.front.limits.absolute_ms.max(refresh_ms));
    let open = call.app().db.write(move |tx| {
        login::sweep(tx, over)?;
        login::open(tx, &digest, account, now)
    });
    open.await?;
    Ok(secret)
}

/// Ends what the caller is signed in by.
///
/// # Errors
/// When the database fails.
pub async fn end(call: &Call) -> Result<(), Problem> {
    let now = call.now;
    match call.by.as_ref().map(|by| by.proof.clone()) {
        Some(Proof::Session(secret)) => {
            let digest = auth::digest(&secret);
            call.app().db.write(move |tx| login::close(tx, &digest)).await?;
        }
        Some(Proof::Token(family)) => {
            call.app().db.write(move |tx| login::end(tx, family, now)).await?;
        }
        Some(Proof::Door(_)) | None => {}
    }
    Ok(())
}
