//! `/api/auth/passkeys`: the passkeys of one's own account, and signing in with one.

use super::auth::{known_browser, reserve, tokens, wrong};
use super::call::Call;
use super::problem::Problem;
use super::reply::{created, json, nothing};
use super::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes, Who};
use crate::auth::passkey::{Begun, LIFE_MS, Owner, Place, Refused, Shown as Answer};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use rules::auth::once::Once;
use rules::auth::throttle::{Try, What};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use store::account::Account;
use store::login::Way;
use store::passkey::{self, Passkey};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::{Method, StatusCode};
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (none, no, body) = (Object::None, Takes::Nothing, Takes::Json(SMALL));
    let (at, post) = ("/api/auth/passkeys", |path| (Method::POST, path));
    let (list, asked) = (Shapes::gives::<Vec<Body>>(), Shapes::gives::<Asked>());
    let new = Shapes::both::<Typed, Body>().created();
    let (named, which) = (Shapes::EMPTY.takes::<Named>(), Shapes::EMPTY.takes::<Which>());
    let opens = Shapes::both::<Shown, super::auth::Tokens>();
    let (ask, enter) = ("/api/auth/passkeys/challenge", "/api/auth/passkeys/sign-in");
    vec![
        Route::new((Method::GET, at), STAFF, none, no, list, index),
        Route::new(post("/api/auth/passkeys/begin"), STAFF, none, no, asked, begin),
        Route::new(post(at), STAFF, none, body, new, add),
        Route::new(post("/api/auth/passkeys/rename"), STAFF, none, body, named, rename),
        Route::new(post("/api/auth/passkeys/remove"), STAFF, none, body, which, remove),
        Route::new(post(ask), Who::Anyone, none, no, asked, challenge),
        Route::new(post(enter), Who::Anyone, none, body, opens, sign_in),
    ]
}

/// A passkey, to its owner.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct Body {
    /// Own id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
}

/// What a device is asked.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyAsked)]
pub struct Asked {
    /// To be sent back with the answer, within five minutes.
    attempt: String,
    /// For the browser, as `WebAuthn` writes it in JSON.
    #[schema(value_type = Object)]
    options: Value,
}

/// What a device answered.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyShown)]
pub struct Shown {
    /// What came with the question.
    pub attempt: String,
    /// The browser's answer, as `WebAuthn` writes it in JSON.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// A passkey that a device just made.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyTyped)]
pub struct Typed {
    /// What to call it, such as “school laptop”.
    pub name: String,
    /// What the device answered.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What to call a passkey.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyNamed)]
pub struct Named {
    /// Its id.
    passkey: Uuid,
    /// Its new name.
    name: String,
}

/// Which passkey.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyWhich)]
pub struct Which {
    /// Its id.
    passkey: Uuid,
}

impl From<Passkey> for Body {
    fn from(one: Passkey) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let (created_at, used_at) = (time(one.created_at), one.used_at.and_then(time));
        Self { id: one.id, name: one.name, created_at, used_at }
    }
}

/// What the front of the house knows of passkeys.
pub struct Passkeys {
    /// Where they are good; nothing for a hub without a name.
    place: Option<Place>,
    /// Attempts of before a restart do not count: what was used then is forgotten.
    run: Uuid,
    used: Mutex<Once<Vec<u8>>>,
}

impl Passkeys {
    /// Those of a hub with this address.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        Self { place: Place::of(public_url), run: crate::auth::nonce(), used: Mutex::default() }
    }

    fn sealed_for(&self, what: &str) -> String {
        format!("{what}, run {}", self.run)
    }

    fn once(&self, state: Vec<u8>, made: Wall, now: Wall) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.take(state, made, LIFE_MS, now)
    }
}

/// Why there are no passkeys on a page, if there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// The hub has no name.
    Name,
    /// The page was reached by another name than this.
    Elsewhere(String),
}

