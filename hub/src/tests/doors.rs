//! Doors over the API: what they are told, what they show, and how far their galleries are.

use super::*;
use acts::events::Event;
use rand::{SeedableRng, rngs::StdRng};
use store::{consent, device, student, trouble};
use wire::care::{
    Conflict, ConflictKind, Origin, Running, RunningValue, Tail, TailLevel, TailLine,
};
use wire::link::{Command, Snap};
use wire::seal::Part;
use wire::{DeviceId, Epoch};

fn door() -> DeviceId {
    "door-1".parse().unwrap()
}

fn delete(path: &str) -> RequestBuilder {
    warp::test::request().method("DELETE").path(path)
}

#[tokio::test]
async fn a_command_reaches_a_connected_door_and_the_audit_chain() {
    let house = House::new().await;
    let token = house.school().await;
    let tell = |word: &str| {
        post("/api/devices/door-1/commands").bearer(&token).json(&json!({ "command": word }))
    };
    assert_eq!(house.send(tell("snap")).await.status(), 409, "nobody is connected");
    let mut place = house.app.online.enter(&door());
    for (word, command) in
        [("snap", Command::Snap), ("restart", Command::Restart), ("reload", Command::Reload)]
    {
        let answer = house.send(tell(word)).await;
        assert_eq!((answer.status().as_u16(), &body(&answer)["command"]), (202, &json!(word)));
        assert_eq!(place.commands.try_recv(), Ok(command));
    }
    assert_eq!(house.send(tell("explode")).await.status(), 422);
    let other = post("/api/devices/door-9/commands").bearer(&token);
    assert_eq!(house.send(other.json(&json!({ "command": "snap" }))).await.status(), 404);
    let read = |tx: &store::Tx<'_>| {
        let sql = "select action from audit where target_id = 'door-1' order by n desc limit 3";
        tx.query(sql, [], |row| row.get::<String>(0))
    };
    assert_eq!(house.app.db.read(read).await.unwrap(), ["reload", "restart", "snap"]);
}

/// What a door shows, sealed for this hub.
fn seen(house: &House, jpeg: &[u8]) -> Snap {
    let (key, epoch) = (house.app.keys.hub_secret().unwrap().public().unwrap(), Epoch([3; 16]));
    let mut rng = StdRng::seed_from_u64(1);
    let jpeg = key.seal(&Snap::key(door(), epoch), Part::Snap, jpeg, &mut rng).unwrap();
    Snap::Picture { epoch, jpeg }
}

#[tokio::test]
async fn what_a_camera_sees_is_shown_to_admins_when_asked_and_for_five_minutes() {
    let house = House::new().await;
    let token = house.school().await;
    let look = || get("/api/devices/door-1/snap").bearer(&token);
    let why = async || {
        let answer = house.send(look()).await;
        assert_eq!(answer.status(), 404);
        body(&answer)["detail"].as_str().unwrap().to_owned()
    };
    let picture = vision::Picture::new(32, 32, vec![90; 3072]).unwrap().to_jpeg(80);
    let show = |jpeg: &[u8]| {
        house.app.snaps.show(&door(), seen(&house, jpeg), house.app.clock.mono());
    };
    show(&picture);
    assert!(why().await.contains("obody asked"), "what nobody asked for is dropped");
    let _place = house.app.online.enter(&door());
    let ask = || {
        let snap = json!({ "command": "snap" });
        house.send(post("/api/devices/door-1/commands").bearer(&token).json(&snap))
    };
    ask().await;
    assert!(why().await.contains("not here yet"));
    show(&picture);
    let answer = house.send(look()).await;
    assert!(answer.status() == 200 && answer.body()[..] == picture[..]);
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    house.send(look()).await;
    let looks = async || {
        let read = |tx: &store::Tx<'_>| {
            let sql = "select count(*) from audit where action = 'look' and target_id = 'door-1'";
            tx.row(sql, [], |row| row.get::<i64>(0))
        };
        house.app.db.read(read).await.unwrap().unwrap()
    };
    assert_eq!(looks().await, 1, "a picture and a person are written down once");
    house.clock.advance(1);
    ask().await;
    show(&picture);
    house.send(look()).await;
    assert_eq!(looks().await, 2, "another picture");
    house.clock.advance(acts::shelf::KEPT_MS);
    assert!(why().await.contains("obody asked"));
    ask().await;
    show(b"GIF89a");
    assert!(why().await.contains("no picture"), "it opens, and is none");
    let teacher = house.token(Role::Teacher).await;
    let hidden = house.send(get("/api/devices/door-1/snap").bearer(&teacher)).await;
    assert_eq!(hidden.status(), 403);
}

