//! Names for schemas: modules may each have a `Body`, the document may not.
//!
//! A name that means one thing keeps it. One that means several gets the resource's name in front:
//! `StudentsBody`, `DevicesBody`.

use crate::route::Shape;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Where components lie in the document.
const AT: &str = "#/components/schemas/";

/// Every named schema of a document.
pub struct Names {
    /// Names that mean several things.
    several: BTreeSet<String>,
    /// Named schemas, their references renamed.
    schemas: BTreeMap<String, Value>,
    /// The names of whole schemas, by their text.
    known: BTreeMap<String, String>,
    /// Names that still mean two things.
    clashes: BTreeSet<String>,
}

/// One schema before names are settled.
struct SchemaFound {
    resource: String,
    name: String,
    schema: Value,
}

impl Names {
    /// Names for all that `shapes` consist of.
    pub fn of(shapes: impl Iterator<Item = Shape>) -> Self {
        let found: Vec<SchemaFound> = shapes.flat_map(|shape| found(&shape)).collect();
        let several = several(&found);
        let mut names = Self {
            several,
            schemas: BTreeMap::new(),
            known: BTreeMap::new(),
            clashes: BTreeSet::new(),
        };
        for SchemaFound { resource, name, schema } in found {
            let name = names.name(&resource, &name);
            let schema = names.renamed(schema, &resource);
            names.known.insert(schema.to_string(), name.clone());
            if names.schemas.get(&name).is_some_and(|old| *old != schema) {
                names.clashes.insert(name.clone());
            }
            names.schemas.insert(name, schema);
        }
        names
    }

    /// Names that mean two things even with their resource in front.
    pub fn clashes(self) -> BTreeSet<String> {
        self.clashes
    }

    /// The components of the document.
    pub fn schemas(&self) -> Map<String, Value> {
        self.schemas.clone().into_iter().collect()
    }

    /// `shape` as a body says it: a reference if it has a name, a list of references for a list.
    pub fn refer(&self, shape: &Shape) -> Value {
        let resource = resource((shape.place)());
        let schema = self.renamed(json(&(shape.schema)()), &resource);
        self.short(schema)
    }

    fn short(&self, mut schema: Value) -> Value {
        if let Some(name) = self.known.get(&schema.to_string()) {
            return serde_json::json!({ "$ref": format!("{AT}{name}") });
        }
        if let Some(items) = schema.get_mut("items") {
            *items = self.short(items.take());
        }
        schema
    }

    fn name(&self, resource: &str, name: &str) -> String {
        if self.several.contains(name) { format!("{resource}{name}") } else { name.to_owned() }
    }

    fn renamed(&self, mut schema: Value, resource: &str) -> Value {
        each_reference(&mut schema, &mut |text| {
            if let Some(name) = text.strip_prefix(AT) {
                *text = format!("{AT}{}", self.name(resource, name));
            }
        });
        schema
    }
}

/// Names that mean more than one schema, or refer to one that does from several resources.
fn several(found: &[SchemaFound]) -> BTreeSet<String> {
    let mut meanings: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in found {
        meanings.entry(&one.name).or_default().insert(one.schema.to_string());
        users.entry(&one.name).or_default().insert(&one.resource);
    }
    let mut several: BTreeSet<String> = meanings
        .iter()
        .filter(|(_, schemas)| schemas.len() > 1)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    loop {
        let refers = |one: &&SchemaFound| {
            let mut schema = one.schema.clone();
            let mut hit = false;
            each_reference(&mut schema, &mut |text| {
                hit |= text.strip_prefix(AT).is_some_and(|name| several.contains(name));
            });
            hit && users[one.name.as_str()].len() > 1 && !several.contains(&one.name)
        };
        let more: Vec<String> = found.iter().filter(refers).map(|one| one.name.clone()).collect();
        if more.is_empty() {
            return several;
        }
        several.extend(more);
    }
}

/// The named schemas that `shape` consists of.
fn found(shape: &Shape) -> Vec<SchemaFound> {
    let place = (shape.place)();
    let mut parts = Vec::new();
    (shape.parts)(&mut parts);
    let resource = resource(place);
    let named = !place.starts_with(['&', '[', '(']) && !place.contains('<');
    if named && place.contains("::") && !place.starts_with("alloc::") {
        parts.push(((shape.name)(), (shape.schema)()));
    }
    let found =
        |(name, schema)| SchemaFound { resource: resource.clone(), name, schema: json(&schema) };
    parts.into_iter().map(found).collect()
}

/// The module that holds a type, as a word: `api::students::StudentBody` is of `Students`.
fn resource(place: &str) -> String {
    let ours = |word: &&str| word.contains("::") && !word.starts_with("alloc");
    let path = place.split(['<', '>', ',', ' ', '&', '[', ']', '(', ')']).find(ours).unwrap_or("");
    let mut modules: Vec<&str> = path.split("::").skip(1).collect();
    modules.pop();
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    let words = modules.iter().filter(|module| **module != "http");
    words.flat_map(|module| module.split('_')).map(capital).collect()
}

fn each_reference(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "$ref" => change(text),
                    value => each_reference(value, change),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_reference(item, change)),
        _ => {}
    }
}

/// A schema as JSON.
pub fn json<T: serde::Serialize>(schema: &T) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::ToSchema;

    mod cats {
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        pub struct Body {
            purrs: bool,
        }
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Body {
        barks: bool,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Kennel {
        dogs: Vec<Body>,
    }

    #[test]
    fn two_bodies_get_two_names_and_every_reference_follows() {
        let shapes =
            [Shape::of::<Kennel>(), Shape::of::<cats::Body>(), Shape::of::<Vec<cats::Body>>()];
        let names = Names::of(shapes.into_iter());
        let schemas = Value::Object(names.schemas());
        let dogs = schemas["Kennel"]["properties"]["dogs"]["items"]["$ref"].as_str().unwrap();
        let dog = dogs.strip_prefix(AT).unwrap();
        assert!(schemas[dog]["properties"]["barks"].is_object(), "{schemas}");
        let cats = names.refer(&shapes[2]);
        let cat = cats["items"]["$ref"].as_str().and_then(|text| text.strip_prefix(AT)).unwrap();
        assert!(schemas[cat]["properties"]["purrs"].is_object(), "{schemas}");
        assert_ne!(dog, cat);
    }

    #[test]
    fn a_type_is_named_after_the_module_that_holds_it() {
        assert_eq!(resource("alloc::vec::Vec<crate::face_crops::Body>"), "FaceCrops");
        assert_eq!(resource("bool"), "");
    }
}
