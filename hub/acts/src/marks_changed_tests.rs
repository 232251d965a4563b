//! What becomes of marks when people change, end and open lessons, on a real database.

use super::*;
use crate::events::Event;
use crate::lessons::upkeep::LessonUpkeep;
use crate::lessons::{Classroom, LessonChanges};
use crate::timekeeper::Timekeeper;
use crate::upkeep::{Aside, Upkeep};
use jiff::tz::TimeZone;
use rules::retention::RetentionKind;
use std::sync::Arc;
use store::line::Duty;
use store::retention::RetentionLooked;
use wire::time::ManualClock;

/// Changes nothing of a lesson.
const SAME: LessonChanges = LessonChanges {
    lesson: String::new(),
    name: None,
    day: None,
    starts: None,
    ends: None,
    room: None,
    version: None,
};

fn minute(n: i64) -> Wall {
    START.plus_ms(n * MINUTE)
}

impl House {
    fn classroom(&self) -> Classroom {
        let Desk { db, events, .. } = self.desk.clone();
        Classroom { db, events, zone: TimeZone::UTC }
    }

    /// What closes lessons, at this moment.
    fn upkeep(&self, now: Wall) -> LessonUpkeep {
        let Desk { db, events, .. } = self.desk.clone();
        let clock = Arc::new(ManualClock::at(now, Mono(0)));
        let (aside, timekeeper) = (Aside::default(), Timekeeper::default());
        let upkeep = Upkeep { db: db.clone(), clock, aside, timekeeper, duty: Duty::default() };
        LessonUpkeep { db, events, zone: TimeZone::UTC, upkeep }
    }

    async fn change(&self, lesson: usize, to: LessonChanges, at: i64) -> Session {
        let to = LessonChanges { lesson: self.lessons[lesson].to_string(), ..to };
        self.classroom().change(admin(), to, |_, lesson| Ok(lesson), minute(at)).await.unwrap()
    }

    async fn rename(&self, lesson: usize, at: i64) -> Session {
        self.change(lesson, LessonChanges { name: Some("Rehearsal".into()), ..SAME }, at).await
    }

    /// Begins a lesson that nobody planned, two hours after the first.
    async fn begin(&mut self) -> Session {
        let begun = self.classroom().begin(admin(), "7B".into(), minute(120)).await.unwrap();
        self.lessons.push(begun.id);
        begun
    }

