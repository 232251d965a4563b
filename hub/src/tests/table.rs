//! The table as a whole: what holds for every route.

use super::{Carrying, House, PASSWORD, body, get, post};
use acts::doors::updates::UPDATE_BYTES;
use http::{
    route::Who,
    takes::{PHOTO, SMALL, Takes},
};
use rules::auth::Role;
use serde_json::json;
use warp::http::Method;
use warp::test::RequestBuilder;

const MIB: u64 = 1024 * 1024;
/// Every route that reads more than [`SMALL`], and how much at most.
const LARGE: [(&str, u64); 19] = [
    ("/api/enrollment", PHOTO),
    ("/api/students/upload-face", PHOTO),
    ("/api/face/register", PHOTO),
    ("/api/capture", PHOTO),
    ("/api/face/verify", PHOTO),
    ("/api/images", PHOTO),
    ("/api/enrollment/hint", 512 * 1024), // a frame of a camera
    ("/settings/timetable/import", 5 * MIB),
    ("/people", PHOTO),
    ("/class/{id}/photo", PHOTO),
    ("/people/{id}/photo", 4 * PHOTO), // several at once
    ("/people/bring/table", 5 * MIB),
    ("/people/bring/photos", 256 * MIB),        // on the disk
    ("/api/attendance/mark", 14 * MIB + SMALL), // a photo as text is a third larger
    ("/api/timetable/import", 5 * MIB),
    ("/api/classes/{id}/bulk-upload-students", 5 * MIB),
    ("/api/classes/{id}/bulk-enroll", 256 * MIB), // on the disk
    ("/api/updates", UPDATE_BYTES),               // on the disk
    ("/updates", UPDATE_BYTES),
];

fn limit(takes: Takes) -> Option<u64> {
    match takes {
        Takes::Nothing => None,
        Takes::Json(n) | Takes::Form(n) | Takes::Parts(n) | Takes::Archive(n) => Some(n),
    }
}

#[test]
fn what_may_be_large_is_there_and_what_is_larger_than_some_photos_goes_to_the_disk() {
    let table = crate::site::table();
    for (path, most) in LARGE {
        let of = |route: &&http::route::Route| {
            route.path == path && limit(route.takes).is_some_and(|n| n > SMALL)
        };
        let route = table.iter().find(of).unwrap_or_else(|| panic!("{path} reads little"));
        assert_eq!(limit(route.takes), Some(most), "{path}");
        assert_eq!(matches!(route.takes, Takes::Archive(_)), most > 4 * PHOTO, "{path}");
    }
}

#[test]
fn every_route_is_declared_once_and_reads_no_more_than_it_says() {
    let table = crate::site::table();
    let mut seen = std::collections::HashSet::new();
    for route in table.iter() {
        assert!(seen.insert((route.method.clone(), route.path)), "twice: {}", route.path);
        assert!(!route.path.ends_with('/') || route.path == "/", "{}", route.path);
        if let Some(limit) = limit(route.takes) {
            let most =
                LARGE.iter().find(|(path, _)| *path == route.path).map_or(SMALL, |(_, n)| *n);
            assert!((1..=most).contains(&limit), "{} reads {limit} bytes", route.path);
            assert_ne!(route.method, Method::GET, "{}", route.path);
        }
        let api = route.path.starts_with("/api/");
        let json = matches!(route.takes, Takes::Json(_));
        assert!(!api || !json || route.shapes.takes.is_some(), "no schema: {}", route.path);
    }
    assert!(seen.len() > 50);
}

#[tokio::test]
async fn every_answer_is_named_and_hardened() {
    let house = House::new().await;
    for path in ["/health", "/sign-in", "/api/students", "/nowhere", "/static/0/x"] {
        let answer = house.send(get(path)).await;
        let headers = answer.headers();
        assert_eq!(headers["x-request-id"], "test", "{path}");
        assert_eq!(headers["content-security-policy"], http::headers::CSP, "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn three_spellings_reach_the_same_route() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    for path in ["/api/students", "/api/students/", "/students"] {
        assert_eq!(house.send(get(path).bearer(&token)).await.status(), 200, "{path}");
    }
    let wrong = house.send(warp::test::request().method("PUT").path("/api/students")).await;
    assert_eq!(
        (wrong.status().as_u16(), &wrong.headers()["allow"]),
        (405, &"GET, POST".parse().unwrap())
    );
}

#[tokio::test]
async fn problems_are_what_they_were() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let text = |body: &'static str| {
        post("/api/students").bearer(&token).body(body).header("content-length", body.len())
    };
    let kind = |request: RequestBuilder, kind: &'static str| request.header("content-type", kind);
    insta::assert_json_snapshot!("problem_401", body(&house.send(get("/api/students")).await));
    let missing = get("/api/students/nobody").bearer(&token);
    insta::assert_json_snapshot!("problem_404", body(&house.send(missing).await));
    let large = post("/api/students").bearer(&token).header("content-length", 99_999_999);
    insta::assert_json_snapshot!("problem_413", body(&house.send(large).await));
    insta::assert_json_snapshot!(
        "problem_415",
        body(&house.send(kind(text("{}"), "text/plain")).await)
    );
    insta::assert_json_snapshot!(
        "problem_422",
        body(&house.send(kind(text("{}"), "application/json")).await)
    );
    insta::assert_json_snapshot!(
        "problem_400",
        body(&house.send(kind(text("{"), "application/json")).await)
    );
}

#[tokio::test]
async fn a_body_without_a_length_is_refused() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let once_more = post("/api/auth/prove").bearer(&token);
    house.send(once_more.json(&json!({ "password": PASSWORD }))).await;
    for route in crate::site::table().iter().filter(|route| route.takes != Takes::Nothing) {
        if !matches!(route.who, Who::Role(_)) || matches!(route.takes, Takes::Form(_)) {
            continue; // forms of pages ask for their origin first
        }
        let path = route.path.replace("{id}", "x").replace("{student}", "x");
        let request = warp::test::request().method(route.method.as_str()).path(&path);
        let status = house.send(request.bearer(&token)).await.status();
        assert_eq!(status, 411, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn an_open_event_stream_does_not_hold_up_the_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (front, stop) = (house.front.clone(), house.front.stop.clone());
    let (_, handlers) = crate::site::site();
    let mut tasks = tokio::task::JoinSet::new();
    let start = |guests: &mut accept::Guests, visit| drop(guests.spawn(visit));
    let house = accept::House { limits: accept::PEOPLE, ..accept::House::new(start, None) };
    tasks.spawn(http::serve::run(listener, house, front, handlers, stop.clone()));
    let mut browser = tokio::net::TcpStream::connect(address).await.unwrap();
    let ask =
        format!("GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    browser.write_all(ask.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    browser.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stop.cancel();
    let five = std::time::Duration::from_secs(5);
    tokio::time::timeout(five, tasks.join_next()).await.unwrap().unwrap().unwrap();
}
