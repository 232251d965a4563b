//! What is costly has a limit, and what is not taken back asks who it is: for every route.

use super::{Answer, Carrying, House, NOW, PASSWORD, body, get, post};
use http::cost::Cost;
use http::proof;
use http::{
    route::{Gives, Route},
    takes::Takes,
};
use rules::auth::Role;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use warp::http::Method;

/// Whether a route reads files, gives one, counts over everything or looks for people.
fn is_costly(route: &Route) -> bool {
    let words = [
        "export",
        "report",
        "analytics",
        "verify",
        "process",
        "embedding",
        "similar",
        "cluster",
        "suggest",
        "crop",
        "photo",
        "statistics",
        "summary",
    ];
    let query = route.shapes.query.map(|names| names()).unwrap_or_default();
    let searches = query.iter().any(|one| ["search", "q"].contains(&one.name.as_str()));
    let files = matches!(route.takes, Takes::Parts(_) | Takes::Archive(_));
    let shows = matches!(route.shapes.gives, Gives::File(_));
    files || shows || searches || words.iter().any(|word| route.path.contains(word))
}

/// Costs little, whatever its name says, and why.
const LITTLE: [(&str, &str); 21] = [
    ("/api/devices", "all doors, by as many queries as one"),
    ("/api/events", "a stream, with places of its own"),
    ("/events", "the same"),
    ("/metrics", "for this machine"),
    ("/api/face-crops", "a page of rows"),
    ("/api/face-crops/{id}", "a row"),
    ("/api/face-crops/{id}/assign", "a row"),
    ("/api/face-crops/{id}/assign-from-candidate", "a row"),
    ("/api/face-crops/{id}/unidentify", "a row"),
    ("/api/classes/{id}/face-crops", "a page of rows"),
    ("/api/sessions/{id}/face-crops", "a page of rows"),
    ("/api/classes/{id}/auto-assign-all-crops", "a job: one at a time"),
    ("/api/sessions/{id}/auto-assign-all-crops", "a job: one at a time"),
    ("/api/attendance/summary/{id}", "one lesson"),
    ("/class/{id}/photo", "its page"),
    ("/class/{id}/verify", "a row"),
    ("/class/{id}/photo/cancel", "a row"),
    ("/class/{id}/photo/name", "a row"),
    ("/photo/{id}/done", "a row"),
    ("/photo/{id}/remove", "a row"),
    ("/people/{id}/photo", "its page"),
];

#[test]
fn each_costly_route_has_a_limit() {
    let table = crate::site::table();
    for route in table.iter().filter(|route| is_costly(route)) {
        let little = LITTLE.iter().any(|(path, _)| *path == route.path)
            && !matches!(route.takes, Takes::Parts(_) | Takes::Archive(_));
        let counted = Cost::of(route).rate().is_some();
        assert!(counted || little, "{} {} is free", route.method, route.path);
    }
    for path in http::cost::named() {
        assert!(table.iter().any(|route| route.path == path), "no such route: {path}");
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_others_are_not() {
    let house = House::new().await;
    let (admin, teacher) = (house.token(Role::Admin).await, house.token(Role::Teacher).await);
    let ask = async |token: &str| house.send(get("/api/analytics/global").bearer(token)).await;
    let rate = Cost::Export.rate().unwrap();
    for n in 0..rate.burst {
        assert_eq!(ask(&admin).await.status(), 200, "{n}");
    }
    let refused = ask(&admin).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], (rate.every_ms / 1000).to_string().as_str());
    assert_eq!(body(&refused)["type"], "/problems/too-many-requests");
    assert_eq!(ask(&teacher).await.status(), 200);
    assert_eq!(house.send(get("/api/auth/me").bearer(&admin)).await.status(), 200);
    house.clock.advance(rate.every_ms);
    assert_eq!(ask(&admin).await.status(), 200);
}

// Once more who it is ----------------------------------------------------------------------------

