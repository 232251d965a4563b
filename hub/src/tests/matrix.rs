//! Who may do what with whose thing: every route of the table, every role, own, foreign and
//! missing. A new kind of object does not compile until it has a fixture here.

use super::fixtures::{self, Half};
use super::{Answer, Carrying, House, NOW, PASSWORD, body, post};
use crate::site::table;
use http::{
    route::{Object, Route, Who},
    takes::Takes,
};
use jiff::civil::date;
use rules::auth::{Actor, Role};
use serde_json::{Value, json};
use store::student::StudentProfile;
use store::{Tx, account, class, student};
use uuid::Uuid;
use warp::http::{Method, StatusCode};
use warp::test::RequestBuilder;
use wire::StudentId;

/// Whose thing an address names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    /// The caller’s, or one that everybody of the role may see.
    Own,
    /// Of a class that the caller does not teach, of another student, of another account.
    Foreign,
    /// Nobody’s.
    Missing,
}

/// An id that nothing has.
const NOTHING: Uuid = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001);

/// Bodies that get past reading, so that the object is looked at. A route that takes JSON and
/// names an object needs one if `{}` is not enough.
fn sample(path: &str) -> Value {
    match path {
        "/api/attendance/{id}/review" => json!({ "decision": "reject" }),
        "/api/classes/{id}/students" => json!({ "students": ["STU1"] }),
        "/api/classes/{id}/students/{student}/verified" => json!({ "verified": false }),
        "/api/devices/{id}/commands" => json!({ "command": "reload" }),
        "/api/enrollment/{id}" => json!({ "is_active": true }),
        "/api/face-crops/{id}/assign" => json!({ "student_id": "STU1" }),
        "/api/face-crops/{id}/assign-from-candidate" => json!({ "candidate_crop_id": NOTHING }),
        "/api/holidays/{id}" => json!({ "name": "Spring", "from_day": "2026-03-30" }),
        "/api/settings" => json!({
            "profile": {}, "schedule": [],
            "preferences": { "mail_absence": true, "mail_low_attendance": true },
        }),
        "/api/rooms/{id}" => json!({ "location": "upstairs" }),
        "/api/sessions/{id}/marks" => json!({ "student_id": "STU1", "status": "present" }),
        "/api/students/{id}/consent" => json!({ "given": true, "by": "her mother" }),
        "/api/timetable/{id}/exceptions" => json!({ "day": "2026-03-09", "cancelled": true }),
        _ => json!({}),
    }
}

/// Fields of forms, likewise.
fn fields(path: &str) -> &'static [(&'static str, &'static str)] {
    match path {
        "/review/{id}" => &[("decision", "reject"), ("version", "1")],
        "/lesson/{id}/marks/{student}" => &[("status", "present"), ("stamp", "0")],
        _ => &[],
    }
}

/// A school of two halves: a teacher, a student and their class, and the same of somebody else.
struct School {
    house: House,
    tokens: Vec<(Role, String)>,
    /// Class, its student and its teacher: the callers’ own half, and the other one.
    halves: [(Uuid, StudentId, Uuid); 2],
    /// The accounts behind the tokens.
    accounts: Vec<(Role, Uuid)>,
}

