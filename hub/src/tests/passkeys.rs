//! Passkeys against the front door, with an authenticator of our own: made, signed in with, shown
//! as a second factor and once more, and everything that must not open.

use super::{Answer, Carrying, House, NOW, PASSWORD, body, get, post};
use config::Vars;
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use http::signed_in::PROOF_HOLDS_MS;
use rules::auth::Role;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::login::LoginKeep;
use store::passkey::PasskeyKept;
use store::shut::ShutKind;
use store::{Tx, account, accounts, passkey};
use uuid::Uuid;
use wire::Clock as _;

const ORIGIN: &str = "https://localhost:8443";
/// The person was there, and showed a finger.
const VERIFIED: u8 = 0x05;
const PRESENT: u8 = 0x01;

/// A device with one passkey; a field bent makes it lie.
struct Device {
    key: SigningKey,
    id: [u8; 20],
    owner: String,
    origin: &'static str,
    name: &'static str,
    flags: u8,
    count: u32,
}

impl Device {
    fn new() -> Self {
        let (key, id) = (SigningKey::from_bytes(&rand::random()), rand::random());
        let (owner, count) = (String::new(), 0);
        Self { key, id, owner, origin: ORIGIN, name: "localhost", flags: VERIFIED, count }
    }

    fn client(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["challenge"];
        let client = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false,
        });
        client.to_string().into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let hash = Sha256::digest(self.name);
        [hash.as_slice(), &[flags], &self.count.to_be_bytes()].concat()
    }

    /// Makes the passkey that is asked for.
    fn make(&mut self, asked: &Value) -> Value {
        let options = &asked["options"];
        self.owner = options["user"]["id"].as_str().unwrap().to_owned();
        let public = self.key.verifying_key();
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        // A map of an Ed25519 key: 1: 1, 3: -8, -1: 6, -2: 32 bytes.
        let cose = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
        let data = [
            self.data(self.flags | 0x40).as_slice(),
            &[0; 16],
            &length,
            &self.id,
            &cose,
            public.as_bytes(),
        ]
        .concat();
        let size = u8::try_from(data.len()).unwrap();
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
        let object = [head.as_slice(), &[size], &data].concat();
        self.answer(&json!({
            "clientDataJSON": text(&self.client("webauthn.create", options)),
            "attestationObject": text(&object),
            "transports": ["internal"],
        }))
    }

    /// Signs what is asked.
    fn sign(&mut self, asked: &Value) -> Value {
        self.count += 1;
        self.resign(asked)
    }

    /// The same without counting on.
    fn resign(&self, asked: &Value) -> Value {
        let (client, data) =
            (self.client("webauthn.get", &asked["options"]), self.data(self.flags));
        let signed = [data.as_slice(), Sha256::digest(&client).as_slice()].concat();
        self.answer(&json!({
            "clientDataJSON": text(&client), "authenticatorData": text(&data),
            "signature": text(&self.key.sign(&signed).to_bytes()), "userHandle": self.owner,
        }))
    }

    fn answer(&self, response: &Value) -> Value {
        let id = text(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "response": response,
            "clientExtensionResults": {}, "authenticatorAttachment": "platform",
        })
    }
}

fn text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn kind(answer: &Answer) -> (u16, String) {
    let kind = body(answer)["type"].as_str().unwrap_or_default().to_owned();
    (answer.status().as_u16(), kind.trim_start_matches("/problems/").to_owned())
}

async fn ask(house: &House) -> Value {
    body(&house.send(post("/api/auth/passkeys/challenge")).await)
}

/// Whoever has `token` gives their password once more.
async fn prove(house: &House, token: &str) {
    let said = json!({ "password": PASSWORD });
    let proved = house.send(post("/api/auth/prove").bearer(token).json(&said)).await;
    assert_eq!(proved.status(), 204);
}