#[test]
fn every_route_that_is_not_taken_back_asks_who_it_is() {
    let table = crate::site::table();
    let changes = |route: &&Route| route.method != Method::GET;
    for route in table.iter().filter(changes) {
        let words = ["/erase", "/revoke", "/settings/users", "/api/users", "/settings/recognition"];
        let own = route.path.ends_with("/teaches") || route.path.ends_with("/sign-ins");
        let named = words.iter().any(|word| route.path.contains(word)) && !own;
        assert!(!named || proof::is_asked(route), "{} {}", route.method, route.path);
    }
    assert!(table.iter().any(|route| route.path.ends_with("/export") && proof::is_asked(route)));
    for (method, path) in proof::asked() {
        let there = |route: &Route| route.method == method && route.path == path;
        assert!(table.iter().any(there), "no such route: {method} {path}");
    }
}

#[tokio::test]
async fn ten_minutes_after_signing_in_what_is_not_taken_back_asks_for_the_password_again() {
    let house = House::new().await;
    let token = house.school().await;
    let export = || get("/api/students/STU1/export").bearer(&token);
    assert_eq!(house.send(export()).await.status(), 200, "signing in is a proof");
    house.clock.set_wall(NOW.plus_ms(http::signed_in::PROOF_HOLDS_MS));
    let refused = house.send(export()).await;
    assert_eq!(
        (refused.status().as_u16(), &body(&refused)["type"]),
        (403, &json!("/problems/proof-needed"))
    );
    let list = get("/api/students").bearer(&token);
    assert_eq!(house.send(list).await.status(), 200, "all else goes on");
    let prove = |said| post("/api/auth/prove").bearer(&token).json(&said);
    for wrong in [json!({}), json!({ "password": "wrong" }), json!({ "totp": "123456" })] {
        let status = house.send(prove(wrong.clone())).await.status().as_u16();
        assert!([401, 422].contains(&status), "{wrong}: {status}");
        assert_eq!(house.send(export()).await.status(), 403, "{wrong}");
    }
    assert_eq!(house.send(prove(json!({ "password": PASSWORD }))).await.status(), 204);
    assert_eq!(house.send(export()).await.status(), 200);
}

#[tokio::test]
async fn a_doors_settings_ask_who_it_is_and_its_place_does_not() {
    let house = House::new().await;
    let token = house.school().await;
    house.clock.set_wall(NOW.plus_ms(http::signed_in::PROOF_HOLDS_MS));
    let put = async |said: Value| {
        let put = warp::test::request().method("PUT").path("/api/devices/door-1");
        house.send(put.bearer(&token).json(&said)).await.status().as_u16()
    };
    let settings = json!({ "settings": { "min_face": 60 } });
    assert_eq!(put(settings.clone()).await, 403);
    assert_eq!(put(json!({ "classroom_id": "Room 205" })).await, 200, "it only moved");
    let said = json!({ "password": PASSWORD });
    house.send(post("/api/auth/prove").bearer(&token).json(&said)).await;
    assert_eq!(put(settings).await, 200);
}

#[tokio::test]
async fn a_stranger_says_eight_kilobytes_and_whoever_is_signed_in_more() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let say = async |by: Option<&str>, bytes: usize| {
        let empty = json!({ "email": "", "password": "" }).to_string().len();
        let said = json!({ "email": "x".repeat(bytes - empty), "password": "" }).to_string();
        let request = post("/api/auth/login").header("content-type", "application/json");
        let request = request.header("content-length", said.len()).body(said);
        let request = match by {
            Some(token) => request.bearer(token),
            None => request,
        };
        house.send(request).await.status().as_u16()
    };
    assert_eq!(say(None, 8 * 1024 + 1).await, 413);
    assert_ne!(say(None, 8 * 1024).await, 413);
    assert_ne!(say(Some(&token), 8 * 1024 + 1).await, 413);
    assert_eq!(say(Some(&token), 64 * 1024 + 1).await, 413);
}

#[tokio::test]
async fn an_open_browser_makes_no_admin_joins_no_door_and_sets_no_clock_right() {
    let house = House::new().await;
    let token = house.school().await;
    house.clock.set_wall(NOW.plus_ms(http::signed_in::PROOF_HOLDS_MS));
    let admin =
        json!({ "email": "x@y.test", "password": "correct horse 9 battery", "role": "admin" });
    for (path, say) in [
        ("/api/auth/register", admin.clone()),
        ("/api/auth/users", admin),
        ("/api/devices", json!({ "device_id": "door-9", "classroom_id": "Room 9" })),
        ("/api/devices/door-1/join-token", json!({})),
        ("/api/clock", json!({})),
    ] {
        let refused = house.send(post(path).bearer(&token).json(&say)).await;
        assert_eq!(refused.status().as_u16(), 403, "{path}");
        assert_eq!(body(&refused)["type"], "/problems/proof-needed", "{path}");
    }
}