    async fn write(&self, sql: &'static str) {
        self.desk.db.write(move |tx| tx.execute(sql, [])).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_is_late_for_a_lesson_without_a_plan_because_it_got_a_name() {
    let mut house = house().await;
    let begun = house.begin().await;
    let (record, _) = house.see(1, 0, Some(140)).await;
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(house.words(2, 0).await, Some(("present", "door")));
    let named = house.rename(2, 150).await;
    assert_eq!((named.name.as_str(), named.late_after), ("Rehearsal", begun.late_after));
    assert_eq!(house.words(2, 0).await, Some(("present", "door")));
}

#[tokio::test]
async fn a_lesson_that_is_sent_back_with_its_times_as_shown_is_not_moved() {
    let house = house().await;
    let at = minute(120).plus_ms(23_456);
    let begun = house.classroom().begin(admin(), "7B".into(), at).await.unwrap();
    let shown = |hour| Some(jiff::civil::time(hour, 0, 0, 0));
    let (lesson, name) = (begun.id.to_string(), Some("Rehearsal".into()));
    let to = LessonChanges { lesson, name, starts: shown(10), ends: shown(11), ..SAME };
    let named = house.classroom().change(admin(), to, |_, lesson| Ok(lesson), at).await.unwrap();
    let times = |of: &Session| (of.starts, of.ends, of.late_after);
    assert_eq!(times(&named), times(&begun));
}

#[tokio::test]
async fn nobody_is_late_for_a_lesson_because_it_ends_later_or_sooner() {
    let mut house = house().await;
    let begun = house.begin().await;
    let (record, _) = house.see(1, 0, Some(140)).await;
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    let until = |hour, minute| Some(jiff::civil::time(hour, minute, 0, 0));
    let longer = house.change(2, LessonChanges { ends: until(11, 30), ..SAME }, 150).await;
    assert_eq!((longer.ends, longer.late_after), (minute(210), begun.ends));
    let shorter = house.change(2, LessonChanges { ends: until(10, 45), ..SAME }, 150).await;
    assert_eq!((shorter.ends, shorter.late_after), (minute(165), minute(165)));
    assert_eq!(house.words(2, 0).await, Some(("present", "door")));
}

#[tokio::test]
async fn a_lesson_that_was_renamed_keeps_its_marks() {
    let house = house().await;
    house.watch_all().await;
    let (record, _) = house.see(1, 0, Some(5)).await;
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    house.close(0).await;
    house.write("update class set grace_min = 0").await;
    house.write("delete from health").await;
    let (class, new) = (house.class, house.people[2]);
    let enter = move |tx: &Tx<'_>| class::add_member(tx, class, new, "t", START);
    house.desk.db.write(enter).await.unwrap();
    house.rename(0, 30 * 24 * 60).await;
    assert_eq!(house.words(0, 0).await, Some(("present", "door")), "by the grace of that day");
    assert_eq!(house.words(0, 1).await, Some(("absent", "close")), "the door watched that day");
    assert_eq!(house.words(0, 2).await, None, "they were in no class that day");
}

#[tokio::test]
async fn an_old_lesson_that_is_moved_marks_nobody_who_was_not_in_the_class_and_settles_no_doubt() {
    let house = house().await;
    house.watch_all().await;
    house.see(1, 0, Some(5)).await;
    house.close(0).await;
    assert_eq!(house.words(0, 0).await, Some(("undecided", "close")));
    let sweep = |tx: &Tx<'_>| {
        let (kind, first) = (RetentionKind::Pending, RetentionLooked::default());
        store::retention::sweep(tx, kind, START.plus_ms(60 * MINUTE), &first, 9)
    };
    assert_eq!(house.desk.db.write(sweep).await.unwrap().0, 1);
    let (class, new) = (house.class, house.people[2]);
    let enter = move |tx: &Tx<'_>| class::add_member(tx, class, new, "t", START);
    house.desk.db.write(enter).await.unwrap();
    let sooner = Some(jiff::civil::time(8, 40, 0, 0));
    house.change(0, LessonChanges { ends: sooner, ..SAME }, 30 * 24 * 60).await;
    assert_eq!(house.words(0, 0).await, Some(("undecided", "close")), "nobody looked in time");
    assert_eq!(house.words(0, 1).await, Some(("absent", "close")));
    assert_eq!(house.words(0, 2).await, None, "they were in no class that day");
}

/// Both lessons are over; of person 0 a sighting in the second one was kept no longer, and person 2
/// came to the class since.
async fn long_ago() -> House {
    let house = house().await;
    house.watch_all().await;
    house.see(1, 0, Some(50)).await;
    house.close(0).await;
    house.close(1).await;
    assert_eq!(house.words(1, 0).await, Some(("undecided", "close")));
    let sweep = |tx: &Tx<'_>| {
        let (kind, first) = (RetentionKind::Pending, RetentionLooked::default());
        store::retention::sweep(tx, kind, START.plus_ms(120 * MINUTE), &first, 9)
    };
    assert_eq!(house.desk.db.write(sweep).await.unwrap().0, 1);
    let (class, new) = (house.class, house.people[2]);
    let enter = move |tx: &Tx<'_>| class::add_member(tx, class, new, "t", START);
    house.desk.db.write(enter).await.unwrap();
    house
}

#[tokio::test]
async fn a_word_of_an_old_lesson_settles_no_doubt_in_the_next_one() {
    let house = long_ago().await;
    house.say(0, 0, Status::Excused).await.unwrap();
    assert_eq!(house.words(1, 0).await, Some(("undecided", "close")), "nobody looked in time");
}

#[tokio::test]
async fn a_word_of_an_old_lesson_marks_nobody_in_the_next_one_who_was_not_in_the_class() {
    let house = long_ago().await;
    house.say(0, 2, Status::Present).await.unwrap();
    assert_eq!(house.words(1, 2).await, None, "they were in no class that day");
    house.say(0, 1, Status::Present).await.unwrap();
    assert_eq!(
        house.words(1, 1).await,
        Some(("unverified", "close")),
        "they were, and had no need to pass a door"
    );
}

#[tokio::test]
async fn an_old_lesson_that_is_moved_takes_up_nothing_of_whoever_came_to_the_class_since() {
    let house = house().await;
    house.watch_all().await;
    let (record, worth) = house.see(1, 2, Some(5)).await;
    assert_eq!(worth.status, review::Status::Logged, "in school, and in no class");
    house.close(0).await;
    let (class, new) = (house.class, house.people[2]);
    let enter = move |tx: &Tx<'_>| class::add_member(tx, class, new, "t", START);
    house.desk.db.write(enter).await.unwrap();
    let sooner = Some(jiff::civil::time(8, 40, 0, 0));
    house.change(0, LessonChanges { ends: sooner, ..SAME }, 30 * 24 * 60).await;
    let waits = move |tx: &Tx<'_>| store::review::facts(tx, record);
    let facts = house.desk.db.read(waits).await.unwrap();
    assert_eq!(facts.state.status, review::Status::Logged, "nobody is asked about it");
    assert_eq!(house.words(0, 2).await, None);
}