/// The device makes a passkey for whoever has `token`, and the hub is told.
async fn made(house: &House, token: &str, device: &mut Device) -> Answer {
    prove(house, token).await;
    let asked = house.send(post("/api/auth/passkeys/begin").bearer(token)).await;
    assert_eq!(asked.status(), 200);
    let asked = body(&asked);
    let credential = device.make(&asked);
    let attempt = &asked["attempt"];
    let told = json!({ "name": "laptop", "attempt": attempt, "credential": credential });
    house.send(post("/api/auth/passkeys").bearer(token).json(&told)).await
}

/// A house in which the teacher has a passkey.
async fn school() -> (House, String, Device) {
    let (house, mut device) = (House::new().await, Device::new());
    let token = house.token(Role::Teacher).await;
    assert_eq!(made(&house, &token, &mut device).await.status(), 201);
    (house, token, device)
}

async fn enter(house: &House, asked: &Value, credential: Value) -> Answer {
    let said = json!({ "attempt": asked["attempt"], "credential": credential });
    house.send(post("/api/auth/passkeys/sign-in").json(&said)).await
}

async fn audited(house: &House, action: &str) -> i64 {
    let action = action.to_owned();
    let read = house.app.db.read(move |tx| {
        let sql = "select count(*) from audit where action = $1";
        tx.row(sql, store::params![action], |row| row.get(0))
    });
    read.await.unwrap().unwrap()
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password_and_is_kept_with_its_use() {
    let (house, token, mut device) = school().await;
    let asked = ask(&house).await;
    assert_eq!(asked["options"]["rpId"], "localhost");
    assert_eq!(asked["options"]["userVerification"], "required");
    let answer = enter(&house, &asked, device.sign(&asked)).await;
    assert_eq!(answer.status(), 200);
    let access = body(&answer)["access"].as_str().unwrap().to_owned();
    let me = body(&house.send(get("/api/auth/me").bearer(&access)).await);
    assert_eq!(me["email"], "teacher@school.test");
    let list = body(&house.send(get("/api/auth/passkeys").bearer(&token)).await);
    assert_eq!((list[0]["name"].as_str(), list.as_array().unwrap().len()), (Some("laptop"), 1));
    assert!(list[0]["used_at"].is_string());
    assert_eq!(audited(&house, "sign-in").await, 2, "the password's and the passkey's");
}

#[tokio::test]
async fn what_a_device_says_for_another_site_or_challenge_or_unverified_opens_nothing() {
    type Bend = fn(&mut Device);
    let bends: [(&str, Bend); 5] = [
        ("another origin", |d| d.origin = "https://evil.test"),
        ("another port", |d| d.origin = "https://localhost:9999"),
        ("another name", |d| d.name = "evil.test"),
        ("no user verification", |d| d.flags = PRESENT),
        ("another key", |d| d.key = SigningKey::from_bytes(&[7; 32])),
    ];
    for (what, bend) in bends {
        let (house, _, mut device) = school().await;
        let asked = ask(&house).await;
        bend(&mut device);
        let answer = enter(&house, &asked, device.sign(&asked)).await;
        assert_eq!(kind(&answer), (401, "passkey-refused".into()), "{what}");
        assert_eq!(audited(&house, "sign-in-failed").await, 1, "{what}: noted");
    }
}

#[tokio::test]
async fn an_answer_counts_once_for_five_minutes_and_for_what_was_asked() {
    let (house, token, mut device) = school().await;
    let asked = ask(&house).await;
    let credential = device.sign(&asked);
    assert_eq!(enter(&house, &asked, credential.clone()).await.status(), 200);
    let again = enter(&house, &asked, credential.clone()).await;
    assert!(again.status().is_client_error(), "replayed");
    let fresh = ask(&house).await;
    let other = enter(&house, &fresh, credential).await;
    assert_eq!(kind(&other), (401, "passkey-refused".into()), "an answer to another question");
    let begun = body(&house.send(post("/api/auth/passkeys/begin").bearer(&token)).await);
    let mixed = enter(&house, &begun, device.sign(&begun)).await;
    assert_eq!(mixed.status(), 422, "what began as a new passkey");
    house.clock.set_wall(house.clock.wall().plus_ms(acts::auth::passkey::LIFE_MS));
    let late = enter(&house, &fresh, device.sign(&fresh)).await;
    assert_eq!(late.status(), 422, "too late");
    let now = ask(&house).await;
    assert_eq!(enter(&house, &now, device.sign(&now)).await.status(), 200, "the straight one");
}

#[tokio::test]
async fn an_answer_that_does_not_count_on_is_replayed_in_no_attempt_of_its_own() {
    let (house, _, device) = school().await;
    let asked = ask(&house).await;
    let credential = device.resign(&asked); // such as a phone, which does not count
    assert_eq!(enter(&house, &asked, credential.clone()).await.status(), 200);
    let again = enter(&house, &asked, credential).await;
    assert_eq!(
        (again.status().as_u16(), &body(&again)["errors"][0]["field"]),
        (422, &json!("attempt"))
    );
}

#[tokio::test]
async fn a_counter_that_goes_back_is_a_copy_and_opens_nothing() {
    let (house, _, mut device) = school().await;
    device.count = 40;
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 200);
    device.count = 7;
    let asked = ask(&house).await;
    let copy = enter(&house, &asked, device.sign(&asked)).await;
    assert_eq!(kind(&copy), (401, "passkey-refused".into()));
    device.count = 41;
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 200, "the real one");
}

