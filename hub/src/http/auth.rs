//! `/api/auth`: tokens for programs. Browsers get a session from `/sign-in` instead.

use super::call::{Call, Proof};
use super::front;
use super::passkeys::{self, Shown};
use super::problem::Problem;
use super::reply::{json, nothing, sentence, with};
use super::route::{EVERYONE, Object, Outcome, Route, SMALL, Shapes, Takes, Who};
use crate::acts::accounts;
use crate::auth;
use crate::auth::{known, session};
use data_encoding::BASE64URL_NOPAD;
use rules::auth::Role;
use rules::auth::throttle::{Try, Wait, What};
use rules::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use store::account::{self, Account};
use store::login::{Origin, Way};
use store::{Tx, audit, login, totp};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::{Method, header};
use warp::reply::Response;
use wire::Wall;

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
    /// Or a passkey instead of the code.
    passkey: Option<Shown>,
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
    let Login { email, password, totp, passkey } = call.json()?;
    let account = match check(&call, &email, password).await? {
        Checked::Done(account) => account,
        Checked::NeedsCode(account) => {
            match (totp, passkey) {
                (Some(code), _) => super::totp::second(&call, &account, &code).await?,
                (_, Some(shown)) => drop(passkeys::shown(&call, shown, Some(account.id)).await?),
                (None, None) => return Err(super::totp::needed()),
            }
            account
        }
    };
    tokens(&call, &account, Way::Password).await
}

/// A pair of tokens for `account`, which has just signed in.
///
/// # Errors
/// When the database fails.
pub async fn tokens(call: &Call, account: &Account, way: Way) -> Outcome {
    let (family, secret, now, peer) = (auth::nonce(), auth::secret(), call.now, call.peer);
    let (digest, id) = (auth::digest(&secret), account.id);
    let write = call.app().db.write(move |tx| {
        let origin = Origin { way, from: peer };
        login::begin(tx, family, id, &digest, &origin, now)?;
        signed_in(tx, id, peer, origin.way, now)
    });
    write.await?;
    json(&pair(call, account, family, &secret))
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
    let key = name.clone();
    let found = front.app.db.read(move |tx| account::by_email(tx, &key)).await?;
    let (account, stored) = found.map_or((None, None), |(account, phc)| (Some(account), phc));
    let guess = guess(call, What::Secret(&name), account.as_ref().map(|account| account.id));
    reserve(call, &guess)?;
    let right = front.passwords.verify(password, stored).await;
    let right = right.map_err(|busy| too_busy(call, &guess, &busy))?;
    let known = account.as_ref().map(|account| account.id);
    let Some(account) = account.filter(|_| right) else {
        wrong(call, known, "password").await?;
        return Err(Problem::unauthorised("E-mail or password is wrong."));
    };
    front.throttle(|t| t.right(&guess, front::mono(&front.app)));
    let id = account.id;
    if front.app.db.read(move |tx| totp::has_factor(tx, id)).await? {
        return Ok(Checked::NeedsCode(account));
    }
    Ok(Checked::Done(account))
}

/// What a right password comes to.
pub enum Checked {
    /// They are in.
    Done(Account),
    /// A code of the second factor or a passkey is asked for besides.
    NeedsCode(Account),
}

/// A try of the caller; `account` is the one it is about, if there is such a one.
#[must_use]
pub fn guess<'a>(call: &Call, what: What<'a>, account: Option<Uuid>) -> Try<'a> {
    let knows =
        |browser: &known::Browser| account.is_some_and(|account| browser.knows(account, call.now));
    let browser = browser(call).filter(knows).map(|browser| browser.id);
    Try { what, from: call.peer, browser }
}

/// Counts a try before it is made.
///
/// # Errors
/// 429 with the wait.
pub fn reserve(call: &Call, guess: &Try<'_>) -> Result<(), Problem> {
    let front = &call.front;
    let wait = |wait: Wait| Problem::too_many(sentence(&wait.to_string())).after(wait.seconds());
    front.throttle(|t| t.reserve(guess, front::mono(&front.app))).map_err(wait)
}

