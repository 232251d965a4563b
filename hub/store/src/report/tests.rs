//! A small school with lessons and marks, and the sums of it against what its marks say.

use super::*;
use crate::sample::{admin, class_of, lesson, marked};
use crate::{Db, Params};
use jiff::civil::date;
use proptest::prelude::*;
use rules::attendance::{Source, Status};

fn plan(tx: &Tx<'_>, sql: &str, values: impl Params) -> Vec<String> {
    let sql = format!("explain query plan {sql}");
    tx.query(&sql, values, |row| row.get::<String>(3)).unwrap()
}

#[tokio::test]
async fn sums_of_classes_read_the_tally_by_index_and_no_mark() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
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
    let db = Db::open(dir.path().join("hub.db")).unwrap();
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