#[tokio::test]
async fn a_restart_forgets_what_was_asked_before() {
    let (house, _, mut device) = school().await;
    let asked = ask(&house).await;
    let config = house.app.config.clone();
    let house = house.reopened((*config).clone()).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 422);
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 200, "kept all the same");
}

#[tokio::test]
async fn with_a_passkey_the_password_alone_opens_nothing() {
    let (house, _, mut device) = school().await;
    let mut login = json!({ "email": "teacher@school.test", "password": PASSWORD });
    let asked = house.send(post("/api/auth/login").json(&login)).await;
    assert_eq!(kind(&asked), (401, "second-factor-needed".into()));
    let mut other = Device::new();
    let admin = house.token(Role::Admin).await;
    assert_eq!(made(&house, &admin, &mut other).await.status(), 201);
    for (device, status) in [(&mut other, 401), (&mut device, 200)] {
        let asked = ask(&house).await;
        let credential = device.sign(&asked);
        login["passkey"] = json!({ "attempt": asked["attempt"], "credential": credential });
        let answer = house.send(post("/api/auth/login").json(&login)).await;
        assert_eq!(answer.status(), status, "another account's is none of this one's");
    }
}

#[tokio::test]
async fn a_passkey_is_a_proof_and_another_accounts_is_none() {
    let (house, token, mut device) = school().await;
    let mut other = Device::new();
    let admin = house.token(Role::Admin).await;
    assert_eq!(made(&house, &admin, &mut other).await.status(), 201);
    house.clock.set_wall(NOW.plus_ms(PROOF_HOLDS_MS));
    let begin = || post("/api/auth/passkeys/begin").bearer(&token);
    assert_eq!(kind(&house.send(begin()).await), (403, "proof-needed".into()));
    for (device, status) in [(&mut other, 422), (&mut device, 204)] {
        let asked = ask(&house).await;
        let credential = device.sign(&asked);
        let said = json!({ "passkey": { "attempt": asked["attempt"], "credential": credential } });
        let answer = house.send(post("/api/auth/prove").bearer(&token).json(&said)).await;
        assert_eq!(answer.status(), status);
    }
    assert_eq!(house.send(begin()).await.status(), 200);
}

/// Asks to add one, to keep one, and to take one away.
async fn changes(house: &House, token: &str) -> Vec<(u16, String)> {
    let none = json!({ "name": "x", "attempt": "x", "credential": {} });
    let (begin, at) = (post("/api/auth/passkeys/begin"), "/api/auth/passkeys");
    let add = post(at).json(&none);
    let remove = post("/api/auth/passkeys/remove").json(&json!({ "passkey": Uuid::nil() }));
    let mut said = vec![];
    for request in [begin, add, remove] {
        said.push(kind(&house.send(request.bearer(token)).await));
    }
    said
}

