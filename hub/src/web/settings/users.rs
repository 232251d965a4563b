//! `/settings/users`: who may sign in, as what, and which classes they teach.

use crate::http::attendance::reader;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{page, see};
use crate::http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::http::users::{Typed, changed, made};
use crate::http::{proof, sign_ins, totp};
use crate::web::account::{Row as SignIn, role, row};
use crate::web::note::Note;
use crate::web::shell::Shell;
use crate::web::start::shell;
use askama::Template;
use jiff::civil::Date;
use rules::auth::Role;
use rules::error::Error;
use serde::Deserialize;
use store::people::{self, Filter, Person};
use store::teaches::{self, Taught};
use store::{Tx, class};
use uuid::Uuid;
use warp::http::{Method, StatusCode};

/// Accounts on a page.
const PER_PAGE: u32 = 100;
const DONE: [&str; 10] = [
    "settings-user-added",
    "settings-user-saved",
    "settings-user-closed",
    "settings-user-opened",
    "settings-user-password-set",
    "settings-user-factor-gone",
    "settings-user-unlinked",
    "settings-user-teaching",
    "settings-user-signed-out",
    "settings-steps-saved",
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (all, one, teaching) =
        ("/settings/users", "/settings/users/{id}", "/settings/users/{id}/teaches");
    let (end, steps) = ("/settings/users/{id}/sign-ins", "/settings/sign-in");
    let (none, user, form, no) = (Object::None, Object::User, Takes::Form(SMALL), Takes::Nothing);
    let page = Shapes::PAGE;
    vec![
        Route::new((Method::GET, all), ADMIN, none, no, page, index),
        Route::new((Method::POST, all), ADMIN, none, form, page, add),
        Route::new((Method::GET, one), ADMIN, user, no, page, show),
        Route::new((Method::POST, one), ADMIN, user, form, page, change),
        Route::new((Method::POST, teaching), ADMIN, user, form, page, teach),
        Route::new((Method::POST, end), ADMIN, user, form, page, end_sign_ins),
        Route::new((Method::POST, steps), ADMIN, none, form, page, demand),
    ]
}

