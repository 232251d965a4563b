//! Accounts: who makes them, who changes them, and what ends a sign-in.

use super::{Answer, Carrying, House, PASSWORD, body, get, post};
use config::Vars;
use rules::auth::Role;
use serde_json::{Value, json};
use warp::test::RequestBuilder;

const NEW: &str = "ten horses graze";

fn patch(path: &str) -> RequestBuilder {
    warp::test::request().method("PATCH").path(path)
}

fn delete(path: &str) -> RequestBuilder {
    warp::test::request().method("DELETE").path(path)
}

async fn log_in(house: &House, email: &str, password: &str) -> Answer {
    let login = json!({ "email": email, "password": password });
    house.send(post("/api/auth/login").json(&login)).await
}

#[tokio::test]
async fn an_account_is_made_found_changed_and_closed() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let typed = json!({
        "email": "Eve@School.test", "full_name": "Eve", "role": "teacher", "password": NEW,
        "teacher_id": "T-7"
    });
    let made = house.send(post("/api/users").bearer(&admin).json(&typed)).await;
    assert_eq!(made.status(), 201);
    assert_eq!(house.send(post("/api/users").bearer(&admin).json(&typed)).await.status(), 409);
    assert_eq!(log_in(&house, "eve@school.test", NEW).await.status(), 200);
    for name in ["T-7", "eve@school.test", body(&made)["id"].as_str().unwrap()] {
        let found = body(&house.send(get(&format!("/api/users/{name}")).bearer(&admin)).await);
        assert_eq!(found["full_name"], "Eve", "{name}");
    }
    let rename = patch("/api/users/T-7").bearer(&admin).json(&json!({ "name": "Eva" }));
    assert_eq!(body(&house.send(rename).await)["full_name"], "Eva");
    let stale = patch("/api/users/T-7").bearer(&admin).json(&json!({ "version": 1 }));
    assert_eq!(house.send(stale).await.status(), 409);
    let list = body(&house.send(get("/api/users?role=teacher&limit=1").bearer(&admin)).await);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(house.send(delete("/api/users/T-7").bearer(&admin)).await.status(), 204);
    assert_eq!(log_in(&house, "eve@school.test", NEW).await.status(), 401);
    let text = String::from_utf8_lossy(made.body()).into_owned();
    assert!(!text.contains("argon2") && !text.contains(NEW), "{text}");
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_by_field() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    for (typed, named) in [
        (json!({ "email": "x", "full_name": "X", "role": "teacher" }), "email"),
        (json!({ "email": "x@y", "full_name": " ", "role": "teacher" }), "full_name"),
        (json!({ "email": "x@y", "full_name": "X" }), "role"),
        (json!({ "email": "x@y", "full_name": "X", "role": "king" }), "king"),
        (
            json!({ "email": "x@y", "full_name": "X", "role": "admin", "password": "12345678" }),
            "password",
        ),
        (
            json!({ "email": "x@y", "full_name": "X", "role": "student", "student_id": "77" }),
            "student_id",
        ),
        (
            json!({ "email": "x@y", "full_name": "X", "role": "student", "teacher_id": "7" }),
            "teacher_id",
        ),
    ] {
        let refused = house.send(post("/api/users").bearer(&admin).json(&typed)).await;
        assert_eq!(refused.status(), 422, "{typed}");
        let text = String::from_utf8_lossy(refused.body()).into_owned();
        assert!(text.to_lowercase().contains(named), "{text}");
    }
}

