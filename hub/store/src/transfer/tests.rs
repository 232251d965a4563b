use super::*;
use crate::{Db, consent, sample, student};
use jiff::civil::date;
use rules::attendance::{Source, Status};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tempfile::TempDir;
use wire::{StudentId, Wall};

const NOW: Wall = Wall(1_772_441_130_000);

/// A school of 1,200 in `dir`, with a lesson and a mark.
async fn school(dir: &TempDir) -> Database {
    let place = Database::from(dir.path().join("school.db"));
    let db = Db::open(&place).unwrap();
    let fill = |tx: &Tx<'_>| {
        setting::set(tx, "pairing", "a school")?;
        let (class, people) = sample::class_of(tx, "5a", 1_200);
        let lesson = sample::lesson(tx, class, date(2026, 3, 2), 9);
        sample::marked(tx, lesson, people[7], Status::Present, Source::Manual);
        sample::enrol(tx, &people[..20], NOW)
    };
    db.write(fill).await.unwrap();
    place
}

fn moved(from: &Database, to: &Database) -> Result<Arrived, Error> {
    fill(from, to, &mut |_| ())
}

/// Falls in the middle of the students.
fn cut_short(from: &Database, to: &Database) {
    let mut tell = |step: Step<'_>| {
        assert!(!(step.table == "student" && step.rows >= 1_000), "the power went");
    };
    assert!(catch_unwind(AssertUnwindSafe(|| fill(from, to, &mut tell))).is_err());
}

fn rows(arrived: &Arrived, table: &str) -> u64 {
    let (_, rows) = arrived.tables.iter().find(|(name, _)| name == table).unwrap();
    *rows
}

#[tokio::test]
async fn a_school_arrives_whole_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let here = school(&dir).await;
    let there = Database::File(dir.path().join("there.db"));
    let back = Database::from(dir.path().join("back.db"));
    let went = moved(&here, &there).unwrap();
    assert_eq!((rows(&went, "student"), rows(&went, "mark")), (1_200, 1));
    assert!(went.audit.rows > 2_400, "each person was added and put into the class");
    assert_eq!(moved(&there, &back).unwrap(), went);
    let db = Db::open(&back).unwrap();
    let next = |tx: &Tx<'_>| {
        let id = student::find(tx, "5a-1199")?.id;
        consent::add(tx, id, &consent::ConsentSaid::yes("t"), "t", NOW)?;
        tx.row("select max(n) from consent", [], |row| row.get::<i64>(0))
    };
    assert_eq!(db.write(next).await.unwrap(), Some(21), "numbers go on where they were");
}

#[tokio::test]
async fn what_was_cut_short_is_no_school_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (school(&dir).await, Database::from(dir.path().join("there.db")));
    cut_short(&here, &there);
    let refused = Db::open(&there).err().expect("half a school is none");
    assert!(refused.to_string().contains("is not filled yet"), "{refused}");
    let mut first = None;
    let mut tell = |step: Step<'_>| {
        if step.table == "student" && step.doing == Doing::Copy {
            first.get_or_insert(step.rows);
        }
    };
    assert_eq!(rows(&fill(&here, &there, &mut tell).unwrap(), "student"), 1_200);
    assert_eq!(first, Some(1_000), "the first 500 were there");
    assert!(Db::open(&there).is_ok());
}

#[tokio::test]
async fn a_school_that_changed_meanwhile_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (school(&dir).await, Database::from(dir.path().join("there.db")));
    cut_short(&here, &there);
    let all = "update student set first_name = 'Other'";
    Db::open(&here).unwrap().write(|tx| tx.execute(all, [])).await.unwrap();
    let refused = moved(&here, &there).unwrap_err().to_string();
    assert!(refused.contains("student differs: 1200 rows here"), "{refused}");
    assert!(Db::open(&there).is_err());
}

#[tokio::test]
async fn a_place_that_holds_something_takes_no_other_school() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (here, taken) = (school(&dir).await, school(&other).await);
    let refused = moved(&here, &taken).unwrap_err().to_string();
    assert!(refused.contains("holds something already"), "{refused}");
}

#[tokio::test]
async fn nobody_goes_on_in_a_place_that_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (school(&dir).await, Database::from(dir.path().join("there.db")));
    let running = Db::open(&here).unwrap();
    relocate(&here, &there, |_| ()).unwrap();
    let late = running.write(|tx| setting::set(tx, "x", "late")).await;
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
    let refused = Db::open(&here).err().expect("there is one truth").to_string();
    assert!(refused.contains("moved to"), "{refused}");
    assert!(moved(&here, &Database::from(dir.path().join("third.db"))).is_err());
    let read = |tx: &Tx<'_>| student::find(tx, "5a-3").map(|found| found.id);
    let found: StudentId = Db::open(&there).unwrap().read(read).await.unwrap();
    assert_ne!(found.to_string(), "");
}

#[tokio::test]
async fn a_move_that_ended_at_its_very_last_step_opens_no_place_until_it_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (school(&dir).await, Database::from(dir.path().join("there.db")));
    relocate(&here, &there, |_| ()).unwrap();
    let mark = "insert into setting (name, value) values ('moving', 'a school')";
    beside(&there, vec![mark.into()]).unwrap();
    assert!(Db::open(&here).is_err() && Db::open(&there).is_err());
    relocate(&here, &there, |_| ()).unwrap();
    assert!(Db::open(&here).is_err() && Db::open(&there).is_ok());
}

#[tokio::test]
async fn a_copy_is_of_one_moment_though_others_write_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let here = school(&dir).await;
    let there = Database::File(dir.path().join("there.db"));
    let place = here.clone();
    let mut tell = move |step: Step<'_>| {
        if step.table == "student" && step.doing == Doing::Copy {
            let late = format!("update setting set value = '{}' where name = 'pairing'", step.rows);
            beside(&place, vec![late, "update student set first_name = 'Late'".into()]).unwrap();
        }
    };
    fill(&here, &there, &mut tell).unwrap();
    let late = "select count(*) from student where first_name = 'Late'";
    let late = |place: &Database| place.read(|tx| tx.row(late, [], |row| row.get::<i64>(0)));
    assert_eq!((late(&here).unwrap(), late(&there).unwrap()), (Some(1_200), Some(0)));
}
