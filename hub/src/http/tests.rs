//! The HTTP skin through `warp::test`, over a real store in a temporary directory.

use super::front::Front;
use super::route::{Takes, Who};
use crate::app::App;
use crate::auth::{self, Passwords, Role, session};
use crate::config::Config;
use crate::keys::Keys;
use crate::pki::Pki;
use crate::store::account::{self, Account, New};
use crate::store::{login, user};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::{Method, Response, StatusCode};
use warp::test::RequestBuilder;
use wire::time::ManualClock;
use wire::{Mono, Wall};

/// 2026-03-02T08:45:30Z.
pub(crate) const NOW: Wall = Wall(1_772_441_130_000);
const PASSWORD: &str = "nine horses graze";
type Answer = Response<bytes::Bytes>;

/// A hub with an open front door.
pub(crate) struct House {
    _dir: tempfile::TempDir,
    pub(crate) app: App,
    pub(crate) front: Front,
    pub(crate) clock: Arc<ManualClock>,
    filter: BoxedFilter<(warp::reply::Response,)>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), NOW).unwrap();
        Pki::create(dir.path(), &keys, &["localhost".into()], NOW).unwrap();
        drop(keys);
        let models = std::env::var_os("ROLLCALL_MODELS").map(std::path::PathBuf::from);
        let models = models.unwrap_or_else(|| {
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights")
        });
        assert!(models.join("pack.toml").exists(), "no weights: run models/fetch first");
        let config = Config::parse(dir.path(), "", Some(models)).unwrap();
        let clock = Arc::new(ManualClock::at(NOW, Mono(1_000)));
        let app = App::open(config, clock.clone()).await.unwrap();
        let stop = CancellationToken::new();
        let front = Front::new(app.clone(), Passwords::cheap(), &[7; 32], None, stop);
        let filter = super::filter(front.clone());
        Self { _dir: dir, app, front, clock, filter }
    }

    /// An account of this role; its address is the role's name.
    pub(crate) async fn account(&self, role: Role) -> Account {
        let password = self.front.passwords.hash(PASSWORD.into()).await.unwrap();
        let email = format!("{role}@school.test");
        let name = format!("The {role}");
        let new = New { email, name, role, student: None, password: Some(password) };
        self.app.db.write(move |tx| account::add(tx, &new, "cli:test", NOW)).await.unwrap()
    }

    /// An access token of a new account of this role.
    pub(crate) async fn token(&self, role: Role) -> String {
        self.account(role).await;
        let body = json!({ "email": format!("{role}@school.test"), "password": PASSWORD });
        let answer = self.send(post("/api/auth/login").json(&body)).await;
        self::body(&answer)["access"].as_str().unwrap().to_owned()
    }

    /// The cookie of a new session of this account.
    pub(crate) async fn session(&self, account: &Account) -> String {
        let (secret, id) = (auth::secret(), account.id);
        let digest = auth::digest(&secret);
        self.app.db.write(move |tx| login::open(tx, &digest, id, NOW)).await.unwrap();
        secret
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        request.header("x-request-id", "test").reply(&self.filter).await
    }
}

pub(crate) fn get(path: &str) -> RequestBuilder {
    warp::test::request().path(path)
}

pub(crate) fn post(path: &str) -> RequestBuilder {
    warp::test::request().method("POST").path(path)
}

