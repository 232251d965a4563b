//! Signing in: who is slowed down, what is written down, and what a role must have.

use super::second_factor::code;
use super::{Answer, Carrying, House, PASSWORD, body, get, post};
use acts::auth::known;
use data_encoding::BASE32_NOPAD;
use http::front::Peer;
use rules::auth::Role;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use store::outgoing;
use warp::test::RequestBuilder;
use wire::Clock as _;

fn from(request: RequestBuilder, n: u8) -> RequestBuilder {
    request.extension(Peer::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)), true))
}

/// The form of the sign-in page, from address `n`, with this cookie.
fn form(password: &str, n: u8, cookie: &str) -> RequestBuilder {
    let fields = [("email", "admin@school.test"), ("password", password)];
    let text = serde_urlencoded::to_string(fields).unwrap();
    let request = post("/sign-in").header("sec-fetch-site", "same-origin").header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    from(request.header("content-length", text.len()).body(text), n)
}

/// The cookie of this name that an answer sets.
fn cookie(answer: &Answer, name: &str) -> String {
    let mut set =
        answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let own = set.find(|set| set.starts_with(name)).expect("it is set");
    own.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_that_was_signed_in_before_is_not_kept_out_by_strangers() {
    let house = House::new().await;
    house.account(Role::Admin).await;
    let first = house.send(form(PASSWORD, 1, "")).await;
    let known = cookie(&first, known::COOKIE);
    for n in 0..200 {
        house.send(form("wrong", n % 100, "")).await;
    }
    let status = async |request| house.send(request).await.status().as_u16();
    assert_eq!(status(form(PASSWORD, 7, &known)).await, 303, "even from where the guesses came");
    assert_eq!(status(form(PASSWORD, 200, "")).await, 303, "and from a new one elsewhere");
    for _ in 0..10 {
        house.send(form("wrong", 7, "")).await;
    }
    let slowed = house.send(form(PASSWORD, 7, "")).await;
    assert_eq!(slowed.status(), 429);
    let seconds: u64 = slowed.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    house.clock.advance(seconds * 1000);
    assert_eq!(status(form(PASSWORD, 7, "")).await, 303);
    let forged = format!("{}=AAAA", known::COOKIE);
    for _ in 0..10 {
        house.send(form("wrong", 8, &forged)).await;
    }
    assert_eq!(status(form(PASSWORD, 8, &forged)).await, 429, "a cookie of one's own making");
}

#[tokio::test]
async fn signing_in_is_written_down_with_account_and_address_good_or_bad() {
    let house = House::new().await;
    let id = house.account(Role::Admin).await.id.to_string();
    house.send(form("wrong", 9, "")).await;
    let guess = json!({ "email": "nobody@school.test", "password": "wrong" });
    house.send(from(post("/api/auth/login").json(&guess), 8)).await;
    house.send(form(PASSWORD, 7, "")).await;
    let token = house.login(Role::Admin).await;
    let rows = house.read(&token, "/api/audit?limit=4").await;
    let told = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let meta = |name: &str| row["meta"][name].as_str().unwrap().to_owned();
        [text("action"), text("user_id"), text("target_id"), meta("from"), meta("by")]
    };
    let rows: Vec<_> = rows.as_array().unwrap().iter().map(told).collect();
    let good = |from: &str| ["sign-in", &id, &id, from, "password"].map(str::to_owned);
    let bad = |of: &str, from: &str| {
        ["sign-in-failed", "sign-in", of, from, "password"].map(str::to_owned)
    };
    assert_eq!(
        rows,
        [good("127.0.0.1"), good("10.0.0.7"), bad("unknown", "10.0.0.8"), bad(&id, "10.0.0.9")]
    );
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it_and_admins_end_all_of_one() {
    let house = House::new().await;
    let (teacher, admin) = (house.token(Role::Teacher).await, house.token(Role::Admin).await);
    let other = house.login(Role::Teacher).await;
    let list = house.read(&teacher, "/api/auth/sign-ins").await;
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list.iter().filter(|one| one["current"] == true).count(), 1);
    assert!(list.iter().all(|one| one["address"] == "127.0.0.1" && one["kind"] == "program"));
    let end = |which: &Value| {
        post("/api/auth/sign-ins/end").bearer(&teacher).json(&json!({ "sign_in": which }))
    };
    let foreign = list.iter().find(|one| one["current"] == false).unwrap()["sign_in"].clone();
    assert_eq!(house.send(end(&foreign)).await.status(), 204);
    assert_eq!(house.send(end(&foreign)).await.status(), 404, "it is over already");
    let me =
        async |token: &str| house.send(get("/api/auth/me").bearer(token)).await.status().as_u16();
    assert_eq!((me(&other).await, me(&teacher).await), (401, 200));
    let id = body(&house.send(get("/api/auth/me").bearer(&teacher)).await)["id"].clone();
    let of = format!("/api/users/{}/sign-ins", id.as_str().unwrap());
    assert_eq!(house.send(get(&of).bearer(&teacher)).await.status(), 403);
    assert_eq!(house.read(&admin, &of).await.as_array().unwrap().len(), 1);
    let all = warp::test::request().method("DELETE").path(&of).bearer(&admin);
    assert_eq!(house.send(all).await.status(), 204);
    assert_eq!((me(&teacher).await, me(&admin).await), (401, 200));
    let told = house.app.db.read(|tx| outgoing::next(tx, 99)).await.unwrap();
    let told: Vec<_> = told.iter().filter(|told| told.event == "account.signed-out").collect();
    assert!(matches!(told[..], [one] if id == *one.a), "by an admin, not by themselves: {told:?}");
}

