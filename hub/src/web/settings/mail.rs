//! `/settings/mail`: whether mail leaves, what it says, and what did not arrive.

use crate::error::Error;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{page, sentence};
use crate::http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::http::totp::own;
use crate::notify::letters::{self, Absence, Letter};
use crate::notify::post::{Post, Undelivered};
use crate::store::mail::{self, Listed, Waiting};
use crate::web::note::Note;
use crate::web::shell::Shell;
use crate::web::start::shell;
use crate::web::words;
use askama::Template;
use uuid::Uuid;
use warp::http::{Method, StatusCode};
use wire::StudentId;

/// Mails that are looked at for the list.
const NEWEST: u32 = 200;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (none, form) = (Object::None, Takes::Form(SMALL));
    let (at, test) = ((Method::GET, "/settings/mail"), (Method::POST, "/settings/mail/test"));
    vec![
        Route::new(at, ADMIN, none, Takes::Nothing, Shapes::PAGE, index),
        Route::new(test, ADMIN, none, form, Shapes::PAGE, try_it),
    ]
}

#[derive(Template)]
#[template(path = "settings-mail.html")]
struct Page {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    /// The server and the sender, if mail leaves at all.
    server: Option<(String, String)>,
    email: String,
    sample: Letter,
    /// Of the newest mails: waiting, sent and failed ones.
    counts: [usize; 3],
    failed: Vec<(Listed, String)>,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, None).await
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let smtp = call.app().config.smtp.as_ref();
    let server = smtp.map(|smtp| (format!("{}:{}", smtp.host, smtp.port), smtp.from.clone()));
    let mails = call.app().db.read(|tx| mail::list(tx, None, NEWEST)).await?;
    let count = |state: &str| mails.iter().filter(|mail| mail.state == state).count();
    let counts = ["waiting", "sent", "failed"].map(count);
    let (shell, email) = (shell(call, "settings"), own(call).await?.email);
    let failed = mails.into_iter().filter(|mail| mail.state == "failed").take(20);
    let failed = failed.map(|mail| {
        let ago = words::ago(shell.tongue, mail.created_at, call.now);
        (mail, ago)
    });
    let failed = failed.collect();
    let sample = sample(call, &shell)?;
    page(status, &Page { shell, tab: "mail", note, server, email, sample, counts, failed })
}

/// What a family reads about an absence, with made-up names.
fn sample(call: &Call, shell: &Shell) -> Result<Letter, Error> {
    let absence = Absence {
        session: Uuid::nil(),
        lesson: shell.say("settings-mail-lesson"),
        starts: call.now,
        student: StudentId(Uuid::nil()),
        name: shell.say("settings-mail-somebody"),
        recipient: String::new(),
    };
    letters::absence(&absence, &call.app().config.zone, call.now)
}

/// Sends a mail to whoever asks, and says what the server answered.
async fn try_it(call: Call) -> Outcome {
    match sent(&call).await {
        Ok(note) => show(&call, StatusCode::OK, Some(note)).await,
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

async fn sent(call: &Call) -> Result<Note, Problem> {
    let none = || Problem::conflict("No mail server is set: set smtp.host in the hub's file.");
    let smtp = call.app().config.smtp.as_ref().ok_or_else(none)?;
    let (recipient, shell) = (own(call).await?.email, shell(call, "settings"));
    let subject = shell.say("settings-mail-test-subject");
    let (id, body) = (wire::id::v7(call.now), shell.say("settings-mail-test-body"));
    let mail = Waiting { id, recipient: recipient.clone(), subject, body, attempts: 0 };
    match Post::new(smtp)?.send(&mail, call.now).await {
        Ok(()) => Ok(Note::good(shell.one("settings-mail-tested", "email", recipient))),
        Err(Undelivered::Later(why) | Undelivered::Never(why)) => {
            Err(Problem::unavailable(sentence(&why)))
        }
    }
}