pub(crate) fn body(answer: &Answer) -> Value {
    let text = String::from_utf8_lossy(answer.body());
    serde_json::from_slice(answer.body()).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

pub(crate) trait Carrying {
    fn bearer(self, token: &str) -> Self;
    fn cookie(self, secret: &str) -> Self;
    fn form(self, secret: &str, fields: &[(&str, &str)]) -> Self;
}

impl Carrying for RequestBuilder {
    fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn cookie(self, secret: &str) -> Self {
        self.header("cookie", format!("{}={secret}", session::COOKIE))
    }

    /// A form as our own page sends it.
    fn form(self, secret: &str, fields: &[(&str, &str)]) -> Self {
        let csrf = session::csrf(secret);
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        let text = serde_urlencoded::to_string(fields).unwrap();
        self.cookie(secret)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", text.len())
            .body(text)
    }
}

// The table as a whole ---------------------------------------------------------------------------

#[tokio::test]
async fn every_route_that_is_not_open_asks_who_is_there() {
    let house = House::new().await;
    for route in super::table().iter().filter(|route| route.who != Who::Anyone) {
        let path = route.path.replace("{id}", "x").replace("{student}", "x");
        let request = warp::test::request().method(route.method.as_str()).path(&path);
        let request = request.header("sec-fetch-site", "same-origin");
        let status = house.send(request).await.status();
        assert_eq!(status, 401, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn every_role_that_is_not_named_is_refused() {
    let house = House::new().await;
    for role in Role::ALL {
        let token = house.token(role).await;
        for route in super::table().iter() {
            let Who::Role(roles) = route.who else { continue };
            let path = route.path.replace("{id}", "x").replace("{student}", "x");
            let request = warp::test::request().method(route.method.as_str()).path(&path);
            let form = matches!(route.takes, Takes::Form(_));
            let site = if form { "same-origin" } else { "none" };
            if route.path.ends_with("/events") && roles.contains(&role)
                || route.path.contains("logout")
                || route.path == "/sign-out"
            {
                continue; // an endless answer, and the end of this token
            }
            let status =
                house.send(request.bearer(&token).header("sec-fetch-site", site)).await.status();
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(refused, !roles.contains(&role), "{role} {} {}", route.method, route.path);
        }
    }
}

#[test]
fn every_route_is_declared_once_and_reads_no_more_than_it_says() {
    let table = super::table();
    let mut seen = std::collections::HashSet::new();
    for route in table.iter() {
        assert!(seen.insert((route.method.clone(), route.path)), "twice: {}", route.path);
        assert!(!route.path.ends_with('/') || route.path == "/", "{}", route.path);
        if let Takes::Json(limit) | Takes::Form(limit) | Takes::Parts(limit) = route.takes {
            assert!((1..=11 * 1024 * 1024).contains(&limit), "{}", route.path);
            assert_ne!(route.method, Method::GET, "{}", route.path);
        }
        let api = route.path.starts_with("/api/");
        let json = matches!(route.takes, Takes::Json(_));
        assert!(!api || !json || route.shapes.takes.is_some(), "no schema: {}", route.path);
    }
    assert!(seen.len() > 50);
}

#[tokio::test]
async fn every_answer_is_named_and_hardened() {
    let house = House::new().await;
    for path in ["/health", "/sign-in", "/api/students", "/nowhere", "/static/0/x"] {
        let answer = house.send(get(path)).await;
        let headers = answer.headers();
        assert_eq!(headers["x-request-id"], "test", "{path}");
        assert_eq!(headers["content-security-policy"], super::headers::CSP, "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn three_spellings_reach_the_same_route() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    for path in ["/api/students", "/api/students/", "/students"] {
        assert_eq!(house.send(get(path).bearer(&token)).await.status(), 200, "{path}");
    }
    let wrong = house.send(warp::test::request().method("PUT").path("/api/students")).await;
    assert_eq!(
        (wrong.status().as_u16(), &wrong.headers()["allow"]),
        (405, &"GET, POST".parse().unwrap())
    );
}

#[tokio::test]
async fn problems_are_what_they_were() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let text = |body: &'static str| {
        post("/api/students").bearer(&token).body(body).header("content-length", body.len())
    };
    let kind = |request: RequestBuilder, kind: &'static str| request.header("content-type", kind);
    insta::assert_json_snapshot!("problem_401", body(&house.send(get("/api/students")).await));
    let missing = get("/api/students/nobody").bearer(&token);
    insta::assert_json_snapshot!("problem_404", body(&house.send(missing).await));
    let large = post("/api/students").bearer(&token).header("content-length", 99_999_999);
    insta::assert_json_snapshot!("problem_413", body(&house.send(large).await));
    insta::assert_json_snapshot!(
        "problem_415",
        body(&house.send(kind(text("{}"), "text/plain")).await)
    );
    insta::assert_json_snapshot!(
        "problem_422",
        body(&house.send(kind(text("{}"), "application/json")).await)
    );
    insta::assert_json_snapshot!(
        "problem_400",
        body(&house.send(kind(text("{"), "application/json")).await)
    );
}

#[tokio::test]
async fn a_body_without_a_length_is_refused() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    for route in super::table().iter().filter(|route| route.takes != Takes::Nothing) {
        if !matches!(route.who, Who::Role(_)) || matches!(route.takes, Takes::Form(_)) {
            continue; // forms of pages ask for their origin first
        }
        let path = route.path.replace("{id}", "x").replace("{student}", "x");
        let request = warp::test::request().method(route.method.as_str()).path(&path);
        let status = house.send(request.bearer(&token)).await.status();
        assert_eq!(status, 411, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn an_open_event_stream_does_not_hold_up_the_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (front, stop) = (house.front.clone(), house.front.stop.clone());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(super::serve::run(listener, None, front, stop.clone()));
    let mut browser = tokio::net::TcpStream::connect(address).await.unwrap();
    let ask =
        format!("GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    browser.write_all(ask.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    browser.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stop.cancel();
    let five = std::time::Duration::from_secs(5);
    tokio::time::timeout(five, tasks.join_next()).await.unwrap().unwrap().unwrap();
}

// Signing in -------------------------------------------------------------------------------------

#[tokio::test]
async fn a_login_gives_tokens_under_every_name() {
    let house = House::new().await;
    house.account(Role::Teacher).await;
    let login = json!({ "email": "TEACHER@school.test", "password": PASSWORD });
    for path in ["/api/auth/login", "/api/auth/jwt/create", "/auth/login"] {
        let answer = house.send(post(path).json(&login)).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(!answer.headers().contains_key("set-cookie"), "the API sets no cookie");
        let tokens = body(&answer);
        assert_eq!(tokens["access"], tokens["access_token"]);
        assert_eq!(tokens["refresh"], tokens["refresh_token"]);
        let me = house.send(get("/api/auth/me").bearer(tokens["access"].as_str().unwrap())).await;
        assert_eq!(body(&me)["email"], "teacher@school.test");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_sound_the_same_and_are_slowed_down() {
    let house = House::new().await;
    house.account(Role::Teacher).await;
    let login =
        |email: &str| post("/api/auth/login").json(&json!({ "email": email, "password": "wrong" }));
    let wrong = house.send(login("teacher@school.test")).await;
    let unknown = house.send(login("nobody@school.test")).await;
    assert_eq!((wrong.status(), wrong.body()), (unknown.status(), unknown.body()));
    assert_eq!(wrong.status(), 401);
    for _ in 0..4 {
        house.send(login("teacher@school.test")).await;
    }
    let slowed = house.send(login("teacher@school.test")).await;
    assert_eq!(
        (slowed.status().as_u16(), &slowed.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    house.clock.advance(1_000);
    let right = json!({ "email": "teacher@school.test", "password": PASSWORD });
    assert_eq!(house.send(post("/api/auth/login").json(&right)).await.status(), 200);
}

#[tokio::test]
async fn a_reused_refresh_token_ends_the_access_token_too() {
    let house = House::new().await;
    house.account(Role::Admin).await;
    let login = json!({ "email": "admin@school.test", "password": PASSWORD });
    let first = body(&house.send(post("/api/auth/login").json(&login)).await);
    let refresh = |token: &Value| post("/api/auth/refresh").json(&json!({ "refresh": token }));
    let second = body(&house.send(refresh(&first["refresh"])).await);
    let access = second["access"].as_str().unwrap().to_owned();
    assert_eq!(house.send(get("/api/auth/me").bearer(&access)).await.status(), 200);
    assert_eq!(house.send(refresh(&first["refresh"])).await.status(), 401);
    assert_eq!(house.send(get("/api/auth/me").bearer(&access)).await.status(), 401);
}

#[tokio::test]
async fn logging_out_and_half_an_hour_end_a_token() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let me = || get("/api/auth/me").bearer(&token);
    assert_eq!(house.send(me()).await.status(), 200);
    house.clock.set_wall(NOW.plus_ms(auth::token::ACCESS_MS));
    assert_eq!(house.send(me()).await.status(), 401);
    house.clock.set_wall(NOW);
    assert_eq!(house.send(post("/api/auth/logout").bearer(&token)).await.status(), 204);
    assert_eq!(house.send(me()).await.status(), 401);
}

#[tokio::test]
async fn the_set_up_code_makes_one_admin_and_no_other() {
    let house = House::new().await;
    house.app.db.write(|tx| user::add_setup_code(tx, "CODE", NOW, NOW.plus_ms(1))).await.unwrap();
    let setup = |code: &str, password: &str| {
        post("/api/setup").json(&json!({
            "code": code, "full_name": "Ada", "email": "ada@school.test", "password": password
        }))
    };
    assert_eq!(house.send(setup("WRONG", PASSWORD)).await.status(), 403);
    assert_eq!(house.send(setup("CODE", "12345678")).await.status(), 422);
    let made = house.send(setup("CODE", PASSWORD)).await;
    assert_eq!((made.status().as_u16(), &body(&made)["role"]), (201, &json!("admin")));
    assert_eq!(house.send(setup("CODE", PASSWORD)).await.status(), 409);
}

// Browsers ---------------------------------------------------------------------------------------

#[tokio::test]
async fn a_browser_signs_in_with_a_form_and_gets_a_guarded_cookie() {
    let house = House::new().await;
    house.account(Role::Teacher).await;
    let form = format!("email=teacher%40school.test&password={}", PASSWORD.replace(' ', "+"));
    let request = |site: &'static str| {
        post("/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", form.len())
            .header("sec-fetch-site", site)
            .body(&form)
    };
    assert_eq!(house.send(request("cross-site")).await.status(), 403);
    let answer = house.send(request("same-origin")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/review".parse().unwrap())
    );
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-sid=") && cookie.contains("HttpOnly"), "{cookie}");
}

#[tokio::test]
async fn with_an_authorization_header_the_cookie_counts_for_nothing() {
    let house = House::new().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    let me = || get("/api/auth/me").cookie(&secret);
    assert_eq!(house.send(me()).await.status(), 200);
    assert_eq!(house.send(me().bearer("rubbish")).await.status(), 401);
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let house = House::new().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    let add = || {
        let body = json!({ "device_id": "door-1" });
        post("/api/devices").cookie(&secret).json(&body)
    };
    let own = |request: RequestBuilder| request.header("sec-fetch-site", "same-origin");
    assert_eq!(house.send(add()).await.status(), 403);
    assert_eq!(house.send(own(add())).await.status(), 403, "without the token");
    let csrf = session::csrf(&secret);
    let good = own(add()).header("x-csrf-token", csrf.as_str());
    assert_eq!(house.send(good).await.status(), 201);
    let form = post("/devices").form(&secret, &[("device_id", "door-2"), ("direction", "both")]);
    assert_eq!(house.send(form).await.status(), 201);
}

#[tokio::test]
async fn an_idle_session_is_over() {
    let house = House::new().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    house.clock.set_wall(NOW.plus_ms(12 * 3_600_000));
    let page = house.send(get("/devices").cookie(&secret).header("accept", "text/html")).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["location"]),
        (303, &"/sign-in".parse().unwrap())
    );
}

#[tokio::test]
async fn a_link_from_a_mail_bounces_once_and_then_the_cookie_is_there() {
    let house = House::new().await;
    let page = |site: &'static str| {
        get("/review").header("accept", "text/html").header("sec-fetch-site", site)
    };
    let first = house.send(page("cross-site")).await;
    assert_eq!(first.status(), 200);
    assert!(String::from_utf8_lossy(first.body()).contains("http-equiv=\"refresh\""));
    assert_eq!(house.send(page("same-origin")).await.status(), 303, "never twice");
}

// People and doors -------------------------------------------------------------------------------

#[tokio::test]
async fn a_student_is_added_found_changed_and_removed() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let typed = json!({ "student_number": "STU1", "full_name": "Ada Lovelace", "year": 2 });
    let made = house.send(post("/api/students").bearer(&token).json(&typed)).await;
    assert_eq!(made.status(), 201);
    let twice = house.send(post("/api/students").bearer(&token).json(&typed)).await;
    assert_eq!(twice.status(), 409);
    let put = warp::test::request().method("PUT").path("/api/students/STU1").bearer(&token);
    let changed = body(&house.send(put.json(&json!({ "department": "Maths" }))).await);
    assert_eq!(
        (&changed["full_name"], &changed["department"]),
        (&json!("Ada Lovelace"), &json!("Maths"))
    );
    let delete = warp::test::request().method("DELETE").path("/api/students/STU1").bearer(&token);
    assert_eq!(house.send(delete).await.status(), 204);
    let active = body(&house.send(get("/api/students?is_active=true").bearer(&token)).await);
    assert_eq!(active, json!([]));
}

#[tokio::test]
async fn a_door_is_added_joined_and_cut_off() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let door = json!({ "device_id": "door-1", "classroom_id": "204", "direction": "entry" });
    let made = body(&house.send(post("/api/devices").bearer(&token).json(&door)).await);
    assert_eq!((&made["status"], &made["classroom_id"]), (&json!("inactive"), &json!("204")));
    let join = body(&house.send(post("/api/devices/door-1/join-token").bearer(&token)).await);
    assert!(join["command"].as_str().unwrap().starts_with("rollcall-edge join https://"));
    assert_eq!(house.send(post("/api/devices/door-1/revoke").bearer(&token)).await.status(), 204);
    assert_eq!(house.send(post("/api/devices/door-9/revoke").bearer(&token)).await.status(), 404);
    let odd = post("/api/devices").bearer(&token).json(&json!({ "device_id": "Door 1" }));
    assert_eq!(house.send(odd).await.status(), 422);
}

#[tokio::test]
async fn the_front_page_is_for_people_and_for_programs() {
    let house = House::new().await;
    let program = house.send(get("/").header("accept", "*/*")).await;
    assert_eq!(body(&program)["status"], "ok");
    let person = house.send(get("/").header("accept", "text/html,*/*")).await;
    assert_eq!(person.status(), 303);
    let new = house.send(get("/sign-in")).await;
    assert_eq!(&new.headers()["location"], "/setup", "before the first account");
}

// Photos and decisions ---------------------------------------------------------------------------

/// A picture from the fetched portraits.
fn portrait(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/portraits");
    std::fs::read(folder.join(name)).expect("no portraits: run models/fetch first")
}

/// A form with files, as curl -F sends it.
fn parts(path: &str, token: &str, fields: &[(&str, &str)], file: (&str, &[u8])) -> RequestBuilder {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--xYx\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
    }
    let (name, bytes) = file;
    let head =
        format!("--xYx\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"");
    body.extend_from_slice(format!("{head}\r\ncontent-type: image/jpeg\r\n\r\n").as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--xYx--\r\n");
    post(path)
        .bearer(token)
        .header("content-type", "multipart/form-data; boundary=xYx")
        .header("content-length", body.len())
        .body(body)
}

impl House {
    /// An admin's token, with Barack (STU1) enrolled from one portrait and a door `door-1`.
    async fn school(&self) -> String {
        let token = self.token(Role::Admin).await;
        let person = json!({ "student_number": "STU1", "full_name": "Barack Obama" });
        self.send(post("/api/students").bearer(&token).json(&person)).await;
        let door = json!({ "device_id": "door-1", "classroom_id": "Room 204" });
        self.send(post("/api/devices").bearer(&token).json(&door)).await;
        let fields = [("student_id", "STU1"), ("consent_by", "himself")];
        let photo = parts("/api/enrollment", &token, &fields, ("file", &portrait("obama.jpg")));
        assert_eq!(self.send(photo).await.status(), 201);
        token
    }

    async fn capture(&self, token: &str, picture: &[u8]) -> Answer {
        let fields = [("device_id", "door-1"), ("classroom_id", "Room 204")];
        self.send(parts("/api/capture", token, &fields, ("image", picture))).await
    }

    /// A record that waits, of Barack.
    async fn pending(&self, token: &str) -> String {
        let answer = self.capture(token, &portrait("obama2.jpg")).await;
        body(&answer)["record_id"].as_str().expect("the same person waits").to_owned()
    }

    async fn sightings(&self) -> i64 {
        let read = |tx: &crate::store::Tx<'_>| {
            tx.row("select count(*) from sighting", [], |row| row.get(0))
        };
        self.app.db.read(read).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_known_face_waits_and_a_stranger_leaves_no_trace() {
    let house = House::new().await;
    let token = house.school().await;
    let known = body(&house.capture(&token, &portrait("obama2.jpg")).await);
    assert_eq!(
        (&known["status"], &known["predicted_student_id"]),
        (&json!("pending"), &json!("STU1"))
    );
    assert!(known["confidence"].as_f64().unwrap() > 0.7, "{known}");
    let stranger = house.capture(&token, &portrait("biden.jpg")).await;
    let said = body(&stranger);
    assert_eq!((stranger.status().as_u16(), &said["status"]), (200, &json!("unknown")));
    assert_eq!((&said["record_id"], &said["predicted_name"]), (&Value::Null, &Value::Null));
    assert_eq!(house.sightings().await, 1);
    let waiting = body(&house.send(get("/api/attendance/pending").bearer(&token)).await);
    assert_eq!(waiting[0]["predicted_name"], "Barack Obama");
    let crop = format!("/api/attendance/{}/crop", waiting[0]["id"].as_str().unwrap());
    let crop = house.send(get(&crop).bearer(&token)).await;
    assert_eq!(
        (&crop.body()[..2], &crop.headers()["cache-control"]),
        (&b"\xff\xd8"[..], &"no-store".parse().unwrap())
    );
}

#[tokio::test]
async fn bad_pictures_are_each_named_and_change_nothing() {
    let house = House::new().await;
    let token = house.school().await;
    let face = portrait("obama.jpg");
    let decode = |bytes: &[u8]| vision::decode(bytes, &vision::Limits::default()).unwrap();
    let one = decode(&face);
    let both = [&one, &one].map(|picture| picture.rgb.clone()).concat();
    let two = vision::Picture::new(one.width, one.height * 2, both).unwrap().to_jpeg(90);
    let grey = vision::Picture::new(300, 300, vec![128; 270_000]).unwrap().to_jpeg(90);
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\x02\0\0\0".to_vec();
    bomb.extend_from_slice(&[
        0x4a, 0x1f, 0xd7, 0x9c, 0, 0, 0, 0, b'I', b'D', b'A', b'T', 0, 0, 0, 0,
    ]);
    let cut = &face[..face.len() / 3];
    for (name, picture, words) in [
        ("no face", grey.as_slice(), "no face"),
        ("two faces", &two, "2 faces"),
        ("text", b"I am not a picture at all", "JPEG"),
        ("bomb", &bomb, ""),
        ("truncated", cut, ""),
    ] {
        for (path, field) in [("/api/capture", "image"), ("/api/enrollment", "file")] {
            let fields = [("device_id", "door-1"), ("student_id", "STU1")];
            let answer = house.send(parts(path, &token, &fields, (field, picture))).await;
            let said = body(&answer);
            assert_eq!(answer.status(), 422, "{name} {path}: {said}");
            let detail = said["detail"].as_str().unwrap().to_lowercase();
            assert!(detail.contains(&words.to_lowercase()), "{name} {path}: {detail}");
        }
    }
    assert_eq!(house.sightings().await, 0);
}

#[tokio::test]
async fn a_photo_without_consent_or_of_somebody_elses_face_is_refused() {
    let house = House::new().await;
    let token = house.school().await;
    let person = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
    house.send(post("/api/students").bearer(&token).json(&person)).await;
    let enrol = |fields: &[(&str, &str)], name: &str| {
        parts("/api/students/upload-face", &token, fields, ("file", &portrait(name)))
    };
    let without = house.send(enrol(&[("student_id", "STU2")], "biden.jpg")).await;
    assert_eq!(without.status(), 422);
    let fields = [("student_id", "STU2"), ("consent_by", "his mother")];
    let taken = house.send(enrol(&fields, "obama2.jpg")).await;
    assert_eq!(taken.status(), 409, "{}", body(&taken));
    assert_eq!(house.send(enrol(&fields, "biden.jpg")).await.status(), 201);
    let biden = body(&house.capture(&token, &portrait("biden.jpg")).await);
    assert_eq!(biden["predicted_student_id"], "STU2");
}

#[tokio::test]
async fn a_record_is_approved_once_and_taken_back() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let review = |say: &str, version: i64| {
        let say = json!({ "decision": say, "version": version, "notes": "saw him" });
        post(&format!("/api/attendance/{id}/review")).bearer(&token).json(&say)
    };
    let approved = body(&house.send(review("approve", 1)).await);
    assert_eq!(
        (&approved["review_status"], &approved["decided_student_id"]),
        (&json!("approved"), &json!("STU1"))
    );
    assert_eq!(approved["reviewer_name"], "The admin");
    let late = house.send(review("reject", 1)).await;
    let said = body(&late);
    assert_eq!(late.status(), 409);
    assert!(
        said["detail"].as_str().unwrap().starts_with("The admin has already approved"),
        "{said}"
    );
    let undo = post(&format!("/api/attendance/{id}/undo"));
    let back = body(&house.send(undo.bearer(&token)).await);
    assert_eq!((&back["review_status"], &back["version"]), (&json!("pending"), &json!(3)));
    let many = json!({ "ids": [id], "decision": "reject" });
    let many = house.send(post("/api/attendance/review").bearer(&token).json(&many)).await;
    assert_eq!(body(&many)[0]["review_status"], "rejected");
}

#[tokio::test]
async fn a_teacher_sees_their_classes_and_nothing_else() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let teacher = house.account(Role::Teacher).await;
    let secret = house.session(&teacher).await;
    let paths = ["", "/crop"].map(|end| format!("/api/attendance/{id}{end}"));
    for path in paths.iter().chain([&format!("/review/{id}/card")]) {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 404, "{path}");
    }
    let decide = post(&format!("/review/{id}")).form(&secret, &[("decision", "approve")]);
    assert_eq!(house.send(decide).await.status(), 404);
    let class = json!({ "class_name": "7b", "class_code": "7B", "teacher_id": teacher.id });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    for path in &paths {
        assert_eq!(house.send(get(path).cookie(&secret)).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_desk_works_without_javascript() {
    let house = House::new().await;
    let token = house.school().await;
    let id = house.pending(&token).await;
    let account = house.app.db.read(|tx| account::by_email(tx, "admin@school.test")).await.unwrap();
    let secret = house.session(&account.unwrap().0).await;
    let page = house.send(get("/review").cookie(&secret)).await;
    let html = String::from_utf8_lossy(page.body()).into_owned();
    assert!(html.contains("Barack Obama") && html.contains("1 person waits"), "{html}");
    let decide = || {
        post(&format!("/review/{id}")).form(&secret, &[("decision", "reject"), ("version", "1")])
    };
    let done = house.send(decide()).await;
    assert_eq!(
        (done.status().as_u16(), done.headers()["location"].to_str().unwrap()),
        (303, format!("/review?done={id}").as_str())
    );
    let after = house.send(get(&format!("/review?done={id}")).cookie(&secret)).await;
    assert!(String::from_utf8_lossy(after.body()).contains("Rejected: not Barack Obama"));
    let late = house.send(decide().header("hx-request", "true")).await;
    assert_eq!(late.status(), 409);
    assert!(String::from_utf8_lossy(late.body()).contains("The admin has already rejected this"));
    let undo = post(&format!("/review/{id}/undo")).form(&secret, &[]);
    assert_eq!(house.send(undo).await.status(), 303);
}

#[tokio::test]
async fn one_photo_in_a_class_finds_only_its_members_and_marks_nobody() {
    let house = House::new().await;
    let token = house.school().await;
    let class = json!({ "class_name": "7b", "class_code": "7B", "room": "Room 204" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let verify =
        || parts("/face/verify", &token, &[("class_id", "7B")], ("file", &portrait("obama2.jpg")));
    let empty = body(&house.send(verify()).await);
    assert!(empty["message"].as_str().unwrap().starts_with("Nobody in 7b can be recognised yet"));
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&token).json(&enter)).await;
    let found = body(&house.send(verify()).await);
    assert_eq!((&found["recognized"], &found["marked"]), (&json!(true), &json!(false)));
    assert_eq!((&found["student_id"], &found["status"]), (&json!("STU1"), &json!("pending")));
    let doors = body(&house.send(get("/api/devices").bearer(&token)).await);
    assert_eq!(doors.as_array().unwrap().len(), 1, "the photos' own door is not listed");
}