#[tokio::test]
async fn whoever_finds_a_browser_open_neither_adds_nor_removes_a_passkey() {
    let (house, needed) = (House::new().await, || (403, "proof-needed".to_owned()));
    let token = house.token(Role::Teacher).await;
    let refused = changes(&house, &token).await;
    assert_eq!(refused, [needed(), needed(), needed()], "signing in just now is no proof");
    prove(&house, &token).await;
    let open = changes(&house, &token).await.into_iter().map(|(status, _)| status);
    assert_eq!(open.collect::<Vec<_>>(), [200, 422, 404]);
    assert_eq!(changes(&house, &house.login(Role::Teacher).await).await[0], needed(), "of its own");
    house.clock.set_wall(NOW.plus_ms(PROOF_HOLDS_MS));
    assert_eq!(changes(&house, &token).await[0], needed(), "not for ever");
}

#[tokio::test]
async fn whoever_has_nothing_to_prove_it_with_has_signed_in_not_long_ago() {
    let house = House::new().await;
    let (email, name) = ("grace@school.test".to_owned(), "Grace".to_owned());
    let new =
        account::NewAccount { email, name, role: Role::Teacher, student: None, password: None };
    let add = move |tx: &Tx<'_>| account::add(tx, &new, "t", NOW);
    let secret = house.session(&house.app.db.write(add).await.unwrap()).await;
    let page = async || {
        let page = house.send(get("/account").cookie(&secret)).await;
        String::from_utf8_lossy(page.body()).contains("data-passkey=\"new\"")
    };
    assert!(page().await);
    house.clock.set_wall(NOW.plus_ms(PROOF_HOLDS_MS));
    assert!(!page().await);
}

#[tokio::test]
async fn with_a_passkey_the_password_alone_sets_no_codes() {
    let (house, _, mut device) = school().await;
    let asked = ask(&house).await;
    let entered = enter(&house, &asked, device.sign(&asked)).await;
    let token = body(&entered)["access"].as_str().unwrap().to_owned();
    let begin = || post("/api/auth/totp").bearer(&token).json(&json!({ "password": PASSWORD }));
    assert_eq!(kind(&house.send(begin()).await), (403, "proof-needed".into()));
    let asked = ask(&house).await;
    let passkey = json!({ "attempt": asked["attempt"], "credential": device.sign(&asked) });
    let said = json!({ "passkey": passkey });
    house.send(post("/api/auth/prove").bearer(&token).json(&said)).await;
    assert_eq!(house.send(begin()).await.status(), 201);
}

#[tokio::test]
async fn the_page_leads_to_the_proof_and_back() {
    let house = House::new().await;
    let secret = house.session(&house.account(Role::Teacher).await).await;
    let page = async || {
        let page = house.send(get("/account").cookie(&secret)).await;
        String::from_utf8_lossy(page.body()).into_owned()
    };
    let shut = page().await;
    assert!(
        shut.contains("/account/prove?next=/account") && !shut.contains("data-passkey=\"new\"")
    );
    let nil = Uuid::nil().to_string();
    let remove = post("/account/passkeys/remove").form(&secret, &[("passkey", &nil)]);
    let remove = remove.header("accept", "text/html").header("referer", "https://x/account");
    let led = house.send(remove).await;
    let to = led.headers()["location"].to_str().unwrap();
    assert_eq!((led.status().as_u16(), to), (303, "/account/prove?next=%2Faccount"));
    let fields = [("password", PASSWORD), ("next", "/account")];
    let back = house.send(post("/account/prove").form(&secret, &fields)).await;
    assert_eq!(back.headers()["location"], "/account");
    assert!(page().await.contains("data-passkey=\"new\""));
}