/// 429, and the try is taken back: nobody looked at the password.
pub fn too_busy(call: &Call, guess: &Try<'_>, busy: &auth::Busy) -> Problem {
    let front = &call.front;
    front.throttle(|t| t.unused(guess, front::mono(&front.app)));
    Problem::too_many(sentence(&busy.to_string())).after(5)
}

/// Writes down that a try was wrong: in the log without any account, and in the audit log with the
/// account, if there is one, and the address. A flood of them is counted and not written.
///
/// # Errors
/// When the database fails.
pub async fn wrong(call: &Call, account: Option<Uuid>, by: &'static str) -> Result<(), Problem> {
    let (front, peer, now) = (&call.front, call.peer, call.now);
    rules::security!("login", address = %peer, "a login failed");
    let Some(more) = front.throttle(|t| t.note(front::mono(&front.app))) else { return Ok(()) };
    let id = account.map_or_else(|| "unknown".to_owned(), |account| account.to_string());
    let mut meta = json!({ "from": peer.to_string(), "by": by });
    if more > 0 {
        meta["unwritten"] = json!(more);
    }
    let write = front.app.db.write(move |tx| {
        let (actor, action, table) = ("sign-in", "sign-in-failed", "user_account");
        audit::add(tx, now, &audit::Entry { actor, action, table, id: &id, meta })
    });
    Ok(write.await?)
}

/// Writes down that `account` signed in, and from where, inside the caller's transaction.
fn signed_in(tx: &Tx<'_>, account: Uuid, peer: IpAddr, by: Way, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    let meta = json!({ "from": peer.to_string(), "by": by.as_str() });
    let (action, table) = ("sign-in", "user_account");
    audit::add(tx, now, &audit::Entry { actor: &id, action, table, id: &id, meta })
}

/// The browser that asks, if somebody signed in with it before.
fn browser(call: &Call) -> Option<known::Browser> {
    let cookies = call.headers.get_all(header::COOKIE).iter();
    let sealed = cookies.filter_map(|value| known::find(value.to_str().ok()?)).next()?;
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    let plain = call.app().keys.unseal(known::PLACE, &sealed).ok()?;
    known::Browser::parse(std::str::from_utf8(&plain).ok()?)
}

/// The browser, if anybody has signed in with it: for what cannot be guessed, whoever that was.
pub fn known_browser(call: &Call) -> Option<u128> {
    browser(call).map(|browser| browser.id)
}

/// The cookie by which this browser is known to `account` from now on.
#[must_use]
pub fn remembered(call: &Call, account: Uuid) -> String {
    let new = || known::Browser::new(auth::nonce().as_u128());
    let text = browser(call).unwrap_or_else(new).with(account, call.now).text();
    known::cookie(&BASE64URL_NOPAD.encode(&call.app().keys.seal(known::PLACE, text.as_bytes())))
}

/// A new password as it is kept, once it was looked at.
///
/// # Errors
/// 422 for a weak one, 429 when too many are being made.
pub async fn hashed(
    call: &Call,
    field: &'static str,
    new: String,
    email: &str,
) -> Result<String, Problem> {
    Ok(accounts::hashed(&call.front.passwords, (field, new), email).await?)
}

/// Opens a browser's session: the answer with its cookie, and with that by which the browser is
/// known from now on.
///
/// # Errors
/// When the database fails.
pub async fn open_session(call: &Call, account: Uuid, way: Way, answer: Response) -> Outcome {
    let (secret, now, peer) = (auth::secret(), call.now, call.peer);
    let digest = auth::digest(&secret);
    let refresh_ms = call.front.tokens.limits().refresh_ms;
    let over = now.plus_ms(-2 * call.front.limits.absolute_ms.max(refresh_ms));
    let open = call.app().db.write(move |tx| {
        login::sweep(tx, over)?;
        login::open(tx, &digest, account, &Origin { way, from: peer }, now)?;
        signed_in(tx, account, peer, way, now)
    });
    open.await?;
    let answer = with(answer, header::SET_COOKIE, &session::cookie(&secret, call.front.limits));
    Ok(with(answer, header::SET_COOKIE, &remembered(call, account)))
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
