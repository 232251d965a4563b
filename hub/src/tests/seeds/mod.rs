//! The five backends are the specification: every address and every curl line of their READMEs
//! works here and answers what it should. `offered.txt` lists them; one that has no row in
//! `rows.rs` fails the test.

mod offered;
mod rows;

use super::fixtures::{self, Half};
use super::{Answer, Carrying, House, NOW, PASSWORD, body, get, post};
use crate::site::table;
use http::route::{Object, RouteFound};
use jiff::civil::date;
use offered::{Curl, Endpoint, key};
use rows::{Id, Row, Sent};
use rules::auth::Role;
use serde_json::{Value, json};
use store::{class, student};
use warp::http::Method;
use warp::test::RequestBuilder;

/// The school that is asked.
struct School {
    house: House,
    token: String,
    half: Half,
    made: std::cell::Cell<u32>,
}

impl School {
    async fn new() -> Self {
        let house = House::new().await;
        let token = house.school().await;
        let owner = house.account(Role::Teacher).await.id;
        let make = move |tx: &store::Tx<'_>| {
            let pupil = student::find(tx, "STU1")?.id;
            let class = class::add(tx, "7b", "7B", Some("Room 204"), "t", NOW)?;
            class::add_teacher(tx, class, owner, date(2026, 1, 1), "t", NOW)?;
            class::add_member(tx, class, pupil, "t", NOW)?;
            Ok(Half { class, pupil, owner })
        };
        let half = house.app.db.write(make).await.unwrap();
        Self { house, token, half, made: std::cell::Cell::new(0) }
    }

    /// A new thing of this kind.
    async fn make(&self, object: Object) -> String {
        match object {
            Object::Image => self.photo().await,
            Object::Crop => self.crop().await,
            object => self.fixture(object).await,
        }
    }

    async fn fixture(&self, object: Object) -> String {
        let (half, keys) = (self.half, self.house.app.keys.clone());
        let model = self.house.app.recogniser.model().clone();
        let write = move |tx: &store::Tx<'_>| fixtures::make(tx, object, half, &keys, &model);
        self.house.app.db.write(write).await.unwrap().expect("a fixture of its own")
    }

    /// A class photo that nobody looked at.
    async fn photo(&self) -> String {
        let picture = super::portrait("obama2.jpg");
        let class = self.fixture(Object::Class).await;
        let fields = [("class_id", class.as_str())];
        let sent = super::parts("/api/images", &self.token, &fields, ("file", &picture));
        let answer = self.house.send(sent).await;
        assert_eq!(answer.status(), 201, "{}", body(&answer));
        body(&answer)["id"].as_str().unwrap().to_owned()
    }

    /// A face from a class photo.
    async fn crop(&self) -> String {
        let photo = self.photo().await;
        let look = post(&format!("/api/images/{photo}/process-image?wait=true"));
        self.house.send(look.bearer(&self.token)).await;
        let faces = get(&format!("/api/images/{photo}/face_crops")).bearer(&self.token);
        let answer = self.house.send(faces).await;
        body(&answer)[0]["id"].as_str().expect("a face on the portrait").to_owned()
    }

    /// A face that somebody named.
    async fn named_crop(&self) -> String {
        let crop = self.crop().await;
        let assign = post(&format!("/api/face-crops/{crop}/assign")).bearer(&self.token);
        self.house.send(assign.json(&json!({ "student_id": "STU1" }))).await;
        crop
    }

    /// The tokens of a new session.
    async fn log_in(&self) -> Value {
        let who = json!({ "email": "admin@school.test", "password": PASSWORD });
        body(&self.house.send(post("/api/auth/login").json(&who)).await)
    }

    /// `text` with every `$word` filled in.
    async fn filled(&self, text: &str) -> String {
        self.made.set(self.made.get() + 1);
        let mut text = text.replace("$n", &self.made.get().to_string());
        text = text.replace("$password", PASSWORD);
        if text.contains("$refresh") {
            let pair = self.log_in().await;
            text = text.replace("$refresh", pair["refresh"].as_str().unwrap());
        }
        if text.contains("$class") {
            text = text.replace("$class", &self.make(Object::Class).await);
        }
        if text.contains("$crop") {
            text = text.replace("$crop", &self.named_crop().await);
        }
        if text.contains("$image") {
            let picture = data_encoding::BASE64.encode(&super::portrait("obama2.jpg"));
            text = text.replace("$image", &format!("data:image/jpeg;base64,{picture}"));
        }
        text
    }

    /// `path` as a README spells it, with a thing of ours for its parameter.
    async fn address(&self, path: &str, row: &Row) -> String {
        let id = match row.id {
            Id::None => String::new(),
            Id::Is(id) => id.to_owned(),
            Id::New(object) => self.make(object).await,
        };
        let path = path.split('?').next().unwrap_or_default();
        let part = |part: &str| match part.starts_with([':', '{']) {
            true => id.clone(),
            false => part.to_owned(),
        };
        let path = path.split('/').map(part).collect::<Vec<_>>().join("/");
        let query = self.filled(row.query).await;
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    async fn request(&self, method: &str, path: &str, sent: &Sent, token: &str) -> RequestBuilder {
        let signed = |request: RequestBuilder| match token {
            "" => request,
            token => request.bearer(token),
        };
        let request = warp::test::request().method(method).path(path);
        match sent {
            Sent::Nothing => signed(request),
            Sent::Json(value) => {
                let text = self.filled(&value.to_string()).await;
                let value: Value = serde_json::from_str(&text).unwrap();
                signed(request).json(&value)
            }
            Sent::Form(fields, name, content) => {
                let mut all = Vec::new();
                for (key, value) in *fields {
                    all.push((*key, self.filled(value).await));
                }
                let fields: Vec<_> =
                    all.iter().map(|(key, value)| (*key, value.as_str())).collect();
                let bytes = match content.ends_with(".jpg") {
                    true => super::portrait(content),
                    false => self.filled(content).await.into_bytes(),
                };
                super::parts(path, token, &fields, (name, &bytes))
            }
        }
    }

    async fn ask(&self, method: &str, path: &str, row: &Row, sent: &Sent) -> Answer {
        let own = if row.last_word { Some(self.log_in().await) } else { None };
        let own = own.as_ref().and_then(|pair| pair["access"].as_str());
        let token = own.unwrap_or(&self.token);
        let path = self.address(path, row).await;
        let request = self.request(method, &path, sent, token).await;
        self.house.send(request).await
    }

    /// What is wrong with the answer that `row` gets at `path`; nothing if it is right.
    async fn wrong(&self, method: &str, path: &str, row: &Row, sent: &Sent) -> Option<String> {
        if method == "GET" && row.key.contains("attendance") {
            self.make(Object::Record).await;
        }
        let answer = self.ask(method, path, row, sent).await;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let short: String = text.chars().take(300).collect();
        if answer.status() != row.status {
            return Some(format!("{} instead of {}: {short}", answer.status(), row.status));
        }
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let first = said.as_array().map_or(Some(&said), |all| all.first());
        let lacks = |key: &&&str| first.is_none_or(|first| first.get(**key).is_none());
        if let Some(key) = row.holds.iter().find(lacks) {
            return Some(format!("no {key}: {short}"));
        }
        let wanted = row.is.to_string().replace("$n", &self.made.get().to_string());
        if let Some(why) = differs(&said, &serde_json::from_str(&wanted).unwrap()) {
            return Some(format!("{why}: {text}"));
        }
        if row.open {
            return None;
        }
        let path = self.address(path, row).await;
        let request = self.request(method, &path, sent, "").await;
        let status = self.house.send(request.header("authorization", "")).await.status();
        (status != 401).then(|| format!("{status} instead of 401 without a token"))
    }
}

