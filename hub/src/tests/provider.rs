//! Signing in elsewhere, against a small OpenID provider that this test starts on the loopback.

use super::{Answer, Carrying, House, get};
use acts::auth::elsewhere;
use config::Vars;
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rules::auth::Role;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use warp::Filter;
use wire::Clock as _;

const CLIENT: &str = "rollcall-test";
const SECRET: &str = "a secret between the two of them";

/// What the provider says at its token endpoint.
struct Says {
    /// Of the request for authorisation.
    challenge: String,
    claims: Value,
    header: Value,
    /// What signs; `None` leaves the signature out.
    key: Option<SigningKey>,
}

/// The provider.
struct Idp {
    issuer: String,
    key: SigningKey,
    says: Arc<Mutex<Option<Says>>>,
    /// Whether it answers what it is asked about itself.
    away: Arc<AtomicBool>,
    /// How often it was asked about itself, and for a person.
    asked: Arc<[watch::Sender<usize>; 2]>,
    /// Nobody is answered while this is held.
    gate: Arc<tokio::sync::RwLock<()>>,
    _server: tokio::task::JoinSet<()>,
}

impl Idp {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::from_bytes(&rand::random());
        let says: Arc<Mutex<Option<Says>>> = Arc::default();
        let about = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        });
        let keys = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "1", "alg": "EdDSA",
            "x": BASE64URL_NOPAD.encode(key.verifying_key().as_bytes()),
        }] });
        let said = says.clone();
        let (asked, gate): (Arc<[watch::Sender<usize>; 2]>, Arc<tokio::sync::RwLock<()>>) =
            Default::default();
        let pass = |which: usize| {
            let (asked, gate) = (asked.clone(), gate.clone());
            move || {
                let (asked, gate) = (asked.clone(), gate.clone());
                async move {
                    asked[which].send_modify(|n| *n += 1);
                    drop(gate.read().await);
                }
            }
        };
        let token = warp::path!("token").and(warp::any().then(pass(1))).and(warp::post());
        let token = token.and(warp::body::form());
        let token = token.map(move |(), form: HashMap<String, String>| answer(&said, &form));
        let away: Arc<AtomicBool> = Arc::default();
        let (gone, status) = (away.clone(), warp::http::StatusCode::BAD_GATEWAY);
        let place = warp::path!(".well-known" / "openid-configuration");
        let about = place.and(warp::any().then(pass(0))).map(move |()| {
            let about = warp::reply::json(&about);
            match gone.load(Relaxed) {
                true => warp::reply::with_status(about, status),
                false => warp::reply::with_status(about, warp::http::StatusCode::OK),
            }
        });
        let keys = warp::path!("keys").map(move || warp::reply::json(&keys));
        let mut server = tokio::task::JoinSet::new();
        server.spawn(warp::serve(about.or(keys).or(token)).incoming(listener).run());
        Self { issuer, key, says, away, asked, gate, _server: server }
    }

    async fn house(&self) -> House {
        House::with(Vars::from([
            ("ROLLCALL_OIDC__ISSUER", self.issuer.as_str()),
            ("ROLLCALL_OIDC__CLIENT_ID", CLIENT),
            ("ROLLCALL_OIDC__CLIENT_SECRET", SECRET),
            ("ROLLCALL_OIDC__NAME", "School"),
        ]))
        .await
    }
}

/// The token endpoint: gives what was prepared to whoever holds the verifier.
fn answer(says: &Mutex<Option<Says>>, form: &HashMap<String, String>) -> impl warp::Reply + use<> {
    let refuse = |why: &str| (json!({ "error": why }), 400);
    let (body, status) = match says.lock().unwrap().take() {
        None => refuse("invalid_grant"),
        Some(says) => {
            let verifier = form.get("code_verifier").map_or("", String::as_str);
            let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(verifier));
            if challenge != says.challenge || form["code"] != "code-1" {
                refuse("invalid_grant")
            } else {
                let (kind, token) = ("Bearer", signed(&says));
                (json!({ "access_token": "x", "token_type": kind, "id_token": token }), 200)
            }
        }
    };
    let status = warp::http::StatusCode::from_u16(status).unwrap();
    warp::reply::with_status(warp::reply::json(&body), status)
}

