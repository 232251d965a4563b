//! Who is asking, and may they: the only way from a request to a handler.

use super::Raw;
use super::body::Content;
use super::call::{Proof, SignedIn, signed_out};
use super::capture::CAPTURE;
use super::front::Front;
use super::problem::Problem;
use super::route::{Route, Takes, Who};
use crate::auth::{Actor, Role, csrf::Came, session};
use crate::config::Hosts;
use crate::store::{capture_token, login};
use warp::http::{HeaderMap, Method, StatusCode, header};
use wire::Wall;

/// How a door's capture token begins.
pub const CAPTURE_TOKEN: &str = "door_";

/// Whether the answer to this should be a page even when it is a refusal.
#[must_use]
pub fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts = text(headers, "accept").is_some_and(|accept| accept.contains("text/html"));
    accepts && !path.starts_with("/api/")
}

/// Whether a link on another site (or in a mail) led here: then the browser kept the Strict
/// cookie back, and asks again with it once one of our own pages sends it.
#[must_use]
pub fn from_elsewhere(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET && text(headers, "sec-fetch-site") == Some("cross-site")
}

/// Refuses a request for a host that is not ours: a name that somebody else pointed at us.
///
/// # Errors
/// 421.
pub fn asked_for(hosts: &Hosts, headers: &HeaderMap) -> Result<(), Problem> {
    if hosts.allow(text(headers, "host").unwrap_or("")) {
        return Ok(());
    }
    let say = "The hub does not answer under this name. Use the address you were given, or add \
               the name to the hub's setting “hosts”.";
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong-host", say))
}

/// Who sent this, if anybody is signed in. With an `Authorization` header the cookie is ignored.
///
/// # Errors
/// 401 for a token that is not valid: whoever sends one means to be somebody.
pub async fn identify(
    front: &Front,
    headers: &HeaderMap,
    now: Wall,
) -> Result<Option<SignedIn>, Problem> {
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let given = given.to_str().unwrap_or("");
        let token = given.strip_prefix("Bearer ").or_else(|| given.strip_prefix("bearer "));
        return bearer(front, token.unwrap_or(""), now).await.map(Some);
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let secret = cookies.filter_map(session::find).next().map(str::to_owned);
    match secret {
        Some(secret) => browser(front, secret, now).await,
        None => Ok(None),
    }
}

/// A door's capture token: it counts for one route, which checks that it is that door's.
async fn door(front: &Front, token: &str) -> Result<SignedIn, Problem> {
    let digest = crate::auth::digest(token);
    let found = front.app.db.read(move |tx| capture_token::holder(tx, &digest)).await?;
    let ended = "This capture token does not count any more. Ask an admin for a new one.";
    let door = found.ok_or_else(|| Problem::unauthorised(ended))?;
    // No account has this id, and of all roles a student sees least.
    let actor = Actor { user: uuid::Uuid::nil(), role: Role::Student };
    Ok(SignedIn { actor, name: door.to_string(), proof: Proof::Door(door) })
}

async fn bearer(front: &Front, token: &str, now: Wall) -> Result<SignedIn, Problem> {
    if token.starts_with(CAPTURE_TOKEN) {
        return door(front, token).await;
    }
    let invalid = |error: crate::auth::token::BadToken| {
        Problem::unauthorised(super::reply::sentence(&error.to_string()))
    };
    let access = front.tokens.read(token, now).map_err(invalid)?;
    let family = access.family;
    let found = front.app.db.read(move |tx| login::family(tx, family)).await?;
    let account = found.ok_or_else(|| invalid(crate::auth::token::BadToken))?;
    Ok(SignedIn { actor: account.actor(), name: account.name, proof: Proof::Token(family) })
}

async fn browser(front: &Front, secret: String, now: Wall) -> Result<Option<SignedIn>, Problem> {
    let digest = crate::auth::digest(&secret);
    let key = digest.clone();
    let found = front.app.db.read(move |tx| login::session(tx, &key)).await?;
    let Some((account, created, seen)) = found else { return Ok(None) };
    if !front.limits.alive(created, seen, now) {
        return Ok(None);
    }
    if session::stale(seen, now) {
        front.app.db.write(move |tx| login::touch(tx, &digest, now)).await?;
    }
    let (actor, name) = (account.actor(), account.name);
    Ok(Some(SignedIn { actor, name, proof: Proof::Session(secret) }))
}

/// Checks the route's declaration before a byte of the body is read.
///
/// # Errors
/// 401 when nobody is signed in, 403 for a wrong role or a forged request.
pub(super) fn admit<S>(
    route: &Route,
    by: Option<SignedIn>,
    raw: &Raw<S>,
) -> Result<Option<SignedIn>, Problem> {
    let changes = !matches!(raw.method, Method::GET | Method::HEAD);
    let from_browser = by.as_ref().is_some_and(|by| matches!(by.proof, Proof::Session(_)));
    if changes && (from_browser || matches!(route.takes, Takes::Form(_))) {
        came(&raw.headers, None).from_here().map_err(forged)?;
    }
    if let Some(SignedIn { proof: Proof::Door(_), .. }) = &by {
        return match route.path {
            CAPTURE => Ok(by),
            _ => Err(Problem::forbidden("A capture token only sends pictures of its own door.")),
        };
    }
    match (route.who, &by) {
        (Who::Anyone, _) => Ok(by),
        (Who::Role(_), None) => Err(signed_out()),
        (Who::Role(roles), Some(someone)) => {
            if roles.contains(&someone.actor.role) {
                Ok(by)
            } else {
                Err(wrong_role(someone.actor))
            }
        }
    }
}

/// Checks that a browser's change came from our own page, now that its form is read.
///
/// # Errors
/// 403.
pub fn unforged(
    route: &Route,
    by: Option<&SignedIn>,
    headers: &HeaderMap,
    content: &Content,
) -> Result<(), Problem> {
    let Some(SignedIn { proof: Proof::Session(secret), .. }) = by else { return Ok(()) };
    if route.method == Method::GET || route.who == Who::Anyone {
        return Ok(());
    }
    let token = text(headers, "x-csrf-token").or_else(|| content.field("csrf"));
    came(headers, token).check(secret).map_err(forged)
}

fn came<'a>(headers: &'a HeaderMap, token: Option<&'a str>) -> Came<'a> {
    let (site, origin) = (text(headers, "sec-fetch-site"), text(headers, "origin"));
    Came { site, origin, host: text(headers, "host"), token }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn forged(error: crate::auth::csrf::Forged) -> Problem {
    Problem::forbidden(super::reply::sentence(&error.to_string()))
}

fn wrong_role(actor: Actor) -> Problem {
    Problem::forbidden(format!("An account of the role “{}” may not do this.", actor.role))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
