//! The site: every route of the API and of the pages in one table.

use crate::http::route::Table;
use crate::http::site::{Pages, Site};
use crate::{http, web};

/// Every route of the hub.
#[must_use]
pub fn table() -> Table {
    Table::new([http::routes(), web::routes()].concat())
}

/// What the hub serves to people and programs.
#[must_use]
pub fn site() -> Site {
    Site::new(table(), Pages { problem: web::start::problem, register: web::report::shown })
}