#[tokio::test]
async fn at_another_address_the_second_step_says_where_the_passkey_works() {
    let (house, _, _) = school().await;
    let form = async |host: &str| {
        let fields = [("email", "teacher@school.test"), ("password", PASSWORD)];
        let text = serde_urlencoded::to_string(fields).unwrap();
        let form = post("/sign-in")
            .header("host", host)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", text.len());
        String::from_utf8_lossy(house.send(form.body(text)).await.body()).into_owned()
    };
    let (there, here) = (form("other.test:8443").await, form("localhost:8443").await);
    let link = "href=\"https://localhost:8443/sign-in?next=/review\"";
    assert!(there.contains("works at one address only") && there.contains(link), "{there}");
    assert!(!there.contains("data-passkey") && here.contains("data-passkey"));
    assert!(!here.contains("works at one address only"));
}

#[tokio::test]
async fn with_a_passkey_the_password_alone_is_no_proof() {
    let (house, token, _) = school().await;
    house.clock.set_wall(NOW.plus_ms(PROOF_HOLDS_MS));
    let said = json!({ "password": PASSWORD });
    let answer = house.send(post("/api/auth/prove").bearer(&token).json(&said)).await;
    assert_eq!(answer.status(), 422);
    assert!(body(&answer).to_string().contains("give a code or a passkey"));
}

#[tokio::test]
async fn a_password_that_somebody_else_sets_takes_the_passkeys_away() {
    let (house, _, mut device) = school().await;
    let find = |tx: &Tx<'_>| account::by_email(tx, "teacher@school.test");
    let teacher = house.app.db.read(find).await.unwrap().unwrap().0.id;
    let set = |actor: String, keep| {
        let write = move |tx: &Tx<'_>| accounts::set_password(tx, teacher, "x", &keep, &actor, NOW);
        house.app.db.write(write)
    };
    set(teacher.to_string(), LoginKeep::Nothing).await.unwrap();
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 200, "it is their own");
    set("admin".to_owned(), LoginKeep::Nothing).await.unwrap();
    let asked = ask(&house).await;
    let answer = enter(&house, &asked, device.sign(&asked)).await;
    assert_eq!(kind(&answer), (401, "passkey-refused".into()));
}

#[tokio::test]
async fn a_passkey_that_says_it_is_somebody_elses_opens_nothing() {
    let (house, _, mut device) = school().await;
    let admin = house.account(Role::Admin).await;
    device.owner = text(admin.id.as_bytes());
    let asked = ask(&house).await;
    let answer = enter(&house, &asked, device.sign(&asked)).await;
    assert_eq!(kind(&answer), (401, "passkey-refused".into()));
}

#[tokio::test]
async fn a_new_passkey_must_be_made_here_just_now_and_verified() {
    let house = House::new().await;
    let token = house.token(Role::Teacher).await;
    type Bend = fn(&mut Device);
    let bends: [(&str, Bend); 3] = [
        ("another origin", |d| d.origin = "https://evil.test"),
        ("another name", |d| d.name = "evil.test"),
        ("no user verification", |d| d.flags = PRESENT),
    ];
    for (what, bend) in bends {
        let mut device = Device::new();
        bend(&mut device);
        assert_eq!(made(&house, &token, &mut device).await.status(), 422, "{what}");
    }
    let asked = body(&house.send(post("/api/auth/passkeys/begin").bearer(&token)).await);
    let admin = house.token(Role::Admin).await;
    prove(&house, &admin).await;
    let credential = Device::new().make(&asked);
    let told = json!({ "name": "x", "attempt": asked["attempt"], "credential": credential });
    let foreign = house.send(post("/api/auth/passkeys").bearer(&admin).json(&told)).await;
    assert_eq!(foreign.status(), 422, "begun by another account");
    assert_eq!(made(&house, &token, &mut Device::new()).await.status(), 201, "the straight one");
}

