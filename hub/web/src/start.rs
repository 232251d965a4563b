//! Set-up, sign-in and sign-out, our files, and what a page says when something went wrong.

use super::account::passkeys::{PasskeyAsk, shown};
use super::account::prove;
use super::files;
use super::shell::Shell;
use crate::account::prove::elsewhere;
use crate::shell::shell;
use acts::auth::session;
use acts::entrance::{Checked, SetUpFirstAdmin};
use askama::Template;
use http::call::Call;
use http::compress;
use http::endpoint::Endpoint;
use http::guard;
use http::language;
use http::nav::{self, inside};
use http::problem::Outcome;
use http::problem::{PROOF_NEEDED, Problem};
use http::reply::{self, page, see, with};
use http::route::Route;
use http::site::ProblemReader;
use store::account::{self, Account};
use store::login::Way;
use store::{passkey, totp};
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};
use words::language::Language;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let sign_in_at = "/sign-in";
    let setup = "/setup";
    vec![
        Route::get("/static/{hash}/{name}").anyone().part().by(file),
        Route::get(sign_in_at).anyone().page().by(sign_in_page),
        Route::post(sign_in_at).anyone().form().page().by(sign_in),
        Route::post("/sign-out").everyone().form().page().by(sign_out),
        Route::post("/language").anyone().form().page().by(choose_language),
        Route::get(setup).anyone().page().by(setup_page),
        Route::post(setup).anyone().form().page().by(set_up),
    ]
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage<'a> {
    shell: Shell,
    problem: Option<String>,
    email: &'a str,
    next: &'a str,
    elsewhere: Option<String>,
    /// Whether a passkey opens.
    passkey: bool,
}

#[derive(Template)]
#[template(path = "sign-in-code.html")]
struct Code<'a> {
    shell: Shell,
    problem: Option<String>,
    step: &'a str,
    next: &'a str,
    /// Whether the account has codes, and passkeys.
    has: Factors,
}

/// What an account has besides its password.
struct Factors {
    codes: bool,
    passkeys: PasskeyAsk,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct Setup<'a> {
    shell: Shell,
    problem: Option<String>,
    code: &'a str,
    name: &'a str,
    email: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct ProblemPage<'a> {
    shell: Shell,
    title: &'a str,
    detail: &'a str,
    onward: &'a str,
    onward_words: &'a str,
    request_id: &'a str,
}

/// Remembers the language, and shows the same page again.
async fn choose_language(call: Call) -> Outcome {
    let chosen = Language::tagged(call.field("language")?);
    let language = chosen.ok_or_else(|| Problem::field("language", "choose one of the buttons"))?;
    let from = call.header("referer").and_then(|from| from.split_once("//")?.1.split_once('/'));
    let back = from.map_or_else(String::new, |(_, path)| format!("/{path}"));
    Ok(with(see(inside(&back))?, header::SET_COOKIE, &language::remember(language)))
}

async fn file(call: Call) -> Outcome {
    let file = files::find(call.param("hash"));
    let gone = || Problem::not_found("This file belongs to another version: load the page again.");
    let (file, pressed) = file.ok_or_else(gone)?;
    let mut answer = match compress::takes(&call.headers) {
        true => compress::mark(reply::bytes(file.kind, pressed)?),
        false => with(reply::bytes(file.kind, file.bytes)?, header::VARY, "accept-encoding"),
    };
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    answer.headers_mut().insert(header::CACHE_CONTROL, keep);
    Ok(answer)
}

/// Whether the hub waits for its first account.
async fn is_new(call: &Call) -> Result<bool, Problem> {
    Ok(!call.app().db.read(account::any).await?)
}

async fn sign_in_page(call: Call) -> Outcome {
    if is_new(&call).await? {
        return see("/setup");
    }
    let next: String = call
        .query::<Vec<(String, String)>>()?
        .into_iter()
        .collect::<std::collections::HashMap<_, _>>()
        .remove("next")
        .unwrap_or_default();
    let shell = shell(&call, "");
    let next = inside(&next);
    let elsewhere = elsewhere(&call);
    let passkey = call.lacks_passkeys().is_none();
    page(StatusCode::OK, &SignInPage { shell, problem: None, email: "", next, elsewhere, passkey })
}

async fn sign_in(call: Call) -> Outcome {
    let email = call.content.field("email").unwrap_or("").trim().to_owned();
    let password = call.content.field("password").unwrap_or("").to_owned();
    let next = inside(call.content.field("next").unwrap_or("")).to_owned();
    if let Some(step) = call.content.field("step").filter(|step| !step.is_empty()) {
        return second_step(&call, step.to_owned(), &next).await;
    }
    let tried = match shown(&call)? {
        Some(shown) => call.visitor().show(shown, None).await.map(|a| (a, Way::Passkey)),
        None => match call.visitor().check(&email, password).await {
            Ok(Checked::Done(account)) => Ok((account, Way::Password)),
            Ok(Checked::NeedsCode(account)) => {
                return code_page(&call, &account, &next).await;
            }
            Err(error) => Err(error),
        },
    };
    match tried.map_err(Problem::from) {
        Ok((account, way)) => enter(&call, &account, way, &next).await,
        Err(problem) => {
            let refused = refused(&call, problem.detail.clone(), &email, &next);
            Ok(later(page(problem.status, &refused)?, &problem))
        }
    }
}

/// The sign-in page once more, with what went wrong.
fn refused<'a>(call: &Call, words: String, email: &'a str, next: &'a str) -> SignInPage<'a> {
    let shell = shell(call, "");
    let elsewhere = elsewhere(call);
    let passkey = call.lacks_passkeys().is_none();
    SignInPage { shell, problem: Some(words), email, next, elsewhere, passkey }
}

