//! The OpenAPI 3.1 document, made from the one table of routes: nothing is written twice.
//!
//! Pages are not in it, nor is a second spelling of an address that is there with `/api`.

mod names;
mod operation;

use super::problem;
use super::route::{Gives, Route, Shape, Table};
use names::Names;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What the document says about the whole.
const ABOUT: &str = "Face attendance for schools. Programs send an access token from \
    `/api/auth/login`; every address also works with a slash at its end. What is another \
    teacher’s is answered like what does not exist. Refusals are problem details (RFC 9457).";

/// Whether `route` belongs into the document.
#[must_use]
pub fn documented(table: &Table, route: &Route) -> bool {
    let native = format!("/api{}", route.path);
    let twin = |other: &Route| other.path == native && other.method == route.method;
    !matches!(route.shapes.gives, Gives::Page | Gives::Part) && !table.iter().any(twin)
}

/// The document for `table`.
#[must_use]
pub fn document(table: &Table) -> Value {
    let names = names(table);
    let mut paths = Map::new();
    for route in table.iter().filter(|route| documented(table, route)) {
        let at = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_lowercase();
        at[method] = operation::of(route, &names);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rollcall",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This hub" }],
        "paths": paths,
        "components": { "schemas": names.schemas(), "securitySchemes": security() },
    })
}

/// Names of schemas that mean two things, for the test that there are none.
#[doc(hidden)]
#[must_use]
pub fn clashes(table: &Table) -> BTreeSet<String> {
    names(table).clashes()
}

fn names(table: &Table) -> Names {
    let routes = table.iter().filter(|route| documented(table, route));
    Names::of(routes.flat_map(shapes).chain([refusal()]))
}

/// How a request says who sends it.
fn security() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        "cookie": { "type": "apiKey", "in": "cookie", "name": acts::auth::session::COOKIE },
    })
}

/// What a refusal looks like.
fn refusal() -> Shape {
    Shape::of::<problem::ProblemBody<'static>>()
}

/// Every shape of `route`.
fn shapes(route: &Route) -> Vec<Shape> {
    let given = match route.shapes.gives {
        Gives::Json(shape) => Some(shape),
        Gives::Nothing | Gives::File(_) | Gives::Page | Gives::Part => None,
    };
    route.shapes.takes.into_iter().chain(given).collect()
}
