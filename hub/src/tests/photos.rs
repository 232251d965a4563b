//! Photos of whole classes, with the real networks: from the upload to the marks.

use super::{Answer, Carrying, House, body, get, parts, portrait, post};
use crate::models::{ModelImport, import};
use acts::album::KEPT_MS;
use config::Vars;
use rules::auth::Role;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use store::{mark, student};
use uuid::Uuid;
use vision::{Limits, Picture};

/// One picture with these portraits beneath each other.
pub(super) fn group(names: &[&str]) -> Vec<u8> {
    let open = |name: &&str| {
        let picture = vision::decode(&portrait(name), &Limits::default()).unwrap();
        picture.resized(picture.width * 400 / picture.height, 400)
    };
    let pictures: Vec<Picture> = names.iter().map(open).collect();
    let width = pictures.iter().map(|picture| picture.width).max().unwrap();
    let mut rgb = Vec::new();
    for picture in &pictures {
        for row in picture.rgb.chunks(picture.width as usize * 3) {
            rgb.extend_from_slice(row);
            rgb.resize(rgb.len() + (width - picture.width) as usize * 3, 128);
        }
    }
    Picture::new(width, 400 * pictures.len() as u32, rgb).unwrap().to_jpeg(92)
}

impl House {
    /// An admin's token; class 7B with Barack (STU1) and Joe (STU2), both enrolled.
    pub(super) async fn album_class(&self) -> String {
        let token = self.school().await;
        let person = json!({ "student_number": "STU2", "full_name": "Joe Biden" });
        self.send(post("/api/students").bearer(&token).json(&person)).await;
        let fields = [("student_id", "STU2"), ("consent_by", "himself")];
        let photo = parts("/api/enrollment", &token, &fields, ("file", &portrait("biden.jpg")));
        assert_eq!(self.send(photo).await.status(), 201);
        let class = json!({ "class_name": "7b", "class_code": "7B", "room": "Room 204" });
        assert_eq!(self.send(post("/api/classes").bearer(&token).json(&class)).await.status(), 201);
        self.enter_7b(&token, "STU1").await;
        self.enter_7b(&token, "STU2").await;
        token
    }

    async fn enter_7b(&self, token: &str, student: &str) {
        let enter = json!({ "students": [student] });
        let enter = post("/api/classes/7B/students").bearer(token).json(&enter);
        assert_eq!(self.send(enter).await.status(), 200);
    }

    async fn upload(&self, token: &str, picture: &[u8]) -> Answer {
        self.send(parts("/api/images", token, &[("class_id", "7B")], ("file", picture))).await
    }

    /// Does something to the end, and says what the job came to.
    async fn work(&self, token: &str, path: &str, say: Option<&Value>) -> Value {
        let ask = post(&format!("{path}?wait=true")).bearer(token);
        let ask = match say {
            Some(say) => ask.json(say),
            None => ask,
        };
        let answer = self.send(ask).await;
        let job = body(&answer);
        assert_eq!((answer.status().as_u16(), &job["state"]), (202, &json!("done")), "{job}");
        job["result"].clone()
    }

    /// A photo with these portraits, looked at: its address.
    async fn photo(&self, token: &str, names: &[&str]) -> String {
        let photo = body(&self.upload(token, &group(names)).await);
        let at = format!("/api/images/{}", photo["id"].as_str().unwrap());
        let looked = self.work(token, &format!("{at}/process-image"), None).await;
        assert_eq!(looked["faces"], names.len(), "{looked}");
        at
    }

    /// The crops of something, from the top of the photo to its foot.
    async fn crops(&self, token: &str, at: &str) -> Vec<Value> {
        let crops = body(&self.send(get(at).bearer(token)).await);
        let mut crops = crops.as_array().unwrap_or_else(|| panic!("{crops}")).clone();
        crops.sort_by_key(|crop| crop["box"]["y"].as_i64());
        crops
    }

    pub(super) async fn ask(&self, token: &str, path: &str, say: &Value) -> (u16, Value) {
        let answer = self.send(post(path).bearer(token).json(say)).await;
        (answer.status().as_u16(), body(&answer))
    }

