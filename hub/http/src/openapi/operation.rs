//! One route as an operation of the document.

use super::names::{Names, json as to_json};
use super::refusal;
use crate::cost::Cost;
use crate::route::{Gives, Object, Route, Who};
use crate::takes::Takes;
use rules::auth::Role;
use serde_json::{Map, Value, json};
use warp::http::Method;

/// The operation of `route`.
pub fn of(route: &Route, names: &Names) -> Value {
    let mut all = json!({
        "operationId": id(route),
        "tags": [words(route).first().copied().unwrap_or("hub")],
        "summary": summary(route),
        "description": who(route.who),
        "parameters": parameters(route),
        "responses": responses(route, names),
        "security": security(route.who),
    });
    if let Some(shape) = &route.shapes.takes {
        let kind = match route.takes {
            Takes::Nothing | Takes::Json(_) => "application/json",
            Takes::Form(_) => "application/x-www-form-urlencoded",
            Takes::Parts(_) | Takes::Archive(_) => "multipart/form-data",
        };
        let content = json!({ kind: { "schema": names.refer(shape) } });
        all["requestBody"] = json!({ "required": true, "content": content });
    }
    all
}

/// The words of a path, without `api` and parameters.
fn words(route: &Route) -> Vec<&'static str> {
    let own = |word: &&str| !word.is_empty() && *word != "api" && !word.starts_with('{');
    route.path.split('/').filter(own).collect()
}

/// A name for programs: method and path.
fn id(route: &Route) -> String {
    let path = route.path.trim_start_matches('/').trim_start_matches("api/");
    let plain = path.replace(['/', '-', '.'], "_").replace(['{', '}'], "");
    format!("{}_{plain}", route.method.as_str().to_lowercase())
}

/// A few words for people.
fn summary(route: &Route) -> String {
    let names = words(route).join(" ").replace(['-', '_'], " ");
    let one = route.path.ends_with('}');
    let verb = match (route.method.as_str(), one) {
        ("GET", true) => "One of",
        ("GET", false) => "Read",
        ("POST", _) => "Do or add:",
        ("PUT" | "PATCH", _) => "Change:",
        _ => "Remove from",
    };
    format!("{verb} {names}")
}

fn who(who: Who) -> String {
    match who {
        Who::Anyone => "For everybody, signed in or not.".to_owned(),
        Who::Role(roles) if roles.len() == Role::ALL.len() => "For every account.".to_owned(),
        Who::Role(roles) => {
            let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
            format!("For accounts of the role {}.", names.join(" or "))
        }
    }
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone => json!([]),
        Who::Role(_) => json!([{ "bearer": [] }, { "cookie": [] }]),
    }
}

/// Those of the path and those of the query.
fn parameters(route: &Route) -> Vec<Value> {
    let name = |part: &'static str| part.strip_prefix('{')?.strip_suffix('}');
    let path = route.path.split('/').filter_map(name).map(|name| {
        json!({
            "name": name, "in": "path", "required": true,
            "description": names_what(name, route.object),
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        })
    });
    let query = route.shapes.query.into_iter().flat_map(|query| query());
    let query = query.map(|parameter| asked(to_json(&parameter)));
    path.chain(query).chain(headers(route)).collect()
}

/// Headers that change what a write does.
fn headers(route: &Route) -> Vec<Value> {
    let writes = !matches!(route.method, Method::GET | Method::HEAD);
    if !writes || route.who == Who::Anyone {
        return Vec::new();
    }
    let say = "The same key within a day does the same thing once: repeat it after a lost answer";
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false, "description": say,
        "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
    });
    vec![key]
}

/// A query's value is there or not, but never `null`.
fn asked(mut parameter: Value) -> Value {
    if let Some(kind) = parameter.pointer_mut("/schema/type")
        && let Some(kinds) = kind.as_array()
        && let Some(own) = kinds.iter().find(|kind| *kind != "null")
    {
        *kind = own.clone();
    }
    let first = |choice: &str| {
        let kinds = parameter.pointer(choice)?.as_array()?;
        kinds.iter().find(|kind| kind["type"] != "null").cloned()
    };
    if let Some(own) = first("/schema/oneOf") {
        parameter["schema"] = own;
    }
    parameter
}