#[tokio::test]
async fn the_pages_for_a_new_door_its_program_and_the_clock_ask_who_it_is() {
    let house = House::new().await;
    let token = house.school().await;
    let secret = house.session(&house.admin().await).await;
    house.clock.set_wall(NOW.plus_ms(http::signed_in::PROOF_HOLDS_MS));
    let door = [("device_id", "door-9"), ("classroom_id", "Room 9")];
    for (path, fields) in
        [("/devices", door.as_slice()), ("/devices/door-1/program", &[]), ("/care/clock", &[])]
    {
        let form = post(path).form(&secret, fields).header("accept", "text/html");
        let led = house.send(form).await;
        assert_eq!(led.status(), 303, "{path}");
        let to = led.headers()["location"].to_str().unwrap();
        assert!(to.starts_with("/account/prove"), "{path}: {to}");
    }
    let none = house.send(get("/api/devices/door-9").bearer(&token)).await;
    assert_eq!(none.status(), 404, "no door was made");
}

#[tokio::test]
async fn a_page_asks_for_the_password_and_goes_back() {
    let house = House::new().await;
    house.school().await;
    let account = house.admin().await;
    let secret = house.session(&account).await;
    house.clock.set_wall(NOW.plus_ms(http::signed_in::PROOF_HOLDS_MS));
    let html = |request: warp::test::RequestBuilder| request.header("accept", "text/html");
    let form = post("/settings/users").form(&secret, &[("role", "teacher")]);
    let from = "https://hub.school.test/settings/users?after=x";
    let led = house.send(html(form.header("referer", from))).await;
    let at = "/account/prove?next=%2Fsettings%2Fusers%3Fafter%3Dx";
    assert_eq!((led.status().as_u16(), led.headers()["location"].to_str().unwrap()), (303, at));
    let page = String::from_utf8_lossy(house.send(html(get(at).cookie(&secret))).await.body())
        .into_owned();
    assert!(page.contains("value=\"/settings/users?after=x\""), "{page}");
    let prove = |password| {
        let fields = [("next", "/settings/users?after=x"), ("password", password)];
        html(post("/account/prove").form(&secret, &fields))
    };
    assert_eq!(house.send(prove("wrong")).await.status(), 422);
    let back = house.send(prove(PASSWORD)).await;
    assert_eq!(back.headers()["location"], "/settings/users?after=x");
    let again = post("/settings/users").form(&secret, &[("role", "teacher")]);
    assert_ne!(house.send(html(again)).await.status(), 303, "it is read now, and lacks an address");
}

#[tokio::test]
async fn an_open_browser_of_an_admin_adds_no_way_into_that_account() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let me = house.admin().await;
    let change = async |body: Value| {
        let path = format!("/api/users/{}", me.id);
        let patch = warp::test::request().method("PATCH").path(&path);
        house.send(patch.bearer(&token).json(&body)).await.status().as_u16()
    };
    let (password, email) =
        (json!({ "password": "thief thief thief" }), json!({ "email": "t@x.y" }));
    assert_eq!(change(password.clone()).await, 403);
    assert_eq!(change(email).await, 403);
    assert_eq!(change(json!({ "email": "admin@school.test", "full_name": "Ada" })).await, 200);
    let secret = house.session(&me).await;
    let at = format!("/settings/users/{}", me.id);
    let fields = [("part", "password"), ("password", "thief thief thief")];
    let form = post(&at).form(&secret, &fields).header("accept", "text/html");
    let led = house.send(form).await;
    assert!(led.headers()["location"].to_str().unwrap().starts_with("/account/prove"));
    let proof = json!({ "password": PASSWORD });
    assert_eq!(house.send(post("/api/auth/prove").bearer(&token).json(&proof)).await.status(), 204);
    assert_eq!(change(password).await, 200);
}

// What strangers may read ------------------------------------------------------------------------

