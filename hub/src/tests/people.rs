//! People and doors.

use super::{Carrying, House, body, get, post};
use rules::auth::Role;
use serde_json::json;

#[tokio::test]
async fn a_student_is_added_found_changed_and_removed() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let typed = json!({ "student_number": "STU1", "full_name": "Ada Lovelace", "year": 2 });
    let made = house.send(post("/api/students").bearer(&token).json(&typed)).await;
    assert_eq!(made.status(), 201);
    let twice = house.send(post("/api/students").bearer(&token).json(&typed)).await;
    assert_eq!(twice.status(), 409);
    let put = warp::test::request().method("PUT").path("/api/students/STU1").bearer(&token);
    let changed = body(&house.send(put.json(&json!({ "department": "Maths" }))).await);
    assert_eq!(
        (&changed["full_name"], &changed["department"]),
        (&json!("Ada Lovelace"), &json!("Maths"))
    );
    let delete = warp::test::request().method("DELETE").path("/api/students/STU1").bearer(&token);
    assert_eq!(house.send(delete).await.status(), 204);
    let active = body(&house.send(get("/api/students?is_active=true").bearer(&token)).await);
    assert_eq!(active, json!([]));
}

#[tokio::test]
async fn a_door_is_added_joined_and_cut_off() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let door = json!({ "device_id": "door-1", "classroom_id": "204", "direction": "entry" });
    let made = body(&house.send(post("/api/devices").bearer(&token).json(&door)).await);
    assert_eq!((&made["status"], &made["classroom_id"]), (&json!("inactive"), &json!("204")));
    let join = body(&house.send(post("/api/devices/door-1/join-token").bearer(&token)).await);
    assert!(join["command"].as_str().unwrap().starts_with("rollcall-edge join https://"));
    assert_eq!(house.send(post("/api/devices/door-1/revoke").bearer(&token)).await.status(), 204);
    assert_eq!(house.send(post("/api/devices/door-9/revoke").bearer(&token)).await.status(), 404);
    let odd = post("/api/devices").bearer(&token).json(&json!({ "device_id": "Door 1" }));
    assert_eq!(house.send(odd).await.status(), 422);
}

#[tokio::test]
async fn the_front_page_is_for_people_and_for_programs() {
    let house = House::new().await;
    let program = house.send(get("/").header("accept", "*/*")).await;
    assert_eq!(body(&program)["status"], "ok");
    let person = house.send(get("/").header("accept", "text/html,*/*")).await;
    assert_eq!(person.status(), 303);
    let new = house.send(get("/sign-in")).await;
    assert_eq!(&new.headers()["location"], "/setup", "before the first account");
}

#[tokio::test]
async fn who_is_switched_off_is_known_nowhere_whichever_way_it_was_said() {
    let house = House::new().await;
    let token = house.school().await;
    let known = || house.app.gallery.index().people().len();
    for path in ["/api/students/STU1", "/api/persons/STU1"] {
        let put = async |is_active: bool| {
            let put = warp::test::request().method("PUT").path(path).bearer(&token);
            assert_eq!(
                house.send(put.json(&json!({ "is_active": is_active }))).await.status(),
                200
            );
        };
        assert_eq!(known(), 1, "{path}");
        put(false).await;
        assert_eq!(known(), 0, "{path}");
        put(true).await;
    }
}
