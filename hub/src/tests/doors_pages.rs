//! The pages of the doors.

use super::people_pages::{html, place};
use super::{Carrying, House, NOW, get, post};
use rules::auth::Role;
use serde_json::json;
use store::{Tx, account, device};
use web::qr;
use wire::DeviceId;
use wire::link::{Command, Snap, Vitals};

fn door() -> DeviceId {
    "door-1".parse().unwrap()
}

/// As if the door had joined and were connected.
async fn connect(house: &House) {
    let write = |tx: &Tx<'_>| {
        device::add_cert(tx, &door(), "aa", NOW.plus_ms(90 * 24 * 3_600_000), NOW)?;
        device::connected(tx, &door(), true, (1, 1), NOW).map(drop)
    };
    house.app.db.write(write).await.unwrap();
}

async fn report(house: &House, camera: &'static str, disk: i64) {
    let write = move |tx: &Tx<'_>| {
        let sql = "insert into health (device, epoch, seq, boot, since, until, at, watched_ms,
             camera, disk_free_mb)
             select 'door-1', x'01', count(*) + 1, 1, 0, 60000 + count(*), $1 + count(*), 45000,
                 $2, $3 from health";
        tx.execute(sql, store::params![NOW.0, camera, disk])
    };
    house.app.db.write(write).await.unwrap();
}

#[tokio::test]
async fn a_new_door_is_shown_its_command_once_and_joins_by_it() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    assert!(house.page(&token, "/devices").await.contains("No door yet"));
    let typed = [("device_id", "door-1"), ("classroom_id", "Room <1>"), ("direction", "entry")];
    let added = house.fill(&token, "/devices", &typed).await;
    assert_eq!(added.status(), 201);
    let page = html(&added);
    let after = page.split_once("rollcall-edge join ").unwrap().1;
    let command = format!("rollcall-edge join {}", after.split_once('<').unwrap().0);
    let square = qr::svg(&command, "The join command as a square code").unwrap();
    assert!(page.contains(&square), "the square code says the very command");
    assert!(page.contains("doctor") && page.contains("Waiting for door-1"));
    let again = house.fill(&token, "/devices", &typed).await;
    assert_eq!(again.status(), 409);
    assert!(html(&again).contains("value=\"door-1\""), "what was typed is still there");
    let odd = house.fill(&token, "/devices", &[("device_id", "Door 1")]).await;
    assert_eq!(odd.status(), 422);
    let list = house.page(&token, "/devices").await;
    assert!(list.contains("Room &#60;1&#62;") && list.contains("not joined yet"), "{list}");
    let other = html(&house.fill(&token, "/devices/door-1/token", &[]).await);
    assert!(other.contains("rollcall-edge join ") && !other.contains(&command));
}

#[tokio::test]
async fn a_door_says_how_it_is_and_what_to_do() {
    let house = House::new().await;
    let token = house.school().await;
    let page = || house.page(&token, "/devices/door-1");
    assert!(page().await.contains("Make a join token below"));
    connect(&house).await;
    assert!(page().await.contains("camera not reported"));
    report(&house, "watching", 5_000).await;
    let now = page().await;
    assert!(now.contains("75 %") && now.contains("5000 MiB"), "{now}");
    assert!(now.contains("renewed by itself"));
    report(&house, "blind", 100).await;
    let now = page().await;
    assert!(now.contains("camera’s cable") && now.contains("disk nearly full"), "{now}");
    assert!(now.contains("camera gave no picture any more"), "its past says when");
    let list = house.page(&token, "/devices").await;
    assert!(list.contains("</svg>blind") && list.contains("2 more faults"), "{list}");
}

/// Two hundred and fifty doors, five to a room: every second is offline.
async fn fleet(house: &House) {
    let add = |tx: &Tx<'_>| {
        (0..250_u32).try_for_each(|n| {
            let id: DeviceId = format!("d{n:03}").parse().unwrap();
            let (room, direction) = (format!("R{:02}", n / 5), wire::Direction::Both);
            let location = if n == 77 { "Behind the Stage".into() } else { String::new() };
            device::add(tx, &id, &device::DevicePlace { room, location, direction }, "t", NOW)?;
            device::connected(tx, &id, n % 2 == 0, (1, 1), NOW).map(drop)
        })
    };
    house.app.db.write(add).await.unwrap();
}

