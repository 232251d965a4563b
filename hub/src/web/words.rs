//! What pages say about numbers, reasons and times.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use wire::{Reason, Wall};

/// Confidence in words; bands as API.md settles them (0.9 sure, 0.7 likely).
#[must_use]
pub fn confidence(value: f64) -> &'static str {
    match value {
        v if v >= 0.9 => "Very likely",
        v if v >= 0.7 => "Likely",
        v if v >= 0.5 => "Possible",
        _ => "Doubtful",
    }
}

/// Whole per cent, never 100: no likeness is certain.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=100")]
pub fn percent(value: f64) -> u8 {
    ((value.clamp(0.0, 1.0) * 100.0).round() as u8).min(99)
}

/// Why a sighting waits, for a teacher.
#[must_use]
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::BelowLine => "Not similar enough to be sure",
        Reason::CloseRunnerUp => "Somebody else looks almost as similar",
        Reason::LookAlike => "Has a known look-alike",
        Reason::FaceSmall => "The face is small",
        Reason::Blurred => "The picture is blurred",
        Reason::Dark => "The picture is dark",
        Reason::Bright => "The picture is too bright",
        Reason::TurnedAway => "The face is turned away",
        Reason::DetectorUnsure => "Perhaps not a face",
        Reason::SingleFrame => "Seen in one picture only",
        Reason::ClockUnset => "The door did not know the time",
        Reason::CropDropped => "The picture was given up for space",
        Reason::ChangedByHub => "The hub found a better match",
        Reason::StaleGallery => "The door’s list of people was old",
        Reason::RuledOut => "Somebody ruled this match out before",
    }
}

/// How well the time is known; nothing when it is known well.
#[must_use]
pub fn clock(state: &str) -> &'static str {
    match state {
        "unset" => "time unknown, shown as it arrived",
        "floor" => "time is approximate",
        "rtc" => "time from the door’s own clock",
        _ => "",
    }
}

/// The date of `at` in `zone`.
#[must_use]
pub fn day(at: Wall, zone: &TimeZone) -> Date {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(zone.clone()).date()
}

/// A day as people say it, seen from `today`.
#[must_use]
pub fn say_day(day: Date, today: Date) -> String {
    let full = day.strftime("%A, %-d %B");
    match day {
        d if d == today => format!("Today, {full}"),
        d if Some(d) == today.yesterday().ok() => format!("Yesterday, {full}"),
        d if d.year() == today.year() => full.to_string(),
        d => d.strftime("%A, %-d %B %Y").to_string(),
    }
}

/// Hour, minute and second in `zone`.
#[must_use]
pub fn time(at: Wall, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// How long ago, roughly.
#[must_use]
pub fn ago(at: Wall, now: Wall) -> String {
    let seconds = now.0.saturating_sub(at.0).max(0) / 1000;
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        86_400..172_800 => "yesterday".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// “1 person”, “2 people”.
#[must_use]
pub fn count(n: i64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_said_in_words_and_never_as_certainty() {
        assert_eq!(
            [0.95, 0.9, 0.89, 0.5, 0.1].map(confidence),
            ["Very likely", "Very likely", "Likely", "Possible", "Doubtful"]
        );
        assert_eq!([0.999, 1.0, 0.704, -1.0].map(percent), [99, 99, 70, 0]);
    }

    #[test]
    fn days_and_times_are_those_of_the_school() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let late = Wall(1_772_406_000_000); // 2026-03-01T23:00Z
        assert_eq!(time(late, &berlin), "00:00:00");
        let today = day(late, &berlin);
        assert_eq!(say_day(today, today), "Today, Monday, 2 March");
        assert_eq!(say_day(today.yesterday().unwrap(), today), "Yesterday, Sunday, 1 March");
        assert_eq!(say_day(jiff::civil::date(2025, 5, 1), today), "Thursday, 1 May 2025");
    }

    #[test]
    fn how_long_ago_is_rough() {
        let ago = |s: i64| ago(Wall(0), Wall(s * 1000));
        assert_eq!([0, 59, 60, 7200].map(ago), ["just now", "just now", "1 min ago", "2 h ago"]);
        assert_eq!(ago(400_000), "4 days ago");
    }
}
