//! `/api/auth/oidc`: signing in elsewhere, there and back. For browsers only.

use super::start;
use acts::auth::elsewhere;
use acts::entrance::{Departure, ElsewhereArrival, Return};
use askama::Template;
use data_encoding::BASE64URL_NOPAD;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::nav;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see, with};
use http::route::Route;
use http::site::ProblemReader;
use serde::Deserialize;
use store::login::Way;
use warp::http::{StatusCode, header};
use warp::reply::Response;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/auth/oidc/start").anyone().part().by(begin),
        Route::get("/api/auth/oidc/callback").anyone().part().by(callback),
    ]
}

#[derive(Deserialize)]
struct OidcBegin {
    #[serde(default)]
    next: String,
}

/// What the provider sends back.
#[derive(Deserialize)]
struct OidcBack {
    code: Option<String>,
    #[serde(default)]
    state: String,
    error: Option<String>,
}

/// Moves on by itself: the cookie is Strict, and counts only for a request of our own site.
#[derive(Template)]
#[template(path = "onward.html")]
struct Onward<'a> {
    next: &'a str,
}

async fn begin(call: Call) -> Outcome {
    let sent = depart(&call).await;
    shown(&call, sent)
}

async fn depart(call: &Call) -> Outcome {
    let OidcBegin { next } = call.query()?;
    let Departure { to, attempt } = call.visitor().depart(nav::inside(&next)).await?;
    let sealed = BASE64URL_NOPAD.encode(&attempt);
    Ok(with(see(&to)?, header::SET_COOKIE, &elsewhere::cookie(&sealed)))
}

async fn callback(call: Call) -> Outcome {
    let came = come_back(&call).await;
    let answer = shown(&call, came)?;
    Ok(with(answer, header::SET_COOKIE, &elsewhere::farewell()))
}

async fn come_back(call: &Call) -> Outcome {
    let OidcBack { code, state, error } = call.query()?;
    let code = code.filter(|_| error.is_none());
    let back = Return { attempt: attempt(call), state, code };
    let ElsewhereArrival { account, next } = call.visitor().come_back(back).await?;
    let next = nav::onward(&call.front.site.table, account.role, &next);
    let answer = page(StatusCode::OK, &Onward { next })?;
    call.open_session(account.id, Way::Elsewhere, answer).await
}

/// The sealed attempt that the browser kept.
fn attempt(call: &Call) -> Option<Vec<u8>> {
    let cookies = call.headers.get_all(header::COOKIE).iter();
    let sealed = cookies.filter_map(|value| elsewhere::find(value.to_str().ok()?)).next()?;
    BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()
}

/// A person with a browser reads a page, not JSON.
fn shown(call: &Call, outcome: Outcome) -> Outcome {
    let language = language::of(&call.headers);
    let reader = ProblemReader { language, arrived: false, back: "", request_id: &call.request_id };
    let page = |problem: Problem| -> Result<Response, Problem> {
        let shown = call.wants_page().then(|| start::problem(&problem, reader));
        shown.flatten().ok_or(problem)
    };
    outcome.or_else(page)
}