    /// What the lesson says of a student.
    pub(super) async fn said(&self, session: &Value, number: &'static str) -> Option<&'static str> {
        let session: Uuid = session.as_str().unwrap().parse().unwrap();
        let read = move |tx: &store::Tx<'_>| mark::get(tx, session, student::find(tx, number)?.id);
        self.app.db.read(read).await.unwrap().map(|mark| mark.status.as_str())
    }
}

fn at(crop: &Value, end: &str) -> String {
    format!("/api/face-crops/{}{end}", crop["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_class_photo_is_cut_matched_confirmed_and_then_gone() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg", "biden.jpg"]).await;
    let crops = house.crops(&token, &format!("{photo}/face_crops")).await;
    let proposed: Vec<_> = crops.iter().map(|crop| &crop["proposed_student_id"]).collect();
    assert_eq!(proposed, ["STU1", "STU2"]);
    assert!(crops[0]["box"]["y"].as_i64().unwrap() < 400, "{crops:?}");
    assert_eq!(crops[0]["is_identified"], false, "a proposal is no decision");
    for file in [at(&crops[0], "/crop"), format!("{photo}/file")] {
        let file = house.send(get(&file).bearer(&token)).await;
        assert_eq!((file.status().as_u16(), &file.body()[..2]), (200, &b"\xff\xd8"[..]));
    }
    let again = house.work(&token, &format!("{photo}/process-image"), None).await;
    assert_eq!(again["proposed"], 2);
    assert_eq!(
        at(&house.crops(&token, &format!("{photo}/face_crops")).await[0], ""),
        at(&crops[0], "")
    );

    let confirm = format!("{photo}/confirm");
    let (status, done) = house.ask(&token, &confirm, &json!({ "accept_proposals": true })).await;
    assert_eq!((status, &done["present"]), (200, &json!(["STU1", "STU2"])), "{done}");
    assert_eq!(house.said(&done["session_id"], "STU1").await, Some("present"));
    let after = body(&house.send(get(&photo).bearer(&token)).await);
    assert_eq!((&after["state"], &after["kept"]), (&json!("confirmed"), &json!(false)));
    assert_eq!((&after["face_count"], &after["identified_count"]), (&json!(2), &json!(2)));
    for gone in [at(&crops[0], "/crop"), format!("{photo}/file")] {
        assert_eq!(house.send(get(&gone).bearer(&token)).await.status(), 404, "{gone}");
    }
    assert!(house.app.keys.photos(super::NOW.plus_ms(1)).unwrap().is_empty(), "and its key");
    assert_eq!(house.ask(&token, &confirm, &json!({})).await.0, 409);
    let unsay = house.send(post(&at(&crops[0], "/unidentify")).bearer(&token)).await;
    assert_eq!(unsay.status(), 409, "the marks of the lesson are to be corrected instead");
}

#[tokio::test]
async fn one_person_is_never_twice_on_one_photo() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama.jpg", "obama2.jpg"]).await;
    let crops = house.crops(&token, &format!("{photo}/face_crops")).await;
    let proposed: Vec<_> = crops.iter().map(|crop| &crop["proposed_student_id"]).collect();
    assert_eq!(proposed, [&json!("STU1"), &Value::Null], "the better face is his");
    let he = json!({ "student_id": "STU1" });
    assert_eq!(house.ask(&token, &at(&crops[0], "/assign"), &he).await.0, 200);
    let (status, said) = house.ask(&token, &at(&crops[1], "/assign"), &he).await;
    assert_eq!(status, 409, "{said}");
    let all = json!({ "auto_commit": true, "similarity_threshold": 0.1 });
    let sorted = house.work(&token, "/api/classes/7B/auto-assign-all-crops", Some(&all)).await;
    let names: Vec<_> =
        sorted["suggestions"].as_array().unwrap().iter().map(|s| &s["student_id"]).collect();
    assert!(!names.contains(&&json!("STU1")), "{sorted}");
}

