use super::*;
use jiff::ToSpan;
use jiff::civil::{date, time};
use proptest::prelude::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn period(n: u128, weekday: Weekday, starts: Time, ends: Time) -> Period {
    let (class, room, from) = (id(100 + n), format!("R{n}"), date(2026, 1, 1));
    Period { id: id(n), class, weekday, starts, ends, room, from, to: None, version: 1 }
}

fn plan(periods: Vec<Period>) -> Plan {
    Plan { periods, changes: HashMap::new(), holidays: Vec::new(), zone: berlin() }
}

/// Local clock times of a lesson.
fn shown(lesson: &Lesson) -> (String, String) {
    let clock = |at: Wall| {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap().to_zoned(berlin());
        at.strftime("%H:%M").to_string()
    };
    (clock(lesson.starts), clock(lesson.ends))
}

#[test]
fn a_lesson_keeps_its_local_time_over_both_clock_changes() {
    let morning = period(1, Weekday::Monday, time(8, 45, 0, 0), time(9, 30, 0, 0));
    let lessons = plan(vec![morning]).lessons(date(2026, 3, 23), date(2026, 11, 2));
    assert!(lessons.iter().all(|lesson| shown(lesson) == ("08:45".into(), "09:30".into())));
    let apart = |a: &Lesson, b: &Lesson| b.starts.0 - a.starts.0;
    let week = 7 * 24 * 3_600_000;
    assert_eq!(apart(&lessons[0], &lessons[1]), week - 3_600_000, "spring");
    assert_eq!(lessons.windows(2).filter(|w| apart(&w[0], &w[1]) == week + 3_600_000).count(), 1);
}

#[test]
fn a_lesson_in_the_lost_hour_comes_later_and_one_in_the_doubled_hour_first() {
    let night = |starts, ends| plan(vec![period(1, Weekday::Sunday, starts, ends)]);
    let one = |plan: &Plan, day: Date| plan.lessons(day, day).remove(0);
    let lost = one(&night(time(2, 15, 0, 0), time(2, 45, 0, 0)), date(2026, 3, 29));
    assert_eq!(shown(&lost), ("03:15".into(), "03:45".into()));
    let across = one(&night(time(2, 30, 0, 0), time(3, 15, 0, 0)), date(2026, 3, 29));
    assert_eq!(across.ends.0 - across.starts.0, 45 * 60_000, "never empty");
    let doubled = one(&night(time(2, 15, 0, 0), time(2, 45, 0, 0)), date(2026, 10, 25));
    assert_eq!(doubled.ends.0 - doubled.starts.0, 30 * 60_000);
    assert_eq!(doubled.starts.0, 1_792_887_300_000, "the first 02:15, at 00:15 UTC");
}

#[test]
fn holidays_and_cancelled_days_have_no_lessons_and_moved_ones_move() {
    let weekly = period(1, Weekday::Monday, time(8, 0, 0, 0), time(9, 0, 0, 0));
    let mut plan = plan(vec![weekly]);
    let (from, to) = (date(2026, 5, 1), date(2026, 5, 5));
    plan.holidays.push(Holiday { id: id(9), name: "Spring".into(), from, to });
    plan.changes.insert((id(1), date(2026, 5, 11)), Change::Cancelled);
    let (starts, ends, room) = (time(10, 0, 0, 0), time(11, 0, 0, 0), "Hall".to_owned());
    plan.changes.insert((id(1), date(2026, 5, 18)), Change::Moved { starts, ends, room });
    let lessons = plan.lessons(date(2026, 4, 27), date(2026, 5, 25));
    let days: Vec<_> = lessons.iter().map(|lesson| lesson.day.to_string()).collect();
    assert_eq!(days, ["2026-04-27", "2026-05-18", "2026-05-25"]);
    assert_eq!((lessons[1].room.as_str(), shown(&lessons[1]).0.as_str()), ("Hall", "10:00"));
}

#[test]
fn a_class_and_a_room_are_taken_only_once_at_a_time() {
    let at = |n, from, to| period(n, Weekday::Monday, time(from, 0, 0, 0), time(to, 0, 0, 0));
    let first = at(1, 8, 9);
    let same_class = Period { class: first.class, ..at(2, 8, 10) };
    let same_room = Period { room: first.room.clone(), ..at(3, 7, 9) };
    let others = [first.clone()];
    assert!(matches!(fits(&same_class, &others), Err(Unfit::Class(..))));
    assert!(matches!(fits(&same_room, &others), Err(Unfit::Room(..))));
    assert_eq!(fits(&Period { class: first.class, ..at(4, 9, 10) }, &others), Ok(()));
    let over = Period { to: Some(date(2026, 2, 1)), ..first };
    let later = Period { from: date(2026, 2, 2), ..same_class };
    assert_eq!(fits(&later, &[over]), Ok(()), "one after the other");
    assert_eq!(fits(&at(5, 9, 9), &[]), Err(Unfit::Times));
}

