//! A write that is sent twice is done once.

use super::{Answer, Carrying, House, NOW, body, get, parts, portrait, post};
use rules::auth::Role;
use serde_json::{Value, json};
use store::idempotency::KEPT_MS;
use warp::test::RequestBuilder;

fn add(token: &str, key: &str, number: &str) -> RequestBuilder {
    let person = json!({ "student_number": number, "full_name": "Ada Lovelace" });
    post("/api/students").bearer(token).header("idempotency-key", key).json(&person)
}

async fn rows(house: &House) -> i64 {
    let read =
        |tx: &store::Tx<'_>| tx.row("select count(*) from idempotency", [], |row| row.get(0));
    house.app.db.read(read).await.unwrap().unwrap()
}

fn replayed(answer: &Answer) -> bool {
    answer.headers().contains_key("idempotency-replayed")
}

async fn numbers(house: &House, token: &str) -> Vec<Value> {
    let all = body(&house.send(get("/api/students").bearer(token)).await);
    all.as_array().unwrap().iter().map(|one| one["student_number"].clone()).collect()
}

#[tokio::test]
async fn the_same_key_does_it_once_and_is_answered_the_same() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let first = house.send(add(&token, "k1", "STU1")).await;
    let second = house.send(add(&token, "k1", "STU1")).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (201, 201));
    assert_eq!(
        (first.body(), &first.headers()["location"]),
        (second.body(), &second.headers()["location"])
    );
    assert!(!replayed(&first) && replayed(&second));
    assert_eq!(numbers(&house, &token).await, ["STU1"]);
    assert_eq!(house.send(add(&token, "k2", "STU1")).await.status(), 409, "another key");
}

#[tokio::test]
async fn a_key_belongs_to_one_body_one_route_and_one_account() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    house.send(add(&token, "k1", "STU1")).await;
    let other = house.send(add(&token, "k1", "STU2")).await;
    assert_eq!(
        (other.status().as_u16(), &body(&other)["errors"][0]["field"]),
        (422, &json!("Idempotency-Key"))
    );
    let elsewhere = json!({ "name": "204" });
    let elsewhere =
        post("/api/rooms").bearer(&token).header("idempotency-key", "k1").json(&elsewhere);
    assert_eq!(house.send(elsewhere).await.status(), 201);
    assert_eq!(rows(&house).await, 2);
    let long = "x".repeat(201);
    for bad in ["", "two words", &long] {
        assert_eq!(house.send(add(&token, bad, "STU3")).await.status(), 422, "{bad:?}");
    }
    assert_eq!(numbers(&house, &token).await, ["STU1"]);
}

#[tokio::test]
async fn a_refusal_is_not_kept_and_a_day_later_the_key_is_free() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    assert_eq!(house.send(add(&token, "k1", " ")).await.status(), 422);
    assert_eq!(rows(&house).await, 0);
    assert_eq!(house.send(add(&token, "k1", "STU1")).await.status(), 201);
    house.clock.set_wall(NOW.plus_ms(KEPT_MS + 1));
    let login = json!({ "email": "admin@school.test", "password": super::PASSWORD });
    let tomorrow = body(&house.send(post("/api/auth/login").json(&login)).await);
    let token = tomorrow["access"].as_str().unwrap();
    assert_eq!(house.send(add(token, "k1", "STU2")).await.status(), 201);
    assert_eq!(rows(&house).await, 1, "yesterday’s is gone");
}

#[tokio::test]
async fn who_hangs_up_finds_the_answer_at_the_second_try() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    {
        let mut sent = std::pin::pin!(house.send(add(&token, "k1", "STU1")));
        while rows(&house).await == 0 {
            assert!(futures_util::poll!(&mut sent).is_pending(), "answered too soon to hang up");
        }
    }
    let answer = loop {
        let answer = house.send(add(&token, "k1", "STU1")).await;
        if answer.status() != 409 {
            break answer;
        }
        let unfinished = body(&answer)["detail"].as_str().unwrap().contains("not answered yet");
        assert!(unfinished, "{}", body(&answer));
    };
    assert_eq!((answer.status().as_u16(), replayed(&answer)), (201, true));
    assert_eq!(numbers(&house, &token).await, ["STU1"]);
}

#[tokio::test]
async fn an_enrolment_by_photo_is_made_once_and_its_answer_is_sealed() {
    let house = House::new().await;
    let token = house.school().await;
    let photo = || {
        let fields = [("student_id", "STU1")];
        let picture = portrait("obama2.jpg");
        parts("/api/enrollment", &token, &fields, ("file", &picture))
            .header("idempotency-key", "photo-1")
    };
    let (first, second) = (house.send(photo()).await, house.send(photo()).await);
    assert_eq!((first.status().as_u16(), first.body()), (201, second.body()));
    let all = house.send(get("/api/enrollment?student_id=STU1").bearer(&token)).await;
    assert_eq!(body(&all).as_array().unwrap().len(), 2, "the school’s own, and this one");
    let read = |tx: &store::Tx<'_>| {
        tx.row("select answer from idempotency", [], |row| row.get::<Vec<u8>>(0))
    };
    let sealed = house.app.db.read(read).await.unwrap().unwrap();
    assert!(!sealed.windows(4).any(|four| four == b"STU1"), "readable in the database");
}