fn signed(says: &Says) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let text = format!("{}.{}", part(&says.header), part(&says.claims));
    if says.header["alg"] == "HS256" {
        use jsonwebtoken::{EncodingKey, Header, encode};
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        return encode(&Header::default(), &says.claims, &key).unwrap();
    }
    let signature = says.key.as_ref().map(|key| key.sign(text.as_bytes()).to_bytes());
    let signature = signature.map(|bytes| BASE64URL_NOPAD.encode(&bytes)).unwrap_or_default();
    format!("{text}.{signature}")
}

/// A browser that was sent to the provider: what it was sent with, and its cookie.
struct Sent {
    asked: HashMap<String, String>,
    cookie: String,
}

async fn send(house: &House) -> Sent {
    let answer = house.send(get("/api/auth/oidc/start?next=/class")).await;
    assert_eq!(answer.status(), 303);
    let place = answer.headers()["location"].to_str().unwrap();
    let asked = serde_urlencoded::from_str(place.split_once('?').unwrap().1).unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(elsewhere::COOKIE) && cookie.contains("SameSite=Lax"), "{cookie}");
    Sent { asked, cookie: cookie.split(';').next().unwrap().to_owned() }
}

/// Prepares a good answer, bent by `bend`.
fn prepare(idp: &Idp, house: &House, sent: &Sent, bend: impl FnOnce(&mut Says)) {
    let now = house.clock.wall().0 / 1000;
    let claims = json!({
        "iss": idp.issuer, "aud": CLIENT, "sub": "person-7", "iat": now, "exp": now + 300,
        "nonce": sent.asked["nonce"], "email": "Teacher@school.test", "email_verified": true,
    });
    let header = json!({ "alg": "EdDSA", "kid": "1" });
    let challenge = sent.asked["code_challenge"].clone();
    let mut says = Says { challenge, claims, header, key: Some(idp.key.clone()) };
    bend(&mut says);
    *idp.says.lock().unwrap() = Some(says);
}

async fn come_back(house: &House, sent: &Sent) -> Answer {
    let state = &sent.asked["state"];
    let back = get(&format!("/api/auth/oidc/callback?code=code-1&state={state}"));
    let back = back.header("cookie", &sent.cookie).header("accept", "text/html");
    house.send(back.header("sec-fetch-site", "cross-site")).await
}

/// There and back with a bent answer.
async fn try_with(idp: &Idp, house: &House, bend: impl FnOnce(&mut Says)) -> Answer {
    let sent = send(house).await;
    prepare(idp, house, &sent, bend);
    come_back(house, &sent).await
}

/// An account that an admin opened for its first sign-in elsewhere.
async fn invite(house: &House) {
    let admin = house.token(Role::Admin).await;
    house.account(Role::Teacher).await;
    let patch = warp::test::request().method("PATCH").path("/api/users/teacher@school.test");
    let patch = patch.bearer(&admin).json(&json!({ "may_link": true }));
    assert_eq!(house.send(patch).await.status(), 200);
}

fn session(answer: &Answer) -> Option<String> {
    let cookies = answer.headers().get_all("set-cookie").iter();
    let text = cookies.filter_map(|value| value.to_str().ok());
    text.filter_map(|cookie| acts::auth::session::find(cookie.split(';').next()?))
        .next()
        .map(str::to_owned)
}

#[tokio::test]
async fn an_invited_person_signs_in_elsewhere_and_is_known_from_then_on() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    invite(&house).await;
    let sent = send(&house).await;
    assert_eq!(sent.asked["code_challenge_method"], "S256");
    assert!(sent.asked["scope"].contains("openid"));
    let back = "https://localhost:8443/api/auth/oidc/callback";
    assert_eq!(sent.asked["redirect_uri"], back);
    prepare(&idp, &house, &sent, |_| {});
    let answer = come_back(&house, &sent).await;
    assert_eq!(answer.status(), 200);
    assert!(String::from_utf8_lossy(answer.body()).contains("url=/class"), "moves on by itself");
    let secret = session(&answer).unwrap();
    let me = super::body(&house.send(get("/api/auth/me").cookie(&secret)).await);
    assert_eq!(me["email"], "teacher@school.test");
    let other = try_with(&idp, &house, |says| says.claims["email"] = json!("new@else.test")).await;
    assert!(session(&other).is_some(), "known by who they are, not by their address");
    let twin = try_with(&idp, &house, |says| says.claims["sub"] = json!("person-8")).await;
    assert_eq!((twin.status().as_u16(), session(&twin)), (403, None), "an invitation counts once");
}

