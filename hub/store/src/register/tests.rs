//! Registers and histories against the marks they come from.

use super::*;
use crate::Db;
use crate::sample::{admin, class_of, lesson, marked};
use jiff::civil::date;
use proptest::prelude::*;
use rules::reports::matrix;
use std::collections::BTreeMap;

fn plan(tx: &Tx<'_>, sql: &str) -> String {
    let sql = format!("explain query plan {sql}");
    let count = (1..=10).take_while(|n| sql.contains(&format!("${n}"))).count();
    tx.query(&sql, vec![None::<String>; count], |row| row.get::<String>(3)).unwrap().join("\n")
}

#[tokio::test]
async fn no_report_goes_through_all_marks_sightings_or_faces() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
    let check = |tx: &Tx<'_>| {
        let (all, one) = (lessons_sql(false), lessons_sql(true));
        let known = [LESSONS, ROSTER, MARKS, SEEN, FACES, PERSON, STATISTICS, HISTORY, ENTRIES];
        for sql in known.into_iter().chain([all.as_str(), one.as_str()]) {
            let plan = plan(tx, sql);
            let scans: Vec<_> = plan
                .lines()
                .filter(|line| line.starts_with("SCAN") && *line != "SCAN CONSTANT ROW")
                .collect();
            assert!(scans.is_empty(), "{sql}\n{plan}");
        }
        Ok(())
    };
    db.read(check).await.unwrap();
}

/// Day, student, status, and whether a person set it.
type Raw = (i8, usize, usize, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_register_holds_every_mark_of_its_days_and_no_other(
        raw in prop::collection::vec((1_i8..20, 0_usize..4, 0_usize..6, any::<bool>()), 0..60),
        (from, to) in (1_i8..20, 1_i8..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(same_as_raw(raw, from, to));
    }
}

async fn same_as_raw(raw: Vec<Raw>, from: i8, to: i8) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let check = move |tx: &Tx<'_>| {
        let (class, mut students) = class_of(tx, "A", 3);
        let (other, guests) = class_of(tx, "B", 1);
        lesson(tx, other, date(2026, 1, 5), 9);
        students.extend(guests); // on no roster of A, but may have been marked there
        let mut lessons = BTreeMap::new();
        let mut last = BTreeMap::new();
        for (day, student, status, manual) in raw {
            let day = date(2026, 1, day);
            let at = *lessons.entry(day).or_insert_with(|| lesson(tx, class, day, 8));
            let source = if manual { Source::Manual } else { Source::Door };
            marked(tx, at, students[student], Status::ALL[status], source);
            last.insert((day, students[student]), Cell::of(Status::ALL[status], source));
        }
        let (from, to) = (date(2026, 1, from), date(2026, 1, to));
        last.retain(|(day, _), _| (from..=to).contains(day));
        let found = register(tx, class, RegisterSpan { from: Some(from), to: Some(to) })?;
        let days: Vec<_> = lessons.into_keys().filter(|day| (from..=to).contains(day)).collect();
        assert_eq!(found.lessons.iter().map(|lesson| lesson.day).collect::<Vec<_>>(), days);
        let guest = last.keys().any(|(_, student)| *student == students[3]);
        assert_eq!(found.people.len(), 3 + usize::from(guest));
        for (n, person) in found.people.iter().enumerate() {
            let wanted: Vec<_> = days
                .iter()
                .map(|day| last.get(&(*day, person.id)).copied().unwrap_or_default())
                .collect();
            assert_eq!(found.row(n), wanted, "{person:?}");
            let span = RegisterSpan { from: Some(from), to: Some(to) };
            let which = RegisterSpanOf { span, limit: 500, ..RegisterSpanOf::default() };
            let mut told = history(tx, admin(), person.id, &which)?;
            told.reverse();
            let told: Vec<_> = told.iter().map(|m| (m.day, Cell::of(m.status, m.source))).collect();
            let marked = days.iter().copied().zip(wanted).filter(|(_, cell)| cell.status.is_some());
            assert_eq!(told, marked.collect::<Vec<_>>());
        }
        let all = (0..found.lessons.len()).map(|n| matrix::tally(found.column(n)).sums()).sum();
        assert_eq!(matrix::tally(last.into_values()).sums(), all);
        Ok(())
    };
    db.write(check).await.unwrap();
}