#[tokio::test]
async fn the_metrics_are_for_this_machine_and_for_who_has_the_token() {
    let vars = config::Vars::default().with("ROLLCALL_METRICS__TOKEN", "a token of 20 bytes.");
    let house = House::with(vars).await;
    let admin = house.token(Role::Admin).await;
    let from = |address: [u8; 4]| {
        let address = IpAddr::V4(Ipv4Addr::from(address));
        get("/metrics").extension(http::front::Peer::new(address, true))
    };
    let status = async |request| house.send(request).await.status().as_u16();
    let open = 503; // it is open, and this house keeps none
    assert_eq!(status(from([127, 0, 0, 1])).await, open);
    assert_eq!(status(from([10, 0, 0, 9])).await, 401);
    assert_eq!(status(from([10, 0, 0, 9]).bearer("a token of 20 bytes.")).await, open);
    assert_eq!(status(from([10, 0, 0, 9]).bearer(&admin)).await, open);
    for wrong in ["a token of 20 bytes!", ""] {
        assert_eq!(status(from([10, 0, 0, 9]).bearer(wrong)).await, 401);
    }
    let elsewhere = house.send(get("/api/students").bearer("a token of 20 bytes.")).await;
    assert_eq!(elsewhere.status(), 401, "it opens nothing else");
}

#[tokio::test]
async fn the_heat_and_the_queue_of_a_door_that_is_gone_are_no_numbers_any_more() {
    let house = House::new().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let (site, handlers) = crate::site::site();
    let (parts, metrics) = (house.app.parts.clone(), api::system::recorder());
    let passwords = acts::auth::Passwords::cheap();
    let front = http::front::Front::new(parts, site, passwords, metrics, stop);
    let filter = http::filter(front, handlers);
    let number = async |name: &str| {
        let here = http::front::Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), true);
        let answer = get("/metrics").extension(here).reply(&filter).await;
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        let start = format!("{name}{{door=\"gone-1\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
    };
    let both = async || [number("door_celsius").await, number("door_records_waiting").await];
    let some = |said: [&str; 2]| said.map(|said| Some(said.to_owned()));
    let warm = wire::link::Vitals { celsius: Some(61), ..wire::link::Vitals::default() };
    let behind = wire::care::Condition {
        focus: None,
        light: None,
        waiting: 7,
        dropped_looks: 0,
        dropped_frames: 0,
        clock: wire::ClockState::Ntp,
        clock_err_ms: None,
        disk_free_mb: 900,
    };
    let gone = "gone-1".parse().unwrap();
    house.app.boards.say(&gone, warm, house.app.clock.mono());
    house.app.boards.condition(&gone, behind, house.app.clock.mono());
    assert_eq!(both().await, some(["61", "7"]));
    assert_eq!(number("door_focus_percent").await.as_deref(), Some("NaN"), "it does not say");
    house.clock.advance(3 * 60_000);
    assert_eq!(both().await, some(["NaN", "NaN"]));
}

#[tokio::test]
async fn a_teacher_learns_of_no_number_whether_a_foreign_student_has_it() {
    let house = House::new().await;
    let admin = house.school().await;
    let teacher = house.token(Role::Teacher).await;
    let me = body(&house.send(get("/api/auth/me").bearer(&teacher)).await)["id"].clone();
    let record = house.pending(&admin).await;
    for student in ["STU2", "STU3"] {
        let person = json!({ "student_number": student, "full_name": "Ada Lovelace" });
        house.send(post("/api/students").bearer(&admin).json(&person)).await;
    }
    let class = json!({ "class_name": "7b", "class_code": "7B", "teacher_id": me });
    house.send(post("/api/classes").bearer(&admin).json(&class)).await;
    let enter = json!({ "students": ["STU1", "STU2"] });
    house.send(post("/api/classes/7B/students").bearer(&admin).json(&enter)).await;
    let said = async |number: &str| {
        let crops =
            house.send(get(&format!("/api/face-crops?student_id={number}")).bearer(&teacher));
        let say = json!({ "decision": "approve", "student_id": number });
        let review = post(&format!("/api/attendance/{record}/review")).bearer(&teacher).json(&say);
        let told = |answer: Answer| {
            let text = String::from_utf8_lossy(answer.body()).replace(number, "N");
            (answer.status().as_u16(), text)
        };
        (told(crops.await), told(house.send(review).await))
    };
    assert_eq!(said("STU3").await, said("STU9").await, "foreign as missing");
    assert_eq!(said("STU3").await.1.0, 404);
    assert_eq!(said("STU2").await.0.0, 200, "their own is found");
}
