//! `pages`: every page of the table of routes, for the tests that look at each.

use http::route::{Gives, Route, Who};
use serde_json::{Value, json};
use std::io::Write;
use warp::http::Method;

/// # Errors
/// When `out` cannot be written.
pub fn run(out: &mut dyn Write) -> anyhow::Result<()> {
    let table = crate::site::table();
    let pages: Vec<Value> = table.iter().filter(|route| is_page(route)).map(told).collect();
    serde_json::to_writer_pretty(&mut *out, &pages)?;
    Ok(writeln!(out)?)
}

fn is_page(route: &Route) -> bool {
    route.method == Method::GET && matches!(route.shapes.gives, Gives::Page)
}

fn told(route: &Route) -> Value {
    let roles = match route.who {
        Who::Anyone => json!([]),
        Who::Role(roles) => json!(roles),
    };
    let object = format!("{:?}", route.object).to_lowercase();
    json!({ "path": route.path, "roles": roles, "object": object })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_told_and_nothing_else() {
        let mut out = Vec::new();
        run(&mut out).unwrap();
        let pages: Vec<Value> = serde_json::from_slice(&out).unwrap();
        let find = |path| pages.iter().find(|page| page["path"] == path);
        assert_eq!(find("/sign-in").unwrap()["roles"], json!([]));
        assert_eq!(find("/people").unwrap()["roles"], json!(["admin"]));
        for none in ["/docs", "/static/{hash}/{name}", "/api/students", "/"] {
            assert!(find(none).is_none(), "{none}");
        }
    }
}