#[tokio::test]
async fn a_passkey_is_named_and_removed_by_its_owner_alone() {
    let (house, token, mut device) = school().await;
    let admin = house.token(Role::Admin).await;
    prove(&house, &admin).await;
    let list = body(&house.send(get("/api/auth/passkeys").bearer(&token)).await);
    let id = list[0]["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    let act = async |token: &str, path: &str, said: Value| {
        let path = format!("/api/auth/passkeys/{path}");
        house.send(post(&path).bearer(token).json(&said)).await.status().as_u16()
    };
    let name = |name: &str| json!({ "passkey": id, "name": name });
    assert_eq!(act(&admin, "rename", name("mine")).await, 404);
    assert_eq!(act(&admin, "remove", json!({ "passkey": id })).await, 404);
    assert_eq!(act(&token, "rename", name(" ")).await, 422);
    assert_eq!(act(&token, "rename", name("old laptop")).await, 204);
    let list = body(&house.send(get("/api/auth/passkeys").bearer(&token)).await);
    assert_eq!(list[0]["name"], "old laptop");
    assert_eq!(act(&token, "remove", json!({ "passkey": id })).await, 204);
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 401);
    let noted = [audited(&house, "rename").await, audited(&house, "remove").await];
    assert_eq!(noted, [1, 1], "in the audit log");
}

#[tokio::test]
async fn a_removed_passkey_is_remembered_beside_the_keys() {
    let (house, token, _) = school().await;
    let list = body(&house.send(get("/api/auth/passkeys").bearer(&token)).await);
    house.app.follower().refresh().await.unwrap();
    let remove = json!({ "passkey": list[0]["id"] });
    house.send(post("/api/auth/passkeys/remove").bearer(&token).json(&remove)).await;
    assert_eq!(house.app.keys.shut().unwrap(), []);
    house.app.follower().refresh().await.unwrap();
    let kept = house.app.keys.shut().unwrap();
    let kept: Vec<_> = kept.iter().map(|shut| (shut.kind, json!(shut.what))).collect();
    assert_eq!(kept, [(ShutKind::Passkey, list[0]["id"].clone())]);
}

#[tokio::test]
async fn a_key_store_that_failed_hears_of_it_at_the_next_look() {
    let house = House::new().await;
    let ada = house.account(Role::Admin).await.id;
    let follower = house.app.follower();
    let look = || follower.refresh();
    look().await.unwrap();
    let keep = store::login::LoginKeep::Nothing;
    let write = move |tx: &Tx<'_>| accounts::set_password(tx, ada, "new", &keep, "t", NOW);
    house.app.db.write(write).await.unwrap();
    let keys = rusqlite::Connection::open(house.app.config.data.join("keys.db")).unwrap();
    keys.execute_batch("alter table shut rename to away").unwrap();
    assert!(look().await.is_err());
    keys.execute_batch("alter table away rename to shut").unwrap();
    look().await.unwrap();
    assert_eq!(house.app.keys.shut().unwrap().len(), 1);
}

#[tokio::test]
async fn an_admin_takes_lost_passkeys_away_and_a_closed_account_has_none() {
    let (house, _, mut device) = school().await;
    let admin = house.token(Role::Admin).await;
    let change = async |said: Value| {
        let patch = warp::test::request().method("PATCH").path("/api/users/teacher@school.test");
        let changed = house.send(patch.bearer(&admin).json(&said)).await;
        assert_eq!(changed.status(), 200);
        body(&changed)
    };
    assert_eq!(change(json!({})).await["totp"], true, "a passkey is a second factor");
    change(json!({ "is_active": false })).await;
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 401, "closed");
    change(json!({ "is_active": true })).await;
    assert_eq!(change(json!({ "totp": false })).await["totp"], false);
    let asked = ask(&house).await;
    assert_eq!(enter(&house, &asked, device.sign(&asked)).await.status(), 401, "taken away");
    let login = json!({ "email": "teacher@school.test", "password": PASSWORD });
    assert_eq!(house.send(post("/api/auth/login").json(&login)).await.status(), 200);
}