/// Whether a page may speak of passkeys: browsers do it at one address only.
#[must_use]
pub fn missing(call: &Call) -> Option<Missing> {
    let Some(place) = &call.front.passkeys.place else { return Some(Missing::Name) };
    let here = call.header("host")?.to_ascii_lowercase();
    let ours = place.origin().split_once("://").is_none_or(|(_, ours)| ours == here);
    (!ours).then(|| Missing::Elsewhere(place.origin().to_owned()))
}

/// Where passkeys of this hub are good.
///
/// # Errors
/// 409 for a hub without a name.
fn place(call: &Call) -> Result<&Place, Problem> {
    let say = "Passkeys need a name: set this hub's “public_url” to the https address by which \
               browsers reach it.";
    call.front.passkeys.place.as_ref().ok_or_else(|| Problem::conflict(say))
}

/// The passkeys of whoever asks.
///
/// # Errors
/// When the database fails.
pub async fn of(call: &Call) -> Result<Vec<Passkey>, Problem> {
    let user = call.actor()?.user;
    Ok(call.app().db.read(move |tx| passkey::of(tx, user)).await?)
}

async fn index(call: Call) -> Outcome {
    json(&of(&call).await?.into_iter().map(Body::from).collect::<Vec<_>>())
}

async fn begin(call: Call) -> Outcome {
    let (place, account) = (place(&call)?, call.own().await?);
    let has = of(&call).await?.into_iter().map(|one| one.kept.credential).collect();
    let owner = Owner { account: account.id, email: &account.email };
    let begun = place.begin(owner, has).map_err(|why| refused(&why))?;
    json(&asked(&call, &making(account.id), begun))
}

async fn add(call: Call) -> Outcome {
    let Typed { name, shown } = call.json()?;
    created("/api/auth/passkeys", &Body::from(added(&call, name, shown).await?))
}

/// Adds the passkey that a device made for whoever asks.
///
/// # Errors
/// 422 for an answer that does not hold or a name that cannot be, 409 for one too many.
pub async fn added(call: &Call, name: String, shown: Shown) -> Result<Passkey, Problem> {
    let (place, user, now) = (place(call)?, call.actor()?.user, call.now);
    // Before the attempt is used: used ones are remembered, up to a bound for all.
    call.app().db.read(move |tx| passkey::may_add(tx, user)).await?;
    let (state, made) = opened(call, &making(user), &shown.attempt)?;
    let kept = place.made(&state, &shown.credential).map_err(|why| {
        refused(&why);
        Problem::field("credential", "this passkey was not made for this hub just now: try again")
    })?;
    once(call, state, made)?;
    Ok(call.app().db.write(move |tx| passkey::add(tx, user, &name, &kept, now)).await?)
}

async fn rename(call: Call) -> Outcome {
    let Named { passkey, name } = call.json()?;
    renamed(&call, passkey, name).await?;
    nothing()
}

/// Calls a passkey of whoever asks something else.
///
/// # Errors
/// 404, for a foreign one too; 422 for a name that cannot be.
pub async fn renamed(call: &Call, id: Uuid, name: String) -> Result<(), Problem> {
    let (user, now) = (call.actor()?.user, call.now);
    Ok(call.app().db.write(move |tx| passkey::rename(tx, user, id, &name, now)).await?)
}

async fn remove(call: Call) -> Outcome {
    let Which { passkey } = call.json()?;
    removed(&call, passkey).await?;
    nothing()
}

/// Takes a passkey of whoever asks away.
///
/// # Errors
/// 404, for a foreign one too.
pub async fn removed(call: &Call, id: Uuid) -> Result<(), Problem> {
    let (user, now) = (call.actor()?.user, call.now);
    Ok(call.app().db.write(move |tx| passkey::remove(tx, user, id, now)).await?)
}

async fn challenge(call: Call) -> Outcome {
    let begun = place(&call)?.ask().map_err(|why| refused(&why))?;
    json(&asked(&call, SHOWING, begun))
}

