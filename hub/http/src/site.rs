//! What is served here: the one table of routes, and what a browser is shown in place of JSON. The
//! program puts both together, so that the frame knows neither a resource nor a page.

use super::openapi;
use super::problem::Problem;
use super::route::Table;
use std::sync::{Arc, OnceLock};
use warp::reply::Response;
use words::language::Language;

/// Whom a problem is shown to.
#[derive(Clone, Copy, Debug)]
pub struct ProblemReader<'a> {
    /// Their language.
    pub language: Language,
    /// Whether a link on another site brought them.
    pub arrived: bool,
    /// Where they were.
    pub back: &'a str,
    /// The request's name.
    pub request_id: &'a str,
}

/// What a browser is shown in place of JSON.
#[derive(Clone, Copy)]
pub struct Pages {
    /// What went wrong; nothing where JSON is as good.
    pub problem: fn(&Problem, ProblemReader<'_>) -> Option<Response>,
}

/// Everything that is served; cheap to clone.
#[derive(Clone)]
pub struct Site {
    /// Every route.
    pub table: Table,
    /// How pages look.
    pub pages: Pages,
    document: Arc<OnceLock<String>>,
}

impl Site {
    /// These routes, with these pages.
    #[must_use]
    pub fn new(table: Table, pages: Pages) -> Self {
        Self { table, pages, document: Arc::default() }
    }

    /// The document of the API, as text: it never changes while the hub runs.
    #[must_use]
    pub fn document(&self) -> &str {
        self.document.get_or_init(|| openapi::document(&self.table).to_string())
    }
}
