//! Who is asking, and may they: the only way from a request to a handler.

use super::RawRequest;
use super::body::Content;
use super::call::signed_out;
use super::front::Front;
use super::problem::Problem;
use super::proof;
use super::route::{Route, Who};
use crate::signed_in::{Proof, SignedIn};
use crate::takes::Takes;
use acts::auth::{csrf::CsrfOrigin, session};
use acts::doors::programs::CAPTURE_TOKEN;
use config::Hosts;
use rules::auth::{Actor, Role};
use store::device::capture_token;
use store::login::{self, LoginLive};
use subtle::ConstantTimeEq as _;
use warp::http::{HeaderMap, Method, StatusCode, header};
use wire::Wall;

/// The one route that a door's capture token opens.
pub const CAPTURE: &str = "/api/capture";

/// Whether the answer to this should be a page even when it is a refusal.
#[must_use]
pub fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts = text(headers, "accept").is_some_and(|accept| accept.contains("text/html"));
    accepts && !path.starts_with("/api/")
}

/// Where a page goes on once something else was done first: its own address, or for a form that of
/// the page it was on.
#[must_use]
pub(super) fn back(raw: &RawRequest) -> String {
    if matches!(raw.method, Method::GET | Method::HEAD) {
        let mark = if raw.query.is_empty() { "" } else { "?" };
        return format!("{}{mark}{}", raw.path, raw.query);
    }
    let from =
        text(&raw.headers, "referer").and_then(|from| from.split_once("//")?.1.split_once('/'));
    from.map_or_else(String::new, |(_, path)| format!("/{path}"))
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
        let token = token.unwrap_or("");
        return match reads_metrics(front, token) {
            true => Ok(None), // nobody's account: the one route it opens looks for it itself
            false => bearer(front, token, now).await.map(Some),
        };
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let secret = cookies.filter_map(session::find).next().map(str::to_owned);
    match secret {
        Some(secret) => browser(front, secret, now).await,
        None => Ok(None),
    }
}

/// Whether `token` is the one for the metrics.
#[must_use]
pub fn reads_metrics(front: &Front, token: &str) -> bool {
    let own = front.app.config.metrics_token.as_ref();
    own.is_some_and(|own| own.expose().as_bytes().ct_eq(token.as_bytes()).into())
}

/// A door's capture token: it counts for one route, which checks that it is that door's.
async fn door(front: &Front, token: &str, now: Wall) -> Result<SignedIn, Problem> {
    let digest = acts::auth::digest(token);
    let found = front.app.db.read(move |tx| capture_token::holder(tx, &digest, now)).await?;
    let ended = "This capture token does not count any more. Ask an admin for a new one.";
    let door = found.ok_or_else(|| Problem::unauthorised(ended))?;
    // No account has this id, and of all roles a student sees least.
    let actor = Actor { user: uuid::Uuid::nil(), role: Role::Student };
    let name = door.to_string();
    let proof = Proof::Door(door);
    Ok(SignedIn { actor, name, proof, proved: now, again: false, lacks_factor: false })
}

async fn bearer(front: &Front, token: &str, now: Wall) -> Result<SignedIn, Problem> {
    if token.starts_with(CAPTURE_TOKEN) {
        return door(front, token, now).await;
    }
    let invalid = |error: acts::auth::token::BadToken| {
        Problem::unauthorised(super::reply::sentence(&error.to_string()))
    };
    let access = front.tokens.read(token, now).map_err(invalid)?;
    let family = access.family;
    let found = front.app.db.read(move |tx| login::family(tx, family)).await?;
    let live = found.ok_or_else(|| invalid(acts::auth::token::BadToken))?;
    Ok(SignedIn::new(live, Proof::Token(family)))
}

/// Who `proof` stands for now; nothing once it was ended, is over, its account is closed, or lacks
/// a second factor that its role must have.
///
/// It does not count as a use, so that an open page keeps no session alive.
pub async fn still(front: &Front, proof: &Proof, now: Wall) -> Result<Option<Actor>, Problem> {
    let live = match proof {
        Proof::Session(secret) => alive(front, secret, now).await?.map(|(live, _)| live),
        Proof::Token(family) => {
            let family = *family;
            front.app.db.read(move |tx| login::family(tx, family)).await?
        }
        Proof::Door(_) => None,
    };
    Ok(live.filter(|live| !live.lacks_factor).map(|live| live.account.actor()))
}

/// Whose session this is and when it was last used, while it lives.
async fn alive(
    front: &Front,
    secret: &str,
    now: Wall,
) -> Result<Option<(LoginLive, Wall)>, Problem> {
    let digest = acts::auth::digest(secret);
    let found = front.app.db.read(move |tx| login::session(tx, &digest)).await?;
    let alive = found.filter(|(_, created, seen)| front.limits.alive(*created, *seen, now));
    Ok(alive.map(|(live, _, seen)| (live, seen)))
}

async fn browser(front: &Front, secret: String, now: Wall) -> Result<Option<SignedIn>, Problem> {
    let Some((live, seen)) = alive(front, &secret, now).await? else { return Ok(None) };
    if rules::auth::session::stale(seen, now) {
        // Whoever reads may read although nothing can be written: the disk may be full.
        if let Err(error) = front.entrance.used(&secret, now).await {
            tracing::warn!(%error, "that a session is in use was not noted");
        }
    }
    Ok(Some(SignedIn::new(live, Proof::Session(secret))))
}

/// Checks the route's declaration before a byte of the body is read.
///
/// # Errors
/// 401 when nobody is signed in, 403 for a wrong role or a forged request.
pub(super) fn admit(
    route: &Route,
    by: Option<SignedIn>,
    raw: &RawRequest,
    now: Wall,
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
        // Whoever is signed in does more here than a stranger may.
        (Who::Anyone, Some(someone)) if proof::is_asked(route) => {
            if someone.lacks_factor {
                return Err(factor_first());
            }
            proof::held(route, someone, now)?;
            Ok(by)
        }
        (Who::Anyone, _) => Ok(by),
        (Who::Role(_), None) => Err(signed_out()),
        (Who::Role(roles), Some(someone)) => {
            if !roles.contains(&someone.actor.role) {
                return Err(wrong_role(someone.actor));
            }
            if someone.lacks_factor && !leads_to_factor(route.path) {
                return Err(factor_first());
            }
            proof::held(route, someone, now)?;
            Ok(by)
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

fn came<'a>(headers: &'a HeaderMap, token: Option<&'a str>) -> CsrfOrigin<'a> {
    let site = text(headers, "sec-fetch-site");
    let origin = text(headers, "origin");
    CsrfOrigin { site, origin, host: text(headers, "host"), token }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn forged(error: acts::auth::csrf::CsrfForged) -> Problem {
    Problem::forbidden(super::reply::sentence(&error.to_string()))
}

/// Whether a route is open to who must have a second factor and has none yet.
fn leads_to_factor(path: &str) -> bool {
    path == "/sign-out" || ["/account", "/api/auth/"].iter().any(|open| path.starts_with(open))
}

/// The kind of problem that asks for a second factor to be set up.
pub const FACTOR_FIRST: &str = "second-factor-first";

fn factor_first() -> Problem {
    let say = "Accounts of your role need a second factor here: set one up first, on the page of \
               your account.";
    Problem::new(StatusCode::FORBIDDEN, FACTOR_FIRST, say)
}

fn wrong_role(actor: Actor) -> Problem {
    Problem::forbidden(format!("An account of the role “{}” may not do this.", actor.role))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
