use super::*;
use jiff::civil::{date, time};
use proptest::prelude::*;
use store::feed::FeedShown;
use uuid::Uuid;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

proptest! {
    #[test]
    fn a_file_that_is_no_calendar_is_refused_and_nothing_panics(text in "\\PC{0,200}") {
        prop_assert!(read(&text, &berlin()).is_err());
        let inside = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let _read_or_refused = read(&inside, &berlin());
    }
}

fn event(lines: &str) -> CalendarFound {
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Maths\r\n\
         LOCATION:204\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    read(&text, &berlin()).unwrap()
}

#[test]
fn a_weekly_event_becomes_a_period_for_each_of_its_days() {
    let found = event(
        "DTSTART;TZID=Europe/Berlin:20260907T084500\r\nDTEND;TZID=Europe/Berlin:20260907T093000\r\n\
         RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261218T230000Z\r\n\
         EXDATE;TZID=Europe/Berlin:20260909T084500",
    );
    let [monday, wednesday] = found.weekly.as_slice() else { panic!("{found:?}") };
    assert_eq!((monday.starts, monday.room.as_str()), (time(8, 45, 0, 0), "204"));
    assert_eq!(monday.to, Some(date(2026, 12, 19)), "23:00 UTC is the next day in Berlin");
    assert_eq!((monday.without.len(), wednesday.without[0]), (0, date(2026, 9, 9)));
}

#[test]
fn whole_days_are_holidays_and_what_is_not_weekly_is_named() {
    let holiday = event("DTSTART;VALUE=DATE:20261005\r\nDTEND;VALUE=DATE:20261010");
    assert_eq!(holiday.days, [("Maths".into(), date(2026, 10, 5), date(2026, 10, 9))]);
    let once = event("DTSTART:20260907T064500Z\r\nDTEND:20260907T073000Z");
    assert_eq!(once.once[0].starts, date(2026, 9, 7).at(8, 45, 0, 0));
    let monthly = event("DTSTART:20260907T064500Z\r\nDTEND:20260907T073000Z\r\nRRULE:FREQ=MONTHLY");
    assert!(monthly.skipped[0].contains("each week"), "{:?}", monthly.skipped);
}

#[test]
fn what_goes_out_as_a_calendar_comes_in_again() {
    let lesson = FeedShown {
        id: id(1),
        name: "Maths, advanced; Ω \u{202e}x".into(),
        starts: Wall(1_788_763_500_000),
        ends: Wall(1_788_766_200_000),
        room: "B 2.04".into(),
        version: 1,
    };
    let text = write("Lessons", &[lesson], Wall(0));
    let found = read(&text, &berlin()).unwrap();
    assert_eq!(found.once[0].name, "Maths, advanced; Ω \u{202e}x");
    assert_eq!(found.once[0].starts, date(2026, 9, 7).at(8, 45, 0, 0));
}