impl School {
    async fn new() -> Self {
        let house = House::new().await;
        let mut halves = Vec::new();
        for (number, teacher, code) in
            [("STU1", "teacher@school.test", "7A"), ("STU2", "other@school.test", "7B")]
        {
            let phc = house.front.passwords.hash(PASSWORD.into()).await.unwrap();
            let make = move |tx: &Tx<'_>| {
                let (student_number, last_name) = (number.to_owned(), "Lovelace".to_owned());
                let profile =
                    StudentProfile { student_number, last_name, ..StudentProfile::default() };
                let student = student::add(tx, profile, "t", NOW)?;
                let new = |role, email: &str, student| account::NewAccount {
                    email: email.to_owned(),
                    name: "Somebody".into(),
                    role,
                    student,
                    password: Some(phc.clone()),
                };
                let teacher = account::add(tx, &new(Role::Teacher, teacher, None), "t", NOW)?.id;
                let pupil = format!("{number}@school.test");
                account::add(tx, &new(Role::Student, &pupil, Some(student)), "t", NOW)?;
                let class = class::add(tx, code, code, Some(code), "t", NOW)?;
                class::add_teacher(tx, class, teacher, date(2026, 1, 1), "t", NOW)?;
                class::add_member(tx, class, student, "t", NOW)?;
                Ok((class, student, teacher))
            };
            halves.push(house.app.db.write(make).await.unwrap());
        }
        let door = json!({ "device_id": "door-1", "classroom_id": "7A" });
        house.account(Role::Admin).await;
        let mut school = Self {
            house,
            tokens: Vec::new(),
            halves: halves.try_into().unwrap(),
            accounts: Vec::new(),
        };
        for (role, email) in [
            (Role::Student, "STU1@school.test"),
            (Role::Teacher, "teacher@school.test"),
            (Role::Admin, "admin@school.test"),
        ] {
            let login = json!({ "email": email, "password": PASSWORD });
            let answer = school.house.send(post("/api/auth/login").json(&login)).await;
            let said = body(&answer);
            let token = said["access"].as_str().unwrap().to_owned();
            let once_more = post("/api/auth/prove").bearer(&token);
            school.house.send(once_more.json(&json!({ "password": PASSWORD }))).await;
            school.tokens.push((role, token));
            school.accounts.push((role, said["user"]["id"].as_str().unwrap().parse().unwrap()));
        }
        let add = post("/api/devices").bearer(school.token(Role::Admin)).json(&door);
        assert_eq!(school.house.send(add).await.status(), 201);
        school
    }

    fn token(&self, role: Role) -> &str {
        &self.tokens.iter().find(|(of, _)| *of == role).unwrap().1
    }

    fn account(&self, role: Role) -> Uuid {
        self.accounts.iter().find(|(of, _)| *of == role).unwrap().1
    }

    /// A new thing of this kind that is `whose`, for a caller in `role`. None: the kind has no
    /// foreign ones for that role.
    async fn make(&self, object: Object, whose: Whose, role: Role) -> Option<String> {
        let (class, pupil, teacher) = self.halves[usize::from(whose == Whose::Foreign)];
        let me = self.account(role);
        let everybodys = role == Role::Admin
            || matches!(
                object,
                Object::Device | Object::Room | Object::Holiday | Object::User | Object::Webhook
            );
        match whose {
            Whose::Missing => return Some(NOTHING.to_string()),
            Whose::Foreign if everybodys => return None,
            Whose::Own | Whose::Foreign => {}
        }
        let half = Half { class, pupil, owner: if whose == Whose::Own { me } else { teacher } };
        let keys = self.house.app.keys.clone();
        let model = self.house.app.recogniser.model().clone();
        let write = move |tx: &Tx<'_>| fixtures::make(tx, object, half, &keys, &model);
        let made = self.house.app.db.write(write).await.unwrap();
        Some(made.unwrap_or_else(|| panic!("no fixture for {object:?}: write one in fixtures.rs")))
    }

    /// Asks for `route` in `role`, with `id` in the address.
    async fn ask(&self, route: &Route, role: Option<Role>, id: &str) -> Answer {
        let path = address(route, id);
        let request = warp::test::request().method(route.method.as_str()).path(&path);
        let request = match role {
            Some(role) => request.bearer(self.token(role)),
            None => request,
        };
        self.house.send(with_body(request.header("sec-fetch-site", "same-origin"), route)).await
    }
}

/// The address of `route` with `id` for its object.
fn address(route: &Route, id: &str) -> String {
    let mut named = false;
    let mut word = |part: &'static str| match part {
        "{student}" if named => "STU1".to_owned(),
        "{day}" if named => "2026-03-09".to_owned(),
        part if part.starts_with('{') => {
            named = true;
            id.to_owned()
        }
        part => part.to_owned(),
    };
    route.path.split('/').map(&mut word).collect::<Vec<_>>().join("/")
}

fn with_body(request: RequestBuilder, route: &Route) -> RequestBuilder {
    let of = |request: RequestBuilder, kind: &str, text: String| {
        request.header("content-type", kind).header("content-length", text.len()).body(text)
    };
    match route.takes {
        Takes::Nothing => request,
        Takes::Json(_) => of(request, "application/json", sample(route.path).to_string()),
        Takes::Form(_) => {
            let text = serde_urlencoded::to_string(fields(route.path)).unwrap();
            of(request, "application/x-www-form-urlencoded", text)
        }
        Takes::Parts(_) | Takes::Archive(_) => {
            let head = "--xYx\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"";
            let text = format!("{head}\r\n\r\nno picture\r\n--xYx--\r\n");
            of(request, "multipart/form-data; boundary=xYx", text)
        }
    }
}

