//! `/account`: one's own name, password, passkeys, second factor, sign-ins, language, mail and calendars.

pub mod factor;
pub mod passkeys;
pub mod prove;

use super::note::Note;
use super::shell::Shell;
use crate::shell::shell;
use acts::calendars;
use acts::own::{self, OwnChanges, OwnSettings};
use acts::sign_ins::{self, SignInsEnd};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use passkeys::{Missing, PasskeySection};
use rules::auth::Role;
use std::collections::HashMap;
use store::accounts::{self, AccountPerson};
use store::feed::{self, Feed};
use store::login::SignIn;
use store::{Tx, class, totp};
use uuid::Uuid;
use warp::http::StatusCode;

/// What a step on this page may have done.
const DONE: [&str; 10] = [
    "account-done-profile",
    "account-done-password",
    "account-done-mail",
    "account-done-end",
    "account-done-others",
    "account-done-calendar",
    "account-done-factor",
    "account-done-passkey",
    "account-done-passkey-name",
    "account-done-passkey-gone",
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let own = vec![
        Route::get("/account").everyone().page().by(index),
        Route::post("/account/profile").staff().form().page().by(profile),
        Route::post("/account/password").everyone().form().page().by(new_password),
        Route::post("/account/mail").staff().form().page().by(mail),
        Route::post("/account/sign-ins").everyone().form().page().by(end),
        Route::post("/account/calendars").staff().form().page().by(add_calendar),
        Route::post("/account/calendars/end").staff().form().page().by(end_calendar),
    ];
    [own, factor::routes(), passkeys::routes(), prove::routes()].concat()
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    note: Option<Note>,
    person: AccountPerson,
    role: &'static str,
    /// Whether mail about doors comes to them.
    admin: bool,
    /// What only teachers and admins have.
    staff: Option<Staff>,
    factor: Factor,
    /// Whether they get no further without a second factor.
    must: bool,
    sign_ins: Vec<AccountRow>,
    /// A new calendar address, shown once.
    url: Option<String>,
}

/// The second factor.
struct Factor {
    /// Whether it counts.
    enabled: bool,
    /// Recovery codes that were not used.
    recovery_codes_left: i64,
}

struct Staff {
    settings: OwnSettings,
    calendars: Vec<Calendar>,
    classes: Vec<class::Class>,
    passkeys: PasskeySection,
}

/// A way in which they are signed in.
pub struct AccountRow {
    key: String,
    /// Browser or program.
    pub kind: &'static str,
    /// How long ago.
    pub began: String,
    /// How long ago, for a browser.
    pub seen: Option<String>,
    /// From which address.
    pub from: String,
    /// Whether it is the one that asks.
    pub here: bool,
}

/// A calendar address.
struct Calendar {
    id: Uuid,
    class: Option<String>,
    made: String,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE), None).await
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>, url: Option<String>) -> Outcome {
    let user = call.actor()?.user;
    let keep = call.kept();
    let limits = call.front.limits;
    let now = call.now;
    let read = call.app().db.read(move |tx| {
        let person = accounts::find(tx, &user.to_string())?;
        let enabled = totp::get(tx, user)?.is_some_and(|totp| totp.confirmed);
        let factor = Factor { enabled, recovery_codes_left: totp::left(tx, user)? };
        Ok((person, sign_ins::open(tx, user, &keep, limits, now)?, factor))
    });
    let (person, sign_ins, factor) = read.await?;
    let shell = shell(call, "account");
    let sign_ins = sign_ins.into_iter().map(|one| row(call, &shell, one)).collect();
    let must = call.by.as_ref().is_some_and(|by| by.lacks_factor);
    let staff = match person.account.role {
        Role::Student => None,
        Role::Teacher | Role::Admin => Some(staff(call, &shell).await?),
    };
    let admin = person.account.role == Role::Admin;
    let role = role(person.account.role);
    let view = AccountPage { shell, note, person, role, admin, staff, factor, must, sign_ins, url };
    page(status, &view)
}

/// What a role is called; a text’s key.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Student => "account-role-student",
        Role::Teacher => "account-role-teacher",
        Role::Admin => "account-role-admin",
    }
}

/// How a page shows a sign-in.
#[must_use]
pub fn row(call: &Call, shell: &Shell, sign_in: SignIn) -> AccountRow {
    let ago = |at| words::ago(shell.language, at, call.now);
    AccountRow {
        kind: if sign_in.seen.is_some() { "account-browser" } else { "account-program" },
        began: ago(sign_in.began),
        seen: sign_in.seen.map(ago),
        from: sign_in.from,
        here: sign_in.kept,
        key: sign_in.key,
    }
}

