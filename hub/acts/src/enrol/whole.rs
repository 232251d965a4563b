//! Enrolment with the real networks, keys and database.

use super::*;
use crate::gallery;
use std::path::{Path, PathBuf};
use store::audit;
use store::student::StudentProfile;

const NOW: Wall = Wall(1_790_000_000_000);

fn folder(variable: &str, default: &str) -> PathBuf {
    let there = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(default);
    std::env::var_os(variable).map_or_else(there, PathBuf::from)
}

fn portrait(name: &str) -> Vec<u8> {
    let path = folder("ROLLCALL_PORTRAITS", "models/portraits").join(name);
    std::fs::read(&path)
        .unwrap_or_else(|_| panic!("{} is missing: run models/fetch", path.display()))
}

/// Two students, nobody enrolled.
struct School {
    dir: tempfile::TempDir,
    db: Db,
    keys: Keys,
    recogniser: Recogniser,
    students: Vec<StudentId>,
}

async fn school() -> School {
    let dir = tempfile::tempdir().unwrap();
    // In files, where the test looks for templates.
    let db = Db::open(store::Database::File(dir.path().join("hub.db"))).unwrap();
    let keys = Keys::create(dir.path(), NOW).unwrap();
    let recogniser = Recogniser::start(&folder("ROLLCALL_MODELS", "models/weights")).unwrap();
    let mut students = Vec::new();
    for number in ["1", "2"] {
        let student_number = number.to_owned();
        let first_name = format!("N{number}");
        let profile = StudentProfile { student_number, first_name, ..StudentProfile::default() };
        students.push(db.write(move |tx| student::add(tx, profile, "t", NOW)).await.unwrap());
    }
    School { dir, db, keys, recogniser, students }
}

impl School {
    async fn index(&self) -> Index {
        gallery::load(&self.db, &self.keys, self.recogniser.model()).await.unwrap()
    }

    async fn enrol(&self, n: usize, photo: Vec<u8>, by: Option<&str>) -> Result<Enrolled, Error> {
        let index = self.index().await;
        let db = &self.db;
        let keys = &self.keys;
        let recogniser = &self.recogniser;
        let ask = EnrolmentAsk {
            student: self.students[n - 1],
            photo,
            consent_by: by.map(str::to_owned),
            another_person: false,
            source: "photo".into(),
            actor: "t".into(),
        };
        super::enrol(EnrolmentDesk { db, keys, recogniser, index: &index }, ask, NOW).await
    }
}

#[tokio::test]
async fn a_face_is_enrolled_once_with_consent_and_sealed() {
    let school = school().await;
    let refused = school.enrol(1, portrait("obama.jpg"), None).await.unwrap_err();
    assert!(refused.to_string().contains("consent"), "{refused}");
    school.enrol(1, portrait("obama.jpg"), Some("himself")).await.unwrap();
    let second = school.enrol(1, portrait("obama2.jpg"), None).await;
    assert!(second.is_ok(), "another look of the same person needs no other consent");
    let other = school.enrol(2, portrait("obama.jpg"), Some("x")).await.unwrap_err();
    assert!(matches!(&other, Error::Conflict(why) if why.contains("student 1")), "{other}");
    school.enrol(2, portrait("biden.jpg"), Some("himself")).await.unwrap();
    assert_eq!(school.index().await.len(), 2);
    let look = school.recogniser.faces(portrait("biden.jpg")).await.unwrap();
    let plain = look.faces[0].template.to_f16_bytes();
    for file in ["hub.db", "hub.db-wal", "keys.db"] {
        let bytes = std::fs::read(school.dir.path().join(file)).unwrap();
        assert!(!bytes.windows(32).any(|window| window == &plain[..32]), "plain in {file}");
    }
    school.db.read(audit::verify).await.unwrap();
}

#[tokio::test]
async fn an_erased_key_takes_the_person_out_of_the_gallery() {
    let school = school().await;
    school.enrol(1, portrait("obama.jpg"), Some("himself")).await.unwrap();
    school.enrol(2, portrait("biden.jpg"), Some("himself")).await.unwrap();
    school.keys.erase(school.students[0]).unwrap();
    assert_eq!(school.index().await.people(), &school.students[1..]);
}

#[tokio::test]
async fn a_bad_photo_is_refused_in_words_and_leaves_nothing() {
    let school = school().await;
    let refused = async |photo: Vec<u8>| {
        let refused = school.enrol(1, photo, Some("x")).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
        refused.to_string()
    };
    let plain = vision::Picture::new(200, 200, vec![120; 200 * 200 * 3]).unwrap();
    assert!(refused(plain.to_jpeg(90)).await.contains("no face"));
    assert!(refused(plain.resized(99, 200).to_jpeg(90)).await.contains("99×200"));
    refused(b"a text file named .jpg".to_vec()).await;
    let one = vision::decode(&portrait("obama.jpg"), &vision::Limits::default()).unwrap();
    let two = refused(twice(&one).to_jpeg(90)).await;
    assert!(two.contains(" faces: use one with exactly one"), "{two}");
    let left = school
        .db
        .read(|tx| enrolment::list(tx, enrolment::EnrolmentFilter::default(), None, 9))
        .await
        .unwrap();
    assert_eq!(left, vec![]);
    assert_eq!(school.keys.students().unwrap(), vec![], "not even a key");
}

/// The same picture side by side with itself.
fn twice(one: &vision::Picture) -> vision::Picture {
    let row = one.width as usize * 3;
    let rgb = one.rgb.chunks_exact(row).flat_map(|line| [line, line].concat()).collect();
    vision::Picture::new(one.width * 2, one.height, rgb).unwrap()
}