/// Routes with a role, and that role’s name.
fn guarded() -> Vec<(Route, &'static [Role])> {
    let of = |route: &Route| match route.who {
        Who::Role(roles) => Some((route.clone(), roles)),
        Who::Anyone => None,
    };
    table().iter().filter_map(of).collect()
}

/// Whether asking would end the caller’s own session, or never end.
fn apart(route: &Route) -> bool {
    route.path.ends_with("/events") || route.path.contains("logout") || route.path == "/sign-out"
}

/// Whether the address asks for a part that a thing need not have: a picture, a step to take
/// back, an erasure, a day that differs, a word said by hand.
fn within(route: &Route) -> bool {
    let ends =
        ["/crop", "/snap", "/log", "/undo", "/erase", "/teaches", "/{day}", "/marks/{student}"];
    ends.iter().any(|end| route.path.ends_with(end))
}

#[tokio::test]
async fn nobody_gets_past_a_route_that_is_not_open() {
    let school = School::new().await;
    for (route, _) in guarded() {
        let status = school.ask(&route, None, "x").await.status();
        assert_eq!(status, 401, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn a_role_that_is_not_named_is_refused_and_one_that_is_named_is_not() {
    let school = School::new().await;
    for (route, roles) in guarded().into_iter().filter(|(route, _)| !apart(route)) {
        for role in Role::ALL {
            let missing = school.make(Object::None, Whose::Missing, role).await.unwrap();
            let status = school.ask(&route, Some(role), &missing).await.status();
            let refused = status == StatusCode::FORBIDDEN;
            let what = format!("{role} {} {}: {status}", route.method, route.path);
            assert_eq!(refused, !roles.contains(&role), "{what}");
            assert!(status.as_u16() != 401 && status.as_u16() < 500, "{what}");
        }
    }
}

#[tokio::test]
async fn what_is_foreign_is_as_if_it_were_missing() {
    let school = School::new().await;
    for (route, roles) in guarded().into_iter().filter(|(route, _)| route.object != Object::None) {
        for role in roles.iter().copied() {
            for whose in [Whose::Missing, Whose::Foreign] {
                let Some(id) = school.make(route.object, whose, role).await else { continue };
                let answer = school.ask(&route, Some(role), &id).await;
                let what = format!("{role} {} {} {whose:?}", route.method, route.path);
                let said = String::from_utf8_lossy(answer.body()).into_owned();
                assert_eq!(answer.status(), 404, "{what}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_ones_own_is_there() {
    let school = School::new().await;
    let mut wrong = Vec::new();
    for (route, roles) in guarded().into_iter().filter(|(route, _)| route.object != Object::None) {
        for role in roles.iter().copied() {
            let id = match (route.object, role) {
                (Object::Student, Role::Student) => school.halves[0].1.to_string(),
                (object, role) => school.make(object, Whose::Own, role).await.unwrap(),
            };
            let answer = school.ask(&route, Some(role), &id).await;
            let what = format!("{role} {} {}", route.method, route.path);
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            let status = answer.status().as_u16();
            let refused = [401, 403].contains(&status) || status >= 500;
            let missing = status == 404 || (route.method == Method::GET && status != 200);
            if refused || (missing && !within(&route)) {
                wrong.push(format!("{what}: {status} {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What an answer says of the version it shows: in its body, and in its header.
fn versions(answer: &Answer) -> (Option<i64>, Option<String>) {
    let said: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
    (said["version"].as_i64(), tag)
}

#[tokio::test]
async fn what_has_a_version_says_it_and_a_stale_one_changes_nothing() {
    let school = School::new().await;
    let changes = |route: &Route| [Method::PUT, Method::PATCH].contains(&route.method);
    let mut tried = Vec::new();
    for (route, roles) in guarded().into_iter().filter(|(route, _)| changes(route)) {
        let reads =
            |(other, _): &(Route, _)| other.path == route.path && other.method == Method::GET;
        let Some((read, _)) = guarded().into_iter().find(reads) else { continue };
        let role = *roles.last().unwrap();
        let id = match route.object {
            Object::None => "x".to_owned(),
            object => school.make(object, Whose::Own, role).await.unwrap(),
        };
        let what = format!("{} {}", route.method, route.path);
        let (Some(version), tag) = versions(&school.ask(&read, Some(role), &id).await) else {
            continue; // it has none
        };
        assert_eq!(tag, Some(format!("\"{version}\"")), "{what}");
        let ask = async |seen: i64| {
            let request = warp::test::request().method(route.method.as_str());
            let request = request.path(&address(&route, &id)).bearer(school.token(role));
            let request = request.header("if-match", format!("\"{seen}\""));
            school.house.send(with_body(request, &route)).await
        };
        let stale = ask(version + 7).await;
        assert_eq!(stale.status(), 409, "{what}: {}", String::from_utf8_lossy(stale.body()));
        let (still, _) = versions(&school.ask(&read, Some(role), &id).await);
        assert_eq!(still, Some(version), "{what}");
        let fresh = ask(version).await;
        assert_eq!(fresh.status(), 200, "{what}: {}", String::from_utf8_lossy(fresh.body()));
        let (next, tag) = versions(&fresh);
        assert_eq!(tag, next.map(|next| format!("\"{next}\"")), "{what}");
        tried.push(route.path);
    }
    tried.dedup();
    assert!(tried.len() >= 12, "{tried:?}");
}

/// What changes a thing with a version below its own address, or by a word.
const TURNS: [&str; 8] = [
    "/api/devices/{id}/revoke",
    "/api/enrollment/{id}/toggle-active",
    "/api/images/{id}/confirm",
    "/api/persons/{id}/activate",
    "/api/persons/{id}/deactivate",
    "/api/persons/{id}/toggle-active",
    "/api/timetable/{id}/exceptions",
    "/api/timetable/{id}/exceptions/{day}",
];

#[tokio::test]
async fn a_stale_version_takes_nothing_away_and_turns_nothing_over() {
    let school = School::new().await;
    let (role, mut tried) = (Role::Admin, Vec::new());
    let takes = |route: &Route| route.method == Method::DELETE || TURNS.contains(&route.path);
    let admins = |(route, roles): &(Route, &[Role])| takes(route) && roles.contains(&role);
    for (route, _) in guarded().into_iter().filter(admins) {
        let Some((whole, _)) = route.path.split_once("{id}") else { continue };
        let whole = format!("{whole}{{id}}");
        let reads = |(other, _): &(Route, _)| other.path == whole && other.method == Method::GET;
        let Some((read, _)) = guarded().into_iter().find(reads) else { continue };
        if route.path != whole && !TURNS.contains(&route.path) {
            continue; // another thing than the one that is read
        }
        let id = school.make(route.object, Whose::Own, role).await.unwrap();
        let what = format!("{} {}", route.method, route.path);
        let (Some(version), _) = versions(&school.ask(&read, Some(role), &id).await) else {
            continue; // it has none
        };
        let ask = async |seen: i64| {
            let request = warp::test::request().method(route.method.as_str());
            let request = request.path(&address(&route, &id)).bearer(school.token(role));
            let request = request.header("if-match", format!("\"{seen}\""));
            school.house.send(with_body(request, &route)).await
        };
        let stale = ask(version + 7).await;
        assert_eq!(stale.status(), 409, "{what}: {}", String::from_utf8_lossy(stale.body()));
        let (still, _) = versions(&school.ask(&read, Some(role), &id).await);
        assert_eq!(still, Some(version), "{what}");
        let fresh = ask(version).await;
        let is_done = fresh.status().is_success() || (within(&route) && fresh.status() == 404);
        assert!(is_done, "{what}: {}", String::from_utf8_lossy(fresh.body()));
        tried.push(what);
    }
    assert!(tried.len() >= 12 + TURNS.len() - 1, "{tried:?}");
}

#[test]
fn an_address_with_a_parameter_says_what_it_names() {
    for (route, _) in guarded() {
        let named = route.path.contains('{');
        assert_eq!(named, route.object != Object::None, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn the_two_halves_of_the_school_are_really_apart() {
    let school = School::new().await;
    let today = date(2026, 3, 2);
    let (own, foreign) = (school.halves[0], school.halves[1]);
    let actor = Actor { user: school.account(Role::Teacher), role: Role::Teacher };
    let reader = store::reader::Reader { actor, today };
    let sees = |student| {
        school.house.app.db.read(move |tx| store::reader::visible_to(tx, reader, student))
    };
    assert!(sees(own.1).await.unwrap());
    assert!(!sees(foreign.1).await.unwrap());
}