#[tokio::test]
async fn nobody_gets_in_who_was_not_invited_with_a_verified_address() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    house.account(Role::Teacher).await;
    let answer = try_with(&idp, &house, |_| {}).await;
    assert_eq!((answer.status().as_u16(), session(&answer)), (403, None), "not invited");
    let page = String::from_utf8_lossy(answer.body()).into_owned();
    assert!(page.contains("invite"), "a page a person can read: {page}");
    let house = idp.house().await;
    invite(&house).await;
    for claim in [json!(false), Value::Null] {
        let answer = try_with(&idp, &house, |says| says.claims["email_verified"] = claim).await;
        assert_eq!((answer.status().as_u16(), session(&answer)), (403, None));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_hold_is_refused() {
    let idp = Idp::start().await;
    type Bend = fn(&mut Says);
    let bends: [(&str, Bend); 8] = [
        ("nonce", |says| says.claims["nonce"] = json!("another")),
        ("audience", |says| says.claims["aud"] = json!("another-client")),
        ("issuer", |says| says.claims["iss"] = json!("http://127.0.0.1:1")),
        ("over", |says| says.claims["exp"] = json!(says.claims["iat"].as_i64().unwrap())),
        ("old", |says| says.claims["iat"] = json!(says.claims["iat"].as_i64().unwrap() - 3600)),
        ("foreign key", |says| says.key = Some(SigningKey::from_bytes(&[7; 32]))),
        ("no signature", |says| {
            says.header = json!({ "alg": "none" });
            says.key = None;
        }),
        ("our own secret as key", |says| says.header = json!({ "alg": "HS256" })),
    ];
    let house = idp.house().await;
    invite(&house).await;
    for (name, bend) in bends {
        house.clock.advance(3_600_000);
        let answer = try_with(&idp, &house, bend).await;
        assert_eq!((answer.status().as_u16(), session(&answer)), (403, None), "{name}");
    }
    house.clock.advance(3_600_000);
    assert!(session(&try_with(&idp, &house, |_| {}).await).is_some(), "the straight one holds");
}

#[tokio::test]
async fn an_attempt_belongs_to_one_browser_and_counts_once() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    invite(&house).await;
    let (mine, other) = (send(&house).await, send(&house).await);
    prepare(&idp, &house, &mine, |_| {});
    let stolen = Sent { asked: mine.asked.clone(), cookie: other.cookie.clone() };
    assert_eq!(come_back(&house, &stolen).await.status(), 400, "another browser");
    let none = Sent { asked: mine.asked.clone(), cookie: "x=y".into() };
    assert_eq!(come_back(&house, &none).await.status(), 400, "no attempt");
    assert!(session(&come_back(&house, &mine).await).is_some());
    prepare(&idp, &house, &mine, |_| {});
    let again = come_back(&house, &mine).await;
    assert_eq!((again.status().as_u16(), session(&again)), (400, None), "replayed");
    let late = send(&house).await;
    house.clock.set_wall(house.clock.wall().plus_ms(elsewhere::LIFE_MS));
    prepare(&idp, &house, &late, |_| {});
    assert_eq!(come_back(&house, &late).await.status(), 400, "ten minutes later");
    let answers = (0..60).map(|_| come_back(&house, &none));
    let mut last = 0;
    for answer in answers {
        last = answer.await.status().as_u16();
    }
    assert_eq!(last, 429, "trying is slowed down");
}

