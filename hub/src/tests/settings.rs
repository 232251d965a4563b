//! What settings do to requests: hosts, origins, sizes, the first admin.

use super::{Carrying, House, PASSWORD, body, get, post};
use config::Vars;
use rules::auth::Role;
use serde_json::json;
use store::account;

const APP: &str = "https://app.school.test";

#[tokio::test]
async fn a_named_origin_may_read_the_api_and_asks_first() {
    let house = House::with(Vars::from([("CORS_ALLOWED_ORIGINS", APP)])).await;
    let ask = |origin: &'static str, path: &'static str| {
        let ask = warp::test::request().method("OPTIONS").path(path).header("origin", origin);
        ask.header("access-control-request-method", "PATCH")
    };
    let told = house.send(ask(APP, "/api/students/1/")).await;
    assert_eq!(told.status(), 204);
    assert_eq!(told.headers()["access-control-allow-origin"], APP);
    assert!(told.headers()["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
    assert!(told.headers()["access-control-allow-headers"].to_str().unwrap().contains("auth"));
    assert_eq!(house.send(ask("https://evil.test", "/api/students")).await.status(), 405);
    assert_eq!(house.send(ask(APP, "/api/nowhere")).await.status(), 404);
    let token = house.token(Role::Admin).await;
    let read = |origin: &'static str| get("/api/students").bearer(&token).header("origin", origin);
    let answer = house.send(read(APP)).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], APP);
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    let refused = house.send(get("/api/students").header("origin", APP)).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], APP, "problems are readable too");
    let other = house.send(read("https://evil.test")).await;
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    assert_eq!(other.headers()["vary"], "origin");
}

#[tokio::test]
async fn any_origin_may_read_but_a_session_does_not_count_for_it() {
    let house = House::with(Vars::from([("CORS_ALLOW_ALL_ORIGINS", "True")])).await;
    let answer = house.send(get("/api/students").header("origin", "https://evil.test")).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    let forged = post("/api/students").cookie(&secret).header("origin", "https://evil.test");
    let forged = forged.header("host", "hub.school.test").json(&json!({ "student_number": "1" }));
    assert_eq!(house.send(forged).await.status(), 403);
}

#[tokio::test]
async fn without_the_setting_no_other_site_is_told_anything() {
    let house = House::new().await;
    let answer = house.send(get("/api/students").header("origin", APP)).await;
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    assert!(!answer.headers().contains_key("vary"));
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_not_answered() {
    let house = House::with(Vars::from([("ALLOWED_HOSTS", "hub.school.test")])).await;
    let ask = |host: &'static str| get("/sign-in").header("host", host);
    assert_eq!(house.send(ask("hub.school.test:8443")).await.status(), 303, "to the set-up");
    let refused = house.send(ask("evil.test")).await;
    assert_eq!((refused.status().as_u16(), &body(&refused)["status"]), (421, &json!(421)));
}

#[tokio::test]
async fn a_photo_is_as_large_as_the_setting_says() {
    let house = House::with(Vars::from([("MAX_UPLOAD_SIZE", "2048")])).await;
    let token = house.token(Role::Admin).await;
    let send = |bytes: usize| {
        let upload = post("/api/students/upload-face").bearer(&token);
        let kind = "multipart/form-data; boundary=x";
        upload.header("content-type", kind).header("content-length", bytes).body(vec![b'x'; bytes])
    };
    assert_eq!(house.send(send(2048 + 64 * 1024 + 1)).await.status(), 413);
    assert_ne!(house.send(send(2048)).await.status(), 413);
}

#[tokio::test]
async fn the_environment_makes_the_first_admin_once() {
    let house = House::with(Vars::from([
        ("DJANGO_SUPERUSER_EMAIL", "ada@school.test"),
        ("DJANGO_SUPERUSER_PASSWORD", PASSWORD),
    ]))
    .await;
    house.app.first_admin().await.unwrap();
    let login = json!({ "email": "ada@school.test", "password": PASSWORD });
    let answer = house.send(post("/api/auth/login").json(&login)).await;
    assert_eq!(body(&answer)["user"]["role"], "admin");
    house.app.first_admin().await.unwrap();
    let other = House::with(Vars::from([
        ("DJANGO_SUPERUSER_EMAIL", "eve@school.test"),
        ("DJANGO_SUPERUSER_PASSWORD", PASSWORD),
    ]))
    .await;
    other.account(Role::Admin).await;
    other.app.first_admin().await.unwrap();
    let eve = json!({ "email": "eve@school.test", "password": PASSWORD });
    assert_eq!(other.send(post("/api/auth/login").json(&eve)).await.status(), 401);
}

#[tokio::test]
async fn lifetimes_of_tokens_and_sessions_are_settings() {
    let house = House::with(Vars::from([
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "5"),
        ("JWT_REFRESH_TOKEN_LIFETIME", "10"),
        ("ROLLCALL_ACCOUNTS__IDLE_HOURS", "1"),
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
    ]))
    .await;
    let account = house.account(Role::Admin).await;
    let login = json!({ "email": "admin@school.test", "password": PASSWORD });
    let tokens = body(&house.send(post("/api/auth/login").json(&login)).await);
    assert_eq!(tokens["expires_in"], 300);
    let secret = house.session(&account).await;
    house.clock.set_wall(super::NOW.plus_ms(10 * 60_000));
    let me = || get("/api/auth/me");
    assert_eq!(house.send(me().bearer(tokens["access"].as_str().unwrap())).await.status(), 401);
    let refresh = post("/api/auth/refresh").json(&json!({ "refresh": tokens["refresh"] }));
    assert_eq!(house.send(refresh).await.status(), 401);
    assert_eq!(house.send(me().cookie(&secret)).await.status(), 200);
    house.clock.set_wall(super::NOW.plus_ms(2 * 3_600_000));
    assert_eq!(house.send(me().cookie(&secret)).await.status(), 401);
}

#[tokio::test]
async fn mails_say_what_the_school_says_in_its_language_or_its_own_words() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let read = |tx: &store::Tx<'_>| account::by_email(tx, "admin@school.test");
    let admin = house.app.db.read(read).await.unwrap().unwrap().0;
    let cookie = house.session(&admin).await;
    let texts = || house.send(get("/api/mail/texts").bearer(&token));
    assert_eq!(body(&texts().await), json!({ "language": "en", "own": {} }));
    let save =
        |fields: &[(&str, &str)]| house.send(post("/settings/mail/texts").form(&cookie, fields));
    let said = save(&[
        ("language", "fa"),
        ("subject_absence", "{name} fehlt"),
        ("body_absence", "{name} war am {day} nicht in {lesson}."),
    ]);
    assert_eq!(said.await.status(), 303);
    let own =
        json!({ "subject": "{name} fehlt", "body": "{name} war am {day} nicht in {lesson}." });
    assert_eq!(body(&texts().await), json!({ "language": "fa", "own": { "absence": own } }));
    let page = house.send(get("/settings/mail").cookie(&cookie)).await;
    let page = String::from_utf8_lossy(page.body()).into_owned();
    assert!(page.contains(" war am 2026-03-02 nicht in "), "the sample says it: {page}");
    let odd = save(&[("subject_policy", "{grade}"), ("body_policy", "x")]).await;
    assert_eq!(odd.status(), 422, "nothing fills that");
    let put = warp::test::request().method("PUT").path("/api/mail/texts").bearer(&token);
    let back = house.send(put.json(&json!({ "language": "en" }))).await;
    assert_eq!(
        (back.status().as_u16(), body(&back)),
        (200, json!({ "language": "en", "own": {} }))
    );
}