#[tokio::test]
async fn a_changed_role_and_a_closed_account_end_every_sign_in() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let teacher = house.account(Role::Teacher).await;
    let change = |what: Value| patch("/api/users/teacher@school.test").bearer(&admin).json(&what);
    for what in [json!({ "role": "admin" }), json!({ "is_active": false })] {
        let tokens = body(&log_in(&house, "teacher@school.test", PASSWORD).await);
        let access = tokens["access"].as_str().unwrap().to_owned();
        let secret = house.session(&teacher).await;
        let me = || get("/api/auth/me");
        assert_eq!(house.send(me().bearer(&access)).await.status(), 200);
        assert_eq!(house.send(me().cookie(&secret)).await.status(), 200);
        assert_eq!(house.send(change(what.clone())).await.status(), 200);
        assert_eq!(house.send(me().bearer(&access)).await.status(), 401, "{what}");
        assert_eq!(house.send(me().cookie(&secret)).await.status(), 401, "{what}");
        let refresh = post("/api/auth/refresh").json(&json!({ "refresh": tokens["refresh"] }));
        assert_eq!(house.send(refresh).await.status(), 401, "{what}");
    }
    let last = patch("/api/users/admin@school.test").bearer(&admin);
    assert_eq!(house.send(last.json(&json!({ "role": "teacher" }))).await.status(), 409);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sign_ins_and_keeps_this_one() {
    let house = House::new().await;
    let teacher = house.account(Role::Teacher).await;
    let here = house.session(&teacher).await;
    let there = house.session(&teacher).await;
    let tokens = body(&log_in(&house, "teacher@school.test", PASSWORD).await);
    let access = tokens["access"].as_str().unwrap();
    let csrf = acts::auth::session::csrf(&here);
    let change = |old: &str, new: &str| {
        let change = post("/api/auth/password").cookie(&here).header("x-csrf-token", csrf.as_str());
        let body = json!({ "current_password": old, "new_password": new });
        change.header("sec-fetch-site", "same-origin").json(&body)
    };
    assert_eq!(house.send(change("wrong", NEW)).await.status(), 422);
    assert_eq!(house.send(change(PASSWORD, "12345678")).await.status(), 422);
    assert_eq!(house.send(get("/api/auth/me").cookie(&there)).await.status(), 200, "not yet");
    assert_eq!(house.send(change(PASSWORD, NEW)).await.status(), 204);
    assert_eq!(house.send(get("/api/auth/me").cookie(&here)).await.status(), 200);
    assert_eq!(house.send(get("/api/auth/me").cookie(&there)).await.status(), 401);
    assert_eq!(house.send(get("/api/auth/me").bearer(access)).await.status(), 401);
    assert_eq!(log_in(&house, "teacher@school.test", PASSWORD).await.status(), 401);
    assert_eq!(log_in(&house, "teacher@school.test", NEW).await.status(), 200);
}

#[tokio::test]
async fn guessing_ones_password_from_inside_is_slowed_down_too() {
    let house = House::new().await;
    let token = house.token(Role::Teacher).await;
    let guess = || {
        let body = json!({ "current_password": "wrong", "new_password": NEW });
        post("/api/auth/password").bearer(&token).json(&body)
    };
    for _ in 0..5 {
        assert_eq!(house.send(guess()).await.status(), 422);
    }
    assert_eq!(house.send(guess()).await.status(), 429);
}

#[tokio::test]
async fn teachers_are_listed_with_their_numbers() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let typed = json!({
        "teacher_id": "admin001", "full_name": "Ada", "email": "ada@school.test", "password": NEW,
        "role": "admin"
    });
    let made = house.send(post("/api/teachers").bearer(&admin).json(&typed)).await;
    assert_eq!((made.status().as_u16(), &body(&made)["teacher_id"]), (201, &json!("admin001")));
    let without = json!({ "full_name": "Bob", "email": "bob@school.test" });
    assert_eq!(house.send(post("/api/teachers").bearer(&admin).json(&without)).await.status(), 422);
    let pupil = json!({ "teacher_id": "x", "full_name": "B", "email": "b@c", "role": "student" });
    assert_eq!(house.send(post("/api/teachers").bearer(&admin).json(&pupil)).await.status(), 422);
    house.account(Role::Student).await;
    let list = body(&house.send(get("/teachers/").bearer(&admin)).await);
    assert_eq!(list.as_array().unwrap().len(), 2, "no students: {list}");
    let student = get("/api/teachers/student@school.test").bearer(&admin);
    assert_eq!(house.send(student).await.status(), 404);
    let put = warp::test::request().method("PUT").path("/teachers/admin001").bearer(&admin);
    let put = put.json(&json!({ "full_name": "Ada L.", "role": "teacher" }));
    assert_eq!(body(&house.send(put).await)["role"], "teacher");
    assert_eq!(house.send(delete("/api/teachers/admin001").bearer(&admin)).await.status(), 204);
}