#[tokio::test]
async fn that_a_picture_came_is_said_to_admins_and_to_nobody_else() {
    let house = House::new().await;
    let (admin, teacher) = (house.token(Role::Admin).await, house.token(Role::Teacher).await);
    let listen = async |token: &str| house.send(get("/api/events").bearer(token)).await;
    let attention = async |wanted| {
        while house.app.events.attention() != wanted {
            tokio::task::yield_now().await;
        }
    };
    let saying = async {
        attention((2, 0)).await;
        house.app.events.say(Event::Snapped(door()));
        attention((2, 0)).await;
        house.front.stop.cancel();
    };
    let (admin, teacher, ()) = tokio::join!(listen(&admin), listen(&teacher), saying);
    let heard = |answer: &Answer| String::from_utf8_lossy(answer.body()).into_owned();
    assert!(heard(&admin).contains("event:snap\n") && heard(&admin).contains("\"door-1\""));
    assert_eq!((teacher.status().as_u16(), heard(&teacher).contains("snap")), (200, false));
}

#[tokio::test]
async fn a_capture_token_opens_one_route_for_one_door_until_it_ends() {
    let house = House::new().await;
    let admin = house.school().await;
    let given = || post("/api/devices/door-1/capture-token").bearer(&admin);
    let token = |answer: &Answer| body(answer)["capture_token"].as_str().unwrap().to_owned();
    let first = token(&house.send(given()).await);
    let seen = body(&house.capture(&first, &portrait("obama2.jpg")).await);
    assert_eq!(
        (&seen["status"], &seen["predicted_student_id"]),
        (&json!("pending"), &json!("STU1"))
    );
    let second_door = json!({ "device_id": "door-2" });
    house.send(post("/api/devices").bearer(&admin).json(&second_door)).await;
    let fields = [("device_id", "door-2")];
    let other = parts("/api/capture", &first, &fields, ("image", &portrait("obama2.jpg")));
    assert_eq!(house.send(other).await.status(), 404, "another door");
    for path in ["/api/students", "/api/attendance", "/api/auth/me", "/health"] {
        assert_eq!(house.send(get(path).bearer(&first)).await.status(), 403, "{path}");
    }
    let second = token(&house.send(given()).await);
    let capture = |token: String| {
        let house = &house;
        async move { house.capture(&token, &portrait("obama2.jpg")).await.status().as_u16() }
    };
    assert_eq!((capture(first).await, capture(second.clone()).await), (401, 200), "a newer one");
    house.send(delete("/api/devices/door-1/capture-token").bearer(&admin)).await;
    assert_eq!(capture(second).await, 401);
    let third = token(&house.send(given()).await);
    house.send(post("/api/devices/door-1/revoke").bearer(&admin)).await;
    assert_eq!(capture(third.clone()).await, 401, "cut off with the door");
    let back = |tx: &store::Tx<'_>| device::add_cert(tx, &door(), "aa", NOW, NOW);
    house.app.db.write(back).await.unwrap();
    assert_eq!(capture(third).await, 401, "and not back with it");
}

#[tokio::test]
async fn an_admin_says_the_settings_of_a_door() {
    let house = House::new().await;
    let token = house.school().await;
    let put = async |settings: Value, version: i64| {
        let put = warp::test::request().method("PUT").path("/api/devices/door-1").bearer(&token);
        house.send(put.json(&json!({ "settings": settings, "version": version }))).await
    };
    let set = body(&put(json!({ "min_face": 60, "crops": false }), 1).await);
    let told = json!({ "min_face": 60, "frames": null, "hold_ms": null, "cooldown_ms": null,
        "crops": false });
    assert_eq!((&set["config"]["settings"], &set["version"]), (&told, &json!(2)));
    assert_eq!(set["classroom_id"], "Room 204", "it stays where it is");
    let odd = put(json!({ "frames": 31 }), 2).await;
    assert_eq!(odd.status(), 422);
    assert!(body(&odd).to_string().contains("from 1 to 30"), "{}", body(&odd));
    assert_eq!(put(json!({ "crops": true }), 1).await.status(), 409, "somebody was first");
    let file = body(&put(json!({}), 2).await);
    assert_eq!(file["config"]["settings"]["min_face"], json!(null), "as its file says");
}

#[tokio::test]
async fn a_door_says_what_it_runs_and_how_it_is() {
    let house = House::new().await;
    let token = house.school().await;
    let shown = |answer: &Answer| body(answer)["health"].clone();
    let show = || get("/api/devices/door-1").bearer(&token);
    assert_eq!(shown(&house.send(show()).await), json!(null));
    let write = |tx: &store::Tx<'_>| {
        let sql = "insert into health (device, epoch, seq, boot, since, until, at, watched_ms,
                 camera, disk_free_mb) values ('door-1', x'01', 1, 1, 0, 60000, $1, 45000,
                 'blind', 900)";
        tx.execute(sql, [NOW.0])
    };
    house.app.db.write(write).await.unwrap();
    let answer = body(&house.send(show()).await);
    assert_eq!(answer["health"]["watched_percent"], 75.0);
    assert_eq!(answer["health"]["camera"], "blind");
    assert_eq!(answer["config"]["classroom_id"], "Room 204");
    assert_eq!((&answer["online"], &answer["status"]), (&json!(false), &json!("inactive")));
    let listed = house.send(get("/api/devices?limit=1").bearer(&token)).await;
    assert_eq!(body(&listed)[0]["id"], "door-1");
    assert_eq!(listed.headers()["link"], "<?limit=1&after=door-1>; rel=\"next\"");
}

