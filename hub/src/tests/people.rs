//! People and doors.

use super::{Carrying, House, NOW, body, get, post};
use acts::people::Turn;
use rules::auth::Role;
use serde_json::json;
use store::{student, trouble};

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

#[tokio::test]
async fn somebody_who_is_added_switched_off_is_off() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let typed = json!({ "student_number": "STU1", "full_name": "Ada", "is_active": false });
    let made = house.send(post("/api/students").bearer(&token).json(&typed)).await;
    assert_eq!((made.status().as_u16(), &body(&made)["is_active"]), (201, &json!(false)));
    let active = body(&house.send(get("/api/students?is_active=true").bearer(&token)).await);
    assert_eq!(active, json!([]));
}

#[tokio::test]
async fn a_page_that_follows_somebody_who_is_gone_says_to_begin_again() {
    let house = House::new().await;
    let token = house.school().await;
    let more = json!({ "student_number": "STU2", "full_name": "Ada Lovelace" });
    house.send(post("/api/students").bearer(&token).json(&more)).await;
    let class = json!({ "class_name": "7b", "class_code": "7B", "room": "Room 204" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    let enter = json!({ "students": ["STU1", "STU2"] });
    let roster = "/api/classes/7B/students";
    house.send(post(roster).bearer(&token).json(&enter)).await;
    let lesson = json!({ "class_id": "7B", "start_time": "08:30", "end_time": "09:15" });
    let lesson = body(&house.send(post("/api/sessions").bearer(&token).json(&lesson)).await);
    let roll = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    let first = async |list: &str| {
        let page = house.send(get(&format!("{list}?limit=1")).bearer(&token)).await;
        let next = page.headers()["link"].to_str().unwrap().to_owned();
        let next = next.trim_start_matches('<').split('>').next().unwrap().to_owned();
        (format!("{list}{next}"), body(&page)[0]["student_id"].as_str().unwrap().to_owned())
    };
    let gone = async |path: &str| {
        let answer = house.send(get(path).bearer(&token)).await;
        assert_eq!(answer.status(), 422, "{path}: {}", body(&answer));
        let said = body(&answer);
        assert_eq!(said["errors"][0]["field"], "after", "{path}");
        assert!(said["detail"].as_str().unwrap().contains("begin again"), "{path}: {said}");
    };
    let pages = [first(roster).await, first(&roll).await];
    let (next, number) = first("/api/students").await;
    let leave = format!("{roster}/{}", pages[0].1);
    let leave = warp::test::request().method("DELETE").path(&leave).bearer(&token);
    assert_eq!(house.send(leave).await.status(), 204);
    for (page, _) in &pages {
        gone(page).await;
    }
    assert_eq!(house.send(get(&next).bearer(&token)).await.status(), 200, "still a student");
    house.app.privacy().erase(number, "t".into(), NOW).await.unwrap();
    gone(&next).await;
    let nobody = uuid::Uuid::from_u128(7);
    for list in ["/api/classes", "/api/users", "/api/persons", "/api/students"] {
        gone(&format!("{list}?after={nobody}")).await;
    }
}

#[tokio::test]
async fn who_was_switched_off_is_answered_as_such_though_doors_hear_of_it_later() {
    const IOERR_READ: i32 = 266;
    let (house, path) = House::in_file().await;
    house.school().await;
    let active = || house.app.db.read(|tx| Ok(student::find(tx, "STU1")?.is_active));
    let mut later = 0;
    for after in 0.. {
        let before = active().await.unwrap();
        trouble::plan(&path, after, IOERR_READ, false);
        let done = house.app.people().turn("STU1".into(), Turn::Over, None, "t".into(), NOW).await;
        let struck = trouble::mend(&path);
        let changed = active().await.unwrap() != before;
        assert_eq!(done.is_ok(), changed, "{done:?} at {after}");
        later += u32::from(struck && changed);
        if !struck {
            break;
        }
    }
    assert!(later > 0, "no failure came after what was committed");
}
