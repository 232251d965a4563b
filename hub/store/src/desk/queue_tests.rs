//! The desk's order, page by page, against a plain model of it.

use super::super::tests::{Row, house, id, plan, planned, readers, rows};
use super::*;
use crate::params;
use proptest::prelude::*;
use wire::Wall;

const HOURS_3: i64 = 3 * 3600 * 1000;

fn lesson(n: usize) -> Uuid {
    Uuid::from_u128(70 + n as u128)
}

/// The lesson of row `n`: one of three, or none.
fn lesson_of(n: usize) -> Option<usize> {
    (n % 4 < 3).then_some(n % 4)
}

fn sure(n: usize) -> f64 {
    f64::from(u32::try_from(n * 7 % 5).unwrap()) / 5.0
}

/// Puts the rows into lessons that begin at 1, 2 and 2, and spreads the others over days.
fn spread(tx: &Tx<'_>, rows: &[Row]) -> Result<(), Error> {
    for n in 0..3usize {
        let class = Uuid::from_u128(50 + (n % 2) as u128).to_string();
        let starts = i64::from(n > 0) + 1;
        let sql = "insert into session (id, class, name, day, starts, ends, late_after, room,
                 source, version) values ($1, $2, 'Maths', '2026-03-02', $3, $3, $3, 'R', 'manual', 1)";
        tx.execute(sql, params![lesson(n).to_string(), class, starts])?;
    }
    for (n, row) in rows.iter().enumerate() {
        let sql = "update sighting set session = $2, confidence = $3, order_at = $4 where id = $1";
        let session = lesson_of(n).map(|n| lesson(n).to_string());
        tx.execute(sql, params![id(n).to_string(), session, sure(n), row.at * HOURS_3])?;
    }
    Ok(())
}

/// What waits for the reader number `who`, in the order of the desk.
fn expected(rows: &[Row], who: usize) -> Vec<(String, RecordId)> {
    let sees = |row: &Row| match (who, row.decided.unwrap_or(row.predicted)) {
        (0, _) => true,
        (1, person) => person < 2,
        (3, person) => person == 0,
        _ => false,
    };
    let day = |row: &Row| Wall(row.at * HOURS_3 / (8 * HOURS_3) * 8 * HOURS_3);
    let place = |(n, row): (usize, &Row)| match lesson_of(n) {
        Some(n) => QueuePlace::Lesson(Wall(i64::from(n > 0) + 1), lesson(n)),
        None => QueuePlace::Door(day(row), format!("d{}", row.device)),
    };
    let waits = |(_, row): &(usize, &Row)| row.status == 0 && sees(row);
    let mut all: Vec<_> = rows.iter().enumerate().filter(waits).collect();
    let key = |(n, row): (usize, &Row)| (place((n, row)).to_string(), sure(n), id(n).to_string());
    all.sort_by(|a, b| key(*b).partial_cmp(&key(*a)).unwrap());
    all.into_iter().map(|(n, row)| (place((n, row)).to_string(), id(n))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_card_comes_once_in_its_group_the_surest_first(rows in rows()) {
        let (_dir, db, _, runtime) = house(rows.clone());
        let all = rows.clone();
        runtime.block_on(db.write(move |tx| spread(tx, &all))).unwrap();
        for (who, reader) in readers().into_iter().enumerate() {
            let found = runtime.block_on(db.read(move |tx| {
                let (mut all, mut after) = (Vec::new(), None);
                loop {
                    let parts = page(tx, reader, &TimeZone::UTC, after.as_ref(), 3)?;
                    let Some((group, seen)) = parts.last() else { return Ok(all) };
                    let last = seen.last().expect("no group is empty");
                    let spot = Spot { place: group.place(), sure: last.confidence, id: last.id };
                    after = Some(spot.to_string().parse().expect("it reads what it writes"));
                    for (group, seen) in parts {
                        assert!(seen.iter().all(|seen| {
                            group_of(tx, reader, &TimeZone::UTC, seen).unwrap() == group
                        }));
                        all.extend(seen.iter().map(|seen| (group.place().to_string(), seen.id)));
                    }
                }
            })).unwrap();
            prop_assert_eq!(found, expected(&rows, who));
        }
    }
}

#[test]
fn a_teacher_reads_no_other_class_in_a_group() {
    let row = Row { at: 1, status: 0, device: 0, predicted: 1, decided: None };
    let (_dir, db, _, runtime) = house(vec![row, row]);
    runtime.block_on(db.write(move |tx| spread(tx, &[row, row]))).unwrap();
    let read = move |tx: &Tx<'_>| page(tx, readers()[1], &TimeZone::UTC, None, 50);
    let parts = runtime.block_on(db.read(read)).unwrap();
    let name = |(group, _): &QueuePart| match group {
        QueueGroup::Lesson(lesson) => (lesson.class.clone(), lesson.name.clone()),
        QueueGroup::Door(_) => panic!("both are in lessons"),
    };
    let names: Vec<_> = parts.iter().map(name).collect();
    assert_eq!(names, [(None, String::new()), (Some("C0".into()), "Maths".into())]);
}

#[test]
fn the_cards_of_a_lesson_and_of_a_day_are_found_in_indexes_of_what_waits() {
    let (_dir, db, _, runtime) = planned();
    let look = |condition: &'static str, order: &'static str| {
        runtime.block_on(db.read(move |tx| {
            let sql = format!(
                "select s.id from sighting s where s.review_status = 'pending' and {condition}
                 order by {order} limit 50"
            );
            Ok(plan(tx, &sql, Vec::new()).join("\n"))
        }))
    };
    let lesson = look(
        "s.session = 'x' and (s.confidence, s.id) < (0.5, 'x')",
        "s.confidence desc, s.id desc",
    );
    let lesson = lesson.unwrap();
    assert!(lesson.contains("COVERING INDEX sighting_waiting"), "{lesson}");
    assert!(!lesson.contains("TEMP B-TREE"), "{lesson}");
    let newest = look("s.session is null and s.order_at < 9", "s.order_at desc").unwrap();
    assert!(newest.contains("COVERING INDEX sighting_apart"), "{newest}");
}

#[test]
fn a_place_that_nobody_wrote_is_refused() {
    for text in
        ["", "x", "l1", "zzz.1.2", "7ff0000000000000.00000000-0000-0000-0000-000000000001.l"]
    {
        assert!(text.parse::<Spot>().is_err(), "{text}");
    }
}
