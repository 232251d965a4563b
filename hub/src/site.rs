//! The site: every route of the API and of the pages in one table.

use http;
use http::route::Table;
use http::site::{Pages, Site};
use web;

/// Every route of the hub.
#[must_use]
pub fn table() -> Table {
    Table::new([api::routes(), web::routes()].concat())
}

/// What the hub serves to people and programs.
#[must_use]
pub fn site() -> Site {
    Site::new(table(), Pages { problem: web::start::problem, register: web::report::shown })
}