async fn sign_in(call: Call) -> Outcome {
    let account = shown(&call, call.json()?, None).await?;
    tokens(&call, &account, Way::Passkey).await
}

/// Whose passkey was shown just now; of nobody but `only`, if there is such a one.
///
/// # Errors
/// 401 for an answer that does not hold, 429 after too many.
pub async fn shown(call: &Call, shown: Shown, only: Option<Uuid>) -> Result<Account, Problem> {
    let place = place(call)?;
    reserve(call, &Try { what: What::Passkey, from: call.peer, browser: known_browser(call) })?;
    match verified(call, place, shown, only).await {
        Err(problem) if problem.status.is_client_error() => {
            wrong(call, only, "passkey").await?;
            Err(problem)
        }
        came => came,
    }
}

async fn verified(
    call: &Call,
    place: &Place,
    shown: Shown,
    only: Option<Uuid>,
) -> Result<Account, Problem> {
    let (state, made) = opened(call, SHOWING, &shown.attempt)?;
    let answer = Answer::read(&shown.credential).map_err(|why| refused(&why))?;
    let (credential, now) = (answer.credential().to_vec(), call.now);
    let found = call.app().db.read(move |tx| passkey::find(tx, &credential)).await?;
    let found = found.filter(|(account, _)| only.is_none_or(|only| only == account.id));
    let Some((account, old)) = found else { return Err(unknown()) };
    let new = place.holds(&state, &answer, &old.kept, account.id);
    let new = new.map_err(|why| refused(&why))?;
    once(call, state, made)?;
    match call.app().db.write(move |tx| passkey::used(tx, &old, &new, now)).await? {
        true => Ok(account),
        false => Err(unknown()),
    }
}

/// What an attempt to show a passkey is sealed for.
const SHOWING: &str = "showing a passkey";

/// What an attempt to make one is sealed for.
fn making(account: Uuid) -> String {
    format!("making a passkey of {account}")
}

/// The question as it is sent, with what is to be remembered sealed beside it.
fn asked(call: &Call, what: &str, begun: Begun) -> Asked {
    let plain = [&call.now.0.to_le_bytes(), begun.state.as_slice()].concat();
    let sealed = call.app().keys.seal(&call.front.passkeys.sealed_for(what), &plain);
    Asked { attempt: BASE64URL_NOPAD.encode(&sealed), options: begun.options }
}

/// What was remembered of an attempt, and when it began.
fn opened(call: &Call, what: &str, attempt: &str) -> Result<(Vec<u8>, Wall), Problem> {
    let old = || Problem::field("attempt", "this took too long, or began elsewhere: begin again");
    let sealed = BASE64URL_NOPAD.decode(attempt.as_bytes()).map_err(|_| old())?;
    let plain = call.app().keys.unseal(&call.front.passkeys.sealed_for(what), &sealed);
    let plain = plain.map_err(|_| old())?;
    let (made, state) = plain.split_first_chunk::<8>().ok_or_else(old)?;
    let made = Wall(i64::from_le_bytes(*made));
    if !(0..LIFE_MS).contains(&call.now.0.saturating_sub(made.0)) {
        return Err(old());
    }
    Ok((state.to_vec(), made))
}

/// Uses up an attempt.
fn once(call: &Call, state: Vec<u8>, made: Wall) -> Result<(), Problem> {
    match call.front.passkeys.once(state, made, call.now) {
        true => Ok(()),
        false => Err(Problem::field("attempt", "this was used already: begin again")),
    }
}

/// Nothing of an answer is told to whoever sent it: only the log says what was wrong.
fn refused(why: &Refused) -> Problem {
    rules::security!("passkey", %why, "a passkey's answer was refused");
    unknown()
}

fn unknown() -> Problem {
    let say = "This passkey does not open anything here: try again, or another way.";
    Problem::new(StatusCode::UNAUTHORIZED, "passkey-refused", say)
}
