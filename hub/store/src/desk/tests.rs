//! Every list has an index, and every list is what its filter says.

use super::*;
use crate::Db;
use crate::device;
use crate::device::DevicePlace;
use crate::student;
use crate::student::StudentProfile;
use proptest::prelude::*;
use wire::Direction;

const NOW: Wall = Wall(1_790_000_000_000);

fn reader(user: u128, role: Role) -> Reader {
    let actor = Actor { user: Uuid::from_u128(user), role };
    Reader { actor, today: jiff::civil::date(2026, 9, 21) }
}

/// An admin, the teacher of the first class, one of no class, and the first student.
pub(super) fn readers() -> [Reader; 4] {
    let (admin, student) = (reader(1, Role::Admin), reader(4, Role::Student));
    [admin, reader(2, Role::Teacher), reader(3, Role::Teacher), student]
}

/// One sighting as the model has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub at: i64,
    pub status: usize,
    pub device: usize,
    pub predicted: usize,
    pub decided: Option<usize>,
}

pub(super) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0i64..40, 0usize..4, 0usize..2, 0usize..4, prop::option::of(0usize..4));
    let row = row.prop_map(|(at, status, device, predicted, decided)| Row {
        at,
        status,
        device,
        predicted,
        decided,
    });
    prop::collection::vec(row, 0..40)
}

pub(super) fn id(n: usize) -> RecordId {
    RecordId(Uuid::from_u128(1000 + n as u128))
}

fn class(n: usize) -> Uuid {
    Uuid::from_u128(50 + n as u128)
}

/// Four students, two doors, a class of the first two and one of the third.
fn fill(tx: &Tx<'_>, rows: &[Row]) -> Result<Vec<StudentId>, Error> {
    let place =
        DevicePlace { room: "1".into(), location: String::new(), direction: Direction::Entry };
    for door in ["d0", "d1"] {
        device::add(tx, &door.parse().unwrap(), &place, "t", NOW)?;
    }
    let students: Vec<_> = (0..4)
        .map(|n| {
            let (student_number, first_name) = (format!("S{n}"), "N".to_owned());
            let profile =
                StudentProfile { student_number, first_name, ..StudentProfile::default() };
            student::add(tx, profile, "t", NOW)
        })
        .collect::<Result<_, _>>()?;
    for (n, roster) in [(0, vec![0, 1]), (1, vec![2])] {
        let (class, code) = (class(n).to_string(), format!("C{n}"));
        let sql = "insert into class (id, class_name, class_code, is_active, version)
             values ($1, $2, $2, 1, 1)";
        tx.execute(sql, params![class, code])?;
        for member in roster {
            let sql = "insert into roster (class, student, verified) values ($1, $2, 0)";
            tx.execute(sql, params![class, students[member].to_string()])?;
        }
    }
    for (n, role) in [(1u128, "admin"), (2, "teacher"), (3, "teacher"), (4, "student")] {
        let sql = "insert into user_account (id, email, name, role, student, is_active,
                 created_at, version) values ($1, $1, 'x', $2, $3, 1, 0, 1)";
        let own = (n == 4).then(|| students[0].to_string());
        tx.execute(sql, params![Uuid::from_u128(n).to_string(), role, own])?;
    }
    let sql = "insert into teaches (class, teacher, from_day) values ($1, $2, '2026-01-01')";
    tx.execute(sql, params![class(0).to_string(), Uuid::from_u128(2).to_string()])?;
    for (n, row) in rows.iter().enumerate() {
        sighting(tx, n, row, &students)?;
    }
    Ok(students)
}