/// What is different about an answer: it may say more than is `wanted`, and of a list one element
/// is enough.
fn differs(said: &Value, wanted: &Value) -> Option<String> {
    match (said, wanted) {
        (_, Value::Null) => None,
        (Value::Array(all), wanted) if !wanted.is_array() => {
            let fits = all.iter().any(|one| differs(one, wanted).is_none());
            (!fits).then(|| format!("nothing is {wanted}"))
        }
        (Value::Object(said), Value::Object(wanted)) => wanted.iter().find_map(|(key, wanted)| {
            let said = said.get(key).unwrap_or(&Value::Null);
            differs(said, wanted).map(|why| format!("{key}: {why}"))
        }),
        (said, wanted) => (said != wanted).then(|| format!("{said} instead of {wanted}")),
    }
}

#[test]
fn an_answer_that_says_something_else_is_noticed() {
    let said = json!([{ "a": 1, "b": { "c": "x" } }, { "a": 2 }]);
    let fits = |wanted: Value| differs(&said, &wanted).is_none();
    assert!(fits(json!({ "a": 2 })) && fits(json!({ "b": { "c": "x" } })) && fits(Value::Null));
    assert!(!fits(json!({ "a": 3 })) && !fits(json!({ "b": { "c": "y" } })));
    assert!(differs(&json!({ "a": 1 }), &json!({ "z": 1 })).is_some(), "what is missing");
}