#[derive(Template)]
#[template(path = "settings-users.html")]
struct Page {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    people: Vec<Row>,
    after: Option<Uuid>,
    /// Each role, what it is called, and whether it must have a second factor.
    must: Vec<(Role, &'static str, bool)>,
    /// What the button of another sign-in service says.
    elsewhere: Option<String>,
}

/// An account in the list.
struct Row {
    id: Uuid,
    name: String,
    email: String,
    role: &'static str,
    is_active: bool,
    second_factor: bool,
    /// Whether they can sign in at all: a password, or a service elsewhere.
    can_enter: bool,
}

#[derive(Template)]
#[template(path = "settings-user.html")]
struct One {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    person: Person,
    /// Whether it is the admin's own account.
    own: bool,
    roles: Vec<(Role, &'static str)>,
    taught: Vec<Taught>,
    classes: Vec<class::Class>,
    today: Date,
    elsewhere: bool,
    sign_ins: Vec<SignIn>,
}

#[derive(Deserialize, Default)]
struct Which {
    after: Option<Uuid>,
}

async fn index(call: Call) -> Outcome {
    list(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn list(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let after = call.query::<Which>()?.after;
    let read =
        call.app().db.read(move |tx| people::list(tx, &Filter::default(), after, PER_PAGE)).await?;
    let full = read.len() == PER_PAGE as usize;
    let after = read.last().filter(|_| full).map(|person| person.account.id);
    let people = read.into_iter().map(Row::from).collect();
    let elsewhere = call.app().config.accounts.oidc.as_ref().map(|oidc| oidc.name.clone());
    let policy = sign_ins::policy(call).await?.second_factor;
    let must = Role::ALL.map(|of| (of, role(of), policy.contains(&of))).into();
    let shell = shell(call, "settings");
    page(status, &Page { shell, tab: "users", note, people, after, must, elsewhere })
}

impl From<Person> for Row {
    fn from(person: Person) -> Self {
        let can_enter = person.has_password || person.may_link || person.linked;
        let Person { account, is_active, second_factor, .. } = person;
        let (id, name, email, role) = (account.id, account.name, account.email, role(account.role));
        Self { id, name, email, role, is_active, second_factor, can_enter }
    }
}

/// What a form says, where it says anything.
pub(in crate::web) fn some(call: &Call, name: &str) -> Option<String> {
    call.content.field(name).map(str::to_owned).filter(|text| !text.is_empty())
}

async fn add(call: Call) -> Outcome {
    let done = async {
        let role = call.field("role")?.parse::<Role>();
        let role = role.map_err(|odd| Problem::field("role", odd.to_string()))?;
        let typed = Typed {
            email: some(&call, "email"),
            full_name: some(&call, "full_name"),
            password: some(&call, "password"),
            teacher_id: some(&call, "teacher_id"),
            student_id: some(&call, "student_id"),
            may_link: Some(some(&call, "may_link").is_some()),
            ..Typed::default()
        };
        made(&call, typed, role).await
    };
    match done.await {
        Ok(person) => see(&at(person.account.id, "settings-user-added")),
        Err(problem) => list(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

fn at(id: Uuid, done: &str) -> String {
    format!("/settings/users/{id}?done={done}")
}

async fn show(call: Call) -> Outcome {
    one(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn one(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let (name, reader) = (call.param("id").to_owned(), reader(call)?);
    let read = call.app().db.read(move |tx| {
        let person = people::find(tx, &name)?;
        let taught = teaches::of(tx, person.account.id, reader.today)?;
        Ok((person, taught, class::list(tx, reader)?))
    });
    let (person, taught, classes) = read.await?;
    let shell = shell(call, "settings");
    let sign_ins = sign_ins::of(call, person.account.id, totp::kept(call)).await?.into_iter();
    let view = One {
        sign_ins: sign_ins.map(|one| row(call, &shell, one)).collect(),
        shell,
        tab: "users",
        note,
        own: person.account.id == reader.actor.user,
        roles: Role::ALL.map(|of| (of, role(of))).into(),
        person,
        taught,
        classes,
        today: reader.today,
        elsewhere: call.app().config.accounts.oidc.is_some(),
    };
    page(status, &view)
}

/// Which part of an account a form changes, and what is said afterwards.
fn typed(call: &Call) -> Result<(Typed, &'static str), Problem> {
    let usual = Typed::default();
    let text = |name| call.content.field(name).map(str::to_owned);
    Ok(match call.content.field("part").unwrap_or("") {
        "profile" => {
            let role = call.field("role")?.parse::<Role>();
            let role = role.map_err(|odd| Problem::field("role", odd.to_string()))?;
            let version = text("version").and_then(|version| version.parse().ok());
            let typed = Typed {
                email: text("email"),
                full_name: text("full_name"),
                role: Some(role),
                teacher_id: text("teacher_id").filter(|_| role != Role::Student),
                student_id: text("student_id").filter(|_| role == Role::Student),
                may_link: Some(some(call, "may_link").is_some()),
                version,
                ..usual
            };
            (typed, "settings-user-saved")
        }
        "close" => (Typed { is_active: Some(false), ..usual }, "settings-user-closed"),
        "open" => (Typed { is_active: Some(true), ..usual }, "settings-user-opened"),
        "password" => {
            let password = Some(text("password").unwrap_or_default());
            (Typed { password, ..usual }, "settings-user-password-set")
        }
        "factor" => (Typed { totp: Some(false), ..usual }, "settings-user-factor-gone"),
        "unlink" => (Typed { linked: Some(false), ..usual }, "settings-user-unlinked"),
        _ => return Err(Problem::field("part", "use the buttons of the page")),
    })
}

async fn change(call: Call) -> Outcome {
    let done = match typed(&call) {
        Ok((typed, done)) => changed(&call, typed, &Role::ALL).await.map(|person| (person, done)),
        Err(problem) => Err(problem),
    };
    answer(&call, done.map(|(person, done)| (person.account.id, done))).await
}

async fn answer(call: &Call, done: Result<(Uuid, &'static str), Problem>) -> Outcome {
    match done {
        Ok((id, done)) => see(&at(id, done)),
        Err(problem) if problem.kind == proof::NEEDED => Err(problem),
        Err(problem) => one(call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Ends every sign-in of the account, but the admin's own one that asks.
async fn end_sign_ins(call: Call) -> Outcome {
    let done = async {
        let name = call.param("id").to_owned();
        let account = call.app().db.read(move |tx| people::find(tx, &name)).await?.account.id;
        sign_ins::all_ended(&call, account).await?;
        Ok((account, "settings-user-signed-out"))
    };
    let done = done.await;
    answer(&call, done).await
}

/// Says which roles must have a second factor.
async fn demand(call: Call) -> Outcome {
    let on = |role: &Role| call.content.field(role.as_str()).is_some();
    let second_factor = Role::ALL.into_iter().filter(on).collect();
    match sign_ins::demand(&call, sign_ins::Policy { second_factor }).await {
        Ok(()) => see("/settings/users?done=settings-steps-saved"),
        Err(problem) => list(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Lets them teach a class for some days, or ends it.
async fn teach(call: Call) -> Outcome {
    let taught = taught(&call).await;
    answer(&call, taught.map(|id| (id, "settings-user-teaching"))).await
}

async fn taught(call: &Call) -> Result<Uuid, Problem> {
    let stop = some(call, "stop");
    let ends = stop.is_some();
    let class = stop.or_else(|| some(call, "class_id")).unwrap_or_default();
    teaching(call, call.param("id").to_owned(), class, ends).await.map(|(account, _)| account)
}

/// Lets `account` teach `class` for the days that a form says, or ends it. Returns their ids.
pub(in crate::web) async fn teaching(
    call: &Call,
    account: String,
    class: String,
    ends: bool,
) -> Result<(Uuid, Uuid), Problem> {
    let (reader, now) = (reader(call)?, call.now);
    let (from, to) = (day(call, "from")?, day(call, "to")?);
    let write = move |tx: &Tx<'_>| {
        let account = people::find(tx, &account)?.account;
        let class = class::find(tx, reader, &class)?.id;
        let actor = reader.actor.user.to_string();
        if ends {
            teaches::stop(tx, class, account.id, reader.today, &actor, now)?;
            return Ok((account.id, class));
        }
        let from = from.unwrap_or(reader.today);
        if to.is_some_and(|to| to < from) {
            return Err(Error::Invalid("to: the last day lies before the first".into()));
        }
        if account.role == rules::auth::Role::Student {
            return Err(Error::Invalid("only a teacher or an admin teaches a class".into()));
        }
        teaches::add(tx, class, account.id, (from, to), &actor, now)?;
        Ok((account.id, class))
    };
    Ok(call.app().db.write(write).await?)
}

/// A day as a form sends it; nothing when the field is empty.
pub(super) fn day(call: &Call, field: &str) -> Result<Option<Date>, Problem> {
    let text = some(call, field);
    let read = text.map(|text| text.parse().map_err(|_| text)).transpose();
    read.map_err(|_| Problem::field(field, "write the day as 2026-03-02"))
}
