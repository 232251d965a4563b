//! Where the navigation leads, on the one table of the hub.

use crate::site::table;
use http::nav::{home, onward, pages};
use http::route::RouteFound;
use rules::auth::Role;
use warp::http::Method;

#[test]
fn everybody_is_shown_only_what_they_may_open() {
    let table = table();
    let shown = |role| pages(&table, role).map(|(address, ..)| address).collect::<Vec<_>>();
    let all = ["/review", "/class", "/people", "/devices", "/care", "/settings"];
    assert_eq!(shown(Role::Admin), all);
    assert_eq!(shown(Role::Teacher), ["/review", "/class"]);
    assert_eq!(shown(Role::Student), ["/me"]);
    let begins = Role::ALL.map(|role| home(&table, role));
    assert_eq!(begins, ["/me", "/review", "/review"]);
}

#[test]
fn who_signs_in_goes_on_to_where_they_may_be() {
    let table = table();
    let onward = |role, next| onward(&table, role, next);
    assert_eq!(onward(Role::Student, "/review?after=x"), "/me");
    assert_eq!(
        onward(Role::Teacher, "/class/7B/today?lesson=1#roll"),
        "/class/7B/today?lesson=1#roll"
    );
    assert_eq!(onward(Role::Teacher, "/settings"), "/review");
    assert_eq!(onward(Role::Student, "/nowhere"), "/nowhere", "which says that it is none");
}

#[test]
fn every_page_of_the_navigation_is_one() {
    let table = table();
    for (address, ..) in Role::ALL.into_iter().flat_map(|role| pages(&table, role)) {
        assert!(matches!(table.find(&Method::GET, address), RouteFound::Route(..)), "{address}");
    }
}
