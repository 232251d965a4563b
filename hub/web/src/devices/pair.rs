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
use http::{
    problem::Outcome,
    route::{ADMIN, Object, Shapes},
    takes::{SMALL, Takes},
};
use store::device;
use warp::http::{Method, StatusCode};
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = (Method::POST, "/devices/{id}/token");
    let form = Takes::Form(SMALL);
    vec![Endpoint::new(path, ADMIN, Object::Device, form, Shapes::PAGE, invite)]
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
