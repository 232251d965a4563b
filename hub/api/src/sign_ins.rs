//! `/api/auth/sign-ins`, `/api/users/{id}/sign-ins` and `/api/settings/sign-in`: where people are
//! signed in, and what signing in asks of them.

use acts::sign_ins::{self, SignInsEnd};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{json, nothing};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::auth::Role;
use serde::{Deserialize, Serialize};
use store::accounts;
use store::login::SignIn;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let of = "/api/users/{id}/sign-ins";
    let policy = "/api/settings/sign-in";
    vec![
        Route::get("/api/auth/sign-ins").everyone().gives::<Vec<SignInBody>>().by(index),
        Route::post("/api/auth/sign-ins/end").everyone().takes::<SignInQuery>().by(end_one),
        Route::get(of).admin().of(Object::User).gives::<Vec<SignInBody>>().by(index_of),
        Route::delete(of).admin().of(Object::User).by(end_of),
        Route::get(policy).admin().gives::<SignInPolicy>().by(show),
        Route::put(policy).admin().takes::<SignInPolicy>().gives::<SignInPolicy>().by(change),
    ]
}

/// One way in which somebody is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignIn)]
pub struct SignInBody {
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
pub struct SignInQuery {
    /// Its name from the list, or `others`: all but the one that asks.
    sign_in: String,
}

/// What signing in asks of people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SignInPolicy)]
pub struct SignInPolicy {
    /// Roles that must have a second factor. Who has none yet gets no further than setting it up.
    pub second_factor: Vec<Role>,
}

impl From<SignIn> for SignInBody {
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
async fn of(call: &Call, account: Uuid) -> Result<Vec<SignIn>, Problem> {
    let keep = call.kept();
    let limits = call.front.limits;
    let now = call.now;
    Ok(call.app().db.read(move |tx| sign_ins::open(tx, account, &keep, limits, now)).await?)
}

async fn index(call: Call) -> Outcome {
    let found = of(&call, call.actor()?.user).await?;
    json(&found.into_iter().map(SignInBody::from).collect::<Vec<_>>())
}

async fn end_one(call: Call) -> Outcome {
    let SignInQuery { sign_in } = call.json()?;
    let db = &call.app().db;
    let user = call.actor()?.user;
    let own = SignInsEnd { account: user, by: user, keep: call.kept() };
    match sign_in.as_str() {
        "others" => sign_ins::end_all(db, own, call.now).await?,
        _ => sign_ins::end_one(db, sign_in, own, call.now).await?,
    }
    nothing()
}

async fn index_of(call: Call) -> Outcome {
    let found = of(&call, named(&call).await?).await?;
    json(&found.into_iter().map(SignInBody::from).collect::<Vec<_>>())
}

async fn end_of(call: Call) -> Outcome {
    let account = named(&call).await?;
    let of = SignInsEnd { account, by: call.actor()?.user, keep: call.kept() };
    sign_ins::end_all(&call.app().db, of, call.now).await?;
    nothing()
}

/// The account that the address names.
async fn named(call: &Call) -> Result<Uuid, Problem> {
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| accounts::find(tx, &name)).await?.account.id)
}

async fn show(call: Call) -> Outcome {
    json(&SignInPolicy { second_factor: call.app().db.read(sign_ins::demanded).await? })
}

async fn change(call: Call) -> Outcome {
    let new: SignInPolicy = call.json()?;
    let db = &call.app().db;
    let user = call.actor()?.user;
    sign_ins::demand(db, new.second_factor, user, call.now).await?;
    show(call).await
}
