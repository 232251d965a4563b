//! Timetables: iCalendar and tables.

use super::{CALENDAR, Hostile};

pub fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Maths\r\n\
         DTSTART:20260907T064500Z\r\nDTEND:20260907T073000Z\r\n{lines}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    )
}

pub fn all() -> Vec<Hostile> {
    let nested = format!("BEGIN:VCALENDAR\r\n{}", "BEGIN:VEVENT\r\n".repeat(300_000));
    let closed: String = (0..50_000).map(|_| "BEGIN:X\r\n").collect::<String>()
        + &(0..50_000).map(|_| "END:X\r\n").collect::<String>();
    let days = vec!["MO"; 1_000_000].join(",");
    let without = "EXDATE:20260914T064500Z\r\n".repeat(200_000);
    let many = event("X:1").replace("END:VCALENDAR\r\n", "").repeat(20_000);
    let files = [
        ("a calendar of open events in each other", nested),
        ("a calendar of closed events in each other", closed + "BEGIN:VCALENDAR"),
        (
            "a calendar that repeats on a million days",
            event(&format!("RRULE:FREQ=WEEKLY;BYDAY={days}")),
        ),
        (
            "a calendar that repeats four thousand million times",
            event("RRULE:FREQ=WEEKLY;COUNT=4294967295"),
        ),
        ("a calendar that repeats each second for ever", event("RRULE:FREQ=SECONDLY")),
        ("a calendar with 200,000 exceptions", event(&format!("RRULE:FREQ=WEEKLY\r\n{without}"))),
        ("a calendar of 20,000 events", many),
        (
            "a calendar of one endless line",
            event(&format!("DESCRIPTION:{}", "a".repeat(5_000_000))),
        ),
        (
            "a calendar of one endless folded line",
            event(&format!("DESCRIPTION:{}", "a\r\n ".repeat(1_200_000))),
        ),
        ("a calendar of five million semicolons", event(&format!("X{}", ";".repeat(5_000_000)))),
        ("a timetable of one endless line", format!("class_code,{}", "x".repeat(5_000_000))),
        (
            "a timetable of a million lines",
            format!("class_code,weekday,starts,ends,room\n{}", "7B\n".repeat(1_000_000)),
        ),
    ];
    files.into_iter().map(|(what, text)| Hostile::file(what, CALENDAR, text.as_bytes())).collect()
}