fn sighting(tx: &Tx<'_>, n: usize, row: &Row, students: &[StudentId]) -> Result<(), Error> {
    let sql = "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at, room,
             direction, reasons, quality, confidence, verdict, frames, model, gallery,
             review_status, predicted_student, decided_student, received_at, version)
         values ($1, $2, x'01', $3, 1, 1, 'ntp', $4, '1', 'entry', '[]', '{}', 0.9, 'high', 1,
             'm', 1, $5, $6, $7, 0, 1)";
    let (device, status) = (format!("d{}", row.device), Status::ALL[row.status].as_str());
    let decided = row.decided.map(|n| students[n].to_string());
    let predicted = students[row.predicted].to_string();
    let values = params![id(n).to_string(), device, n as i64, row.at, status, predicted, decided];
    tx.execute(sql, values)?;
    let sql = "insert into candidate (sighting, rank, student, score) values ($1, $2, $3, 0.9)";
    for (rank, student) in [(1, row.predicted), (2, 3)] {
        tx.execute(sql, params![id(n).to_string(), rank, students[student].to_string()])?;
    }
    Ok(())
}

/// Which of `rows` the reader may see under `filter`, newest first.
fn expected(
    rows: &[Row],
    who: usize,
    filter: &SightingFilter,
    students: &[StudentId],
) -> Vec<RecordId> {
    let sees = |person: usize| match who {
        0 => true,
        1 => person < 2,
        2 => false,
        _ => person == 0,
    };
    let keep = |row: &Row| {
        let person = row.decided.unwrap_or(row.predicted);
        let in_class = |c| if c == class(0) { person < 2 } else { person == 2 };
        sees(person)
            && filter.status.is_none_or(|status| status == Status::ALL[row.status])
            && filter.device.as_ref().is_none_or(|device| *device == format!("d{}", row.device))
            && filter.student.is_none_or(|student| student == students[person])
            && filter.class.is_none_or(in_class)
            && filter.from.is_none_or(|from| row.at >= from.0)
            && filter.until.is_none_or(|until| row.at < until.0)
    };
    let mut kept: Vec<_> = rows.iter().enumerate().filter(|(_, row)| keep(row)).collect();
    kept.sort_by_key(|(n, row)| std::cmp::Reverse((row.at, id(*n).to_string())));
    kept.into_iter().map(|(n, _)| id(n)).collect()
}

fn filters(students: &[StudentId]) -> Vec<SightingFilter> {
    let mut all = Vec::new();
    for bits in 0u8..64 {
        let on = |bit: u8| bits & (1 << bit) != 0;
        all.push(SightingFilter {
            status: on(0).then(|| Status::ALL[usize::from(on(5))]),
            device: on(1).then(|| "d0".to_owned()),
            student: on(2).then(|| students[0]),
            class: on(3).then(|| class(0)),
            from: on(4).then_some(Wall(10)),
            until: on(5).then_some(Wall(30)),
        });
    }
    all
}

/// What is there of a house: the folder, the database, its people, and who waits for answers.
pub(super) type House = (tempfile::TempDir, Db, Vec<StudentId>, tokio::runtime::Runtime);

pub(super) fn house(rows: Vec<Row>) -> House {
    house_by(|path| Db::open(path), rows)
}

/// Nobody lives there, and the database says how it looks for things.
pub(super) fn planned() -> House {
    house_by(Db::in_file, Vec::new())
}

fn house_by(open: fn(&std::path::Path) -> Result<Db, rules::Error>, rows: Vec<Row>) -> House {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir.path().join("hub.db")).unwrap();
    let students = runtime.block_on(db.write(move |tx| fill(tx, &rows))).unwrap();
    (dir, db, students, runtime)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn a_list_is_what_its_filter_says_for_every_reader_page_by_page(rows in rows()) {
        let (_dir, db, students, runtime) = house(rows.clone());
        for (who, reader) in readers().into_iter().enumerate() {
            for filter in filters(&students) {
                let asked = filter.clone();
                let found = runtime.block_on(db.read(move |tx| {
                    let (mut all, mut after) = (Vec::new(), None);
                    loop {
                        let page = list(tx, reader, &asked, SightingPage { after, limit: 7 })?;
                        let Some(last) = page.last() else { return Ok(all) };
                        after = Some((last.order_at, last.id));
                        all.extend(page);
                    }
                })).unwrap();
                let ids: Vec<_> = found.iter().map(|seen| seen.id).collect();
                prop_assert_eq!(ids, expected(&rows, who, &filter, &students), "{} {:?}", who, filter);
                let hidden = |c: &CandidateSeen| who > 0 && c.person.number == "S3";
                prop_assert!(!found.iter().flat_map(|seen| &seen.candidates).any(hidden));
                prop_assert!(who > 0 || found.iter().all(|seen| seen.candidates.len() == 2));
            }
            let pending = SightingFilter { status: Some(Status::Pending), ..SightingFilter::default() };
            let count = runtime.block_on(db.read(move |tx| waiting(tx, reader))).unwrap();
            prop_assert_eq!(count as usize, expected(&rows, who, &pending, &students).len());
        }
    }
}