#[tokio::test]
async fn of_many_doors_the_list_counts_how_they_are_and_shows_those_that_were_asked_for() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    fleet(&house).await;
    let hot = Vitals { celsius: Some(85), ..Vitals::default() };
    house.app.boards.say(&"d010".parse().unwrap(), hot, house.app.clock.mono());
    let listed = async |path: &str| {
        let page = house.page(&token, path).await;
        let links = page.split("class=\"who-link\" href=\"/devices/").skip(1);
        let names: Vec<_> = links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        (names, page)
    };
    let (first, page) = listed("/devices").await;
    assert_eq!(first.len(), 100);
    assert!(
        page.contains("href=\"/devices?state=offline#list\">") && page.contains("offline 125"),
        "{page}"
    );
    assert!(page.contains("too hot 1<") && !page.contains("?state=blind"));
    let (offline, page) = listed("/devices?state=offline").await;
    assert!(offline.iter().all(|name| name[1..].parse::<u32>().unwrap() % 2 == 1));
    assert!(page.contains("125 doors found") && page.contains("aria-current=\"true\""));
    let (rest, page) = listed("/devices?state=offline&room=R39&after=d199").await;
    assert_eq!((rest.len(), rest[0].as_str()), (25, "d201"), "the second page goes on");
    assert!(!page.contains("Show the next ones"));
    assert_eq!(listed("/devices?state=hot").await.0, ["d010"]);
    assert_eq!(listed("/devices?at=R07&state=offline").await.0, ["d035", "d037", "d039"]);
    assert_eq!(listed("/devices?q=behind+the+STAGE").await.0, ["d077"]);
    let (none, page) = listed("/devices?q=nowhere").await;
    assert!(none.is_empty() && page.contains("No door is as you asked"), "{page}");
}

#[tokio::test]
async fn programs_ask_for_doors_by_state_room_and_text_and_page_by_page() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    fleet(&house).await;
    let get = async |path: &str| house.send(get(path).bearer(&token)).await;
    let names = |answer: &super::Answer| {
        let all = super::body(answer);
        let all = all.as_array().unwrap().iter();
        all.map(|door| door["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let page = get("/api/devices?state=offline&limit=2").await;
    assert_eq!(names(&page), ["d001", "d003"]);
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    assert!(link.contains("state=offline") && link.contains("after=d003"), "{link}");
    assert_eq!(super::body(&page)[0]["states"], json!(["offline"]));
    assert_eq!(names(&get("/api/devices?classroom_id=R07&state=quiet").await), ["d036", "d038"]);
    assert_eq!(names(&get("/api/devices?q=stage").await), ["d077"]);
    assert_eq!(names(&get("/api/devices?state=unheard-of").await), [""; 0]);
}

#[tokio::test]
async fn whoever_moves_a_door_second_is_told_who_was_first_and_what_it_says_now() {
    let house = House::new().await;
    let token = house.school().await;
    let put = |room: &'static str| {
        let fields = [("classroom_id", room), ("direction", "exit"), ("version", "1")];
        let (house, token) = (&house, &token);
        async move { house.fill(token, "/devices/door-1", &fields).await }
    };
    assert_eq!(place(&put("205").await), "/devices/door-1?done=doors-done-place");
    let late = put("206").await;
    assert_eq!(late.status(), 409);
    let name = |tx: &Tx<'_>| {
        let id =
            tx.row("select id from user_account where role = 'admin'", [], |row| row.get(0))?;
        account::name(tx, &id.unwrap_or(String::new()))
    };
    let name = house.app.db.read(name).await.unwrap().unwrap();
    let said = html(&late);
    assert!(said.contains(&format!("{name} changed this door meanwhile")), "{said}");
    assert!(said.contains("room 205, place –, going out"), "{said}");
    let odd = [("classroom_id", "205"), ("direction", "sideways"), ("version", "2")];
    assert_eq!(house.fill(&token, "/devices/door-1", &odd).await.status(), 422);
}

