//! A small school with lessons and marks, and the sums of it against what its marks say.

use super::*;
use crate::attendance::{Mark, Source, Status};
use crate::auth::{Actor, Role};
use crate::store::{Db, class, mark, session, student};
use jiff::civil::date;
use proptest::prelude::*;
use wire::{StudentId, Wall};

const NOW: Wall = Wall(1_772_441_130_000);

pub(crate) fn admin() -> Reader {
    Reader { actor: Actor { user: Uuid::nil(), role: Role::Admin }, today: date(2026, 3, 2) }
}

/// A class and its students `CODE-0`, `CODE-1` …
pub(crate) fn class_of(tx: &Tx<'_>, code: &str, students: usize) -> (Uuid, Vec<StudentId>) {
    let class = class::add(tx, (&format!("Class {code}"), code, None), "t", NOW).unwrap();
    let enter = |n| {
        let profile = student::Profile {
            student_number: format!("{code}-{n}"),
            first_name: format!("First{n}"),
            last_name: "Of".to_owned() + code,
            ..student::Profile::default()
        };
        let id = student::add(tx, profile, "t", NOW).unwrap();
        class::add_member(tx, class, id, "t", NOW).unwrap();
        id
    };
    (class, (0..students).map(enter).collect())
}

/// A lesson of `class` on `day`, in the hour `hour` UTC.
pub(crate) fn lesson(tx: &Tx<'_>, class: Uuid, day: Date, hour: i8) -> Uuid {
    let starts = day.at(hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    let starts = Wall(starts.timestamp().as_millisecond());
    let id = wire::id::v7(NOW);
    let row = session::Session {
        id,
        class,
        name: "Lesson".into(),
        day,
        starts,
        ends: starts.plus_ms(45 * 60_000),
        late_after: starts.plus_ms(10 * 60_000),
        room: "204".into(),
        source: session::Source::Manual,
        period: None,
        closed_at: None,
        version: 1,
    };
    session::add(tx, &row).unwrap();
    id
}

/// A mark without a sighting.
pub(crate) fn marked(tx: &Tx<'_>, session: Uuid, student: StudentId, status: Status, by: Source) {
    let mark = Mark {
        status,
        source: by,
        sighting: None,
        arrived_at: None,
        by: "hub".into(),
        at: NOW,
        notes: None,
        version: 1,
    };
    mark::put(tx, session, student, &mark).unwrap();
}

fn plan(tx: &Tx<'_>, sql: &str, values: impl rusqlite::Params) -> Vec<String> {
    let sql = format!("explain query plan {sql}");
    tx.query(&sql, values, |row| row.get::<_, String>(3)).unwrap()
}

#[tokio::test]
async fn sums_of_classes_read_the_tally_by_index_and_no_mark() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("hub.db")).unwrap();
    let plans = db.read(|tx| {
        let reader = params!["teacher", "x", "2026-03-02"];
        Ok([
            plan(tx, &days_sql(), params!["x", "2026-01-01", "2026-12-31"]),
            plan(tx, &months_sql(), params!["teacher", "x", "2026-03-02", None::<String>]),
            plan(tx, &subjects_sql(), reader),
        ])
    });
    for plan in plans.await.unwrap() {
        let all = plan.join("\n");
        assert!(!all.contains("mark"), "{all}");
        assert!(all.contains("SEARCH t USING PRIMARY KEY (session=?)"), "{all}");
        assert!(all.contains("SEARCH s USING"), "{all}");
    }
}

/// Class, day, lesson of the day, student, and one of the statuses.
type Raw = (usize, i8, i8, usize, usize);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Marks are put, replaced and counted again from scratch.
    #[test]
    fn days_months_and_classes_are_what_the_marks_say(
        raw in prop::collection::vec((0_usize..2, 1_i8..28, 0_i8..2, 0_usize..3, 0_usize..6), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(same_as_raw(raw));
    }
}

async fn same_as_raw(raw: Vec<Raw>) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("hub.db")).unwrap();
    let check = move |tx: &Tx<'_>| {
        let classes = ["A", "B"].map(|code| class_of(tx, code, 3));
        let mut lessons = std::collections::BTreeMap::new();
        let mut last = std::collections::BTreeMap::new();
        for (c, d, h, s, status) in raw {
            let day = date(2026, 1 + d % 2, d);
            let at =
                lessons.entry((c, day, h)).or_insert_with(|| lesson(tx, classes[c].0, day, 8 + h));
            let status = Status::ALL[status];
            marked(tx, *at, classes[c].1[s], status, Source::Door);
            last.insert((c, day, h, s), status);
        }
        let naive = |keep: &dyn Fn(usize, Date) -> bool| {
            let of = |wanted| {
                let same = last.iter().filter(|((c, day, ..), s)| **s == wanted && keep(*c, *day));
                i64::try_from(same.count()).unwrap()
            };
            let (present, late) = (of(Status::Present), of(Status::Late));
            Sums { present, late, absent: of(Status::Absent) }
        };
        for (c, (class, _)) in classes.iter().enumerate() {
            let (from, to) = (date(2026, 1, 5), date(2026, 2, 20));
            let found = days(tx, *class, from, to)?;
            let wanted: Vec<_> = from
                .series(jiff::Span::new().days(1))
                .take_while(|day| *day <= to)
                .map(|day| (day, naive(&|a, b| a == c && b == day)))
                .filter(|(_, sums)| sums.total() > 0)
                .collect();
            assert_eq!(found, wanted);
            for month in months(tx, admin(), Some(*class))? {
                let of = |a: usize, b: Date| a == c && b.to_string().starts_with(&month.month);
                assert_eq!(month.sums, naive(&of));
            }
        }
        let total: Sums = months(tx, admin(), None)?.into_iter().map(|month| month.sums).sum();
        assert_eq!(total, naive(&|_, _| true));
        for subject in subjects(tx, admin())? {
            let c = usize::from(subject.code == "B");
            assert_eq!(subject.sums, naive(&|a, _| a == c));
        }
        Ok(())
    };
    db.write(check).await.unwrap();
}