/// How the database goes about a question.
pub(super) fn plan(tx: &Tx<'_>, sql: &str, values: Vec<Value>) -> Vec<String> {
    let sql = format!("explain query plan {sql}");
    tx.query(&sql, values, |row| row.get(3)).unwrap()
}

#[test]
fn no_list_reads_every_sighting_or_sorts_all_of_them() {
    let (_dir, db, students, runtime) = planned();
    let after = Some((Wall(5), id(1)));
    for reader in readers() {
        for filter in filters(&students) {
            for after in [None, after] {
                let (asked, page) = (filter.clone(), SightingPage { after, limit: 100 });
                let plan = runtime.block_on(db.read(move |tx| {
                    let asked = SightingQuery::page(reader, &asked, page);
                    Ok(plan(tx, &asked.rows(), asked.values))
                }));
                let plan = plan.unwrap();
                let all = reader.sees_all() && filter.student.is_none() && filter.class.is_none();
                check(&plan, all, &filter);
            }
        }
    }
}

fn check(plan: &[String], all: bool, filter: &SightingFilter) {
    let text = plan.join("\n");
    assert!(
        text.contains("SEARCH s USING INDEX sqlite_autoindex_sighting_1"),
        "{filter:?}\n{text}"
    );
    let scans = plan.iter().filter(|step| step.starts_with("SCAN s"));
    for scan in scans {
        assert!(all && scan.contains("sighting_by_order"), "{filter:?}\n{text}");
    }
    match all {
        // Found in the order of the page: one sort, of the page itself.
        true => assert_eq!(text.matches("USE TEMP B-TREE FOR ORDER BY").count(), 1, "{text}"),
        false => {
            let waits = filter.status == Some(Status::Pending);
            let index =
                if waits { "INDEX sighting_waiting_of" } else { "INDEX sighting_by_person" };
            assert!(text.contains(index), "{filter:?}\n{text}");
        }
    }
}

#[test]
fn candidates_are_found_by_their_sightings_whoever_reads() {
    let (_dir, db, _, runtime) = planned();
    for reader in readers() {
        let (sql, values) = SightingQuery::candidates(reader, &[id(1), id(2), id(3)]).unwrap();
        let plan = runtime.block_on(db.read(move |tx| Ok(plan(tx, &sql, values)))).unwrap();
        let found = "SEARCH c USING PRIMARY KEY (sighting=?)".to_owned();
        assert!(plan.contains(&found), "{plan:?}");
    }
}

#[test]
fn what_waits_is_counted_in_an_index_alone() {
    let (_dir, db, _, runtime) = planned();
    for reader in readers() {
        let plan = runtime.block_on(db.read(move |tx| {
            let pending =
                SightingFilter { status: Some(Status::Pending), ..SightingFilter::default() };
            let asked = SightingQuery::of(reader, &pending);
            Ok(plan(tx, &asked.count(), asked.values))
        }));
        let text = plan.unwrap().join("\n");
        assert!(text.contains("SEARCH s USING COVERING INDEX sighting_"), "{text}");
    }
}