#[tokio::test]
async fn a_code_without_its_verifier_is_worth_nothing() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    invite(&house).await;
    let answer = try_with(&idp, &house, |says| says.challenge = "another".into()).await;
    assert_eq!((answer.status().as_u16(), session(&answer)), (403, None));
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_so_and_without_one_there_is_no_button() {
    let house = House::with(Vars::from([
        ("ROLLCALL_OIDC__ISSUER", "http://127.0.0.1:1"),
        ("ROLLCALL_OIDC__CLIENT_ID", CLIENT),
        ("ROLLCALL_OIDC__NAME", "School"),
    ]))
    .await;
    house.account(Role::Admin).await;
    assert_eq!(house.send(get("/api/auth/oidc/start")).await.status(), 503);
    let page = |answer: Answer| {
        let html = String::from_utf8_lossy(answer.body()).into_owned();
        html.replace(['\u{2068}', '\u{2069}'], "") // names are isolated
    };
    assert!(page(house.send(get("/sign-in")).await).contains("Sign in with School"));
    let house = House::new().await;
    house.account(Role::Admin).await;
    assert!(!page(house.send(get("/sign-in")).await).contains("/api/auth/oidc/"));
    assert_eq!(house.send(get("/api/auth/oidc/start")).await.status(), 404);
}

#[tokio::test]
async fn a_provider_that_never_answers_holds_up_one_caller_and_is_left_alone_for_a_moment() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", silent.local_addr().unwrap());
    let house = House::with(Vars::from([
        ("ROLLCALL_OIDC__ISSUER", issuer.as_str()),
        ("ROLLCALL_OIDC__CLIENT_ID", CLIENT),
        ("ROLLCALL_OIDC__NAME", "School"),
    ]))
    .await;
    let starts = (0..16).map(|_| house.send(get("/api/auth/oidc/start")));
    let mut starts = starts.collect::<FuturesUnordered<_>>();
    let others = async {
        for n in 0..15 {
            assert_eq!(starts.next().await.unwrap().status(), 503, "caller {n}");
        }
    };
    tokio::time::timeout(Duration::from_secs(5), others).await.expect("fifteen do not wait");
    let (asked, _) = silent.accept().await.unwrap();
    drop(asked);
    assert_eq!(starts.next().await.unwrap().status(), 503, "it broke off");
    assert_eq!(house.send(get("/api/auth/oidc/start")).await.status(), 503);
    let again = tokio::time::timeout(Duration::from_millis(50), silent.accept()).await;
    assert!(again.is_err(), "asked again at once");
}

#[tokio::test]
async fn whoever_goes_away_before_the_answer_takes_it_with_them_from_nobody() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    let (shut, mut asked) = (idp.gate.write().await, idp.asked[0].subscribe());
    let start = || house.send(get("/api/auth/oidc/start"));
    tokio::select! {
        answer = start() => panic!("answered: {}", answer.status()),
        asked = asked.wait_for(|n| *n == 1) => drop(asked.unwrap()),
    }
    let next = tokio::time::timeout(Duration::from_secs(5), start()).await;
    assert_eq!(next.expect("nobody asks again meanwhile").status(), 503);
    drop(shut);
    let learnt = async {
        while start().await.status() != 303 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), learnt).await.expect("it is learnt");
    assert_eq!(*idp.asked[0].borrow(), 1);
}

#[tokio::test]
async fn eight_come_back_at_once_and_a_ninth_waits_five_seconds() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    let mut sent = vec![];
    for _ in 0..9 {
        sent.push(send(&house).await);
    }
    let (shut, mut asked) = (idp.gate.write().await, idp.asked[1].subscribe());
    let mut eight: FuturesUnordered<_> = sent[1..].iter().map(|s| come_back(&house, s)).collect();
    tokio::select! {
        answer = eight.next() => panic!("answered: {:?}", answer.map(|a| a.status())),
        asked = asked.wait_for(|n| *n == 8) => drop(asked.unwrap()),
    }
    let began = tokio::time::Instant::now();
    assert_eq!(come_back(&house, &sent[0]).await.status(), 503, "there is no place for a ninth");
    assert!((5..9).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(*idp.asked[1].borrow(), 8);
    drop(shut);
    while let Some(answer) = eight.next().await {
        assert_eq!(answer.status(), 403, "the provider knows no such code");
    }
    assert_eq!(come_back(&house, &sent[0]).await.status(), 400, "its attempt is used");
}

#[tokio::test]
async fn a_provider_that_goes_away_is_believed_for_an_hour_more() {
    let idp = Idp::start().await;
    let house = idp.house().await;
    send(&house).await;
    idp.away.store(true, Relaxed);
    house.clock.advance(10 * 60 * 1000);
    send(&house).await;
    house.clock.advance(50 * 60 * 1000);
    assert_eq!(house.send(get("/api/auth/oidc/start")).await.status(), 503);
}