#[tokio::test]
async fn a_role_that_must_have_a_second_factor_has_one_with_a_passkey() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let demand = || {
        let put = warp::test::request().method("PUT").path("/api/settings/sign-in");
        put.bearer(&admin).json(&json!({ "second_factor": ["admin"] }))
    };
    assert_eq!(house.send(demand()).await.status(), 409, "would keep oneself out");
    assert_eq!(made(&house, &admin, &mut Device::new()).await.status(), 201);
    assert_eq!(house.send(demand()).await.status(), 200);
    assert_eq!(house.send(get("/api/students").bearer(&admin)).await.status(), 200, "not led away");
}

#[tokio::test]
async fn a_hub_without_a_name_says_why_there_are_no_passkeys() {
    let vars = Vars::from([("ROLLCALL_PUBLIC_URL", "https://192.168.1.7:8443")]);
    let house = House::with(vars).await;
    let account = house.account(Role::Teacher).await;
    let secret = house.session(&account).await;
    let page = house.send(get("/account").cookie(&secret)).await;
    let page = String::from_utf8_lossy(page.body()).into_owned();
    assert!(page.contains("this hub has no name") && !page.contains("data-passkey"), "{page}");
    assert_eq!(house.send(post("/api/auth/passkeys/challenge")).await.status(), 409);
    let house = House::new().await;
    let secret = house.session(&house.account(Role::Teacher).await).await;
    house.send(post("/account/prove").form(&secret, &[("password", PASSWORD)])).await;
    let at = async |host: &str| {
        let page = house.send(get("/account").cookie(&secret).header("host", host)).await;
        String::from_utf8_lossy(page.body()).into_owned()
    };
    assert!(at("other.test:8443").await.contains("work at one address only"));
    assert!(at("localhost:8443").await.contains("data-passkey=\"new\""));
}

#[tokio::test]
async fn the_pages_take_a_passkeys_answer() {
    let (house, _, mut device) = school().await;
    let asked = ask(&house).await;
    let (attempt, credential) =
        (asked["attempt"].as_str().unwrap(), device.sign(&asked).to_string());
    let fields = [("attempt", attempt), ("credential", &credential), ("next", "/class")];
    let text = serde_urlencoded::to_string(fields).unwrap();
    let form = post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", text.len());
    let entered = house.send(form.body(text)).await;
    assert_eq!(
        (entered.status().as_u16(), &entered.headers()["location"]),
        (303, &"/class".parse().unwrap())
    );
    let account = entered.headers().get_all("set-cookie").iter();
    let secret =
        account.filter_map(|v| acts::auth::session::find(v.to_str().ok()?.split(';').next()?));
    let secret = secret.map(str::to_owned).next().unwrap();
    let page = house.send(get("/account").cookie(&secret)).await;
    assert!(String::from_utf8_lossy(page.body()).contains("value=\"laptop\""));
}

#[tokio::test]
async fn passkeys_are_in_the_export_and_go_with_their_student() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let person = json!({ "student_number": "STU7", "full_name": "Ada Lovelace" });
    let student = body(&house.send(post("/api/students").bearer(&admin).json(&person)).await);
    let account = json!({
        "email": "ada@school.test", "full_name": "Ada", "role": "student", "student_id": "STU7",
    });
    let account = body(&house.send(post("/api/users").bearer(&admin).json(&account)).await);
    let owner: Uuid = account["id"].as_str().unwrap().parse().unwrap();
    let kept = PasskeyKept { credential: vec![1; 20], key: vec![2], state: vec![3] };
    let add = move |tx: &Tx<'_>| passkey::add(tx, owner, "her tablet", &kept, NOW);
    house.app.db.write(add).await.unwrap();
    let id = student["id"].as_str().unwrap();
    let export = house.send(get(&format!("/api/students/{id}/export")).bearer(&admin)).await;
    assert!(String::from_utf8_lossy(export.body()).contains("her tablet"));
    let left = async || house.app.db.read(move |tx| passkey::of(tx, owner)).await.unwrap().len();
    assert_eq!(left().await, 1);
    let erased = house.send(post(&format!("/api/students/{id}/erase")).bearer(&admin)).await;
    assert_eq!((erased.status().as_u16(), left().await), (202, 0));
}
