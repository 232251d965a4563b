//! People under S3's names, and the photos they are enrolled by.

use super::{Answer, Carrying, House, body, get, parts, portrait, post};
use rules::auth::Role;
use serde_json::{Value, json};

fn send(method: &str, path: &str, token: &str) -> warp::test::RequestBuilder {
    warp::test::request().method(method).path(path).bearer(token)
}

async fn add(house: &House, token: &str, code: &str, more: Value) -> Answer {
    let mut person = json!({ "first_name": "John", "last_name": "Doe", "personnel_code": code });
    person.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    house.send(post("/api/persons").bearer(token).json(&person)).await
}

#[tokio::test]
async fn a_member_of_staff_is_added_filtered_and_switched_off_and_on() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let made = add(&house, &token, "EMP001", json!({ "department": "IT" })).await;
    assert_eq!(made.status(), 201);
    let made = body(&made);
    assert_eq!((&made["personnel_code"], &made["kind"]), (&json!("EMP001"), &json!("staff")));
    assert_eq!(add(&house, &token, "EMP001", json!({})).await.status(), 409);
    add(&house, &token, "EMP002", json!({ "department": "Art", "is_active": false })).await;
    let codes = |answer: &Answer| {
        let all = body(answer);
        let codes = all.as_array().unwrap().iter().map(|one| one["personnel_code"].clone());
        codes.collect::<Vec<_>>()
    };
    let list = |query: &str| house.send(get(&format!("/api/persons?{query}")).bearer(&token));
    assert_eq!(codes(&list("is_active=true&department=IT").await), ["EMP001"]);
    assert_eq!(codes(&list("is_active=false").await), ["EMP002"]);
    assert!(codes(&list("kind=student").await).is_empty());
    for (word, active) in [("toggle-active", false), ("activate", true), ("deactivate", false)] {
        let path = format!("/api/persons/EMP001/{word}");
        let turned = body(&house.send(send("PATCH", &path, &token)).await);
        assert_eq!(turned["is_active"], active, "{word}");
    }
    let students = house.send(get("/api/students").bearer(&token)).await;
    assert_eq!(body(&students), json!([]), "staff are no students");
}

#[tokio::test]
async fn nobody_overwrites_a_change_they_have_not_seen() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let old = body(&add(&house, &token, "EMP001", json!({})).await);
    let put = |version: &'static str, position: &str| {
        send("PUT", "/api/persons/EMP001", &token)
            .header("if-match", version)
            .json(&json!({ "position": position }))
    };
    let changed = body(&house.send(put("\"1\"", "Cook")).await);
    assert_eq!((&changed["position"], &changed["version"]), (&json!("Cook"), &json!(2)));
    assert_eq!(changed["last_name"], old["last_name"], "what was left out stays");
    assert_eq!(house.send(put("\"1\"", "Porter")).await.status(), 409);
    assert_eq!(house.send(put("soon", "Porter")).await.status(), 422);
    assert_eq!(house.send(put("2", "Porter")).await.status(), 200);
}

#[tokio::test]
async fn a_list_goes_on_where_its_link_says() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    for n in 0..5 {
        add(&house, &token, &format!("E{n}"), json!({ "department": "IT" })).await;
    }
    let (mut next, mut seen) = ("?department=IT&limit=2".to_owned(), Vec::new());
    for _ in 0..3 {
        let answer = house.send(get(&format!("/api/persons{next}")).bearer(&token)).await;
        seen.extend(body(&answer).as_array().unwrap().iter().map(|one| one["id"].to_string()));
        let Some(link) = answer.headers().get("link") else { break };
        let link = link.to_str().unwrap().to_owned();
        next = link[1..link.find('>').unwrap()].to_owned();
        assert!(next.contains("department=IT"), "{next}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    for limit in ["0", "501", "-1", "many", "99999999999"] {
        let path = format!("/api/persons?limit={limit}");
        assert_eq!(house.send(get(&path).bearer(&token)).await.status(), 422, "{limit}");
    }
}

#[tokio::test]
async fn a_person_has_several_photos_and_each_can_be_switched_off() {
    let house = House::new().await;
    let token = house.school().await;
    let fields = [("person_id", "STU1")];
    let again = parts("/api/enrollment", &token, &fields, ("file", &portrait("obama2.jpg")));
    let second = house.send(again).await;
    assert_eq!(second.status(), 201, "{}", body(&second));
    let person = body(&house.send(get("/api/persons/STU1").bearer(&token)).await);
    let rows = person["enrollments"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[1]["student_id"]), (2, &json!("STU1")));
    assert!(rows[0]["quality"]["eye_px"].as_f64().unwrap() > 10.0, "{person}");
    let path = format!("/api/enrollment/{}", rows[0]["id"].as_str().unwrap());
    let put = |version: i64, active: bool| {
        let typed = json!({ "is_active": active, "version": version });
        send("PUT", &path, &token).json(&typed)
    };
    let off = body(&house.send(put(1, false)).await);
    assert_eq!((&off["is_active"], &off["version"]), (&json!(false), &json!(2)));
    assert_eq!(house.send(put(1, true)).await.status(), 409);
    let of = get("/api/enrollment?student_id=STU1&is_active=true").bearer(&token);
    assert_eq!(body(&house.send(of).await).as_array().unwrap().len(), 1);
    let known = body(&house.capture(&token, &portrait("obama2.jpg")).await);
    assert_eq!(known["predicted_student_id"], "STU1", "the other photo still counts");
    house.send(put(2, true)).await;
    assert_eq!(
        house.send(send("PATCH", "/api/persons/STU1/deactivate", &token)).await.status(),
        200
    );
    let gone = body(&house.capture(&token, &portrait("obama2.jpg")).await);
    assert_eq!(gone["status"], "unknown", "who is switched off is not recognised");
}

#[tokio::test]
async fn a_teacher_finds_only_students_they_teach() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let teacher = house.account(Role::Teacher).await;
    let secret = house.session(&teacher).await;
    for number in ["STU1", "STU2"] {
        let student = json!({ "student_number": number, "full_name": "Ada Lovelace" });
        house.send(post("/api/students").bearer(&admin).json(&student)).await;
    }
    let class = json!({ "class_name": "7b", "class_code": "7B", "teacher_id": teacher.id });
    house.send(post("/api/classes").bearer(&admin).json(&class)).await;
    let enter = json!({ "students": ["STU1"] });
    house.send(post("/api/classes/7B/students").bearer(&admin).json(&enter)).await;
    let list = body(&house.send(get("/api/students").cookie(&secret)).await);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["student_number"]), (1, &json!("STU1")));
    assert_eq!(house.send(get("/api/students/STU1").cookie(&secret)).await.status(), 200);
    let foreign = house.send(get("/api/students/STU2").cookie(&secret)).await;
    let missing = house.send(get("/api/students/STU3").cookie(&secret)).await;
    assert_eq!((foreign.status(), missing.status()), (missing.status(), foreign.status()));
    assert_eq!(foreign.status(), 404);
}