async fn releases(house: &House, token: &str) -> Value {
    body(&house.send(get("/api/gallery/releases").bearer(token)).await)[0].clone()
}

async fn enrol(house: &House, token: &str, number: &str, name: &str) {
    let person = json!({ "student_number": number, "full_name": name });
    house.send(post("/api/students").bearer(token).json(&person)).await;
    let fields = [("student_id", number), ("consent_by", "themselves")];
    let photo = portrait(&format!("{}.jpg", name.to_lowercase()));
    let photo = parts("/api/enrollment", token, &fields, ("file", &photo));
    assert_eq!(house.send(photo).await.status(), 201);
}

#[tokio::test]
async fn a_gallery_goes_out_and_back_and_never_brings_back_who_withdrew() {
    let house = House::new().await;
    let token = house.school().await;
    let push = || post("/api/gallery/push").bearer(&token);
    let first = body(&house.send(push()).await)[0].clone();
    assert_eq!((&first["people"], &first["state"]), (&json!(1), &json!("released")));
    assert_eq!(first["behind"], true);
    enrol(&house, &token, "STU2", "Biden").await;
    let second = body(&house.send(push()).await)[0].clone();
    assert_eq!(second["people"], 2);
    let back = |what: Value| post("/api/gallery/rollback").bearer(&token).json(&what);
    let to = json!({ "device_id": "door-1", "version": first["version"] });
    let third = body(&house.send(back(to)).await)[0].clone();
    assert_eq!((&third["people"], &third["held"]), (&json!(1), &json!(true)));
    assert!(third["version"].as_u64() > second["version"].as_u64(), "a new release");
    house.app.galleries().follow().await.unwrap();
    assert_eq!(releases(&house, &token).await["people"], 1, "until the next push");
    let withdraw = |tx: &store::Tx<'_>| {
        let student = student::find(tx, "STU1")?.id;
        let said = consent::ConsentSaid { given: false, ..consent::ConsentSaid::yes("himself") };
        consent::add(tx, student, &said, "t", NOW)
    };
    house.app.db.write(withdraw).await.unwrap();
    let to = json!({ "device_id": "door-1", "version": second["version"] });
    let fourth = body(&house.send(back(to)).await)[0].clone();
    assert_eq!(fourth["people"], 1, "of the two, one withdrew");
    let all = body(&house.send(push()).await)[0].clone();
    assert_eq!((&all["people"], &all["held"]), (&json!(1), &json!(false)));
    let path = "/api/gallery/releases?device_id=door-1&limit=2";
    let history = house.send(get(path).bearer(&token)).await;
    assert_eq!(body(&history).as_array().unwrap().len(), 2);
    for (wrong, status) in [
        (json!({ "device_id": "door-1", "version": 99 }), 404),
        (json!({ "device_id": "door-9" }), 404),
        (json!({ "version": 1 }), 422),
    ] {
        assert_eq!(house.send(back(wrong.clone())).await.status(), status, "{wrong}");
    }
}

#[tokio::test]
async fn how_far_a_door_is_with_its_gallery_is_said() {
    let house = House::new().await;
    let token = house.school().await;
    house.send(post("/api/gallery/push").bearer(&token)).await;
    let version = releases(&house, &token).await["version"].as_u64().unwrap();
    let fetched = move |tx: &store::Tx<'_>| store::release::fetched(tx, &door(), version, NOW);
    house.app.db.write(fetched).await.unwrap();
    let of = releases(&house, &token).await;
    assert_eq!((&of["state"], &of["behind"]), (&json!("fetched"), &json!(true)));
    let model = house.app.gallery.model().clone();
    let reported =
        move |tx: &store::Tx<'_>| device::reported(tx, &door(), version, &model, "1", "", NOW);
    house.app.db.write(reported).await.unwrap();
    let of = releases(&house, &token).await;
    assert_eq!((&of["state"], &of["behind"]), (&json!("in_use"), &json!(false)));
}

