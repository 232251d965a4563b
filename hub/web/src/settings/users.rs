//! `/settings/users`: who may sign in, as what, and which classes they teach.

use crate::account::{AccountRow as SignIn, role, row};
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::accounts::{AccountChanges, AccountName as Account};
use acts::sign_ins::{self, SignInsEnd};
use acts::teaching::{self, Teaching};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::{PROOF_NEEDED, Problem};
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::Date;
use rules::auth::Role;
use serde::Deserialize;
use store::accounts::{self, AccountFilter, AccountPerson};
use store::class;
use store::teaches::{self, Taught};
use uuid::Uuid;
use warp::http::StatusCode;

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
pub fn routes() -> Vec<Endpoint> {
    let all = "/settings/users";
    let one = "/settings/users/{id}";
    vec![
        Route::get(all).admin().page().by(index),
        Route::post(all).admin().form().page().by(add),
        Route::get(one).admin().of(Object::User).page().by(show),
        Route::post(one).admin().of(Object::User).form().page().by(change),
        Route::post("/settings/users/{id}/teaches")
            .admin()
            .of(Object::User)
            .form()
            .page()
            .by(teach),
        Route::post("/settings/users/{id}/sign-ins")
            .admin()
            .of(Object::User)
            .form()
            .page()
            .by(end_sign_ins),
        Route::post("/settings/sign-in").admin().form().page().by(demand),
    ]
}

#[derive(Template)]
#[template(path = "settings-users.html")]
struct UsersPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    people: Vec<UserRow>,
    after: Option<Uuid>,
    /// Each role, what it is called, and whether it must have a second factor.
    must: Vec<(Role, &'static str, bool)>,
    /// What the button of another sign-in service says.
    elsewhere: Option<String>,
}