#[tokio::test]
async fn who_must_have_a_second_factor_gets_no_further_than_setting_it_up() {
    let house = House::new().await;
    let (teacher, admin) = (house.token(Role::Teacher).await, house.token(Role::Admin).await);
    let put = |roles: Value| {
        let request = warp::test::request().method("PUT").path("/api/settings/sign-in");
        request.bearer(&admin).json(&json!({ "second_factor": roles }))
    };
    assert_eq!(house.send(put(json!(["admin"]))).await.status(), 409, "they would be kept out");
    assert_eq!(house.send(put(json!(["teacher"]))).await.status(), 200);
    let open = async |path: &str| {
        let answer = house.send(get(path).bearer(&teacher)).await;
        (answer.status().as_u16(), body(&answer)["type"].clone())
    };
    let kept_out = (403, json!("/problems/second-factor-first"));
    assert_eq!(open("/api/students").await, kept_out);
    assert_eq!((open("/api/auth/me").await.0, open("/health").await.0), (200, 200));
    let begin = post("/api/auth/totp").bearer(&teacher).json(&json!({ "password": PASSWORD }));
    let started = body(&house.send(begin).await);
    assert_eq!(open("/api/students").await, kept_out, "not before it is confirmed");
    let secret = BASE32_NOPAD.decode(started["secret"].as_str().unwrap().as_bytes()).unwrap();
    let right = json!({ "code": code(&secret, house.clock.wall()) });
    let confirm = post("/api/auth/totp/confirm").bearer(&teacher).json(&right);
    assert_eq!(house.send(confirm).await.status(), 200);
    assert_eq!(open("/api/students").await.0, 200);
    assert_eq!(house.send(get("/api/students").bearer(&admin)).await.status(), 200);
}

#[tokio::test]
async fn a_browser_without_the_second_factor_is_led_to_its_account() {
    let house = House::new().await;
    let account = house.account(Role::Teacher).await;
    let admin = house.token(Role::Admin).await;
    let put = warp::test::request().method("PUT").path("/api/settings/sign-in");
    house.send(put.bearer(&admin).json(&json!({ "second_factor": ["teacher"] }))).await;
    let secret = house.session(&account).await;
    let browse = async |path: &str| {
        house.send(get(path).cookie(&secret).header("accept", "text/html")).await
    };
    let led = browse("/review").await;
    assert_eq!(
        (led.status().as_u16(), led.headers()["location"].to_str().unwrap()),
        (303, "/account")
    );
    let page = String::from_utf8_lossy(browse("/account").await.body()).into_owned();
    assert!(page.contains("need the second step here"), "{page}");
}

#[tokio::test]
async fn an_admin_sets_the_second_step_and_ends_sign_ins_on_pages() {
    let house = House::new().await;
    let teacher = house.account(Role::Teacher).await;
    let phone = house.session(&teacher).await;
    let admin = house.account(Role::Admin).await;
    let secret = house.session(&admin).await;
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let answer = house.send(post(path).form(&secret, fields)).await;
        answer.headers().get("location").map(|at| at.to_str().unwrap().to_owned())
    };
    assert_eq!(send("/settings/sign-in", &[("admin", "on")]).await, None, "they would be kept out");
    let saved = send("/settings/sign-in", &[("teacher", "on")]).await.unwrap();
    let show = async |path: &str| {
        String::from_utf8_lossy(house.send(get(path).cookie(&secret)).await.body()).into_owned()
    };
    assert!(show(&saved).await.contains("name=\"teacher\" checked"));
    let of = format!("/settings/users/{}", teacher.id);
    assert!(show(&of).await.contains("<bdi>127.0.0.1</bdi>"));
    let ended = send(&format!("{of}/sign-ins"), &[]).await.unwrap();
    assert!(show(&ended).await.contains("signed in nowhere"));
    assert_eq!(house.send(get("/account").cookie(&phone)).await.status(), 401);
}