#[tokio::test]
async fn what_a_person_says_of_a_face_is_a_mark_until_they_take_it_back() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg", "biden.jpg"]).await;
    let crops = house.crops(&token, &format!("{photo}/face_crops")).await;
    let assign = at(&crops[0], "/assign");
    let (status, named) = house.ask(&token, &assign, &json!({ "student_id": "STU1" })).await;
    assert_eq!((status, &named["assigned_as"]), (200, &json!("person")));
    let session = &named["session_id"];
    assert_eq!(house.said(session, "STU1").await, Some("present"));
    // It was Joe after all: one mark goes, the other comes.
    let (_, named) = house.ask(&token, &assign, &json!({ "student_id": "STU2" })).await;
    assert_eq!(named["student_name"], "Joe Biden");
    assert_eq!(house.said(session, "STU1").await, None);
    assert_eq!(house.said(session, "STU2").await, Some("present"));
    let back = body(&house.send(post(&at(&crops[0], "/unidentify")).bearer(&token)).await);
    assert_eq!((&back["student_id"], &back["assigned_as"]), (&Value::Null, &Value::Null));
    assert_eq!(house.said(session, "STU2").await, None);
    let stranger = house.ask(&token, &assign, &json!({ "student_id": "STU9" })).await;
    assert_eq!(stranger.0, 422, "{}", stranger.1);
}

#[tokio::test]
async fn a_face_is_found_again_on_another_photo_and_named_from_it() {
    let house = House::new().await;
    let token = house.album_class().await;
    let first = house.photo(&token, &["obama.jpg"]).await;
    let second = house.photo(&token, &["biden.jpg", "obama2.jpg"]).await;
    let one = house.crops(&token, &format!("{first}/face_crops")).await.remove(0);
    let two = house.crops(&token, &format!("{second}/face_crops")).await;
    let similar = get(&at(&one, "/similar-faces")).bearer(&token);
    let similar = body(&house.send(similar).await);
    assert_eq!((similar.as_array().unwrap().len(), &similar[0]["crop_id"]), (1, &two[1]["id"]));
    let from = at(&two[1], "/assign-from-candidate");
    let candidate = json!({ "candidate_crop_id": one["id"] });
    assert_eq!(house.ask(&token, &from, &candidate).await.0, 422, "nobody is known on it yet");
    house.ask(&token, &at(&one, "/assign"), &json!({ "student_id": "STU1" })).await;
    let (status, named) = house.ask(&token, &from, &candidate).await;
    assert_eq!((status, &named["student_id"]), (200, &json!("STU1")), "{named}");
    let embedded = house.send(post(&at(&one, "/generate-embedding")).bearer(&token)).await;
    assert_eq!(body(&embedded)["has_embedding"], true);
}

