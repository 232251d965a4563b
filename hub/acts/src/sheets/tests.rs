//! A school with a million marks: every report against plain sums, and what it costs.
//!
//! `cargo test --release -p acts --lib a_million_marks -- --ignored --nocapture`

use super::register::row;
use super::sheet::{SheetBook, SheetValue, line};
use rules::attendance::Status;
use rules::error::Error;
use rules::reports::analytics;
use rules::reports::matrix;
use rules::reports::{ReportRate, Sums};
use std::time::Instant;
use store::register::{Lessons, RegisterSpan, RegisterSpanOf, entries, history, register};
use store::sample::admin;
use store::{Db, Tx, params, report};
use uuid::Uuid;
use wire::StudentId;

const LARGE: i64 = 0;
const STUDENTS: i64 = 10_000;
const CLASSES: i64 = 500;
/// Lessons and students of the large class, and of every other.
const SHAPES: [(i64, i64); 2] = [(500, 800), (60, 20)];

fn id(kind: u128, n: i64) -> String {
    Uuid::from_u128(kind << 64 | u128::try_from(n).unwrap()).to_string()
}

fn shape(class: i64) -> (i64, i64) {
    SHAPES[usize::from(class != LARGE)]
}

fn people(tx: &Tx<'_>) -> Result<(), Error> {
    for n in 0..STUDENTS {
        let sql = "insert into student (id, student_number, first_name, last_name, kind, is_active,
                 created_at, updated_at, version)
             values ($1, $2, 'First', 'Last' || $2, 'student', 1, 1, 1, 1)";
        tx.execute(sql, params![id(1, n), n.to_string()])?;
    }
    let device = "insert into device (id, room, location, direction, is_active, online, boot,
             connection, software, model, gallery, trouble, created_at, version)
         values ('d', '204', '', 'both', 1, 0, 0, 0, '', '', 0, '', 1, 1)";
    tx.execute(device, []).map(drop)
}

fn class(tx: &Tx<'_>, class: i64) -> Result<(), Error> {
    let sql = "insert into class (id, class_name, class_code, is_active, version)
         values ($1, $2, $2, 1, 1)";
    tx.execute(sql, params![id(2, class), format!("C{class}")])?;
    let (lessons, students) = shape(class);
    for lesson in 0..lessons {
        one_lesson(tx, class, lesson, students)?;
    }
    Ok(())
}

/// Who sits there; each class begins elsewhere in the school.
fn student(class: i64, n: i64) -> i64 {
    (class * 37 + n) % STUDENTS
}

fn one_lesson(tx: &Tx<'_>, class: i64, lesson: i64, students: i64) -> Result<(), Error> {
    let session = id(3, class * 1000 + lesson);
    let day = jiff::civil::date(2025, 8, 1).saturating_add(jiff::Span::new().days(lesson / 2));
    let starts = lesson * 3_600_000;
    let sql = "insert into session (id, class, name, day, starts, ends, late_after, room, source,
             version) values ($1, $2, 'L', $3, $4, $4, $4, '204', 'manual', 1)";
    tx.execute(sql, params![session, id(2, class), day.to_string(), starts])?;
    for n in 0..students {
        let who = id(1, student(class, n));
        let status = Status::ALL[usize::try_from((n * 7 + lesson * 11 + class) % 6).unwrap()];
        let sql = "insert into mark (session, student, status, source, by_whom, at, version)
             values ($1, $2, $3, 'door', 'hub', 1, 1)";
        tx.execute(sql, params![session, who, status.as_str()])?;
        if class == LARGE {
            sighting(tx, &session, &who, lesson * 1000 + n)?;
        }
    }
    Ok(())
}

fn sighting(tx: &Tx<'_>, session: &str, who: &str, n: i64) -> Result<(), Error> {
    let sql = "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at, room,
             direction, reasons, quality, confidence, verdict, frames, model, gallery,
             review_status, predicted_student, decided_student, received_at, version, session)
         values ($1, 'd', x'00', $2, 1, 1, 'ntp', $2, '204', 'entry', '[]', '', 0.9, '', 1, '', 1,
             'approved', $3, $3, 1, 1, $4)";
    tx.execute(sql, params![id(4, n), n, who, session]).map(drop)
}

async fn school() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    db.write(people).await.unwrap();
    for n in 0..CLASSES {
        db.write(move |tx| class(tx, n)).await.unwrap();
    }
    let tally = "insert into tally (session, present, late, absent, excused, unverified, undecided)
         select session, sum(status = 'present'), sum(status = 'late'), sum(status = 'absent'),
             sum(status = 'excused'), sum(status = 'unverified'), sum(status = 'undecided')
         from mark group by session";
    db.write(move |tx| tx.execute(tally, [])).await.unwrap();
    (dir, db)
}