#[tokio::test]
async fn detections_are_sightings_and_faces_that_nobody_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let check = |tx: &Tx<'_>| {
        let (class, students) = class_of(tx, "A", 2);
        let at = lesson(tx, class, date(2026, 1, 1), 8).to_string();
        marked(tx, at.parse().unwrap(), students[0], Status::Present, Source::Door);
        let [ada, ben] = [0, 1].map(|n| students[n].to_string());
        tx.execute(
            "insert into device (id, room, location, direction, is_active, online, boot,
                 connection, software, model, gallery, trouble, created_at, version)
             values ('d', '204', '', 'both', 1, 0, 0, 0, '', '', 0, '', 1, 1)",
            [],
        )?;
        for (n, (status, predicted, decided)) in (1..).zip([
            ("approved", Some(&ada), Some(&ada)),
            ("pending", Some(&ada), None),
            ("rejected", Some(&ada), None),
            ("approved", Some(&ada), Some(&ben)),
        ]) {
            tx.execute(
                "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at, room,
                     direction, reasons, quality, confidence, verdict, frames, model, gallery,
                     review_status, predicted_student, decided_student, received_at, version,
                     session)
                 values ($1, 'd', x'00', $2, 1, 1, 'ntp', 1, '204', 'entry', '[]', '', 0.9, '',
                     1, '', 1, $3, $4, $5, 1, 1, $6)",
                params![format!("s{n}"), n, status, predicted, decided, at],
            )?;
        }
        tx.execute(
            "insert into image (id, class, session, state, taken_at, width, height, created_at,
                 created_by, version) values ('i', $1, $2, 'new', 1, 1, 1, 1, 'x', 1)",
            params![class.to_string(), at],
        )?;
        tx.execute(
            "insert into face_crop (id, image, class, session, x, y, width, height, score, quality,
                 doubts, student, version)
             values ('f', 'i', $1, $2, 0, 0, 1, 1, 0.9, '', '', $3, 1)",
            params![class.to_string(), at, ben],
        )?;
        let found = register(tx, class, RegisterSpan::default())?;
        let seen = |id: StudentId| {
            let n = found.people.iter().position(|person| person.id == id).unwrap();
            let cell = found.row(n)[0];
            (cell.status, cell.seen)
        };
        assert_eq!(seen(students[0]), (Some(Status::Present), 2), "approved and pending");
        assert_eq!(seen(students[1]), (None, 2), "named by a person, and a face in a photo");
        Ok(())
    };
    db.write(check).await.unwrap();
}

#[tokio::test]
async fn pages_of_a_history_join_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let check = |tx: &Tx<'_>| {
        let (class, students) = class_of(tx, "A", 1);
        for day in [1, 2, 2, 2, 3] {
            let at = lesson(tx, class, date(2026, 1, day), 8);
            marked(tx, at, students[0], Status::Present, Source::Door);
        }
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let which = RegisterSpanOf { after, limit: 2, ..RegisterSpanOf::default() };
            let page = history(tx, admin(), students[0], &which)?;
            let Some(last) = page.last() else { break };
            after = Some((last.starts, last.session));
            seen.extend(page.into_iter().map(|marked| marked.session));
        }
        let whole = RegisterSpanOf { limit: 500, ..RegisterSpanOf::default() };
        let whole = history(tx, admin(), students[0], &whole)?;
        assert_eq!(seen, whole.into_iter().map(|marked| marked.session).collect::<Vec<_>>());
        assert_eq!(seen.len(), 5);
        Ok(())
    };
    db.write(check).await.unwrap();
}
