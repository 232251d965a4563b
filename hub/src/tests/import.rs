//! People and photos in files, over HTTP.

use super::*;

const TABLE: &str = "first_name,last_name,student_id\nAli,Rezaei,STU1\nZoë,\"O'Neill\",STU2\n,,\n";

async fn class(house: &House) -> String {
    let token = house.token(Role::Admin).await;
    let class = json!({ "class_name": "Maths", "class_code": "MATH101" });
    house.send(post("/api/classes").bearer(&token).json(&class)).await;
    token
}

#[tokio::test]
async fn a_table_of_students_is_brought_once() {
    let house = House::new().await;
    let token = class(&house).await;
    let send = |path: &str| parts(path, &token, &[], ("file", TABLE.as_bytes()));
    let first = house.send(send("/api/attendance/classes/MATH101/bulk-upload-students/")).await;
    assert_eq!(first.status(), 201);
    let told = body(&first);
    assert_eq!((&told["total_created"], &told["total_skipped"]), (&json!(2), &json!(0)));
    assert_eq!(told["created"][1]["first_name"], "Zoë");
    let again = body(&house.send(send("/classes/MATH101/bulk-upload-students")).await);
    assert_eq!((&again["total_created"], &again["total_skipped"]), (&json!(0), &json!(2)));
    assert_eq!(again["skipped"][0]["reason"], "already there");
    let roster = body(&house.send(get("/api/classes/MATH101/students").bearer(&token)).await);
    assert_eq!(roster.as_array().unwrap().len(), 2);
    let odd = parts("/classes/MATH101/bulk-upload-students", &token, &[], ("file", b"\x00\x01"));
    assert_eq!(house.send(odd).await.status(), 422);
}

#[tokio::test]
async fn photos_of_many_are_enrolled_in_one_job_and_only_once() {
    use std::io::Write as _;
    let house = House::new().await;
    let token = class(&house).await;
    let table = TABLE.as_bytes();
    house.send(parts("/classes/MATH101/bulk-upload-students", &token, &[], ("file", table))).await;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let list = "student_id,file,consent_by\nSTU1,obama.jpg,himself\nSTU2,gone.jpg,mother\n\
                STU2,biden.jpg,\nSTU9,biden.jpg,x\n";
    let files = [
        ("list.csv", list.as_bytes().to_vec()),
        ("obama.jpg", portrait("obama.jpg")),
        ("biden.jpg", portrait("biden.jpg")),
    ];
    for (name, bytes) in &files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    for (time, wanted) in [
        ("first", ["enrolled", "refused", "refused", "refused"]),
        ("again", ["unchanged", "refused", "refused", "refused"]),
    ] {
        let send = parts("/api/classes/MATH101/bulk-enroll", &token, &[], ("file", &zip));
        let answer = house.send(send).await;
        assert_eq!(answer.status(), 202, "{time}");
        let id: uuid::Uuid = body(&answer)["id"].as_str().unwrap().parse().unwrap();
        let admin = house.admin_id().await;
        let job = house.app.jobs.ended(id, admin).await.unwrap();
        let result = job.result.unwrap();
        let outcomes: Vec<_> = result["photos"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["outcome"].clone())
            .collect();
        assert_eq!(outcomes, wanted, "{time}: {result}");
    }
    assert_eq!(house.app.gallery.index().people().len(), 1);
}

impl House {
    async fn admin_id(&self) -> uuid::Uuid {
        let find = |tx: &store::Tx<'_>| account::by_email(tx, "admin@school.test");
        self.app.db.read(find).await.unwrap().unwrap().0.id
    }
}
