//! What the house says to people, in each of their languages: numbers, reasons, times, and every text
//! of a page or a mail.

pub mod alert;
pub mod care;
pub mod language;
pub mod why;

use crate::language::Language;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rules::reports::ReportRate;
use wire::{Reason, Wall};

/// Confidence in words, as a text's key; in three bands: from 0.9, from 0.7, and below.
#[must_use]
pub fn confidence(value: f64) -> &'static str {
    match value {
        v if v >= 0.9 => "words-very-likely",
        v if v >= 0.7 => "words-likely",
        v if v >= 0.5 => "words-possible",
        _ => "words-doubtful",
    }
}

/// Whole per cent, never 100: no likeness is certain.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=100")]
pub fn percent(value: f64) -> u8 {
    ((value.clamp(0.0, 1.0) * 100.0).round() as u8).min(99)
}

/// Why a sighting waits, for a teacher; a text’s key.
#[must_use]
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::BelowLine => "words-below-line",
        Reason::CloseRunnerUp => "words-close-runner-up",
        Reason::LookAlike => "words-look-alike",
        Reason::FaceSmall => "words-face-small",
        Reason::Blurred => "words-blurred",
        Reason::Dark => "words-dark",
        Reason::Bright => "words-bright",
        Reason::TurnedAway => "words-turned-away",
        Reason::DetectorUnsure => "words-detector-unsure",
        Reason::SingleFrame => "words-single-frame",
        Reason::ClockUnset => "words-clock-unset",
        Reason::CropDropped => "words-crop-dropped",
        Reason::ChangedByHub => "words-changed-by-hub",
        Reason::StaleGallery => "words-stale-gallery",
        Reason::RuledOut => "words-ruled-out",
    }
}

/// How well the time is known, as a text’s key; nothing when it is known well.
#[must_use]
pub fn clock(state: &str) -> &'static str {
    match state {
        "unset" => "words-time-unset",
        "floor" => "words-time-floor",
        "rtc" => "words-time-rtc",
        _ => "",
    }
}

/// A day as people say it, seen from `today`.
#[must_use]
pub fn say_day(language: Language, day: Date, today: Date) -> String {
    let weekday = weekday(language, day);
    let month = month_name(language, day);
    let number = language.digits(&day.day().to_string());
    let comma = if language == Language::Persian { "،" } else { "," };
    let full = if day.year() == today.year() {
        format!("{weekday}{comma} {number} {month}")
    } else {
        format!("{weekday}{comma} {number} {month} {}", language.digits(&day.year().to_string()))
    };
    match day {
        d if d == today => language.one("words-today", "day", full),
        d if Some(d) == today.yesterday().ok() => language.one("words-yesterday", "day", full),
        _ => full,
    }
}

const DAYS: [&str; 7] = [
    "words-monday",
    "words-tuesday",
    "words-wednesday",
    "words-thursday",
    "words-friday",
    "words-saturday",
    "words-sunday",
];

const MONTHS: [&str; 12] = [
    "words-january",
    "words-february",
    "words-march",
    "words-april",
    "words-may",
    "words-june",
    "words-july",
    "words-august",
    "words-september",
    "words-october",
    "words-november",
    "words-december",
];

/// The name of its day of the week.
#[must_use]
pub fn weekday(language: Language, day: Date) -> String {
    let n = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
    language.say(DAYS[n])
}

/// The name of a day's month.
fn month_name(language: Language, day: Date) -> String {
    language.say(MONTHS[usize::from(day.month().unsigned_abs()) - 1])
}

/// A day's month in few letters, where a language shortens months.
#[must_use]
pub fn short_month(language: Language, day: Date) -> String {
    let name = month_name(language, day);
    match language {
        Language::English => name.chars().take(3).collect(),
        Language::Persian => name,
    }
}

/// A day in few letters: `2 Mar`.
#[must_use]
pub fn short_day(language: Language, day: Date) -> String {
    format!("{} {}", language.digits(&day.day().to_string()), short_month(language, day))
}

/// A day with its year: `2 March 2026`.
#[must_use]
pub fn full_day(language: Language, day: Date) -> String {
    format!("{} {}", language.digits(&day.day().to_string()), month(language, day))
}

/// A day's month with its year.
#[must_use]
pub fn month(language: Language, day: Date) -> String {
    format!("{} {}", month_name(language, day), language.digits(&day.year().to_string()))
}

/// A share in per cent.
#[must_use]
pub fn share(language: Language, rate: ReportRate) -> String {
    match language {
        Language::English => format!("{rate} %"),
        Language::Persian => format!("{}٪", language.digits(&rate.to_string().replace('.', "٫"))),
    }
}

/// Hour, minute and second in `zone`.
#[must_use]
pub fn time(at: Wall, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Hour and minute in `zone`.
#[must_use]
pub fn minute(language: Language, at: Wall, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    language.digits(&time.to_zoned(zone.clone()).strftime("%H:%M").to_string())
}

/// From when to when a lesson lasts.
#[must_use]
pub fn hours(language: Language, (starts, ends): (Wall, Wall), zone: &TimeZone) -> String {
    let [from, to] = [starts, ends].map(|at| minute(language, at, zone));
    language.two("roll-hours", ("from", from), ("to", to))
}

/// The time of a moment today, or else its day with the time.
#[must_use]
pub fn when(language: Language, at: Wall, zone: &TimeZone, now: Wall) -> String {
    let day = rules::timetable::day(at, zone);
    let time = minute(language, at, zone);
    match day == rules::timetable::day(now, zone) {
        true => time,
        false => language.two("doors-day-time", ("day", full_day(language, day)), ("time", time)),
    }
}

/// How long ago, roughly.
#[must_use]
pub fn ago(language: Language, at: Wall, now: Wall) -> String {
    let seconds = now.0.saturating_sub(at.0).max(0) / 1000;
    match seconds {
        0..60 => language.say("words-just-now"),
        60..3600 => language.one("words-minutes-ago", "count", seconds / 60),
        3600..86_400 => language.one("words-hours-ago", "count", seconds / 3600),
        86_400..172_800 => language.say("words-since-yesterday"),
        _ => language.one("words-days-ago", "count", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_said_in_words_and_never_as_certainty() {
        assert_eq!(
            [0.95, 0.9, 0.89, 0.5, 0.1].map(confidence),
            [
                "words-very-likely",
                "words-very-likely",
                "words-likely",
                "words-possible",
                "words-doubtful"
            ]
        );
        assert_eq!([0.999, 1.0, 0.704, -1.0].map(percent), [99, 99, 70, 0]);
    }

    #[test]
    fn days_and_times_are_those_of_the_school() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let late = Wall(1_772_406_000_000); // 2026-03-01T23:00Z
        assert_eq!(time(late, &berlin), "00:00:00");
        let today = rules::timetable::day(late, &berlin);
        let say =
            |day| say_day(Language::English, day, today).replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!(say(today), "Today, Monday, 2 March");
        assert_eq!(say(today.yesterday().unwrap()), "Yesterday, Sunday, 1 March");
        assert_eq!(say(jiff::civil::date(2025, 5, 1)), "Thursday, 1 May 2025");
    }

    #[test]
    fn how_long_ago_is_rough() {
        let ago = |s: i64| ago(Language::English, Wall(0), Wall(s * 1000));
        assert_eq!([0, 59, 60, 7200].map(ago), ["just now", "just now", "1 min ago", "2 h ago"]);
        assert_eq!(ago(400_000), "4 days ago");
    }
}
