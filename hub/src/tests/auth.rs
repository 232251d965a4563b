//! Signing in, staying signed in, and being thrown out.

use super::{Carrying, House, NOW, PASSWORD, body, get, post};
use rules::auth::Role;
use serde_json::{Value, json};
use store::user;

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
        (429, &"60".parse().unwrap())
    );
    house.clock.advance(60_000);
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
    house.clock.set_wall(NOW.plus_ms(rules::auth::refresh::ACCESS_MS));
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
