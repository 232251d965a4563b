//! What asks its admin to prove once more who they are: a browser left open does not erase a
//! child, hand out a file, make an admin or cut a door off.

use super::call::Call;
use super::problem::Problem;
use super::route::Route;
use crate::signed_in::SignedIn;
use warp::http::Method;
use wire::Wall;

/// Routes that ask for it.
const ROUTES: [(Method, &str); 41] = [
    (Method::POST, "/api/students/{id}/erase"),
    (Method::POST, "/people/{id}/erase"),
    (Method::DELETE, "/api/students/{id}"),
    (Method::DELETE, "/api/persons/{id}"),
    (Method::GET, "/api/students/{id}/export"),
    (Method::POST, "/api/users"),
    (Method::PUT, "/api/users/{id}"),
    (Method::PATCH, "/api/users/{id}"),
    (Method::DELETE, "/api/users/{id}"),
    (Method::POST, "/api/auth/users"),
    (Method::POST, "/api/auth/register"),
    (Method::POST, "/api/teachers"),
    (Method::PUT, "/api/teachers/{id}"),
    (Method::PATCH, "/api/teachers/{id}"),
    (Method::DELETE, "/api/teachers/{id}"),
    (Method::POST, "/settings/users"),
    (Method::POST, "/settings/users/{id}"),
    (Method::POST, "/settings/sign-in"),
    (Method::PUT, "/api/settings/sign-in"),
    (Method::POST, "/api/devices"),
    (Method::POST, "/devices"),
    (Method::DELETE, "/api/devices/{id}"),
    (Method::POST, "/devices/{id}/settings"),
    (Method::POST, "/api/devices/{id}/revoke"),
    (Method::POST, "/devices/{id}/revoke"),
    (Method::POST, "/api/devices/{id}/capture-token"),
    (Method::POST, "/api/devices/{id}/join-token"),
    (Method::POST, "/devices/{id}/token"),
    (Method::POST, "/api/devices/{id}/invitation"),
    (Method::POST, "/devices/{id}/invitation"),
    (Method::POST, "/devices/{id}/program"),
    (Method::POST, "/api/updates"),
    (Method::POST, "/api/rollouts"),
    (Method::POST, "/updates"),
    (Method::POST, "/updates/begin"),
    (Method::POST, "/api/clock"),
    (Method::POST, "/care/clock"),
    (Method::POST, "/settings/recognition"),
    (Method::PUT, "/api/retention"),
    (Method::POST, "/settings/retention"),
    (Method::POST, "/settings/retention/run"),
];

/// Routes that change how an account is opened: signing in is no proof for them, or an open browser
/// would be enough. A second factor is set by the password and removed by a code instead.
const OPENS: [(Method, &str); 5] = [
    (Method::POST, "/api/auth/passkeys/begin"),
    (Method::POST, "/api/auth/passkeys"),
    (Method::POST, "/api/auth/passkeys/remove"),
    (Method::POST, "/account/passkeys"),
    (Method::POST, "/account/passkeys/remove"),
];

/// Whether `route` asks for a fresh proof.
#[must_use]
pub fn is_asked(route: &Route) -> bool {
    is_among(&ROUTES, route) || is_among(&OPENS, route)
}

fn is_among(some: &[(Method, &str)], route: &Route) -> bool {
    some.iter().any(|(method, path)| *method == route.method && *path == route.path)
}

/// Whether `by` may do what `route` does without proving anything once more.
///
/// # Errors
/// 403.
pub fn held(route: &Route, by: &SignedIn, now: Wall) -> Result<(), Problem> {
    match route {
        _ if is_among(&OPENS, route) => needed(by.is_fresh(now) && by.again),
        _ if is_among(&ROUTES, route) => needed(by.is_fresh(now)),
        _ => Ok(()),
    }
}

/// Whether whoever calls may do what is asked for a proof on some calls of a route only.
///
/// # Errors
/// 403.
pub fn fresh(call: &Call) -> Result<(), Problem> {
    needed(call.by.as_ref().is_none_or(|by| by.is_fresh(call.now)))
}

fn needed(held: bool) -> Result<(), Problem> {
    if held {
        return Ok(());
    }
    Err(Problem::unproven())
}

/// Every route that is named here, for the test that holds it against the table.
#[doc(hidden)]
pub fn asked() -> impl Iterator<Item = (Method, &'static str)> {
    ROUTES.into_iter().chain(OPENS)
}
