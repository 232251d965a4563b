//! `/devices/{id}/token`: how a unit joins, as a command and as a square code, shown once; and
//! `/devices/{id}/invitation`, the file by which it joins without a keyboard.

use crate::qr;
use crate::shell::Shell;
use crate::shell::shell;
use acts::doors::{self, INVITATION_FILE, join_token};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::{bytes, page, with};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use store::device;
use warp::http::{StatusCode, header};
use wire::{DeviceId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let device = |path| Route::post(path).admin().of(Object::Device).form();
    vec![
        device("/devices/{id}/token").page().by(invite),
        device("/devices/{id}/invitation").part().by(invitation),
    ]
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

async fn invitation(call: Call) -> Outcome {
    let app = call.app();
    let id = call.id("id")?;
    let by = call.name()?;
    let text = doors::invitation(&app.db, &app.pki, id, app.config.joining(), by, call.now).await?;
    let file = format!("attachment; filename=\"{INVITATION_FILE}\"");
    Ok(with(bytes("application/toml", text)?, header::CONTENT_DISPOSITION, &file))
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
        until: words::when(shell.language, ends, &app.config.zone, call.now),
        since: call.now,
        shell,
        name,
        command,
    };
    page(status, &view)
}
