//! What is taken away, against what was put in.

use super::*;
use config::{Config, template};
use jiff::civil::date;
use rules::attendance::{Source, Status};
use store::Db;
use store::sample::{class_of, lesson, marked};

/// A hub with two classes and 130 lessons, 61 of them of class A in January.
async fn hub() -> (tempfile::TempDir, Hub) {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::parse(dir.path(), &template("localhost", "UTC"), None).unwrap();
    let db = Db::open(config.database()).unwrap();
    let fill = |tx: &Tx<'_>| {
        let (a, b) = (class_of(tx, "A", 2), class_of(tx, "B", 1));
        for n in 0..130_i16 {
            let (class, students) = if n % 2 == 0 { &a } else { &b };
            let day = date(2026, 1, 1).saturating_add(jiff::Span::new().days(n / 2));
            let at = lesson(tx, *class, day, 8);
            for student in students {
                marked(tx, at, *student, Status::Late, Source::Door);
            }
        }
        tx.execute("update student set last_name = '=1+1' where student_number = 'B-0'", [])?;
        Ok(())
    };
    db.write(fill).await.unwrap();
    (dir, Hub { config, db })
}

async fn taken(hub: &Hub, what: ExportWhat, format: Format) -> (u64, String) {
    let mut out = Vec::new();
    let rows = write(hub, what, format, &mut out).await.unwrap();
    (rows, String::from_utf8_lossy(&out).into_owned())
}

#[tokio::test]
async fn every_mark_leaves_once_in_the_order_of_time() {
    let (_dir, hub) = hub().await;
    let all = ExportWhat::Attendance { class: None, from: None, to: None };
    let (rows, json) = taken(&hub, all, Format::Json).await;
    let json: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((rows, json.len()), (65 * 2 + 65, 65 * 2 + 65));
    let times: Vec<_> = json.iter().map(|row| row["starts_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    let keys: std::collections::HashSet<_> =
        json.iter().map(|row| (row["session_id"].clone(), row["student_number"].clone())).collect();
    assert_eq!(keys.len(), json.len());
    let one = &json[0];
    assert_eq!((&one["date"], &one["status"]), (&"2026-01-01".into(), &"late".into()));
    assert_eq!(one["arrived_at"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_class_and_days_narrow_it_down() {
    let (_dir, hub) = hub().await;
    let some = |name: &str| ExportWhat::Attendance {
        class: Some(name.into()),
        from: Some(date(2026, 1, 5)),
        to: Some(date(2026, 1, 6)),
    };
    let (rows, csv) = taken(&hub, some("B"), Format::Csv).await;
    assert_eq!(rows, 2);
    assert!(csv.starts_with("\u{feff}date,starts_at,class_code"), "{csv}");
    assert!(csv.contains("B-0,'=1+1,First0,late,door,,\r\n"), "{csv}");
    let wrong = write(&hub, some("C"), Format::Csv, &mut Vec::new()).await.unwrap_err();
    assert_eq!(wrong.to_string(), "there is no class “C”");
}

#[tokio::test]
async fn people_leave_as_what_they_can_come_back_as() {
    let (_dir, hub) = hub().await;
    let (rows, csv) = taken(&hub, ExportWhat::Students, Format::Csv).await;
    assert_eq!(rows, 3);
    let table = acts::import::table::TableFile::read(csv.as_bytes(), true, 10).unwrap();
    let back = acts::import::people::rows(&table);
    let numbers: Vec<_> = back.iter().filter_map(|row| row.number.as_deref()).collect();
    assert_eq!(numbers, ["B-0", "A-0", "A-1"]);
    let (_, book) = taken(&hub, ExportWhat::Students, Format::Xlsx).await;
    assert!(book.starts_with("PK"));
}

#[tokio::test]
async fn a_file_is_its_owners_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, hub) = hub().await;
    std::fs::write(dir.path().join(config::FILE), template("localhost", "UTC")).unwrap();
    drop(hub);
    let export = |path: PathBuf| ExportCommand {
        what: ExportWhat::Students,
        format: Format::Csv,
        out: Some(path),
    };
    let (path, mut said) = (dir.path().join("people.csv"), Vec::new());
    export(path.clone()).run(dir.path(), &mut said).await.unwrap();
    assert!(String::from_utf8_lossy(&said).starts_with("3 rows are in "));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(export(path).run(dir.path(), &mut Vec::new()).await.is_err());
}
