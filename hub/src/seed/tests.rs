//! A made-up school is one that the hub could have come by honestly.

use super::*;
use proptest::prelude::*;
use store::Tx;
use wire::Epoch;

const NOW: Wall = Wall(1_790_000_000_000);
const SIZE: Size = Size { students: 60, classes: 6, sightings: 700, pending: 40, seed: 3 };

fn today() -> jiff::civil::Date {
    rules::timetable::day(NOW, &TimeZone::UTC)
}

async fn seeder() -> (tempfile::TempDir, Seeder) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let keys = Keys::create(dir.path(), NOW).unwrap();
    let epoch = |tx: &Tx<'_>| store::setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string());
    db.write(epoch).await.unwrap();
    let model = "dlib-1".parse().unwrap();
    (dir, Seeder { db, keys, model, zone: TimeZone::UTC, now: NOW })
}

async fn count(seeder: &Seeder, what: &'static str) -> usize {
    let sql = format!("select count(*) from {what}");
    let read = move |tx: &Tx<'_>| tx.row(&sql, [], |row| row.get::<i64>(0));
    usize::try_from(seeder.db.read(read).await.unwrap().unwrap()).unwrap()
}

#[tokio::test]
async fn a_year_passes_through_the_same_decisions_as_a_real_one() {
    let (_dir, seeder) = seeder().await;
    let made = seeder.run(SIZE, false, |_| ()).await.unwrap();
    assert_eq!((made.sightings, made.pending), (700, 40));
    assert_eq!(count(&seeder, "sighting").await, 700);
    assert_eq!(count(&seeder, "sighting where review_status = 'pending'").await, 40);
    assert_eq!(count(&seeder, "evidence where part = 'crop'").await, 40);
    assert_eq!(count(&seeder, "sighting where session is null").await, 0);
    let past = count(&seeder, "session where starts < 1790000000000").await;
    assert_eq!((past, count(&seeder, "session where closed_at > 0").await), (made.lessons, past));
    for status in ["present", "late", "absent", "undecided"] {
        assert!(
            count(
                &seeder,
                match status {
                    "present" => "mark where status = 'present'",
                    "late" => "mark where status = 'late'",
                    "absent" => "mark where status = 'absent'",
                    _ => "mark where status = 'undecided'",
                }
            )
            .await
                > 0,
            "{status}"
        );
    }
    assert_eq!(count(&seeder, "mark where status = 'unverified'").await, 0, "doors watched");
    let index = acts::gallery::load(&seeder.db, &seeder.keys, &seeder.model).await.unwrap();
    assert_eq!(index.len(), 60, "every template opens");
    let again = seeder.run(SIZE, false, |_| ()).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "not beside people");
}

proptest! {
    #[test]
    fn everybody_is_in_a_class_and_no_roster_names_anybody_twice(
        students in 1usize..400, classes in 1usize..40, seed: u64
    ) {
        let classes = classes.min(students);
        let size = Size { students, classes, sightings: 10, pending: 0, seed };
        let plan = SeedPlan::new(&size, today()).unwrap();
        let mut all: Vec<_> = plan.rosters.iter().flatten().copied().collect();
        for roster in &plan.rosters {
            let mut once = roster.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), roster.len());
        }
        all.sort_unstable();
        all.dedup();
        prop_assert_eq!(all.len(), students);
        prop_assert_eq!(SeedPlan::new(&size, today()).unwrap(), plan);
    }
}

#[test]
fn a_school_that_cannot_be_is_refused() {
    let refused = |size: Size| SeedPlan::new(&size, today()).is_err();
    assert!(refused(Size { students: 0, ..SIZE }) && refused(Size { classes: 61, ..SIZE }));
    assert!(refused(Size { sightings: 10_000_000, ..SIZE }));
    assert!(refused(Size { pending: 701, ..SIZE }));
}
