//! `/api/auth/sign-ins`, `/api/users/{id}/sign-ins` and `/api/settings/sign-in`: where people are
//! signed in, and what signing in asks of them.

use super::call::Call;
use super::problem::Problem;
use super::reply::{json, nothing};
use super::route::{ADMIN, EVERYONE, Object, Outcome, Route, SMALL, Shapes, Takes};
use super::totp::kept;
use jiff::Timestamp;
use rules::auth::Role;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::login::{self, Keep, SignIn};
use store::{Tx, audit, people, setting, totp};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (own, of) = ("/api/auth/sign-ins", "/api/users/{id}/sign-ins");
    let (end, policy) = ("/api/auth/sign-ins/end", "/api/settings/sign-in");
    let (none, user, no, body) = (Object::None, Object::User, Takes::Nothing, Takes::Json(SMALL));
    let list = Shapes::gives::<Vec<Body>>();
    let (shown, changed) = (Shapes::gives::<Policy>(), Shapes::both::<Policy, Policy>());
    let which = Shapes::EMPTY.takes::<Which>();
    vec![
        Route::new((Method::GET, own), EVERYONE, none, no, list, index),
        Route::new((Method::POST, end), EVERYONE, none, body, which, end_one),
        Route::new((Method::GET, of), ADMIN, user, no, list, index_of),
        Route::new((Method::DELETE, of), ADMIN, user, no, Shapes::EMPTY, end_of),
        Route::new((Method::GET, policy), ADMIN, none, no, shown, show),
        Route::new((Method::PUT, policy), ADMIN, none, body, changed, change),
    ]
}

/// One way in which somebody is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignIn)]
pub struct Body {
    /// Names it: it opens nothing.
    sign_in: String,
    /// browser or program.
    kind: &'static str,
    /// The address it began from.
    address: String,
    /// Whether it is the one that asks.
    current: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    began_at: Option<Timestamp>,
    /// When a browser last used it.
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Timestamp>,
}

/// Which to end.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignInEnd)]
pub struct Which {
    /// Its name from the list, or `others`: all but the one that asks.
    sign_in: String,
}

/// What signing in asks of people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SignInPolicy)]
pub struct Policy {
    /// Roles that must have a second factor. Who has none yet gets no further than setting it up.
    pub second_factor: Vec<Role>,
}

impl From<SignIn> for Body {
    fn from(one: SignIn) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            kind: if one.seen.is_some() { "browser" } else { "program" },
            address: one.from,
            current: one.kept,
            began_at: time(one.began),
            seen_at: one.seen.and_then(time),
            sign_in: one.key,
        }
    }
}

/// The sign-ins of `account` that would still open anything.
///
/// # Errors
/// When the database fails.
pub async fn of(call: &Call, account: Uuid, keep: Keep) -> Result<Vec<SignIn>, Problem> {
    let found = call.app().db.read(move |tx| login::of(tx, account, &keep)).await?;
    let limits = call.front.limits;
    let alive = |one: &SignIn| one.seen.is_none_or(|seen| limits.alive(one.began, seen, call.now));
    Ok(found.into_iter().filter(alive).collect())
}

async fn index(call: Call) -> Outcome {
    let found = of(&call, call.actor()?.user, kept(&call)).await?;
    json(&found.into_iter().map(Body::from).collect::<Vec<_>>())
}

async fn end_one(call: Call) -> Outcome {
    let Which { sign_in } = call.json()?;
    ended(&call, sign_in).await?;
    nothing()
}

/// Ends the caller's sign-in with this name, or all others.
///
/// # Errors
/// 404, for a foreign one too.
pub async fn ended(call: &Call, sign_in: String) -> Result<(), Problem> {
    let (user, now, keep) = (call.actor()?.user, call.now, kept(call));
    let write = call.app().db.write(move |tx| {
        match sign_in.as_str() {
            "others" => login::end_all(tx, user, &keep, now)?,
            key => login::end_one(tx, user, key, now)?,
        }
        noted(tx, user, user, now)
    });
    Ok(write.await?)
}

async fn index_of(call: Call) -> Outcome {
    let found = of(&call, named(&call).await?, kept(&call)).await?;
    json(&found.into_iter().map(Body::from).collect::<Vec<_>>())
}

async fn end_of(call: Call) -> Outcome {
    let account = named(&call).await?;
    all_ended(&call, account).await?;
    nothing()
}

/// Ends every sign-in of `account`, but the one that asks.
///
/// # Errors
/// When the database fails.
pub async fn all_ended(call: &Call, account: Uuid) -> Result<(), Problem> {
    let (by, now, keep) = (call.actor()?.user, call.now, kept(call));
    let write = call.app().db.write(move |tx| {
        login::end_all(tx, account, &keep, now)?;
        noted(tx, account, by, now)
    });
    Ok(write.await?)
}

/// The account that the address names.
async fn named(call: &Call) -> Result<Uuid, Problem> {
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| people::find(tx, &name)).await?.account.id)
}

fn noted(tx: &Tx<'_>, account: Uuid, by: Uuid, now: Wall) -> Result<(), Error> {
    let (actor, id) = (by.to_string(), account.to_string());
    let (action, table, meta) = ("end-sign-ins", "user_account", json!({}));
    audit::add(tx, now, &audit::Entry { actor: &actor, action, table, id: &id, meta })
}

async fn show(call: Call) -> Outcome {
    json(&policy(&call).await?)
}

/// What signing in asks of people now.
///
/// # Errors
/// When the database fails.
pub async fn policy(call: &Call) -> Result<Policy, Problem> {
    let said = call.app().db.read(|tx| setting::get(tx, login::FACTOR)).await?;
    let said = said.unwrap_or_default();
    Ok(Policy { second_factor: said.split(',').filter_map(|role| role.parse().ok()).collect() })
}

async fn change(call: Call) -> Outcome {
    demand(&call, call.json()?).await?;
    json(&policy(&call).await?)
}

/// Changes what signing in asks of people.
///
/// # Errors
/// 409 when the admin who asks would be kept out by it.
pub async fn demand(call: &Call, new: Policy) -> Result<(), Problem> {
    let (user, now) = (call.actor()?.user, call.now);
    let roles: Vec<_> = Role::ALL.into_iter().filter(|r| new.second_factor.contains(r)).collect();
    let write = call.app().db.write(move |tx| {
        let has = totp::has_factor(tx, user)?;
        if roles.contains(&Role::Admin) && !has {
            let say = "switch the second step of your own account on first: you would be kept out";
            return Err(Error::Conflict(say.into()));
        }
        let words: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        setting::set(tx, login::FACTOR, &words.join(","))?;
        let (actor, meta) = (user.to_string(), json!({ "second_factor": words }));
        let (action, table, id) = ("change", "setting", login::FACTOR);
        audit::add(tx, now, &audit::Entry { actor: &actor, action, table, id, meta })
    });
    Ok(write.await?)
}