#[test]
fn what_has_begun_or_holds_marks_stays_as_it_was() {
    let weekly = period(1, Weekday::Monday, time(8, 0, 0, 0), time(9, 0, 0, 0));
    let plan = plan(vec![weekly]);
    let wanted = plan.lessons(date(2026, 5, 4), date(2026, 5, 18));
    let kept = HashSet::from([(id(1), date(2026, 5, 4))]);
    let old = Lesson { room: "Old".into(), ..wanted[1].clone() };
    let gone = Lesson { day: date(2026, 5, 12), ..wanted[1].clone() };
    let stored = vec![Stored { id: id(7), lesson: old }, Stored { id: id(8), lesson: gone }];
    let changes = changes(stored, &kept, wanted.clone());
    assert_eq!(changes.add, [wanted[2].clone()]);
    assert_eq!(changes.change, [Stored { id: id(7), lesson: wanted[1].clone() }]);
    assert_eq!(changes.remove, [id(8)]);
}

fn any_period() -> impl Strategy<Value = Period> {
    let days = (0i32..400, prop::option::of(0i32..60));
    (1u128..6, 1i8..=7, 0i8..23, 1i8..=59, days).prop_map(|(n, weekday, hour, length, days)| {
        let from = date(2026, 1, 1).checked_add(days.0.days()).unwrap();
        let starts = time(hour, 0, 0, 0);
        Period {
            weekday: Weekday::from_monday_one_offset(weekday).unwrap(),
            from,
            to: days.1.map(|length| from.checked_add(length.days()).unwrap()),
            ..period(n, Weekday::Monday, starts, time(hour, length, 0, 0))
        }
    })
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let off = (0i32..420, 0i32..10);
    (prop::collection::vec(any_period(), 0..5), prop::collection::vec(off, 0..4)).prop_map(
        |(mut periods, off)| {
            periods.iter_mut().zip(1u128..).for_each(|(period, n)| period.id = id(n));
            let holiday = |(start, length): (i32, i32)| {
                let from = date(2026, 1, 1).checked_add(start.days()).unwrap();
                let to = from.checked_add(length.days()).unwrap();
                Holiday { id: id(0), name: "x".into(), from, to }
            };
            let holidays = off.into_iter().map(holiday).collect();
            Plan { holidays, ..plan(periods) }
        },
    )
}

proptest! {
    /// Day by day and period by period, without the code that is tested.
    #[test]
    fn there_is_one_lesson_for_each_day_a_period_is_on_and_no_other(
        plan in any_plan(), start in 0i32..400, days in 0i32..40
    ) {
        let first = date(2026, 1, 1).checked_add(start.days()).unwrap();
        let last = first.checked_add(days.days()).unwrap();
        let lessons = plan.lessons(first, last);
        for n in 0..=days {
            let day = first.checked_add(n.days()).unwrap();
            let free = plan.holidays.iter().any(|h| h.from <= day && day <= h.to);
            for period in &plan.periods {
                let on = !free && period.weekday == day.weekday() && period.from <= day
                    && period.to.is_none_or(|to| to >= day);
                let found = lessons.iter().filter(|l| l.period == period.id && l.day == day);
                prop_assert_eq!(found.count(), usize::from(on));
            }
        }
        prop_assert!(lessons.iter().all(|lesson| lesson.starts < lesson.ends));
        prop_assert!(lessons.iter().all(|lesson| lesson.day >= first && lesson.day <= last));
    }

    #[test]
    fn making_lessons_a_second_time_changes_nothing(old in any_plan(), new in any_plan()) {
        let (first, last) = (date(2026, 6, 1), date(2026, 6, 15));
        let stored: Vec<_> = (0u128..).zip(old.lessons(first, last))
            .map(|(n, lesson)| Stored { id: id(n), lesson }).collect();
        let wanted = new.lessons(first, last);
        let done = changes(stored.clone(), &HashSet::new(), wanted.clone());
        let mut after: Vec<_> = stored.into_iter()
            .filter(|s| !done.remove.contains(&s.id))
            .map(|s| done.change.iter().find(|c| c.id == s.id).cloned().unwrap_or(s))
            .collect();
        after.extend((1_000u128..).zip(done.add).map(|(n, lesson)| Stored { id: id(n), lesson }));
        prop_assert_eq!(after.len(), wanted.len());
        prop_assert_eq!(changes(after, &HashSet::new(), wanted), Changes::default());
    }

    #[test]
    fn two_periods_that_fit_are_never_on_at_the_same_time(
        a in any_period(), b in any_period(), start in 0i32..400
    ) {
        let (a, b) = (Period { id: id(1), ..a }, Period { id: id(2), class: id(50), ..b });
        let a = Period { class: id(50), ..a };
        if fits(&b, std::slice::from_ref(&a)).is_ok() {
            let plan = plan(vec![a, b]);
            let first = date(2026, 1, 1).checked_add(start.days()).unwrap();
            for n in 0..30 {
                let day = first.checked_add(n.days()).unwrap();
                if let [one, two] = plan.lessons(day, day).as_slice() {
                    prop_assert!(one.ends <= two.starts || two.ends <= one.starts);
                }
            }
        }
    }
}