#[tokio::test]
async fn crops_of_a_class_are_clustered_suggested_and_put_to_people() {
    let house = House::new().await;
    let token = house.album_class().await;
    let (one, two) = (["obama.jpg", "biden.jpg"], ["biden.jpg", "obama2.jpg"]);
    for names in [one, two] {
        house.upload(&token, &group(&names)).await;
    }
    let done = house.work(&token, "/api/classes/7B/process-all-images", None).await;
    assert_eq!((&done["processed_images"], &done["face_crops"]), (&json!(2), &json!(4)), "{done}");
    let none = house.work(&token, "/api/classes/7B/process-all-images", None).await;
    assert_eq!(none["processed_images"], 0, "each is looked at once");
    let none = house.work(&token, "/api/classes/7B/generate-embeddings", None).await;
    assert_eq!(none["processed_images"], 0, "all of them have templates");

    let same = house.work(&token, "/api/classes/7B/cluster-crops", Some(&json!({}))).await;
    let sizes = same["clusters"].as_array().unwrap().iter();
    let sizes: Vec<_> = sizes.map(|c| c["crop_ids"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [2, 2], "{same}");
    let crops = house.crops(&token, "/api/classes/7B/face-crops").await;
    assert!(crops.iter().all(|crop| crop["cluster"].is_i64()), "{crops:?}");

    let ask = json!({ "k": 3 });
    let seen = house.work(&token, "/api/classes/7B/suggest-assignments", Some(&ask)).await;
    assert_eq!((&seen["crops"], &seen["assigned"]), (&json!(4), &json!(0)));
    assert_eq!(seen["suggestions"].as_array().unwrap().len(), 4, "{seen}");
    let read = get("/api/classes/7B/suggest-assignments?k=3").bearer(&token);
    let read = body(&house.send(read).await);
    let who = |all: &Value| -> Vec<(Value, Value)> {
        let all = all["suggestions"].as_array().unwrap().iter();
        all.map(|one| (one["crop_id"].clone(), one["student_id"].clone())).collect()
    };
    assert_eq!(who(&read), who(&seen), "and by reading, without a job");
    let odd = get("/api/classes/7B/suggest-assignments?k=0").bearer(&token);
    assert_eq!(house.send(odd).await.status(), 422);
    let ask = json!({ "auto_commit": true });
    let put = house.work(&token, "/api/classes/7B/auto-assign-all-crops", Some(&ask)).await;
    assert_eq!(put["assigned"], 4, "{put}");
    let crops = house.crops(&token, "/api/classes/7B/face-crops").await;
    assert!(crops.iter().all(|crop| crop["assigned_as"] == "machine"), "a person confirms later");
    assert!(crops.iter().all(|crop| crop["session_id"].is_null()), "nobody is marked yet");
    let joined = house
        .work(
            &token,
            "/api/classes/7B/cluster-crops",
            Some(&json!({
                "max_clusters": 2, "force_clustering": true, "similarity_threshold": 0.0
            })),
        )
        .await;
    for cluster in joined["clusters"].as_array().unwrap() {
        let known: Vec<_> = crops
            .iter()
            .filter(|crop| cluster["crop_ids"].as_array().unwrap().contains(&crop["id"]))
            .map(|crop| &crop["student_id"])
            .collect();
        assert!(known.windows(2).all(|two| two[0] == two[1]), "{joined}");
    }
}

/// A folder of models where `MobileFaceNet` of 128 numbers is in use, where its files are there.
#[expect(clippy::print_stdout, reason = "a test that finds no files says so")]
fn mobile() -> Option<tempfile::TempDir> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folders = ["../shared/models", "../../shared/models"].map(|folder| root.join(folder));
    let all = |folder: &PathBuf| {
        ["face_detection_yunet_2023mar.onnx", "mobilefacenet_128.onnx"]
            .map(|name| folder.join(name))
    };
    let files = folders.iter().map(all).find(|files| files.iter().all(|file| file.is_file()));
    let Some(files) = files else {
        println!("skipped: the files of ../shared/models are not there");
        return None;
    };
    let models = tempfile::tempdir().unwrap();
    let wish = ModelImport { files: &files, name: None, models: models.path() };
    let pack = import(&wish, &mut |_| {}).unwrap();
    std::fs::write(models.path().join(vision::pack::IN_USE), pack.name).unwrap();
    Some(models)
}