#[tokio::test]
async fn settings_are_typed_and_what_is_left_empty_is_as_the_doors_file_says() {
    let house = House::new().await;
    let token = house.school().await;
    let fill = async |face: &'static str, version: &'static str| {
        let fields = [("min_face", face), ("frames", ""), ("crops", "no"), ("version", version)];
        house.fill(&token, "/devices/door-1/settings", &fields).await
    };
    assert_eq!(place(&fill("80", "1").await), "/devices/door-1?done=doors-done-settings");
    let page = house.page(&token, "/devices/door-1?done=doors-done-settings").await;
    assert!(page.contains(r#"max="150" value="80""#) && page.contains("starts again"), "{page}");
    assert!(page.contains(r#"<option value="no" selected>"#) && page.contains("settings changed"));
    let few = fill("2", "2").await;
    assert_eq!(few.status(), 422);
    assert!(html(&few).contains("from 20 to 150"), "{}", html(&few));
    assert_eq!(fill("many", "2").await.status(), 422);
}

#[tokio::test]
async fn cutting_off_asks_first_and_says_what_follows() {
    let house = House::new().await;
    let token = house.school().await;
    connect(&house).await;
    let asked = house.page(&token, "/devices/door-1/revoke").await;
    assert!(asked.contains("Cut door-1 off?") && asked.contains("within a second"));
    let is_active = async || {
        let read = |tx: &Tx<'_>| Ok(device::get(tx, &door())?.unwrap().is_active);
        house.app.db.read(read).await.unwrap()
    };
    assert!(is_active().await, "nothing was done by asking");
    let done = house.fill(&token, "/devices/door-1/revoke", &[]).await;
    assert_eq!(place(&done), "/devices/door-1?done=doors-done-revoke");
    assert!(!is_active().await);
    let page = house.page(&token, "/devices/door-1").await;
    assert!(page.contains("cut off") && !page.contains("/revoke\""));
}

#[tokio::test]
async fn a_picture_is_asked_for_by_a_button_and_the_page_says_where_it_is() {
    let house = House::new().await;
    let token = house.school().await;
    let page = || house.page(&token, "/devices/door-1");
    let ask = || house.fill(&token, "/devices/door-1/commands", &[("command", "snap")]);
    assert!(!page().await.contains("/snap\""), "there is nothing to look at");
    let offline = ask().await;
    assert_eq!(offline.status(), 409);
    assert!(html(&offline).contains("cannot be told anything"));
    let mut gate = house.app.online.enter(&door());
    assert_eq!(place(&ask().await), "/devices/door-1?done=doors-done-snap");
    assert_eq!(gate.commands.try_recv(), Ok(Command::Snap));
    assert!(page().await.contains("on its way"));
    let now = || house.app.clock.mono();
    house.app.snaps.show(&door(), Snap::Trouble("the camera <is> dark".into()), now());
    assert!(page().await.contains("no picture: the camera &#60;is&#62; dark"));
    ask().await;
    house.clock.advance(60_000);
    assert!(page().await.contains("did not answer within a minute"));
    for (word, command) in [("restart", Command::Restart), ("reload", Command::Reload)] {
        gate = house.app.online.enter(&door());
        house.fill(&token, "/devices/door-1/commands", &[("command", word)]).await;
        assert_eq!(gate.commands.try_recv(), Ok(command));
    }
    let odd = house.fill(&token, "/devices/door-1/commands", &[("command", "explode")]).await;
    assert_eq!(odd.status(), 422);
}

#[tokio::test]
async fn how_the_board_is_stands_on_its_page_and_what_is_wrong_with_it_among_what_needs_care() {
    let house = House::new().await;
    let token = house.school().await;
    connect(&house).await;
    report(&house, "watching", 9_000).await;
    let page = || house.page(&token, "/devices/door-1");
    let say = |vitals| house.app.boards.say(&door(), vitals, house.app.clock.mono());
    assert!(!page().await.contains("°C"), "it has not said");
    say(Vitals { celsius: Some(54), memory_free_mb: Some(900), ..Vitals::default() });
    let cool = page().await;
    assert!(cool.contains("54 °C") && cool.contains("900 MiB") && !cool.contains("too hot"));
    say(Vitals { celsius: Some(84), sagged: Some(true), ..Vitals::default() });
    let ill = page().await;
    assert!(ill.contains("too hot") && ill.contains("supply too weak"), "{ill}");
    let api = super::body(&house.send(get("/api/devices/door-1").bearer(&token)).await);
    assert_eq!(
        api["board"],
        json!({ "celsius": 84, "sagged": true, "slowed": null,
        "memory_free_mb": null, "up_seconds": null })
    );
    let care = house.page(&token, "/care").await;
    assert!(care.contains("too hot") && care.contains("door-1"), "{care}");
    house.clock.advance(3 * 60_000);
    assert!(!page().await.contains("too hot"), "what was said long ago says nothing about now");
}

#[tokio::test]
async fn the_file_for_a_card_names_the_hub_and_a_token_that_ends_the_one_before() {
    let house = House::new().await;
    let token = house.school().await;
    let shown = html(&house.fill(&token, "/devices/door-1/token", &[]).await);
    let told = shown.split_once("rollcall-edge join ").unwrap().1;
    let old = told.split(['<', ' ']).nth(1).unwrap().to_owned();
    let file = house.fill(&token, "/devices/door-1/invitation", &[]).await;
    let named = &file.headers()["content-disposition"];
    assert_eq!(named, "attachment; filename=\"rollcall-door.toml\"");
    let text = html(&file);
    let invitation: wire::Invitation = toml::from_str(&text).unwrap();
    assert!(invitation.hub.starts_with("https://") && text.contains("the door “door-1”"), "{text}");
    let at = |ms| NOW.plus_ms(ms);
    let use_it = |token: String, at| {
        let work = move |tx: &Tx<'_>| {
            let (secret, _) = device::split_token(&token)?;
            device::use_token(tx, secret, at)
        };
        house.app.db.write(work)
    };
    assert_eq!(use_it(old, at(0)).await.unwrap(), None, "the command before it");
    let week = at(device::INVITATION_MS);
    assert_eq!(use_it(invitation.token.clone(), week).await.unwrap(), None, "a week later");
    assert_eq!(use_it(invitation.token, week.plus_ms(-1)).await.unwrap(), Some(door()));
    let api = post("/api/devices/door-1/invitation").bearer(&token);
    let said = super::body(&house.send(api).await);
    assert_eq!(said["file"], "rollcall-door.toml");
    assert!(said["text"].as_str().unwrap().contains("token = "));
}

#[tokio::test]
async fn the_gallery_goes_out_and_back_by_buttons() {
    let house = House::new().await;
    let token = house.school().await;
    let sent = house.fill(&token, "/gallery/push", &[]).await;
    assert_eq!(place(&sent), "/devices?done=doors-done-push");
    let list = house.page(&token, "/devices").await;
    assert!(list.contains("0 of one door uses the newest gallery"), "{list}");
    assert!(list.contains("not connected: gets it when it is"));
    let stuck = house.fill(&token, "/gallery/back", &[]).await;
    assert_eq!(stuck.status(), 409, "there is no earlier one: {}", html(&stuck));
    let add = post("/api/students").bearer(&token);
    house.send(add.json(&json!({ "student_number": "STU2", "full_name": "B" }))).await;
    let gone = |tx: &Tx<'_>| {
        tx.execute("update enrolment set is_active = 0", [])?;
        store::change::bump(tx, store::change::GALLERY)
    };
    house.app.db.write(gone).await.unwrap();
    house.fill(&token, "/gallery/push", &[]).await;
    let page = house.page(&token, "/devices/door-1").await;
    assert!(page.contains("Go back to gallery 1"), "{page}");
    let back = house.fill(&token, "/devices/door-1/gallery", &[("version", "1")]).await;
    assert_eq!(place(&back), "/devices/door-1?done=doors-done-one-back");
    assert!(house.page(&token, "/devices/door-1").await.contains("This door was taken back"));
    assert!(house.page(&token, "/devices").await.contains("One door was taken back"));
    let none = house.fill(&token, "/devices/door-1/gallery", &[("version", "99")]).await;
    assert_eq!(none.status(), 422);
}

#[tokio::test]
async fn doors_pages_are_for_admins_only() {
    let house = House::new().await;
    let admin = house.school().await;
    let teacher = house.token(Role::Teacher).await;
    for path in ["/devices", "/devices/door-1", "/devices/door-1/revoke"] {
        assert_eq!(house.send(get(path).bearer(&teacher)).await.status(), 403, "{path}");
        assert_eq!(house.send(get(path).bearer(&admin)).await.status(), 200, "{path}");
    }
    for path in ["/devices/door-9", "/devices/door-9/revoke", "/devices/Not%20a%20door"] {
        assert_eq!(house.send(get(path).bearer(&admin)).await.status(), 404, "{path}");
    }
}