/// An account in the list.
struct UserRow {
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
struct UserPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    person: AccountPerson,
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
struct UsersQuery {
    after: Option<Uuid>,
}

async fn index(call: Call) -> Outcome {
    list(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn list(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let after = call.query::<UsersQuery>()?.after;
    let read = call
        .app()
        .db
        .read(move |tx| accounts::list(tx, &AccountFilter::default(), after, PER_PAGE))
        .await?;
    let full = read.len() == PER_PAGE as usize;
    let after = read.last().filter(|_| full).map(|person| person.account.id);
    let people = read.into_iter().map(UserRow::from).collect();
    let elsewhere = call.app().config.accounts.oidc.as_ref().map(|oidc| oidc.name.clone());
    let policy = call.app().db.read(sign_ins::demanded).await?;
    let must = Role::ALL.map(|of| (of, role(of), policy.contains(&of))).into();
    let shell = shell(call, "settings");
    page(status, &UsersPage { shell, tab: "users", note, people, after, must, elsewhere })
}

impl From<AccountPerson> for UserRow {
    fn from(person: AccountPerson) -> Self {
        let can_enter = person.has_password || person.may_link || person.linked;
        let AccountPerson { account, is_active, second_factor, .. } = person;
        let id = account.id;
        let name = account.name;
        let email = account.email;
        let role = role(account.role);
        Self { id, name, email, role, is_active, second_factor, can_enter }
    }
}

/// What a form says, where it says anything.
pub(crate) fn some(call: &Call, name: &str) -> Option<String> {
    call.content.field(name).map(str::to_owned).filter(|text| !text.is_empty())
}

async fn add(call: Call) -> Outcome {
    let done = async {
        let role = call.field("role")?.parse::<Role>();
        let role = role.map_err(|odd| Problem::field("role", odd.to_string()))?;
        let new = AccountChanges {
            email: some(&call, "email"),
            name: some(&call, "full_name"),
            password: some(&call, "password"),
            teacher_id: some(&call, "teacher_id"),
            student: some(&call, "student_id"),
            may_link: Some(some(&call, "may_link").is_some()),
            ..AccountChanges::default()
        };
        let made = call.front.entrance.accounts().add(new, role, call.name()?, call.now).await;
        made.map_err(Problem::from)
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
    let name = call.param("id").to_owned();
    let reader = call.reader()?;
    let keep = call.kept();
    let limits = call.front.limits;
    let now = call.now;
    let read = call.app().db.read(move |tx| {
        let person = accounts::find(tx, &name)?;
        let id = person.account.id;
        let taught = teaches::of(tx, id, reader.today)?;
        let sign_ins = sign_ins::open(tx, id, &keep, limits, now)?;
        Ok((person, taught, class::list(tx, reader)?, sign_ins))
    });
    let (person, taught, classes, sign_ins) = read.await?;
    let shell = shell(call, "settings");
    let view = UserPage {
        sign_ins: sign_ins.into_iter().map(|one| row(call, &shell, one)).collect(),
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
fn typed(call: &Call) -> Result<(AccountChanges, &'static str), Problem> {
    let usual = AccountChanges::default();
    let text = |name| call.content.field(name).map(str::to_owned);
    Ok(match call.content.field("part").unwrap_or("") {
        "profile" => {
            let role = call.field("role")?.parse::<Role>();
            let role = role.map_err(|odd| Problem::field("role", odd.to_string()))?;
            let typed = AccountChanges {
                email: text("email"),
                name: text("full_name"),
                role: Some(role),
                teacher_id: text("teacher_id").filter(|_| role != Role::Student),
                student: text("student_id").filter(|_| role == Role::Student),
                may_link: Some(some(call, "may_link").is_some()),
                ..usual
            };
            (typed, "settings-user-saved")
        }
        "close" => (AccountChanges { is_active: Some(false), ..usual }, "settings-user-closed"),
        "open" => (AccountChanges { is_active: Some(true), ..usual }, "settings-user-opened"),
        "password" => {
            let password = Some(text("password").unwrap_or_default());
            (AccountChanges { password, ..usual }, "settings-user-password-set")
        }
        "factor" => {
            (AccountChanges { second_factor: Some(false), ..usual }, "settings-user-factor-gone")
        }
        "unlink" => (AccountChanges { linked: Some(false), ..usual }, "settings-user-unlinked"),
        _ => return Err(Problem::field("part", "use the buttons of the page")),
    })
}

async fn change(call: Call) -> Outcome {
    let done = async {
        let (to, done) = typed(&call)?;
        let to = AccountChanges { version: call.form_version()?, ..to };
        let which = Account { name: call.param("id").to_owned(), among: &Role::ALL };
        let person =
            call.front.entrance.accounts().change(which, to, call.asker()?, call.now).await?;
        Ok((person.account.id, done))
    };
    let done = done.await;
    answer(&call, done).await
}

async fn answer(call: &Call, done: Result<(Uuid, &'static str), Problem>) -> Outcome {
    match done {
        Ok((id, done)) => see(&at(id, done)),
        Err(problem) if problem.kind == PROOF_NEEDED => Err(problem),
        Err(problem) => one(call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Ends every sign-in of the account, but the admin's own one that asks.
async fn end_sign_ins(call: Call) -> Outcome {
    let done = async {
        let name = call.param("id").to_owned();
        let account = call.app().db.read(move |tx| accounts::find(tx, &name)).await?.account.id;
        let of = SignInsEnd { account, by: call.actor()?.user, keep: call.kept() };
        sign_ins::end_all(&call.app().db, of, call.now).await?;
        Ok((account, "settings-user-signed-out"))
    };
    let done = done.await;
    answer(&call, done).await
}

/// Says which roles must have a second factor.
async fn demand(call: Call) -> Outcome {
    let on = |role: &Role| call.content.field(role.as_str()).is_some();
    let roles = Role::ALL.into_iter().filter(on).collect();
    let user = call.actor()?.user;
    match sign_ins::demand(&call.app().db, roles, user, call.now).await.map_err(Problem::from) {
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
pub(crate) async fn teaching(
    call: &Call,
    account: String,
    class: String,
    ends: bool,
) -> Result<(Uuid, Uuid), Problem> {
    let reader = call.reader()?;
    let now = call.now;
    let db = &call.app().db;
    let (from, to) = (day(call, "from")?, day(call, "to")?);
    let whom = Teaching { account, class };
    Ok(match ends {
        true => teaching::end(db, reader, whom, now).await?,
        false => teaching::begin(db, reader, whom, (from, to), now).await?,
    })
}

/// A day as a form sends it; nothing when the field is empty.
pub(super) fn day(call: &Call, field: &str) -> Result<Option<Date>, Problem> {
    let text = some(call, field);
    let read = text.map(|text| text.parse().map_err(|_| text)).transpose();
    read.map_err(|_| Problem::field(field, "write the day as 2026-03-02"))
}