#[tokio::test]
async fn photos_are_sorted_by_the_lines_of_the_pack_that_runs() {
    let Some(models) = mobile() else { return };
    let house = House::on(models.path(), Vars::default()).await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg", "biden.jpg"]).await;
    house.photo(&token, &["biden.jpg", "obama.jpg"]).await;
    let crops = house.crops(&token, &format!("{photo}/face_crops")).await;
    let model = crops[0]["model_id"].as_str().unwrap();
    assert!(model.starts_with("mobilefacenet128-"), "{model}");
    let proposed: Vec<_> = crops.iter().map(|crop| &crop["proposed_student_id"]).collect();
    assert_eq!(proposed, ["STU1", "STU2"]);
    let same = house.work(&token, "/api/classes/7B/cluster-crops", Some(&json!({}))).await;
    let sizes = same["clusters"].as_array().unwrap().iter();
    let sizes: Vec<_> = sizes.map(|c| c["crop_ids"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [2, 2], "its cosines are far below the default pack's lines: {same}");
    let ask = Some(json!({}));
    let seen = house.work(&token, "/api/classes/7B/suggest-assignments", ask.as_ref()).await;
    let seen = seen["suggestions"].as_array().unwrap();
    assert_eq!(seen.len(), 4, "{seen:?}");
    let number = |value: &Value| value.as_f64().unwrap();
    for one in seen {
        let scale = vision::Scale::of(model);
        let wanted = f64::from(scale.confidence(number(&one["similarity"]) as f32));
        assert!((number(&one["confidence"]) - wanted).abs() < 1e-4 && wanted >= 0.6, "{one}");
    }
    let far = seen.iter().filter(|one| number(&one["similarity"]) < 0.9).count();
    assert!(far >= 1, "another photo of one person is nowhere near .94: {seen:?}");
    let picture = data_encoding::BASE64.encode(&group(&["obama2.jpg", "biden.jpg"]));
    let glance =
        json!({ "image": format!("data:image/jpeg;base64,{picture}"), "subject_id": "7B" });
    let (_, glance) = house.ask(&token, "/api/attendance/mark", &glance).await;
    for face in glance["faces"].as_array().unwrap() {
        assert!(number(&face["confidence"]) >= 0.7 && number(&face["distance"]) < 0.6, "{face}");
    }
}

#[tokio::test]
async fn the_tools_of_a_lesson_see_its_own_photos_only() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg"]).await;
    house.photo(&token, &["biden.jpg"]).await;
    let crop = house.crops(&token, &format!("{photo}/face_crops")).await.remove(0);
    let (_, named) =
        house.ask(&token, &at(&crop, "/assign"), &json!({ "student_id": "STU1" })).await;
    let lesson = format!("/api/sessions/{}", named["session_id"].as_str().unwrap());
    let crops = house.crops(&token, &format!("{lesson}/face-crops")).await;
    assert_eq!(crops.len(), 1);
    let clustered = house.work(&token, &format!("{lesson}/cluster-crops"), Some(&json!({}))).await;
    assert_eq!(
        (&clustered["crops"], &clustered["clusters"][0]["student_id"]),
        (&json!(1), &json!("STU1"))
    );
    for tool in ["suggest-assignments", "auto-assign-all-crops"] {
        let sorted = house.work(&token, &format!("{lesson}/{tool}"), Some(&json!({}))).await;
        assert_eq!(sorted["crops"], 0, "the only one is known");
    }
    house.work(&token, &format!("{lesson}/generate-embeddings"), None).await;
}

#[tokio::test]
async fn a_photo_stays_in_its_lesson_unless_it_is_taken_out_and_faces_are_of_all_that_is_named() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg"]).await;
    let lesson = json!({ "class_id": "7B", "start_time": "08:30", "end_time": "09:15" });
    let (_, lesson) = house.ask(&token, "/api/sessions", &lesson).await;
    let (id, other) = (&lesson["id"], json!({ "class_name": "7c", "class_code": "7C" }));
    house.ask(&token, "/api/classes", &other).await;
    for (said, session) in [
        (json!({ "session_id": id }), id),
        (json!({}), id),
        (json!({ "session_id": null }), &Value::Null),
        (json!({ "session_id": id }), id),
    ] {
        let (status, moved) = house.json(&token, "PATCH", &photo, &said).await;
        assert_eq!((status, &moved["session_id"]), (200, session), "{said}");
    }
    let image = photo.rsplit('/').next().unwrap();
    let lesson = id.as_str().unwrap();
    for (query, faces) in [
        (format!("image_id={image}&class_id=7B&session_id={lesson}"), 1),
        (format!("image_id={image}&class_id=7C"), 0),
        (format!("session_id={lesson}&class_id=7C"), 0),
    ] {
        let path = format!("/api/face-crops?{query}");
        assert_eq!(house.crops(&token, &path).await.len(), faces, "{query}");
    }
    house.json(&token, "PATCH", &photo, &json!({ "session_id": null })).await;
    let path = format!("/api/face-crops?image_id={image}&session_id={lesson}");
    assert_eq!(house.crops(&token, &path).await.len(), 0, "it is of no lesson now");
}

