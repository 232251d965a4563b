//! The second factor on `/account`: begun with a square code, proven once, taken away.

use super::answer;
use crate::note::Note;
use crate::qr;
use crate::shell::Shell;
use crate::shell::shell;
use acts::entrance::CodeStarted;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::{PROOF_NEEDED, Problem};
use http::reply::page;
use http::route::Route;
use warp::http::StatusCode;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/account/second-factor").everyone().form().page().by(begin),
        Route::post("/account/second-factor/confirm").everyone().form().page().by(confirm),
        Route::post("/account/second-factor/remove").everyone().form().page().by(remove),
    ]
}

#[derive(Template)]
#[template(path = "account-factor.html")]
struct FactorBegun {
    shell: Shell,
    note: Option<Note>,
    /// The secret as people type it, in groups of four.
    secret: String,
    uri: String,
    square: Option<String>,
}

#[derive(Template)]
#[template(path = "account-codes.html")]
struct Codes {
    shell: Shell,
    codes: Vec<String>,
    host: String,
    email: String,
}

async fn begin(call: Call) -> Outcome {
    let password = call.content.field("password").unwrap_or("").to_owned();
    let account = call.own().await?;
    let begun = call.visitor().begin_code(&account, password).await;
    match begun.map_err(Problem::from) {
        Ok(started) => begun_page(&call, StatusCode::CREATED, started, None),
        Err(problem) if problem.kind == PROOF_NEEDED => Err(problem),
        Err(problem) => answer(&call, Err(problem)).await,
    }
}

fn begun_page(call: &Call, status: StatusCode, begun: CodeStarted, note: Option<Note>) -> Outcome {
    let shell = shell(call, "account");
    let square = qr::svg(&begun.uri, &shell.say("account-square"));
    let secret = fours(&begun.secret);
    page(status, &FactorBegun { shell, note, secret, uri: begun.uri, square })
}

/// Groups of four letters, as people read a long word.
fn fours(text: &str) -> String {
    let letters: Vec<_> = text.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

async fn confirm(call: Call) -> Outcome {
    let account = call.own().await?;
    let visitor = call.visitor();
    let code = call.content.field("code").unwrap_or("");
    match visitor.switch_code_on(&account, code).await.map_err(Problem::from) {
        Ok(codes) => {
            let email = account.email;
            let shell = shell(&call, "account");
            let host = call.app().config.host.clone();
            page(StatusCode::OK, &Codes { shell, codes, host, email })
        }
        Err(problem) if problem.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let begun = visitor.waiting_code(&account).await?;
            let note = Note::problem(&problem);
            begun_page(&call, problem.status, begun, Some(note))
        }
        Err(problem) => answer(&call, Err(problem)).await,
    }
}

async fn remove(call: Call) -> Outcome {
    let account = call.own().await?;
    let code = call.content.field("code").unwrap_or("");
    let done = call.visitor().switch_code_off(&account, code).await;
    answer(&call, done.map(|()| "account-done-factor").map_err(Problem::from)).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_read_in_groups() {
        assert_eq!(super::fours("ABCDEFGHIJ"), "ABCD EFGH IJ");
        assert_eq!(super::fours(""), "");
    }
}
