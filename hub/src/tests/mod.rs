//! The HTTP skin through `warp::test`, over a real store in a temporary directory.
//!
//! This file is the house and what it understands; the tests are in a file per subject.

mod accounts;
mod alerts;
mod analytics;
mod auth;
mod browsers;
mod canary;
mod capture;
mod care;
mod docs;
mod doors;
mod doors_pages;
mod events;
mod fixtures;
mod idempotency;
mod import;
mod keys;
mod lessons;
mod limits;
mod log;
mod mark;
mod matrix;
mod me;
mod members;
mod nav;
mod notify;
mod office;
mod openapi;
mod passkeys;
mod people;
mod people_pages;
mod persons;
mod photos;
mod privacy;
mod provider;
mod proxied;
mod ready;
mod reports;
mod review;
mod roll;
mod roster;
mod runs;
mod second_factor;
mod seeds;
mod settings;
mod sign_ins;
mod table;
mod teacher;
mod timetable;
mod traces;
mod updates;

use crate::app::App;
use acts::apart::Apart;
use acts::auth::{Passwords, session};
use acts::pki::Pki;
use config::{Config, Vars};
use http::front::Front;
use rules::auth::Role;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use store::account::{self, Account, NewAccount};
use store::keys::Keys;
use store::login;
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::Response;
use warp::test::RequestBuilder;
use wire::time::ManualClock;
use wire::{Mono, Wall};

/// 2026-03-02T08:45:30Z.
pub(crate) const NOW: Wall = Wall(1_772_441_130_000);
pub(crate) const PASSWORD: &str = "nine horses graze";
pub(crate) type Answer = Response<bytes::Bytes>;

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
        Self::with(Vars::default()).await
    }

    /// A hub on SQLite, whichever database the others are on, and its file.
    pub(crate) async fn in_file() -> (Self, std::path::PathBuf) {
        let house = Self::with(Vars::from([("ROLLCALL_DATABASE", "hub.db")])).await;
        let path = house.app.config.data.join("hub.db").canonicalize().unwrap();
        (house, path)
    }

    /// A hub with these variables set.
    pub(crate) async fn with(vars: Vars) -> Self {
        let models = std::env::var_os("ROLLCALL_MODELS").map(std::path::PathBuf::from);
        let models = models.unwrap_or_else(|| {
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights")
        });
        assert!(models.join("pack.toml").exists(), "no weights: run models/fetch first");
        Self::on(&models, vars).await
    }

    /// A hub with the models of this folder.
    pub(crate) async fn on(models: &std::path::Path, vars: Vars) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), NOW).unwrap();
        Pki::create(&keys, &["localhost".into()], NOW).unwrap();
        drop(keys);
        let vars = vars.with("ROLLCALL_MODELS", models.to_str().unwrap());
        let config = Config::read(dir.path(), "", &vars).unwrap();
        let clock = Arc::new(ManualClock::at(NOW, Mono(1_000)));
        let mut app = App::open(config, clock.clone()).await.unwrap();
        app.parts.apart = Apart::here();
        let stop = CancellationToken::new();
        let (site, handlers) = crate::site::site();
        let front = Front::new(app.parts.clone(), site, Passwords::cheap(), None, stop);
        let filter = http::filter(front.clone(), handlers);
        Self { _dir: dir, app, front, clock, filter }
    }

    /// The same hub after a restart with these settings.
    pub(crate) async fn reopened(self, config: Config) -> Self {
        let app = App::open(config, self.clock.clone()).await.unwrap();
        let stop = CancellationToken::new();
        let (site, handlers) = crate::site::site();
        let front = Front::new(app.parts.clone(), site, Passwords::cheap(), None, stop);
        let filter = http::filter(front.clone(), handlers);
        Self { app, front, filter, ..self }
    }

    /// An account of this role; its address is the role's name.
    pub(crate) async fn account(&self, role: Role) -> Account {
        let password = self.front.passwords.hash(PASSWORD.into()).await.unwrap();
        let email = format!("{role}@school.test");
        let name = format!("The {role}");
        let new = NewAccount { email, name, role, student: None, password: Some(password) };
        self.app.db.write(move |tx| account::add(tx, &new, "cli:test", NOW)).await.unwrap()
    }

    /// An access token of a new account of this role.
    pub(crate) async fn token(&self, role: Role) -> String {
        self.account(role).await;
        self.login(role).await
    }

    /// A new access token of the account of this role.
    pub(crate) async fn login(&self, role: Role) -> String {
        let body = json!({ "email": format!("{role}@school.test"), "password": PASSWORD });
        let answer = self.send(post("/api/auth/login").json(&body)).await;
        self::body(&answer)["access"].as_str().unwrap().to_owned()
    }

    /// The account of [`House::school`]'s admin.
    pub(crate) async fn admin(&self) -> Account {
        let read = self.app.db.read(|tx| account::by_email(tx, "admin@school.test"));
        read.await.unwrap().expect("the school has one").0
    }

    /// The cookie of a new session of this account.
    pub(crate) async fn session(&self, account: &Account) -> String {
        let (secret, id) = (acts::auth::secret(), account.id);
        let digest = acts::auth::digest(&secret);
        let (way, now) = (login::Way::Password, self.app.clock.wall());
        let origin = login::Origin { way, from: IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let open = move |tx: &store::Tx<'_>| login::open(tx, &digest, id, &origin, now);
        self.app.db.write(open).await.unwrap();
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

/// Somebody of this role signs in.
pub(crate) fn login(role: Role) -> RequestBuilder {
    let body = json!({ "email": format!("{role}@school.test"), "password": PASSWORD });
    post("/api/auth/login").json(&body)
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

/// A picture from the fetched portraits.
pub(crate) fn portrait(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("ROLLCALL_PORTRAITS").map(std::path::PathBuf::from);
    let folder = folder.unwrap_or_else(|| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/portraits")
    });
    std::fs::read(folder.join(name)).expect("no portraits: run models/fetch first")
}

/// A form with files, as curl -F sends it.
pub(crate) fn parts(
    path: &str,
    token: &str,
    fields: &[(&str, &str)],
    file: (&str, &[u8]),
) -> RequestBuilder {
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
    pub(crate) async fn school(&self) -> String {
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

    pub(crate) async fn capture(&self, token: &str, picture: &[u8]) -> Answer {
        let fields = [("device_id", "door-1"), ("classroom_id", "Room 204")];
        self.send(parts("/api/capture", token, &fields, ("image", picture))).await
    }

    /// A record that waits, of Barack.
    pub(crate) async fn pending(&self, token: &str) -> String {
        let answer = self.capture(token, &portrait("obama2.jpg")).await;
        body(&answer)["record_id"].as_str().expect("the same person waits").to_owned()
    }

    pub(crate) async fn sightings(&self) -> i64 {
        let read =
            |tx: &store::Tx<'_>| tx.row("select count(*) from sighting", [], |row| row.get(0));
        self.app.db.read(read).await.unwrap().unwrap()
    }
}
