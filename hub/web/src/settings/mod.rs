//! `/settings`: what an admin sets for the whole site; a file per page.

pub mod audit;
pub mod grid;
pub mod mail;
pub mod places;
pub mod recognition;
pub mod retention;
pub mod timetable;
pub mod users;
pub mod webhooks;
pub mod work;

use super::shell::Shell;
use crate::shell::shell;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::page;
use http::route::Route;
use warp::http::StatusCode;

/// Every page of the settings: its last word, what it is called, and what it is for.
pub const PAGES: [(&str, &str, &str); 9] = [
    ("recognition", "settings-recognition", "settings-recognition-for"),
    ("timetable", "settings-timetable", "settings-timetable-for"),
    ("holidays", "settings-holidays", "settings-holidays-for"),
    ("rooms", "settings-rooms", "settings-rooms-for"),
    ("users", "settings-users", "settings-users-for"),
    ("retention", "settings-retention", "settings-retention-for"),
    ("mail", "settings-mail", "settings-mail-for"),
    ("webhooks", "settings-webhooks", "settings-webhooks-for"),
    ("audit", "audit-title", "audit-lead"),
];

/// Routes of all these pages.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    [
        vec![Route::get("/settings").admin().page().by(index)],
        recognition::routes(),
        timetable::routes(),
        places::routes(),
        users::routes(),
        retention::routes(),
        mail::routes(),
        webhooks::routes(),
        audit::routes(),
    ]
    .concat()
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsIndex {
    shell: Shell,
    tab: &'static str,
}

async fn index(call: Call) -> Outcome {
    page(StatusCode::OK, &SettingsIndex { shell: shell(&call, "settings"), tab: "" })
}