#[tokio::test]
async fn numbers_out_of_bounds_and_bad_pictures_are_refused_in_sentences() {
    let house = House::new().await;
    let token = house.album_class().await;
    for (tool, say) in [
        ("cluster-crops", json!({ "max_clusters": 1 })),
        ("cluster-crops", json!({ "max_clusters": 201 })),
        ("cluster-crops", json!({ "similarity_threshold": 1.5 })),
        ("auto-assign-all-crops", json!({ "k": 0 })),
        ("auto-assign-all-crops", json!({ "k": 51 })),
        ("suggest-assignments", json!({ "similarity_threshold": -0.1 })),
    ] {
        let (status, said) = house.ask(&token, &format!("/api/classes/7B/{tool}"), &say).await;
        assert_eq!(status, 422, "{tool} {say} {said}");
    }
    assert_eq!(house.upload(&token, b"I am not a picture").await.status(), 422);
    let face = portrait("obama.jpg");
    let homeless = parts("/api/images", &token, &[], ("image", &face));
    assert_eq!(house.send(homeless).await.status(), 422, "of no class");
    let foreign = parts("/api/images", &token, &[("class_id", "9Z")], ("image", &face));
    assert_eq!(house.send(foreign).await.status(), 404);
    let photo = body(&house.upload(&token, &face).await);
    let confirm = format!("/api/images/{}/confirm", photo["id"].as_str().unwrap());
    assert_eq!(house.ask(&token, &confirm, &json!({})).await.0, 422, "nobody looked yet");
}

#[tokio::test]
async fn another_teachers_photos_are_not_there() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg"]).await;
    let crop = house.crops(&token, &format!("{photo}/face_crops")).await.remove(0);
    let teacher = house.token(Role::Teacher).await;
    for path in [photo.clone(), format!("{photo}/file"), format!("{photo}/face_crops")]
        .into_iter()
        .chain(["", "/crop", "/similar-faces"].map(|end| at(&crop, end)))
        .chain(["/api/classes/7B/face-crops".to_owned()])
    {
        assert_eq!(house.send(get(&path).bearer(&teacher)).await.status(), 404, "{path}");
    }
    for path in ["/unidentify", "/generate-embedding"].map(|end| at(&crop, end)) {
        assert_eq!(house.send(post(&path).bearer(&teacher)).await.status(), 404, "{path}");
    }
    for (path, say) in [
        (at(&crop, "/assign"), json!({ "student_id": "STU1" })),
        (at(&crop, "/assign-from-candidate"), json!({ "candidate_crop_id": crop["id"] })),
        (format!("{photo}/confirm"), json!({})),
        ("/api/classes/7B/cluster-crops".into(), json!({})),
    ] {
        assert_eq!(house.ask(&teacher, &path, &say).await.0, 404, "{path}");
    }
    for list in ["/api/images", "/api/face-crops"] {
        assert_eq!(body(&house.send(get(list).bearer(&teacher)).await), json!([]), "{list}");
    }
    let delete = || warp::test::request().method("DELETE").path(&photo);
    assert_eq!(house.send(delete().bearer(&teacher)).await.status(), 404);
    assert_eq!(house.send(delete().bearer(&token)).await.status(), 204);
    assert_eq!(house.send(get(&at(&crop, "")).bearer(&token)).await.status(), 404);
}

#[tokio::test]
async fn a_photo_that_nobody_confirms_is_gone_after_seven_days() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = house.photo(&token, &["obama2.jpg"]).await;
    let album = house.app.album();
    let now = super::NOW;
    assert_eq!(album.expire(now.plus_ms(KEPT_MS)).await.unwrap(), 0);
    assert_eq!(album.expire(now.plus_ms(KEPT_MS + 1)).await.unwrap(), 1);
    let after = body(&house.send(get(&photo).bearer(&token)).await);
    assert_eq!((&after["state"], &after["kept"]), (&json!("expired"), &json!(false)));
    assert!(house.app.keys.photos(now.plus_ms(1)).unwrap().is_empty());
    let look = format!("{photo}/process-image");
    assert_eq!(house.send(post(&look).bearer(&token)).await.status(), 409);
}