#[tokio::test]
async fn only_an_admin_registers_people_unless_the_setting_says_so() {
    let typed = json!({ "email": "new@school.test", "password": NEW, "first_name": "N" });
    let house = House::new().await;
    let register = || post("/api/auth/register").json(&typed);
    assert_eq!(house.send(register()).await.status(), 401);
    let teacher = house.token(Role::Teacher).await;
    assert_eq!(house.send(register().bearer(&teacher)).await.status(), 403);
    let admin = house.token(Role::Admin).await;
    let made = house.send(register().bearer(&admin)).await;
    assert_eq!((made.status().as_u16(), &body(&made)["role"]), (201, &json!("student")));

    let open = House::with(Vars::from([("ROLLCALL_ACCOUNTS__OPEN_REGISTRATION", "true")])).await;
    assert_eq!(open.send(register()).await.status(), 201);
    for more in
        [json!({ "role": "admin" }), json!({ "student_id": "1" }), json!({ "personnel_code": "1" })]
    {
        let mut typed = json!({ "email": "more@school.test", "password": NEW, "name": "M" });
        typed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let refused = open.send(post("/api/auth/register").json(&typed)).await;
        assert_eq!(refused.status(), 403, "{typed}");
    }
    for _ in 0..4 {
        open.send(register()).await;
    }
    assert_eq!(open.send(register()).await.status(), 429, "not a thousand accounts a minute");
}

#[tokio::test]
async fn a_personnel_code_registers_a_person() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let typed = json!({
        "first_name": "John", "last_name": "Doe", "personnel_code": "EMP001", "department": "IT",
        "position": "Developer", "email": "john.doe@company.test", "phone": "+1234567890"
    });
    let made = house.send(post("/api/auth/register").bearer(&admin).json(&typed)).await;
    assert_eq!((made.status().as_u16(), &body(&made)["kind"]), (201, &json!("staff")));
    let found = body(&house.send(get("/api/persons/EMP001").bearer(&admin)).await);
    assert_eq!(found["position"], "Developer");
}

#[tokio::test]
async fn a_student_account_belongs_to_one_student() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let student = json!({ "student_number": "STU1", "full_name": "Ada Lovelace" });
    house.send(post("/api/students").bearer(&admin).json(&student)).await;
    let typed = json!({
        "email": "stu1@school.test", "full_name": "Ada", "role": "student", "password": NEW,
        "student_id": "STU1"
    });
    let made = house.send(post("/api/users").bearer(&admin).json(&typed)).await;
    assert_eq!(made.status(), 201);
    let mut twin = typed.clone();
    twin["email"] = json!("twin@school.test");
    assert_eq!(house.send(post("/api/users").bearer(&admin).json(&twin)).await.status(), 409);
    let tokens = body(&log_in(&house, "stu1@school.test", NEW).await);
    assert_eq!(tokens["user"]["student_id"], body(&made)["student_id"]);
    let me =
        body(&house.send(get("/api/students/me").bearer(tokens["access"].as_str().unwrap())).await);
    assert_eq!(me["student_number"], "STU1");
    assert_eq!(me["attendance"], "/api/students/me/attendance");
    let access = tokens["access"].as_str().unwrap();
    let marks = house.send(get("/api/students/me/attendance").bearer(access)).await;
    assert_eq!((marks.status().as_u16(), body(&marks)), (200, json!([])));
    assert_eq!(house.send(get("/api/students/me").bearer(&admin)).await.status(), 403);
    let nobody = house.token(Role::Student).await;
    let unlinked = house.send(get("/api/students/me/attendance").bearer(&nobody)).await;
    assert_eq!(unlinked.status(), 404, "which student is not said yet");
}