#[tokio::test]
async fn a_push_is_answered_as_such_though_its_releases_are_made_later() {
    const IOERR_READ: i32 = 266;
    let (house, path) = House::in_file().await;
    house.school().await;
    let pushes = || {
        let sql = "select count(*) from audit where action = 'gallery-push'";
        house.app.db.read(move |tx| tx.row(sql, [], |row| row.get::<i64>(0)))
    };
    let mut later = 0;
    for after in 0.. {
        let before = (pushes().await.unwrap(), changes(&house).await);
        trouble::plan(&path, after, IOERR_READ, false);
        let done = house.app.doors().push("t".into(), NOW).await;
        let struck = trouble::mend(&path);
        let after_it = (pushes().await.unwrap(), changes(&house).await);
        let changed = after_it.0 != before.0;
        assert_eq!(done.is_ok(), changed, "{done:?} at {after}");
        assert_eq!(after_it.1 != before.1, changed, "the hub's rounds see it");
        later += u32::from(struck && changed);
        if !struck {
            break;
        }
    }
    assert!(later > 0, "no failure came after what was committed");
}

/// What the hub's rounds look at.
async fn changes(house: &House) -> store::change::ChangeCounts {
    house.app.db.read(store::change::read).await.unwrap()
}

#[tokio::test]
async fn the_newest_lines_of_a_log_are_read_by_admins_when_asked_for_and_for_five_minutes() {
    let house = House::new().await;
    let token = house.school().await;
    let read = || get("/api/devices/door-1/log").bearer(&token);
    let _place = house.app.online.enter(&door());
    assert!(body(&house.send(read()).await)["detail"].as_str().unwrap().contains("obody asked"));
    let log = json!({ "command": "log" });
    house.send(post("/api/devices/door-1/commands").bearer(&token).json(&log)).await;
    let line = TailLine { ago_ms: 2_000, level: TailLevel::Warn, text: "no <hub>".into() };
    let tail = Tail { missed: 4, lines: vec![line] };
    house.app.tails.show(&door(), tail, (NOW, house.app.clock.mono()));
    let said = body(&house.send(read()).await);
    assert_eq!((&said["missed"], &said["lines"][0]["level"]), (&json!(4), &json!("warn")));
    assert_eq!(said["lines"][0]["text"], "no <hub>");
    let page = house.page(&token, "/devices/door-1/log").await;
    assert!(page.contains("no &#60;hub&#62;") && page.contains("4 older lines"), "{page}");
    let reads = |tx: &store::Tx<'_>| {
        let sql = "select count(*) from audit where action = 'read-log'";
        tx.row(sql, [], |row| row.get::<i64>(0))
    };
    let reads = house.app.db.read(reads).await.unwrap().unwrap();
    assert_eq!(reads, 1, "a log and a person are written down once, by API and page");
    let teacher = house.token(Role::Teacher).await;
    let hidden = house.send(get("/api/devices/door-1/log").bearer(&teacher)).await;
    assert_eq!(hidden.status(), 403);
    house.clock.advance(acts::shelf::KEPT_MS);
    assert_eq!(house.send(read()).await.status(), 404);
}

#[tokio::test]
async fn what_a_door_runs_with_stands_beside_what_was_said_and_each_conflict_is_named() {
    let house = House::new().await;
    let token = house.school().await;
    let config = async || body(&house.send(get("/api/devices/door-1/config").bearer(&token)).await);
    assert_eq!(config().await["reported"], false);
    let put = warp::test::request().method("PUT").path("/api/devices/door-1").bearer(&token);
    let said = json!({ "settings": { "min_face": 60 }, "version": 1 });
    assert_eq!(house.send(put.json(&said)).await.status(), 200);
    let value = |key: &str, value: &str, origin| RunningValue {
        key: key.into(),
        value: value.into(),
        origin,
    };
    let line = Conflict {
        kind: ConflictKind::Line,
        key: "trigger.gpio.line".into(),
        asked: "25".into(),
        got: "line 25 is busy".into(),
    };
    let face = value("recognise.min_face", "40", Origin::File);
    house.app.boards.runs(&door(), Running { values: vec![face], conflicts: vec![line] });
    let now = config().await;
    let words: Vec<_> = (0..2).map(|n| now["conflicts"][n]["kind"].as_str().unwrap()).collect();
    assert_eq!(words, ["line", "pending"]);
    let row = json!({ "key": "recognise.min_face", "desired": "60", "running": "40",
        "origin": "file" });
    assert_eq!(now["settings"][0], row);
    let page = house.page(&token, "/devices/door-1").await;
    let plain = page.replace(['\u{2068}', '\u{2069}'], "");
    assert!(plain.contains("You said 60; it still runs with 40"), "{plain}");
    assert!(plain.contains("line 25 is busy"), "{plain}");
    let face = value("recognise.min_face", "60", Origin::Hub);
    house.app.boards.runs(&door(), Running { values: vec![face], conflicts: vec![] });
    assert_eq!(config().await["conflicts"], json!([]));
    assert!(house.page(&token, "/devices/door-1").await.contains("everything as it was said"));
}
