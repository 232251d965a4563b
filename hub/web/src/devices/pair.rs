//! `/devices/{id}/token`: how a unit joins, as a command and as a square code, shown once.

use super::state::when;
use crate::qr;
use crate::shell::Shell;
use crate::shell::shell;
use acts::doors::join_token;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::page;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use store::device;
use warp::http::StatusCode;
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::post("/devices/{id}/token").admin().of(Object::Device).form().page().by(invite)]
}

#[derive(Template)]
#[template(path = "door-join.html")]
struct PairPage {
    shell: Shell,
    name: String,
    command: String,
    square: Option<String>,
    /// Until when the token works.
    until: String,
    /// When it was made: a certificate made later is this unit's.
    since: Wall,
}

async fn invite(call: Call) -> Outcome {
    let id = call.id("id")?;
    page_of(&call, StatusCode::OK, id).await
}

/// The page with a new token for the door `id`.
pub(super) async fn page_of(call: &Call, status: StatusCode, id: DeviceId) -> Outcome {
    let name = id.to_string();
    let shell = shell(call, "devices");
    let app = call.app();
    let token = join_token(&app.db, &app.pki, id, call.name()?, call.now).await?;
    let command = call.join_command(&token);
    let ends = call.now.plus_ms(device::TOKEN_MS);
    let view = PairPage {
        square: qr::svg(&command, &shell.say("doors-join-square")),
        until: when(&shell, ends, &app.config.zone, call.now),
        since: call.now,
        shell,
        name,
        command,
    };
    page(status, &view)
}