/// The rows for an address.
fn rows_for(all: &[Row], method: &str, path: &str) -> Vec<Row> {
    let fits = |row: &&Row| row.key == key(path) && row.method == method;
    all.iter().filter(fits).cloned().collect()
}

/// Whether the hub has an address at all.
fn is_there(row: &Row) -> bool {
    let method: Method = row.method.parse().unwrap();
    let path = match row.key {
        "/health" | "/" | "/docs" | "/swagger" | "/redoc" | "/openapi.json" => row.key.to_owned(),
        key => format!("/api{}", key.replace("{}", "x")),
    };
    matches!(table().find(&method, &path), RouteFound::Route(..))
}

#[tokio::test]
async fn every_address_of_the_five_readmes_works_here() {
    let (school, all) = (School::new().await, rows::rows());
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for Endpoint { seed, method, path } in offered::endpoints() {
        let rows = rows_for(&all, method, path);
        if rows.is_empty() || !rows.iter().all(is_there) {
            wrong.push(format!("{seed} {method} {path}: no row, or not there"));
            continue;
        }
        for row in rows {
            asked += 1;
            if let Some(why) = school.wrong(method, path, &row, &row.sent).await {
                wrong.push(format!("{seed} {method} {path}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked >= offered::endpoints().len(), "{asked}");
}

#[tokio::test]
async fn every_curl_line_of_the_five_readmes_works_here() {
    let (school, all) = (School::new().await, rows::rows());
    let mut wrong = Vec::new();
    for Curl { asks: Endpoint { seed, method, path }, data, fields } in offered::curls() {
        let rows = rows_for(&all, method, path);
        let row = rows.first().unwrap_or_else(|| panic!("{seed} {method} {path}: no row"));
        let sent = match (data, fields.as_slice(), &row.sent) {
            (Some(data), ..) => Sent::Json(ours(serde_json::from_str(data).unwrap())),
            (None, [], _) => Sent::Nothing,
            // The README’s own fields, with our values for them.
            (None, fields, sent @ Sent::Form(own, file, _)) => {
                let known = |name: &&str| name == file || own.iter().any(|(key, _)| key == name);
                assert!(fields.iter().all(known), "{fields:?} {own:?}");
                sent.clone()
            }
            (None, fields, _) => panic!("{seed} {path}: {fields:?} has no row"),
        };
        let own = match &sent {
            Sent::Json(body) if row.status == 201 => body.clone(),
            _ => Value::Null,
        };
        let query = path.split_once('?').map_or("", |(_, query)| query).to_owned();
        let row = Row {
            query: query.leak(),
            holds: if data.is_none() && fields.is_empty() { &[] } else { row.holds },
            is: own,
            ..row.clone()
        };
        if let Some(why) = school.wrong(method, path, &row, &sent).await {
            wrong.push(format!("{seed} {method} {path}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A README’s body with credentials, ids and pictures of ours.
fn ours(mut body: Value) -> Value {
    let known = [
        ("password", json!("$password")),
        ("image", json!("$image")),
        ("subject_id", json!("$class")),
    ];
    for (key, value) in known {
        if body.get(key).is_some() {
            body[key] = value;
        }
    }
    if body.get("password").is_some() {
        body["email"] = json!("admin@school.test");
    }
    body
}

#[test]
fn every_test_that_seeds_md_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/SEEDS.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |"));
    let cells: Vec<&str> =
        rows.filter_map(|row| row.trim_end_matches(" |").rsplit('|').next()).collect();
    let named: Vec<&str> =
        cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 30 && cells.iter().all(|cell| cell.contains('`')), "{cells:?}");
    let (mut code, mut folders) = (String::new(), vec![root.join("hub"), root.join("shared")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                code += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    for name in named {
        assert!(code.contains(&format!("fn {name}(")), "docs/SEEDS.md names {name}");
    }
}