#[tokio::test]
async fn the_template_of_somebody_who_did_not_consent_is_not_kept() {
    let house = House::new().await;
    let token = house.album_class().await;
    let person = json!({ "student_number": "STU3", "full_name": "Somebody Else" });
    house.send(post("/api/students").bearer(&token).json(&person)).await;
    house.enter_7b(&token, "STU3").await;
    let photo = house.photo(&token, &["obama2.jpg"]).await;
    let crop = house.crops(&token, &format!("{photo}/face_crops")).await.remove(0);
    let third = json!({ "student_id": "STU3" });
    let (status, named) = house.ask(&token, &at(&crop, "/assign"), &third).await;
    assert_eq!((status, &named["has_embedding"]), (200, &json!(false)), "{named}");
    let renewed = house.send(post(&at(&crop, "/generate-embedding")).bearer(&token)).await;
    assert_eq!(body(&renewed)["has_embedding"], false, "and does not come back");
}

#[tokio::test]
async fn a_job_is_followed_and_belongs_to_who_started_it() {
    let house = House::new().await;
    let token = house.album_class().await;
    let photo = body(&house.upload(&token, &portrait("obama.jpg")).await);
    let look = format!("/api/images/{}/process-image", photo["id"].as_str().unwrap());
    let answer = house.send(post(&look).bearer(&token)).await;
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!((answer.status().as_u16(), &body(&answer)["kind"]), (202, &json!("process-image")));
    let id: Uuid = body(&answer)["id"].as_str().unwrap().parse().unwrap();
    let by: Uuid = body(&answer)["started_by"].as_str().unwrap().parse().unwrap();
    house.app.jobs.ended(id, by).await.unwrap();
    let job = body(&house.send(get(&place).bearer(&token)).await);
    assert_eq!(
        (&job["state"], &job["done"], &job["total"]),
        (&json!("done"), &json!(1), &json!(1))
    );
    let teacher = house.token(Role::Teacher).await;
    assert_eq!(house.send(get(&place).bearer(&teacher)).await.status(), 404);
    let cancel = post(&format!("{place}/cancel")).bearer(&teacher);
    assert_eq!(house.send(cancel).await.status(), 404);
    let cancel = house.send(post(&format!("{place}/cancel")).bearer(&token)).await;
    assert_eq!(body(&cancel)["state"], "done", "it is too late");
    assert_eq!(body(&house.send(get("/api/jobs").bearer(&token)).await)[0]["id"], job["id"]);
}

/// Real pictures with several faces, where the machine has them.
#[tokio::test]
async fn real_scenes_with_many_faces_name_nobody_twice() {
    let scenes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/faces/scenes");
    let Ok(folder) = std::fs::read_dir(&scenes) else {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: {} is not there", scenes.display());
        }
        return;
    };
    let house = House::new().await;
    let token = house.album_class().await;
    let mut names: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|ext| ext == "jpg"));
    names.sort();
    let mut faces = 0;
    for path in names.iter().filter(|path| !path.ends_with("bald_guys.jpg")).take(4) {
        let photo = body(&house.upload(&token, &std::fs::read(path).unwrap()).await);
        let look = format!("/api/images/{}/process-image", photo["id"].as_str().unwrap());
        let looked = house.work(&token, &look, None).await;
        faces += looked["faces"].as_u64().unwrap();
        assert_eq!(looked["proposed"], 0, "nobody of 7b is on {}", path.display());
    }
    assert!(faces >= 8, "{faces} faces on four scenes");
    let clustered = house
        .work(
            &token,
            "/api/classes/7B/cluster-crops",
            Some(&json!({
                "max_clusters": 200
            })),
        )
        .await;
    assert_eq!(clustered["crops"], faces);
}
