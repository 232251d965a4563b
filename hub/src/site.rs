//! The site: every route of the API and of the pages in one table.

use http::endpoint::{Endpoint, Handlers, open};
use http::route::Table;
use http::site::{Pages, Site};

fn endpoints() -> Vec<Endpoint> {
    [api::routes(web::report::shown), web::routes()].concat()
}

/// Every route of the hub.
#[must_use]
pub fn table() -> Table {
    open(endpoints()).0
}

/// What the hub serves to people and programs, and who answers.
#[must_use]
pub fn site() -> (Site, Handlers) {
    let (table, handlers) = open(endpoints());
    (Site::new(table, Pages { problem: web::start::problem }), handlers)
}