/// Asks for the second factor of whoever gave the right password just now.
async fn code_page(call: &Call, account: &Account, next: &str) -> Outcome {
    let step = call.visitor().step_token(account.id);
    let has = factors(call, account).await?;
    let shell = shell(call, "");
    let step = step.as_str();
    page(StatusCode::OK, &Code { shell, problem: None, step, next, has })
}

async fn factors(call: &Call, account: &Account) -> Result<Factors, Problem> {
    let id = account.id;
    let missing = call.lacks_passkeys();
    let read = call.app().db.read(move |tx| {
        let codes = totp::get(tx, id)?.is_some_and(|totp| totp.confirmed);
        Ok(Factors { codes, passkeys: PasskeyAsk::of(passkey::any(tx, id)?, missing) })
    });
    Ok(read.await?)
}

/// A code or a passkey, from whoever gave the right password just now.
async fn second_step(call: &Call, step: String, next: &str) -> Outcome {
    let code = call.content.field("code").unwrap_or("").to_owned();
    let Some(account) = call.visitor().step_account(&step).await? else {
        let words = shell(call, "").say("start-too-late");
        return page(StatusCode::UNAUTHORIZED, &refused(call, words, "", next));
    };
    let tried = match shown(call)? {
        Some(shown) => call.visitor().show(shown, Some(account.id)).await.map(drop),
        None => call.visitor().use_code(&account, &code).await,
    };
    match tried.map_err(Problem::from) {
        Ok(()) => enter(call, &account, Way::Password, next).await,
        Err(problem) => {
            let shell = shell(call, "");
            let words = Some(problem.detail.clone());
            let has = factors(call, &account).await?;
            let refused = Code { shell, problem: words, step: &step, next, has };
            Ok(later(page(problem.status, &refused)?, &problem))
        }
    }
}

/// Opens the session and goes on, if they may go there.
async fn enter(call: &Call, account: &Account, way: Way, next: &str) -> Outcome {
    let answer = see(nav::onward(&call.front.site.table, account.role, next))?;
    call.open_session(account.id, way, answer).await
}

async fn sign_out(call: Call) -> Outcome {
    call.visitor().leave().await?;
    let gone = with(see("/sign-in")?, header::SET_COOKIE, &session::farewell());
    let clear = warp::http::HeaderName::from_static("clear-site-data");
    Ok(with(gone, clear, "\"cache\", \"storage\""))
}

async fn setup_page(call: Call) -> Outcome {
    if !is_new(&call).await? {
        return see("/sign-in");
    }
    let shell = shell(&call, "");
    let problem = None;
    page(StatusCode::OK, &Setup { shell, problem, code: "", name: "", email: "" })
}

async fn set_up(call: Call) -> Outcome {
    let field = |name| call.content.field(name).unwrap_or("").trim().to_owned();
    let code = field("code");
    let name = field("full_name");
    let email = field("email");
    let password = call.content.field("password").unwrap_or("").to_owned();
    let first =
        SetUpFirstAdmin { code: code.clone(), name: name.clone(), email: email.clone(), password };
    match call.visitor().set_up(first).await.map_err(Problem::from) {
        Ok(account) => call.open_session(account.id, Way::SetUp, see("/people")?).await,
        Err(problem) => {
            let shell = shell(&call, "");
            let words = Some(problem.detail.clone());
            let code = code.as_str();
            let name = name.as_str();
            let email = email.as_str();
            page(problem.status, &Setup { shell, problem: words, code, name, email })
        }
    }
}

/// Loads the same address again, this time from our own site.
const AGAIN: &str = "<!doctype html><html lang=\"en-GB\"><meta charset=\"utf-8\">\
    <meta http-equiv=\"refresh\" content=\"0\"><title>Rollcall</title><p>One moment …</p></html>";

/// What a browser shows instead of a problem's JSON. Who is not signed in is led to the door; who
/// only seems so, because a link from elsewhere brought them, bounces once.
#[must_use]
pub fn problem(problem: &Problem, reader: ProblemReader<'_>) -> Option<Response> {
    let ProblemReader { language, arrived, back, request_id } = reader;
    match problem.kind {
        PROOF_NEEDED => return see(&prove::at(back)).ok(),
        guard::FACTOR_FIRST => return see("/account").ok(),
        _ => {}
    }
    match problem.status {
        StatusCode::UNAUTHORIZED if arrived => {
            return Some(warp::reply::html(AGAIN).into_response());
        }
        StatusCode::UNAUTHORIZED => return see("/sign-in").ok(),
        _ => {}
    }
    let title = match problem.status.as_u16() {
        403 => "start-problem-403",
        404 => "start-problem-404",
        409 => "start-problem-409",
        429 => "start-problem-429",
        500.. => "start-problem-server",
        _ => "start-problem-other",
    };
    let detail = problem.detail.as_str();
    let request_id = if problem.status.is_server_error() { request_id } else { "" };
    let shell = Shell { language, ..Shell::default() };
    let title = shell.say(title);
    let onward_words = shell.say("start-onward");
    let title = title.as_str();
    let onward = "/";
    let onward_words = onward_words.as_str();
    let message = ProblemPage { shell, title, detail, onward, onward_words, request_id };
    Some(later(page(problem.status, &message).ok()?, problem))
}

/// The same answer, saying when another try makes sense.
fn later(mut answer: Response, problem: &Problem) -> Response {
    if let Some(seconds) = problem.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_to_another_site() {
        assert_eq!(inside("/people?after=x"), "/people?after=x");
        for bad in ["", "https://evil.test", "//evil.test", "/\\evil.test", "/x\r\ny: z"] {
            assert_eq!(inside(bad), "/review", "{bad:?}");
        }
    }
}
