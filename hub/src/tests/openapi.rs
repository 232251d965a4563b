//! The document as a whole: nothing missing, nothing empty, nothing that leads nowhere.

use crate::site::table;
use http::openapi::{clashes, document, documented};
use http::{route::Gives, takes::Takes};
use serde_json::{Map, Value, json};

fn each<'a>(value: &'a Value, look: &mut impl FnMut(&'a Value)) {
    look(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|value| each(value, look)),
        Value::Array(items) => items.iter().for_each(|item| each(item, look)),
        _ => {}
    }
}

#[test]
fn every_route_of_the_api_says_what_it_takes_and_gives() {
    let table = table();
    for route in table.iter().filter(|route| documented(&table, route)) {
        let what = format!("{} {}", route.method, route.path);
        let reads = route.takes != Takes::Nothing;
        assert_eq!(route.shapes.takes.is_some(), reads, "{what}: what body does it read?");
        let empty = matches!(route.shapes.gives, Gives::Nothing);
        assert_eq!(route.shapes.status == 204, empty, "{what}: 204 is for no body");
    }
    let pages =
        table.iter().filter(|route| matches!(route.shapes.gives, Gives::Page | Gives::Part));
    for route in pages {
        // There and back of a browser that signs in elsewhere.
        let way = route.path.starts_with("/api/auth/oidc/");
        assert!(way || !route.path.starts_with("/api/"), "{}: a page under /api", route.path);
    }
}

#[test]
fn every_reference_leads_to_a_schema() {
    let all = document(&table());
    each(&all, &mut |value| {
        let Some(at) = value.get("$ref").and_then(Value::as_str) else { return };
        let found = all.pointer(at.trim_start_matches('#'));
        assert!(found.is_some(), "{at} leads nowhere: in a query write #[param(inline)]");
    });
}

#[test]
fn no_schema_is_empty() {
    let all = document(&table());
    let empty = |schema: &Value| schema.as_object().is_some_and(Map::is_empty);
    each(&all["paths"], &mut |value| {
        for key in ["schema", "items", "additionalProperties"] {
            assert!(!value.get(key).is_some_and(empty), "an empty {key} in {value}");
        }
    });
    for (name, schema) in all["components"]["schemas"].as_object().unwrap() {
        each(schema, &mut |value| assert!(!empty(value), "something empty in {name}: {schema}"));
        let described = ["type", "oneOf", "allOf", "anyOf", "$ref", "enum"];
        assert!(described.iter().any(|key| schema.get(key).is_some()), "{name}: {schema}");
    }
}

#[test]
fn no_name_means_two_schemas_and_no_operation_two_routes() {
    let table = table();
    let routes = || table.iter().filter(|route| documented(&table, route));
    let all = document(&table);
    let mut ids = std::collections::BTreeSet::new();
    each(&all["paths"], &mut |value| {
        if let Some(id) = value.get("operationId").and_then(Value::as_str) {
            assert!(ids.insert(id.to_owned()), "{id} twice");
        }
    });
    assert_eq!(ids.len(), routes().count());
    let clashes = clashes(&table);
    assert!(clashes.is_empty(), "write #[schema(as = …)] at {clashes:?}");
}

#[test]
fn a_document_for_people_tells_the_statuses_they_will_meet() {
    let all = document(&table());
    let add = &all["paths"]["/api/students"]["post"];
    let body = &add["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/StudentTyped");
    for status in ["201", "400", "401", "403", "409", "411", "413", "415", "422", "429"] {
        assert!(add["responses"][status].is_object(), "{status}");
    }
    assert!(add["responses"]["200"].is_null());
    let one = &all["paths"]["/api/students/{id}"]["delete"]["responses"];
    assert!(one["204"]["content"].is_null() && one["404"].is_object());
    assert_eq!(all["paths"]["/api/auth/login"]["post"]["security"], json!([]));
}
