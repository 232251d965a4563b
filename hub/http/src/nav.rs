//! Where the navigation leads, and who may go there: read from the table of routes itself.

use super::route::{RouteFound, Table, Who};
use rules::auth::Role;
use warp::http::Method;

/// The pages of the navigation: address, which page it is, and what it is called.
const PAGES: [(&str, &str, &str); 7] = [
    ("/review", "review", "shell-review"),
    ("/class", "class", "shell-class"),
    ("/people", "people", "shell-people"),
    ("/devices", "devices", "shell-doors"),
    ("/care", "care", "shell-care"),
    ("/settings", "settings", "shell-settings"),
    ("/me", "me", "shell-me"),
];

/// Everybody with an account has this one.
const ACCOUNT: &str = "/account";

/// Whether somebody in this role may open the page at `address`. What no route has, says so itself.
#[must_use]
pub fn is_open(table: &Table, role: Role, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    match table.find(&Method::GET, path) {
        RouteFound::Route(route, _) => match route.who {
            Who::Anyone => true,
            Who::Role(roles) => roles.contains(&role),
        },
        RouteFound::OtherMethod(_) | RouteFound::Nothing => true,
    }
}

/// The pages that somebody in this role may open: address, which it is, what it is called.
pub fn pages(
    table: &Table,
    role: Role,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    PAGES.into_iter().filter(move |(address, ..)| is_open(table, role, address))
}

/// Where somebody in this role begins.
#[must_use]
pub fn home(table: &Table, role: Role) -> &'static str {
    pages(table, role).next().map_or(ACCOUNT, |(address, ..)| address)
}

/// `next`, if this role may open it; else where it begins.
#[must_use]
pub fn onward<'a>(table: &Table, role: Role, next: &'a str) -> &'a str {
    if is_open(table, role, next) { next } else { home(table, role) }
}

/// A path of our own to go on to: never another site.
#[must_use]
pub fn inside(next: &str) -> &str {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n']);
    if ours && !next.chars().any(char::is_control) { next } else { "/review" }
}