/// What a part of an address names.
fn names_what(name: &str, object: Object) -> &'static str {
    match (name, object) {
        ("student", _) | ("id", Object::Student) => "A person: own id or student number",
        ("id", Object::Record) => "A record of attendance: own id",
        ("id", Object::Enrolment) => "An enrolment: own id",
        ("id", Object::Device) => "A door: its name",
        ("class_id", _) | ("id", Object::Class) => "A class: own id or code",
        ("id", Object::Session) => "A lesson: own id",
        ("id", Object::Image) => "A photo of a class: own id",
        ("id", Object::Crop) => "A face cut from a photo: own id",
        ("id", Object::Job) => "Work that goes on: own id",
        ("id", Object::User) => "An account: own id",
        ("id", Object::Room) => "A room: own id or name",
        ("id", Object::Period) => "A lesson of the timetable: own id",
        ("id", Object::Holiday) => "Days without lessons: own id",
        ("id", Object::Webhook) => "A webhook: own id",
        _ => "Which one",
    }
}

fn responses(route: &Route, names: &Names) -> Value {
    let mut all = Map::new();
    all.insert(route.shapes.status.to_string(), good(route, names));
    if route.shapes.or_nothing {
        let say = "Done; what came of it is not the caller’s to see any more";
        all.insert("204".to_owned(), json!({ "description": say }));
    }
    for (status, say) in refusals(route) {
        let schema = names.refer(&refusal());
        let content = json!({ "application/problem+json": { "schema": schema } });
        all.insert(status.to_string(), json!({ "description": say, "content": content }));
    }
    Value::Object(all)
}

fn good(route: &Route, names: &Names) -> Value {
    let mut content = match route.shapes.gives {
        Gives::Nothing | Gives::Page | Gives::Part => {
            return json!({ "description": "Done; nothing to say" });
        }
        Gives::Json(shape) => json!({ "application/json": { "schema": names.refer(&shape) } }),
        Gives::File(kind) => json!({ kind: { "schema": file(kind) } }),
    };
    for kind in route.shapes.also {
        content[*kind] = json!({ "schema": file(kind) });
    }
    let say = match route.shapes.status {
        201 => "Made",
        202 => "Begun: the work goes on as a job",
        _ => "Good",
    };
    let mut answer = json!({ "description": say, "content": content });
    if content["application/json"]["schema"]["type"] == "array" {
        let say = "The next page, if there is one: `<?…>; rel=\"next\"`";
        let link = json!({ "description": say, "schema": { "type": "string" } });
        answer["headers"] = json!({ "Link": link });
    }
    answer
}

/// The schema of a file of this type.
fn file(kind: &str) -> Value {
    match kind.starts_with("text/") {
        true => json!({ "type": "string" }),
        false => json!({ "type": "string", "format": "binary" }),
    }
}

/// The refusals that `route` may come to, each with its cause.
pub fn refusals(route: &Route) -> Vec<(u16, &'static str)> {
    let reads = route.takes != Takes::Nothing;
    let changes = !matches!(route.method, Method::GET | Method::HEAD);
    let asks = route.shapes.query.is_some();
    let roles = match route.who {
        Who::Anyone => 0,
        Who::Role(roles) => roles.len(),
    };
    let refused = changes || roles > 0; // at least where a second factor is demanded
    let counted = changes || Cost::of(route).rate().is_some();
    let named = route.path.contains('{') || reads || asks;
    [
        (reads, 400, "The body is broken"),
        (true, 401, "Nobody is signed in, or not with these words"),
        (refused, 403, "This account may not do this"),
        (named, 404, "No such thing, or not the caller’s to see"),
        (reads, 408, "The body came too slowly"),
        (changes, 409, "Somebody else changed it, or it is taken"),
        (reads, 411, "The body has no length"),
        (reads, 413, "The body is too large"),
        (reads, 415, "The body is of another type"),
        (changes || asks || named, 422, "The content cannot be taken"),
        (counted, 429, "Too much at once: try after `Retry-After`"),
        (true, 503, "Something the hub needs is not there"),
    ]
    .into_iter()
    .filter(|(may, ..)| *may)
    .map(|(_, status, say)| (status, say))
    .collect()
}