async fn staff(call: &Call, shell: &Shell) -> Result<Staff, Problem> {
    let reader: store::reader::Reader = call.reader()?;
    let read = move |tx: &Tx<'_>| {
        let feeds = feed::of(tx, reader.actor.user)?;
        Ok((class::list(tx, reader)?, own::settings(tx, reader)?, feeds))
    };
    let (classes, settings, feeds) = call.app().db.read(read).await?;
    let names: HashMap<_, _> = classes.iter().map(|c| (c.id, c.class_name.clone())).collect();
    let one = |feed: Feed| Calendar {
        id: feed.id,
        class: feed.class.map(|id| names.get(&id).cloned().unwrap_or_default()),
        made: words::ago(shell.language, feed.created_at, call.now),
    };
    let calendars = feeds.into_iter().map(one).collect();
    let passkeys = passkeys::told(call, shell).await?;
    Ok(Staff { settings, calendars, classes, passkeys })
}

/// Back to the page, saying what was done; or the page with what stood in the way.
async fn answer(call: &Call, done: Result<&'static str, Problem>) -> Outcome {
    match done {
        Ok(key) => see(&format!("/account?done={key}")),
        Err(problem) => show(call, problem.status, Some(Note::problem(&problem)), None).await,
    }
}

async fn profile(call: Call) -> Outcome {
    let text = |name| call.content.field(name).map(str::to_owned);
    let to = OwnChanges {
        name: text("full_name"),
        phone: text("phone"),
        department: text("department"),
        ..OwnChanges::default()
    };
    let changed = changed(&call, to).await;
    answer(&call, changed.map(|()| "account-done-profile")).await
}

async fn changed(call: &Call, to: OwnChanges) -> Result<(), Problem> {
    let to = OwnChanges { version: call.version(None)?, ..to };
    let app = call.app();
    let reader = call.reader()?;
    own::change(&app.db, reader, to, app.config.zone.clone(), call.now).await?;
    Ok(())
}

async fn new_password(call: Call) -> Outcome {
    let typed = |name| call.content.field(name).unwrap_or("").to_owned();
    let current = typed("current_password");
    let new = typed("new_password");
    let account = call.own().await?;
    let changed = call.visitor().new_password(&account, current, new).await;
    answer(&call, changed.map(|()| "account-done-password").map_err(Problem::from)).await
}

async fn mail(call: Call) -> Outcome {
    let on = |name| Some(call.content.field(name).is_some());
    let admin = call.by.as_ref().is_some_and(|by| by.actor.role == Role::Admin);
    let to = OwnChanges {
        mail_alerts: on("mail_alerts").filter(|_| admin),
        language: Some(http::language::of(&call.headers)),
        mail_absence: on("mail_absence"),
        mail_low_attendance: on("mail_low_attendance"),
        ..OwnChanges::default()
    };
    let changed = changed(&call, to).await;
    answer(&call, changed.map(|()| "account-done-mail")).await
}

/// Ends one sign-in, or all but this one.
async fn end(call: Call) -> Outcome {
    let done = async {
        let key = call.field("sign_in")?.to_owned();
        let db = &call.app().db;
        let user = call.actor()?.user;
        let of = SignInsEnd { account: user, by: user, keep: call.kept() };
        if key == "others" {
            sign_ins::end_all(db, of, call.now).await?;
            return Ok("account-done-others");
        }
        sign_ins::end_one(db, key, of, call.now).await?;
        Ok("account-done-end")
    };
    let done = done.await;
    answer(&call, done).await
}

async fn add_calendar(call: Call) -> Outcome {
    let class = call.content.field("class_id").filter(|id| !id.is_empty()).map(str::to_owned);
    match calendars::add(&call.app().db, call.reader()?, class, call.now).await {
        Ok(made) => {
            let url = call.calendar(&made.secret);
            show(&call, StatusCode::CREATED, None, Some(url)).await
        }
        Err(error) => answer(&call, Err(error.into())).await,
    }
}

async fn end_calendar(call: Call) -> Outcome {
    let done = async {
        let id =
            call.field("calendar")?.parse().map_err(|_| Problem::field("calendar", "no id"))?;
        let db = &call.app().db;
        let by = call.actor()?;
        Ok::<_, Problem>(calendars::end(db, by, id, call.now).await?)
    };
    let done = done.await;
    answer(&call, done.map(|()| "account-done-calendar")).await
}
