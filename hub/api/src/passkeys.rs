//! `/api/auth/passkeys`: the passkeys of one's own account, and signing in with one.

use super::auth::tokens;
use crate::shown::PasskeyShown;
use acts::entrance;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::{created, json, nothing};
use http::route::Route;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::login::Way;
use store::passkey::{self, Passkey};
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/api/auth/passkeys";
    vec![
        Route::get(at).staff().gives::<Vec<PasskeyBody>>().by(index),
        Route::post("/api/auth/passkeys/begin").staff().gives::<PasskeyAsked>().by(begin),
        Route::post(at).staff().takes::<PasskeyForm>().gives::<PasskeyBody>().created().by(add),
        Route::post("/api/auth/passkeys/rename").staff().takes::<Named>().by(rename),
        Route::post("/api/auth/passkeys/remove").staff().takes::<PasskeyQuery>().by(remove),
        Route::post("/api/auth/passkeys/challenge").anyone().gives::<PasskeyAsked>().by(challenge),
        Route::post("/api/auth/passkeys/sign-in")
            .anyone()
            .takes::<PasskeyShown>()
            .gives::<super::auth::TokenPair>()
            .by(sign_in),
    ]
}

/// A passkey, to its owner.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct PasskeyBody {
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
pub struct PasskeyAsked {
    /// To be sent back with the answer, within five minutes.
    attempt: String,
    /// For the browser, as `WebAuthn` writes it in JSON.
    #[schema(value_type = Object)]
    options: Value,
}

/// A passkey that a device just made.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyTyped)]
pub struct PasskeyForm {
    /// What to call it, such as “school laptop”.
    pub name: String,
    /// What the device answered.
    #[serde(flatten)]
    pub shown: PasskeyShown,
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
pub struct PasskeyQuery {
    /// Its id.
    passkey: Uuid,
}

impl From<Passkey> for PasskeyBody {
    fn from(one: Passkey) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let created_at = time(one.created_at);
        let used_at = one.used_at.and_then(time);
        Self { id: one.id, name: one.name, created_at, used_at }
    }
}

impl From<entrance::PasskeyChallenge> for PasskeyAsked {
    fn from(entrance::PasskeyChallenge { attempt, options }: entrance::PasskeyChallenge) -> Self {
        Self { attempt, options }
    }
}

async fn index(call: Call) -> Outcome {
    let user = call.actor()?.user;
    let own = call.app().db.read(move |tx| passkey::of(tx, user)).await?;
    json(&own.into_iter().map(PasskeyBody::from).collect::<Vec<_>>())
}

async fn begin(call: Call) -> Outcome {
    let account = call.own().await?;
    json(&PasskeyAsked::from(call.visitor().begin_passkey(&account).await?))
}

async fn add(call: Call) -> Outcome {
    let PasskeyForm { name, shown } = call.json()?;
    let made = call.visitor().add_passkey(call.actor()?.user, name, shown.into()).await?;
    created("/api/auth/passkeys", &PasskeyBody::from(made))
}

async fn rename(call: Call) -> Outcome {
    let Named { passkey, name } = call.json()?;
    entrance::rename(&call.app().db, call.actor()?.user, passkey, name, call.now).await?;
    nothing()
}

async fn remove(call: Call) -> Outcome {
    let PasskeyQuery { passkey } = call.json()?;
    entrance::remove(&call.app().db, call.actor()?.user, passkey, call.now).await?;
    nothing()
}

async fn challenge(call: Call) -> Outcome {
    json(&PasskeyAsked::from(call.visitor().ask_passkey()?))
}

async fn sign_in(call: Call) -> Outcome {
    let shown: PasskeyShown = call.json()?;
    let visitor = call.visitor();
    let account = visitor.show(shown.into(), None).await?;
    json(&tokens(&call, visitor.tokens(account, Way::Passkey).await?))
}
