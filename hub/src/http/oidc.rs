//! `/api/auth/oidc`: signing in elsewhere, there and back. For browsers only.

use super::call::Call;
use super::front::mono;
use super::nav;
use super::problem::Problem;
use super::reply::{see, sentence, with};
use super::route::{Object, Outcome, Route, Shapes, Takes, Who};
use super::site::Reader;
use crate::auth::elsewhere;
use crate::http::language;
use crate::provider::Provider;
use askama::Template;
use data_encoding::BASE64URL_NOPAD;
use rules::auth::throttle::What;
use serde::Deserialize;
use store::login::Way;
use warp::http::{Method, StatusCode, header};
use warp::reply::Response;

/// What the attempt's cookie is sealed for.
const ATTEMPT: &str = "oidc attempt";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let get = |path, run: super::route::Run| {
        let (who, no) = (Who::Anyone, Takes::Nothing);
        Route::new((Method::GET, path), who, Object::None, no, Shapes::PART, run)
    };
    vec![get("/api/auth/oidc/start", start.into()), get("/api/auth/oidc/callback", callback.into())]
}

#[derive(Deserialize)]
struct Begin {
    #[serde(default)]
    next: String,
}

/// What the provider sends back.
#[derive(Deserialize)]
struct Back {
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

async fn start(call: Call) -> Outcome {
    let begun = begin(&call).await;
    shown(&call, begun)
}

async fn begin(call: &Call) -> Outcome {
    let Begin { next } = call.query()?;
    let next = nav::inside(&next);
    let (url, attempt) = provider(call)?.begin(next, call.now, mono(call.app())).await?;
    let plain = serde_json::to_vec(&attempt).map_err(|_| Problem::internal())?;
    let sealed = BASE64URL_NOPAD.encode(&call.app().keys.seal(ATTEMPT, &plain));
    Ok(with(see(&url)?, header::SET_COOKIE, &elsewhere::cookie(&sealed)))
}

async fn callback(call: Call) -> Outcome {
    let came = tried(&call).await;
    let answer = shown(&call, came)?;
    Ok(with(answer, header::SET_COOKIE, &elsewhere::farewell()))
}

async fn tried(call: &Call) -> Outcome {
    let visitor = call.visitor();
    let guess = visitor.guess(What::Elsewhere, None);
    visitor.reserve(&guess)?;
    let came = come_back(call).await;
    match &came {
        Err(problem) if problem.status.is_client_error() => {
            visitor.wrong(None, "elsewhere").await?
        }
        _ => visitor.right(&guess),
    }
    came
}

async fn come_back(call: &Call) -> Outcome {
    let Back { code, state, error } = call.query()?;
    let taken = call.front.attempts(|seen| seen.take(attempt(call), &state, call.now));
    let attempt = taken.map_err(|why| Problem::malformed(sentence(&why.to_string())))?;
    let Some(code) = code.filter(|_| error.is_none()) else {
        return Err(Problem::forbidden("The sign-in service did not let you in: begin again."));
    };
    let next = attempt.next.clone();
    let who = provider(call)?.finish(attempt, code, call.now, mono(call.app())).await?;
    let account = call.visitor().vouched(who).await?;
    let account = account.ok_or_else(|| {
        let say = "No account here belongs to you at the sign-in service. Ask whoever looks after \
                   Rollcall at your school to invite your address.";
        Problem::forbidden(say)
    })?;
    let next = super::nav::onward(&call.front.site.table, account.role, &next);
    let answer = super::reply::page(StatusCode::OK, &Onward { next })?;
    call.open_session(account.id, Way::Elsewhere, answer).await
}

/// The attempt that the browser kept.
fn attempt(call: &Call) -> Option<elsewhere::Attempt> {
    let cookies = call.headers.get_all(header::COOKIE).iter();
    let sealed = cookies.filter_map(|value| elsewhere::find(value.to_str().ok()?)).next()?;
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    serde_json::from_slice(&call.app().keys.unseal(ATTEMPT, &sealed).ok()?).ok()
}

fn provider(call: &Call) -> Result<&Provider, Problem> {
    let none = "This hub has no sign-in elsewhere: use your e-mail and password.";
    call.front.provider.as_ref().ok_or_else(|| Problem::not_found(none))
}

/// A person with a browser reads a page, not JSON.
fn shown(call: &Call, outcome: Outcome) -> Outcome {
    let tongue = language::of(&call.headers);
    let reader = Reader { tongue, arrived: false, back: "", request_id: &call.request_id };
    let page = |problem: Problem| -> Result<Response, Problem> {
        let shown = call.wants_page().then(|| (call.front.site.pages.problem)(&problem, reader));
        shown.flatten().ok_or(problem)
    };
    outcome.or_else(page)
}
