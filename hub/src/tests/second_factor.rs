//! The second factor: switched on, asked for, used once, lost, taken away.

use super::{Answer, Carrying, House, PASSWORD, body, get, post};
use data_encoding::BASE32_NOPAD;
use rules::auth::Role;
use serde_json::{Value, json};
use wire::{Clock as _, Wall};

const STEP: i64 = 30_000;

/// The code an app shows at `now`.
pub(super) fn code(secret: &[u8], now: Wall) -> String {
    let builder = totp_rs::Builder::new().with_secret(secret.to_vec());
    builder.build().unwrap().generate(u64::try_from(now.0 / 1000).unwrap()).to_string()
}

/// A teacher with a second factor: their token, the secret, the recovery codes.
async fn guarded(house: &House) -> (String, Vec<u8>, Vec<String>) {
    let token = house.token(Role::Teacher).await;
    let begin = post("/api/auth/totp").bearer(&token).json(&json!({ "password": PASSWORD }));
    let started = house.send(begin).await;
    assert_eq!(started.status(), 201);
    let started = body(&started);
    let secret = BASE32_NOPAD.decode(started["secret"].as_str().unwrap().as_bytes()).unwrap();
    assert!(started["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    let right = code(&secret, house.clock.wall());
    let confirm = post("/api/auth/totp/confirm").bearer(&token).json(&json!({ "code": right }));
    let codes = body(&house.send(confirm).await);
    let codes = codes["recovery_codes"].as_array().unwrap().iter();
    (token, secret, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn log_in(house: &House, code: Option<&str>) -> Answer {
    let mut login = json!({ "email": "teacher@school.test", "password": PASSWORD });
    if let Some(code) = code {
        login["totp"] = json!(code);
    }
    house.send(post("/api/auth/login").json(&login)).await
}

fn later(house: &House, ms: i64) {
    house.clock.set_wall(house.clock.wall().plus_ms(ms));
    house.clock.advance(u64::try_from(ms).unwrap());
}

fn kind(answer: &Answer) -> Value {
    body(answer)["type"].clone()
}

#[tokio::test]
async fn signing_in_asks_for_a_code_and_each_code_works_once() {
    let house = House::new().await;
    let (_, secret, _) = guarded(&house).await;
    let asked = log_in(&house, None).await;
    assert_eq!(asked.status(), 401);
    assert_eq!(kind(&asked), "/problems/second-factor-needed");
    let confirmed_with = code(&secret, house.clock.wall());
    let again = log_in(&house, Some(&confirmed_with)).await;
    assert_eq!(kind(&again), "/problems/second-factor-wrong", "used when it was confirmed");
    later(&house, STEP);
    let right = code(&secret, house.clock.wall());
    assert_eq!(log_in(&house, Some(&right)).await.status(), 200);
    assert_eq!(log_in(&house, Some(&right)).await.status(), 401, "seen over the shoulder");
    let wrong = json!({ "email": "teacher@school.test", "password": "wrong", "totp": right });
    let wrong = house.send(post("/api/auth/login").json(&wrong)).await;
    assert_eq!(kind(&wrong), "/problems/not-signed-in", "without the password nothing is told");
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let house = House::new().await;
    guarded(&house).await;
    later(&house, 10 * STEP);
    for _ in 0..5 {
        assert_eq!(log_in(&house, Some("000000")).await.status(), 401);
    }
    assert_eq!(log_in(&house, Some("000000")).await.status(), 429);
    assert_eq!(kind(&log_in(&house, None).await), "/problems/second-factor-needed");
    assert_eq!(log_in(&house, Some("000000")).await.status(), 429, "that forgives nothing");
}

#[tokio::test]
async fn a_recovery_code_opens_once() {
    let house = House::new().await;
    let (token, _, codes) = guarded(&house).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(log_in(&house, Some(&codes[3].to_lowercase())).await.status(), 200);
    assert_eq!(log_in(&house, Some(&codes[3])).await.status(), 401);
    let state = body(&house.send(get("/api/auth/totp").bearer(&token)).await);
    assert_eq!(state, json!({ "enabled": true, "recovery_codes_left": 9 }));
}

#[tokio::test]
async fn it_counts_only_once_it_was_confirmed_and_ends_other_sign_ins() {
    let house = House::new().await;
    let token = house.token(Role::Teacher).await;
    let other = body(&log_in(&house, None).await)["access"].as_str().unwrap().to_owned();
    let wrong = post("/api/auth/totp").bearer(&token).json(&json!({ "password": "wrong" }));
    assert_eq!(house.send(wrong).await.status(), 422);
    let begin = post("/api/auth/totp").bearer(&token).json(&json!({ "password": PASSWORD }));
    let started = body(&house.send(begin).await);
    assert_eq!(log_in(&house, None).await.status(), 200, "not confirmed");
    let confirm =
        |code: &str| post("/api/auth/totp/confirm").bearer(&token).json(&json!({ "code": code }));
    assert_eq!(house.send(confirm("000000")).await.status(), 422);
    let secret = BASE32_NOPAD.decode(started["secret"].as_str().unwrap().as_bytes()).unwrap();
    let right = code(&secret, house.clock.wall());
    assert_eq!(house.send(confirm(&right)).await.status(), 200);
    assert_eq!(house.send(confirm(&right)).await.status(), 409);
    assert_eq!(house.send(get("/api/auth/me").bearer(&token)).await.status(), 200);
    assert_eq!(house.send(get("/api/auth/me").bearer(&other)).await.status(), 401);
    let again = post("/api/auth/totp").bearer(&token).json(&json!({ "password": PASSWORD }));
    assert_eq!(house.send(again).await.status(), 409, "not replaced without a code");
}

#[tokio::test]
async fn it_goes_with_a_code_or_by_an_admin() {
    let house = House::new().await;
    let (token, _, codes) = guarded(&house).await;
    let remove =
        |code: &str| post("/api/auth/totp/remove").bearer(&token).json(&json!({ "code": code }));
    assert_eq!(house.send(remove("123456")).await.status(), 422);
    assert_eq!(house.send(remove(&codes[0])).await.status(), 204);
    assert_eq!(log_in(&house, None).await.status(), 200);
    assert_eq!(house.send(remove(&codes[1])).await.status(), 409);

    let house = House::new().await;
    guarded(&house).await;
    let admin = house.token(Role::Admin).await;
    let lost = warp::test::request().method("PATCH").path("/api/users/teacher@school.test");
    let lost = house.send(lost.bearer(&admin).json(&json!({ "totp": false }))).await;
    assert_eq!(body(&lost)["totp"], false);
    assert_eq!(log_in(&house, None).await.status(), 200);
}

#[tokio::test]
async fn a_browser_is_led_through_both_steps_without_javascript() {
    let house = House::new().await;
    let (_, secret, _) = guarded(&house).await;
    later(&house, STEP);
    let form = |fields: &[(&str, &str)]| {
        let text = serde_urlencoded::to_string(fields).unwrap();
        post("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", text.len())
            .body(text)
    };
    let who = [("email", "teacher@school.test"), ("password", PASSWORD), ("next", "/class")];
    let asked = house.send(form(&who)).await;
    assert!(!asked.headers().contains_key("set-cookie"));
    let html = String::from_utf8(asked.body().to_vec()).unwrap();
    assert!(html.contains("one-time-code") && !html.contains(PASSWORD), "{html}");
    let step = html.split("name=\"step\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let wrong = house.send(form(&[("step", step), ("code", "000000")])).await;
    assert_eq!(wrong.status(), 401);
    assert!(String::from_utf8_lossy(wrong.body()).contains("not right"));
    let right = code(&secret, house.clock.wall());
    let last = [("step", step), ("code", right.as_str()), ("next", "/class")];
    let answer = house.send(form(&last)).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/class".parse().unwrap())
    );
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-sid="));
    later(&house, 5 * 60_000);
    let right = code(&secret, house.clock.wall());
    let late = house.send(form(&[("step", step), ("code", right.as_str())])).await;
    assert_eq!(late.status(), 401, "the first step is too long ago");
    let forged = house.send(form(&[("step", "AAAA"), ("code", right.as_str())])).await;
    assert_eq!(forged.status(), 401);
}