/// What the marks of one class, or of all, say when they are all counted.
fn naive(tx: &Tx<'_>, of: &str) -> Result<Sums, Error> {
    let sql = format!(
        "select sum(m.status = 'present'), sum(m.status = 'late'), sum(m.status = 'absent')
         from mark m join session s on s.id = m.session where {of}"
    );
    let found = tx.row(&sql, [], |row| {
        Ok(Sums { present: row.get(0)?, late: row.get(1)?, absent: row.get(2)? })
    });
    Ok(found?.unwrap_or_default())
}

#[expect(clippy::print_stderr, reason = "its figures are what it is for")]
fn told(what: &str, since: Instant) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("").to_owned();
    eprintln!("{what:<42} {:>6} ms   {peak}", since.elapsed().as_millis());
}

#[tokio::test]
#[ignore = "a minute; for its figures"]
async fn a_million_marks_are_counted_right() {
    let began = Instant::now();
    let (dir, db) = school().await;
    told("1,000,000 marks and 400,000 sightings made", began);
    let folder = dir.path().to_path_buf();
    let all = db.read(|tx| naive(tx, "1 = 1")).await.unwrap();
    let large = format!("s.class = '{}'", id(2, LARGE));
    let of_large = db.read(move |tx| naive(tx, &large)).await.unwrap();

    let began = Instant::now();
    let subjects = db.read(|tx| report::subjects(tx, admin())).await.unwrap();
    let seen = analytics::overview(subjects);
    told("global", began);
    assert_eq!(seen.subjects.iter().map(|subject| subject.sums).sum::<Sums>(), all);
    assert_eq!(i64::try_from(seen.subjects.len()).unwrap(), CLASSES);

    let began = Instant::now();
    let months = db.read(|tx| report::months(tx, admin(), None)).await.unwrap();
    told("monthly summary", began);
    assert_eq!(months.iter().map(|month| month.sums).sum::<Sums>(), all);

    let began = Instant::now();
    let class: Uuid = id(2, LARGE).parse().unwrap();
    let read = move |tx: &Tx<'_>| register(tx, class, RegisterSpan::default());
    let matrix = db.read(read).await.unwrap();
    told("register of 400,000 marks: read", began);
    let (lessons, students) = shape(LARGE);
    assert_eq!(i64::try_from(matrix.people.len() * matrix.lessons.len()), Ok(lessons * students));
    let cells = (0..matrix.people.len()).flat_map(|n| matrix.row(n).iter().copied());
    let count = matrix::tally(cells);
    assert_eq!(count.sums(), of_large);
    assert_eq!(
        count.sums().attended(),
        ReportRate::of(of_large.present + of_large.late, of_large.total())
    );
    assert!(matrix.row(3).iter().all(|cell| cell.seen == 1));

    let began = Instant::now();
    let bytes: usize =
        (0..matrix.people.len()).map(|n| line(&row(&matrix, n)).unwrap().len()).sum();
    told(&format!("the same as CSV, {bytes} bytes"), began);
    let began = Instant::now();
    let mut book = SheetBook::new(&folder, vec![SheetValue::from("head")]).unwrap();
    (0..matrix.people.len()).for_each(|n| book.row(&row(&matrix, n)).unwrap());
    book.save(std::io::sink()).unwrap();
    told("the same as XLSX", began);

    let began = Instant::now();
    let small: Uuid = id(2, 7).parse().unwrap();
    let usual = db.read(move |tx| register(tx, small, RegisterSpan::default())).await.unwrap();
    told("register of 1,200 marks: read", began);
    assert_eq!((usual.people.len(), usual.lessons.len()), (20, 60));

    let began = Instant::now();
    let student: StudentId = id(1, 5).parse().unwrap();
    let which = RegisterSpanOf { limit: 500, ..RegisterSpanOf::default() };
    let history = db.read(move |tx| history(tx, admin(), student, &which)).await.unwrap();
    told(&format!("history of one student, {} marks", history.len()), began);

    let began = Instant::now();
    let (mut which, mut marks) = (Lessons::default(), 0);
    loop {
        let page = which.clone();
        let (next, found) = db.read(move |tx| entries(tx, &page, 50)).await.unwrap();
        marks += found.len();
        match next {
            Some(next) => which.after = Some(next),
            None => break,
        }
    }
    told(&format!("every mark read for an export: {marks}"), began);
    let known = SHAPES[0].0 * SHAPES[0].1 + (CLASSES - 1) * SHAPES[1].0 * SHAPES[1].1;
    assert_eq!(i64::try_from(marks), Ok(known));
}