#[tokio::test]
async fn a_lesson_that_was_closed_early_stays_closed_when_it_is_renamed() {
    let house = house().await;
    let id = house.lessons[0].to_string();
    house.classroom().close(admin(), id, minute(20)).await.unwrap();
    assert_eq!(house.rename(0, 25).await.closed_at, Some(minute(20)));
    assert_eq!(house.words(0, 0).await, Some(("unverified", "close")));
}

#[tokio::test]
async fn whoever_passed_the_right_door_is_not_absent_once_the_room_is_corrected() {
    let mut house = house().await;
    house.watch_all().await;
    let wrong = Session { room: "9".into(), ..lesson(13, house.class, 120) };
    house.lessons.push(wrong.id);
    house.desk.db.write(move |tx: &Tx<'_>| session::add(tx, &wrong)).await.unwrap();
    let (record, worth) = house.see(1, 0, Some(120)).await;
    assert_eq!(worth.status, review::Status::Logged);
    house.close(2).await;
    assert_eq!(house.words(2, 0).await, Some(("unverified", "close")));
    house.change(2, LessonChanges { room: Some("1".into()), ..SAME }, 200).await;
    assert_eq!(house.words(2, 0).await, Some(("undecided", "close")), "their sighting waits");
    assert_eq!(house.words(2, 1).await, Some(("absent", "close")));
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    assert_eq!(house.words(2, 0).await, Some(("present", "door")));
}

#[tokio::test]
async fn a_mark_stays_when_the_sighting_it_came_from_is_swept() {
    let house = house().await;
    house.watch_all().await;
    let (record, _) = house.see(1, 0, Some(50)).await;
    house.decide(record, ReviewSay::Approve(None)).await.unwrap();
    house.close(0).await;
    house.close(1).await;
    let sweep = |tx: &Tx<'_>| {
        let (kind, first) = (RetentionKind::Decided, RetentionLooked::default());
        store::retention::sweep(tx, kind, START.plus_ms(60 * MINUTE), &first, 9)
    };
    assert_eq!(house.desk.db.write(sweep).await.unwrap().0, 1);
    house.say(0, 0, Status::Absent).await.unwrap();
    let kept = house.mark(1, 0).await.unwrap();
    assert_eq!((kept.status, kept.source, kept.sighting), (Status::Present, Source::Door, None));
}

#[tokio::test]
async fn the_hub_closes_no_lesson_that_was_changed_after_it_looked() {
    let house = house().await;
    for n in 13..=14 {
        let one = lesson(n, house.class, 120);
        house.desk.db.write(move |tx: &Tx<'_>| session::add(tx, &one)).await.unwrap();
    }
    let others = "update session set ends = ends + 36000000 where id like '%0c';
            update session set closed_at = 7 where id like '%0d';
            delete from session where id like '%0e'";
    let when = ("meanwhile", "after update of closed_at on session");
    store::sample::trigger(house.desk.db.place(), when, "new.id like '%0b'", others);
    let mut heard = house.desk.events.listen();
    assert_eq!(house.upkeep(minute(180)).close().await.unwrap(), 1);
    assert_eq!(heard.try_recv(), Ok(Event::SessionClosed(house.lessons[0])));
    assert!(heard.try_recv().is_err(), "nothing is said of the others");
    assert_eq!(house.count("select count(*) from session where closed_at is null").await, 1);
    assert_eq!(house.count("select closed_at from session where id like '%0d'").await, 7);
    assert_eq!(house.count("select count(*) from audit where action = 'close'").await, 1);
}

#[tokio::test]
async fn opening_an_open_lesson_and_closing_a_closed_one_change_and_say_nothing() {
    let house = house().await;
    let (classroom, id) = (house.classroom(), house.lessons[0]);
    let mut heard = house.desk.events.listen();
    classroom.open(admin(), id.to_string(), minute(10)).await.unwrap();
    assert!(heard.try_recv().is_err(), "it was open");
    for at in [20, 25] {
        classroom.close(admin(), id.to_string(), minute(at)).await.unwrap();
    }
    assert_eq!(heard.try_recv(), Ok(Event::SessionClosed(id)));
    assert!(heard.try_recv().is_err(), "it was closed");
    assert_eq!(
        house.count("select closed_at from session order by id limit 1").await,
        minute(20).0
    );
    for _ in 0..2 {
        classroom.open(admin(), id.to_string(), minute(30)).await.unwrap();
    }
    let marked = std::iter::from_fn(|| heard.try_recv().ok()).collect::<Vec<_>>();
    assert!(matches!(marked[..], [Event::Marked { .. }, Event::Marked { .. }]), "{marked:?}");
    let turns = "select count(*) from audit where action in ('close', 'open')";
    assert_eq!(house.count(turns).await, 2);
}
