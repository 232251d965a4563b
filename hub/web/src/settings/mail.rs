//! `/settings/mail`: whether mail leaves, what it says, and what did not arrive.

use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::mail::Trial;
use acts::notify::letters;
use acts::notify::texts::{self, Text, TextKind, Texts};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use store::mail::{self, Absence, MailLetter, MailListed};
use uuid::Uuid;
use warp::http::StatusCode;
use wire::StudentId;
use words::language::Language;

/// Mails that are looked at for the list.
const NEWEST: u32 = 200;
const DONE: [&str; 1] = ["settings-mail-written"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/settings/mail").admin().page().by(index),
        Route::post("/settings/mail/texts").admin().form().page().by(write),
        Route::post("/settings/mail/test").admin().form().page().by(try_it),
    ]
}

#[derive(Template)]
#[template(path = "settings-mail.html")]
struct MailPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    /// The server and the sender, if mail leaves at all.
    server: Option<(String, String)>,
    email: String,
    sample: MailLetter,
    /// The language of the usual texts, and every text as it is.
    language: Language,
    texts: Vec<Written>,
    /// Of the newest mails: waiting, sent and failed ones.
    counts: [usize; 3],
    failed: Vec<(MailListed, String)>,
}

/// One text, to be changed.
struct Written {
    /// As forms name it.
    kind: &'static str,
    text: Text,
    /// Whether it is the school's own.
    own: bool,
    gaps: String,
}

impl Written {
    fn of(kind: TextKind, texts: &Texts) -> Self {
        let gaps: Vec<_> = kind.gaps().iter().map(|gap| format!("{{{gap}}}")).collect();
        let own = texts.own.contains_key(&kind);
        Self { kind: kind.as_str(), text: texts.of(kind), own, gaps: gaps.join(" ") }
    }
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

/// Keeps language and texts; a text left empty is the usual one again.
async fn write(call: Call) -> Outcome {
    let own = TextKind::ALL.into_iter().filter_map(|kind| {
        let field = |name: &str| call.content.field(&format!("{name}_{}", kind.as_str()));
        let subject = field("subject")?.to_owned();
        let body = field("body")?.to_owned();
        let said = !(subject.trim().is_empty() && body.trim().is_empty());
        said.then_some((kind, Text { subject, body }))
    });
    let persian = call.content.field("language") == Some("fa");
    let language = if persian { Language::Persian } else { Language::English };
    let texts = Texts { language, own: own.collect() };
    let write = texts::set(&call.app().db, texts, call.name()?, call.now);
    match write.await.map_err(Problem::from) {
        Ok(_) => see("/settings/mail?done=settings-mail-written"),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let smtp = call.app().config.smtp.as_ref();
    let server = smtp.map(|smtp| (format!("{}:{}", smtp.host, smtp.port), smtp.from.clone()));
    let read = call.app().db.read(|tx| Ok((mail::list(tx, None, NEWEST)?, texts::get(tx)?)));
    let (mails, texts) = read.await?;
    let count = |state: &str| mails.iter().filter(|mail| mail.state == state).count();
    let counts = ["waiting", "sent", "failed"].map(count);
    let shell = shell(call, "settings");
    let email = call.own().await?.email;
    let failed = mails.into_iter().filter(|mail| mail.state == "failed").take(20);
    let failed = failed.map(|mail| {
        let ago = words::ago(shell.language, mail.created_at, call.now);
        (mail, ago)
    });
    let failed = failed.collect();
    let sample = sample(call, &shell, &texts);
    let language = texts.language;
    let texts = TextKind::ALL.map(|kind| Written::of(kind, &texts)).into();
    let view = MailPage {
        shell,
        tab: "mail",
        note,
        server,
        email,
        sample,
        language,
        texts,
        counts,
        failed,
    };
    page(status, &view)
}

/// What a family reads about an absence, with made-up names.
fn sample(call: &Call, shell: &Shell, texts: &Texts) -> MailLetter {
    let absence = Absence {
        session: Uuid::nil(),
        lesson: shell.say("settings-mail-lesson"),
        starts: call.now,
        student: StudentId(Uuid::nil()),
        name: shell.say("settings-mail-somebody"),
        recipient: String::new(),
    };
    letters::absence(&absence, &call.app().config.zone, texts, call.now)
}

/// Sends a mail to whoever asks, and says what the server answered.
async fn try_it(call: Call) -> Outcome {
    match sent(&call).await {
        Ok(note) => show(&call, StatusCode::OK, Some(note)).await,
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

async fn sent(call: &Call) -> Result<Note, Problem> {
    let recipient = call.own().await?.email;
    let shell = shell(call, "settings");
    let trial = Trial {
        recipient: recipient.clone(),
        subject: shell.say("settings-mail-test-subject"),
        body: shell.say("settings-mail-test-body"),
    };
    call.app().mailing().try_out(trial, call.now).await?;
    Ok(Note::good(shell.one("settings-mail-tested", "email", recipient)))
}
