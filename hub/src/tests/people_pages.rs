//! The admin's pages about people, with the real networks.

use super::photos::group;
use super::{Answer, Carrying, House, body, get, parts, portrait, post};
use rules::auth::Role;
use serde_json::json;

pub(super) fn html(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.body()).replace(['\u{2068}', '\u{2069}'], "")
}

pub(super) fn place(answer: &Answer) -> String {
    assert_eq!(answer.status(), 303, "{}", html(answer));
    answer.headers()["location"].to_str().unwrap().to_owned()
}

impl House {
    pub(super) async fn page(&self, token: &str, path: &str) -> String {
        let answer = self.send(get(path).bearer(token)).await;
        assert_eq!(answer.status(), 200, "{path}: {}", html(&answer));
        html(&answer)
    }

    pub(super) async fn fill(&self, token: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let text = serde_urlencoded::to_string(fields).unwrap();
        let kind = "application/x-www-form-urlencoded";
        let form = post(path).bearer(token).header("content-type", kind);
        let form = form.header("sec-fetch-site", "same-origin");
        self.send(form.header("content-length", text.len()).body(text)).await
    }

    async fn rows(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        self.app.db.read(move |tx| tx.row(&sql, [], |row| row.get(0))).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_hint_says_how_good_a_frame_is_and_keeps_nothing() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let ask = |frame: &[u8]| parts("/api/enrollment/hint", &token, &[], ("file", frame));
    let good = body(&house.send(ask(&portrait("obama2.jpg"))).await);
    assert_eq!(
        (&good["ready"], &good["faces"], &good["reasons"]),
        (&json!(true), &json!(1), &json!([]))
    );
    assert_eq!(good["face"].as_array().unwrap().len(), 4);
    assert_eq!(house.send(ask(&portrait("obama2.jpg"))).await.status(), 429, "at once again");
    house.clock.advance(300);
    let two = body(&house.send(ask(&group(&["obama.jpg", "biden.jpg"]))).await);
    assert_eq!((&two["ready"], &two["reasons"]), (&json!(false), &json!(["several_faces"])));
    house.clock.advance(300);
    assert_eq!(house.send(ask(b"no picture")).await.status(), 422);
    let teacher = house.token(Role::Teacher).await;
    let frame = portrait("obama2.jpg");
    let asked = parts("/api/enrollment/hint", &teacher, &[], ("file", &frame));
    assert_eq!(house.send(asked).await.status(), 403);
    for table in ["enrolment", "sighting", "evidence"] {
        assert_eq!(house.rows(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn people_are_added_and_found_by_what_is_missing() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let empty = house.page(&token, "/people").await;
    assert!(
        empty.contains("Nobody is enrolled yet")
            && empty.contains("<details class=\"panel fold screen-only\" open>")
    );
    let fields = [("student_number", "S1"), ("full_name", "Ada Lovelace"), ("consent_by", "")];
    let no_photo = house.send(parts("/people", &token, &fields, ("file", b""))).await;
    let at = place(&no_photo);
    assert!(at.ends_with("?done=added"), "{at}");
    assert!(house.page(&token, &at).await.contains("Now enrol a photo"));
    let again = house.send(parts("/people", &token, &fields, ("file", b""))).await;
    assert_eq!(again.status(), 409);
    assert!(html(&again).contains("value=\"Ada Lovelace\""), "what was typed is there again");
    let fields = [("student_number", "S2"), ("full_name", "Joe Biden"), ("consent_by", "himself")];
    let known =
        house.send(parts("/people", &token, &fields, ("file", &portrait("biden.jpg")))).await;
    assert_eq!(known.status(), 201, "{}", html(&known));
    assert!(html(&known).contains("The doors know 1 of 2 people"));
    let new = house.page(&token, "/people?state=new").await;
    assert!(new.contains("Ada Lovelace") && !new.contains("Joe Biden"));
    let found = house.page(&token, "/people?q=bid&state=known").await;
    assert!(found.contains("Joe Biden") && !found.contains("Ada Lovelace"));
    let nobody = house.page(&token, "/people?q=zzz").await;
    assert!(nobody.contains("Nobody is like that") && nobody.contains("Show everybody"));
}

#[tokio::test]
async fn a_list_of_a_class_lists_the_class_or_says_that_there_is_none() {
    let house = House::new().await;
    let token = house.album_class().await;
    let stranger = json!({ "student_number": "STU3", "full_name": "Grace Hopper" });
    house.send(post("/api/students").bearer(&token).json(&stranger)).await;
    let listed = house.page(&token, "/people?class=7B").await;
    assert!(listed.contains("Joe Biden") && !listed.contains("Grace Hopper"), "{listed}");
    assert!(listed.contains("selected>7b"), "{listed}");
    for (path, status) in [("/people?class=7X", 404), ("/people?state=gone", 422)] {
        let answer = house.send(get(path).bearer(&token)).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(!html(&answer).contains("Joe Biden"), "{path}");
    }
}

#[tokio::test]
async fn a_form_whose_version_cannot_be_read_changes_nothing() {
    let house = House::new().await;
    let token = house.album_class().await;
    let room = json!({ "name": "Cellar" });
    house.send(post("/api/rooms").bearer(&token).json(&room)).await;
    let record = house.pending(&token).await;
    let user = house.admin().await.id;
    for (path, fields) in [
        ("/people/STU1".to_owned(), vec![("first_name", "Barry")]),
        ("/devices/door-1".to_owned(), vec![("classroom_id", "9")]),
        ("/devices/door-1/settings".to_owned(), vec![("frames", "3")]),
        ("/class/7B".to_owned(), vec![("class_name", "Other")]),
        ("/settings/rooms/Cellar".to_owned(), vec![("location", "below")]),
        ("/settings/rooms/Cellar".to_owned(), vec![("remove", "1")]),
        (format!("/review/{record}"), vec![("decision", "approve")]),
        (
            format!("/settings/users/{user}"),
            vec![("part", "profile"), ("full_name", "X"), ("role", "admin")],
        ),
    ] {
        for version in ["", "1; drop", "99999999999999999999"] {
            let fields = [fields.as_slice(), &[("version", version)]].concat();
            let answer = house.fill(&token, &path, &fields).await;
            assert_eq!(answer.status(), 422, "{path} {version}: {}", html(&answer));
            assert!(html(&answer).contains("load the page again"), "{path}: {}", html(&answer));
        }
    }
}

#[tokio::test]
async fn a_person_is_changed_agreed_entered_and_turned_off_by_forms() {
    let house = House::new().await;
    let token = house.album_class().await;
    let page = house.send(get("/people/STU1").bearer(&token)).await;
    assert!(page.headers()["permissions-policy"].to_str().unwrap().starts_with("camera=(self)"));
    let page = html(&page);
    assert!(
        page.contains("7b") && page.contains("consent given") && page.contains("known"),
        "{page}"
    );
    let other = house.send(get("/people").bearer(&token)).await;
    assert!(other.headers()["permissions-policy"].to_str().unwrap().starts_with("camera=()"));
    let typed = [("first_name", "Barry"), ("version", "1"), ("department", "Law")];
    let changed = place(&house.fill(&token, "/people/STU1", &typed).await);
    assert!(house.page(&token, &changed).await.contains("Barry"));
    let late = house.fill(&token, "/people/STU1", &typed).await;
    assert_eq!(late.status(), 409, "somebody else read the version before");
    assert!(html(&late).contains("changed meanwhile"));
    let leave = [("class", "7B"), ("act", "leave")];
    let left = place(&house.fill(&token, "/people/STU1/classes", &leave).await);
    assert!(house.page(&token, &left).await.contains("In no class yet"));
    place(&house.fill(&token, "/people/STU1/classes", &[("class", "7B"), ("act", "enter")]).await);
    place(&house.fill(&token, "/people/STU1/active", &[("active", "no")]).await);
    assert!(house.page(&token, "/people?state=left").await.contains("Barry"));
    place(&house.fill(&token, "/people/STU1/active", &[("active", "yes")]).await);
    let nobody = house.fill(&token, "/people/STU1/consent", &[("given", "no"), ("by", " ")]).await;
    assert_eq!(nobody.status(), 422);
    let no = [("given", "no"), ("by", "his mother")];
    let gone = place(&house.fill(&token, "/people/STU1/consent", &no).await);
    let page = house.page(&token, &gone).await;
    assert!(page.contains("his mother") && page.contains("None yet"), "templates are gone: {page}");
    assert_eq!(house.rows("enrolment").await, 1, "the other one’s stays");
}

#[tokio::test]
async fn a_look_alike_is_shown_with_both_faces_and_a_photo_can_be_taken_back() {
    let house = House::new().await;
    let token = house.school().await;
    let twin = json!({ "student_number": "STU2", "full_name": "Barry Twin" });
    house.send(post("/api/students").bearer(&token).json(&twin)).await;
    let consent = ("consent_by", "himself");
    let photo = portrait("obama.jpg");
    let send = |fields: &[(&str, &str)]| {
        parts("/people/STU2/photo", &token, fields, ("file", &photo)).header("hx-request", "true")
    };
    let taken = html(&house.send(send(&[consent])).await);
    assert!(
        taken.starts_with("\n<li class=\"look bad\">") && taken.contains("data-twin"),
        "{taken}"
    );
    assert!(taken.contains("Barack Obama") && taken.contains(">B\u{200c}O</span>"), "{taken}");
    assert_eq!(house.rows("enrolment").await, 1);
    let both = [consent, ("another_person", "true"), ("source", "webcam")];
    let kept = html(&house.send(send(&both)).await);
    assert!(
        kept.contains("<li class=\"look\">") && kept.contains("both will always go to review"),
        "{kept}"
    );
    let page = house.page(&token, "/people/STU2").await;
    assert!(page.contains("Camera"), "{page}");
    let row = kept.split("/people/enrolments/").nth(1).unwrap().split('"').next().unwrap();
    let back = house.fill(&token, &format!("/people/enrolments/{row}"), &[("act", "off")]).await;
    assert!(place(&back).ends_with("?done=off"));
    let back = house.fill(&token, &format!("/people/enrolments/{row}"), &[("act", "delete")]).await;
    assert!(house.page(&token, &place(&back)).await.contains("None yet"));
    let plain = parts("/people/STU2/photo", &token, &[consent], ("file", b"no picture"));
    let plain = house.send(plain).await;
    assert_eq!(plain.status(), 422);
    assert!(html(&plain).contains("</html>") && html(&plain).contains("class=\"look bad\""));
}

#[tokio::test]
async fn erasing_asks_for_the_number_and_shows_which_doors_have_forgotten() {
    let house = House::new().await;
    let token = house.school().await;
    let ask = house.page(&token, "/people/STU1/erase").await;
    assert!(ask.contains("Type the number STU1 to erase"), "{ask}");
    let wrong = house.fill(&token, "/people/STU1/erase", &[("number", "STU2")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(html(&wrong).contains("nothing was erased"));
    assert_eq!(house.rows("student").await, 1);
    let at = place(&house.fill(&token, "/people/STU1/erase", &[("number", " STU1 ")]).await);
    assert_eq!(house.rows("student").await, 0);
    let shown = house.page(&token, &at).await;
    assert!(shown.contains("The key is destroyed"), "{shown}");
    let piece = house.send(get(&at).bearer(&token).header("hx-request", "true")).await;
    let piece = html(&piece);
    assert!(!piece.contains("<html") && !piece.contains("people-"), "{piece}");
    assert!(piece.contains("Download the certificate"));
    assert_eq!(house.send(get("/people/STU1").bearer(&token)).await.status(), 404);
}

#[tokio::test]
async fn a_table_is_brought_as_a_job_told_row_by_row_and_forgets_whom_is_erased() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    assert!(house.page(&token, "/people/bring").await.contains("Nothing was brought"));
    let table = "student_id,first_name,last_name\nN1,Ali,Rezaei\nN2,=Zoë,O'Neill\nN1,Twice,Same\n";
    let send =
        || parts("/people/bring/table", &token, &[("class", "")], ("file", table.as_bytes()));
    let at = place(&house.send(send()).await);
    let id = at.rsplit('/').next().unwrap().parse().unwrap();
    let find = |tx: &store::Tx<'_>| store::account::by_email(tx, "admin@school.test");
    let admin = house.app.db.read(find).await.unwrap().unwrap().0.id;
    house.app.jobs.ended(id, admin).await.unwrap();
    let page = house.page(&token, &at).await;
    assert!(page.contains("added: 2") && page.contains("skipped: 1"), "{page}");
    assert!(
        page.contains("3 of 3") && page.contains("an earlier row has the same number"),
        "{page}"
    );
    let csv = house.page(&token, &format!("{at}/rows.csv")).await;
    assert!(csv.contains("'=Zoë O'Neill") || csv.contains("\"'=Zoë O'Neill\""), "{csv}");
    place(&house.fill(&token, "/people/N2/erase", &[("number", "N2")]).await);
    let csv = house.page(&token, &format!("{at}/rows.csv")).await;
    assert!(!csv.contains("Zoë") && !csv.contains("N2"), "{csv}");
    let odd = parts("/people/bring/photos", &token, &[], ("file", b"no archive"));
    let odd = house.send(odd).await;
    assert_eq!(odd.status(), 422);
    assert!(html(&odd).contains("role=\"alert\""));
    let cancelled = house.fill(&token, &format!("{at}/cancel"), &[]).await;
    assert_eq!(place(&cancelled), at, "what has ended stays as it is");
}

#[tokio::test]
async fn stored_text_does_no_harm_on_any_page_about_people() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let name = "<script>alert(1)</script> \u{202e}\"'><img src=x onerror=alert(2)> 😀";
    let bad = json!({ "student_number": "<b>1</b>", "first_name": name, "last_name": "x", "department": name });
    let made = body(&house.send(post("/api/students").bearer(&token).json(&bad)).await);
    let id = made["id"].as_str().unwrap();
    for path in ["/people".to_owned(), format!("/people/{id}"), format!("/people/{id}/erase")] {
        let page = house.page(&token, &path).await;
        let own = page.matches("<script src=\"/static/").count();
        assert_eq!(page.matches("<script").count(), own, "{path}");
        assert!(!page.contains("<img src=x") && !page.contains("<b>1</b>"), "{path}");
        for inline in [" style=", " onclick=", "javascript:", "<style"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
    }
}
