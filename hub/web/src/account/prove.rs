//! `/account/prove`: once more who somebody is, before something that is not taken back.

use super::passkeys::{PasskeyAsk, shown};
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::entrance::ProofGiven;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::nav::inside;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use serde::Deserialize;
use store::{accounts, passkey, totp};
use warp::http::StatusCode;

/// The page.
const AT: &str = "/account/prove";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get(AT).everyone().page().by(index),
        Route::post(AT).everyone().form().page().by(prove),
    ]
}

/// The page's address for whoever goes on to `next`.
#[must_use]
pub fn at(next: &str) -> String {
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    format!("{AT}?{query}")
}

#[derive(Template)]
#[template(path = "account-prove.html")]
struct ProvePage<'a> {
    shell: Shell,
    note: Option<Note>,
    ways: Ways,
    next: &'a str,
}

/// By what somebody can prove who they are.
struct Ways {
    /// The password, of who has no second factor.
    password: bool,
    codes: bool,
    passkeys: PasskeyAsk,
    /// What the button for signing in elsewhere says, for who has nothing here.
    elsewhere: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProveQuery {
    next: String,
}

async fn index(call: Call) -> Outcome {
    let ProveQuery { next } = call.query()?;
    show(&call, StatusCode::OK, None, &next).await
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>, next: &str) -> Outcome {
    let shell = shell(call, "account");
    let ways = ways(call).await?;
    page(status, &ProvePage { shell, note, ways, next: inside(next) })
}

async fn ways(call: &Call) -> Result<Ways, Problem> {
    let user = call.actor()?.user;
    let missing = call.lacks_passkeys();
    let read = call.app().db.read(move |tx| {
        let codes = totp::get(tx, user)?.is_some_and(|totp| totp.confirmed);
        let passkeys = PasskeyAsk::of(passkey::any(tx, user)?, missing);
        Ok((accounts::password(tx, user)?.is_some(), codes, passkeys))
    });
    let (has, codes, passkeys) = read.await?;
    let alone = !codes && passkeys == PasskeyAsk::Nothing;
    let elsewhere = elsewhere(call).filter(|_| alone && !has);
    Ok(Ways { password: alone && elsewhere.is_none(), codes, passkeys, elsewhere })
}

async fn prove(call: Call) -> Outcome {
    let typed = |name| call.content.field(name).map(str::to_owned);
    let next = typed("next").unwrap_or_default();
    let proved = async {
        let passkey = shown(&call)?;
        let given = ProofGiven { passkey, code: typed("code"), password: typed("password") };
        let account = call.own().await?;
        Ok::<_, Problem>(call.visitor().prove(&account, given.into()).await?)
    };
    match proved.await {
        Ok(()) => see(inside(&next)),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem)), &next).await,
    }
}

/// What the button for signing in elsewhere says, if there is one.
#[must_use]
pub fn elsewhere(call: &Call) -> Option<String> {
    call.app().config.accounts.oidc.as_ref().map(|oidc| oidc.name.clone())
}
