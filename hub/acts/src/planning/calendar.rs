//! iCalendar (RFC 5545): lessons out as a feed, timetables and holidays in from a file.

use icalendar::{Calendar, Component, Event, EventLike, Property};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::feed::FeedShown;
use wire::Wall;

/// Events of one file at most, and lessons that they come to.
pub const EVENTS: usize = 5_000;
/// Days without an event that comes each week: two years of school days.
const WITHOUT: usize = 500;

/// A calendar called `name` of `lessons`, as text.
#[must_use]
pub fn write(name: &str, lessons: &[FeedShown], now: Wall) -> String {
    let mut calendar = Calendar::new();
    calendar.name(name);
    for lesson in lessons {
        let mut event = Event::with_uid(&lesson.id.to_string());
        event.summary(&lesson.name).location(&lesson.room);
        let sequence = lesson.version.to_string();
        let times = [("DTSTART", lesson.starts), ("DTEND", lesson.ends), ("DTSTAMP", now)];
        for (key, at) in times {
            event.append_property(Property::new(key, utc(at)));
        }
        event.append_property(Property::new("SEQUENCE", sequence));
        calendar.push(event.done());
    }
    calendar.done().to_string()
}

fn utc(at: Wall) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// What a file holds, in local time of the site.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CalendarFound {
    /// Lessons that come each week.
    pub weekly: Vec<Weekly>,
    /// Lessons on one day.
    pub once: Vec<CalendarOnce>,
    /// Whole days: holidays.
    pub days: Vec<(String, Date, Date)>,
    /// What was left out, in sentences.
    pub skipped: Vec<String>,
}

/// A lesson that comes each week, on one day of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Weekly {
    /// The event's summary.
    pub name: String,
    /// On which day.
    #[serde(with = "by_number")]
    pub weekday: Weekday,
    /// Its beginning.
    pub starts: Time,
    /// Its end.
    pub ends: Time,
    /// Where.
    pub room: String,
    /// From this day on.
    pub from: Date,
    /// Until this day, inclusive.
    pub to: Option<Date>,
    /// Not on these.
    pub without: Vec<Date>,
}

/// A lesson on one day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CalendarOnce {
    /// The event's summary.
    pub name: String,
    /// Its beginning.
    pub starts: DateTime,
    /// Its end.
    pub ends: DateTime,
    /// Where.
    pub room: String,
}

/// The text is no calendar, or too large a one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CalendarUnreadable {
    /// Not iCalendar.
    #[error("the file is no iCalendar file (.ics)")]
    Text,
    /// More than [`EVENTS`].
    #[error("the calendar holds more than {EVENTS} events: export a shorter span")]
    Large,
}

/// Reads a calendar; what cannot be a lesson is named in `skipped`.
///
/// # Errors
/// See [`CalendarUnreadable`].
pub fn read(text: &str, zone: &TimeZone) -> Result<CalendarFound, CalendarUnreadable> {
    let calendar: Calendar = text.parse().map_err(|_| CalendarUnreadable::Text)?;
    if !text.contains("BEGIN:VCALENDAR") {
        return Err(CalendarUnreadable::Text);
    }
    let mut found = CalendarFound::default();
    for (n, event) in calendar.events().enumerate() {
        if n >= EVENTS || found.weekly.len() > EVENTS {
            return Err(CalendarUnreadable::Large);
        }
        if let Err(why) = take(event, zone, &mut found) {
            let name = event.get_summary().unwrap_or("an event without a name");
            found.skipped.push(format!("“{name}” was left out: {why}"));
        }
    }
    Ok(found)
}

fn take(event: &Event, zone: &TimeZone, found: &mut CalendarFound) -> Result<(), &'static str> {
    let name = event.get_summary().unwrap_or("Lesson").trim().to_owned();
    let room = event.get_location().unwrap_or("").trim().to_owned();
    let property = |key: &str| event.properties().get(key);
    let start = moment(property("DTSTART").ok_or("it has no beginning")?, zone)?;
    let end = property("DTEND").map(|end| moment(end, zone)).transpose()?;
    match (start, end) {
        (Moment::Day(first), end) => {
            let last = match end {
                Some(Moment::Day(end)) => end.yesterday().unwrap_or(first).max(first),
                _ => first,
            };
            found.days.push((name, first, last));
            Ok(())
        }
        (Moment::At(starts), Some(Moment::At(ends))) if starts.date() == ends.date() => {
            let once = CalendarOnce { name, starts, ends, room };
            match property("RRULE") {
                None => found.once.push(once),
                Some(rule) => found.weekly.extend(weekly(&once, rule.value(), event, zone)?),
            }
            Ok(())
        }
        _ => Err("a lesson begins and ends on one day"),
    }
}

enum Moment {
    Day(Date),
    At(DateTime),
}

fn moment(property: &Property, zone: &TimeZone) -> Result<Moment, &'static str> {
    let wrong = "its time cannot be read";
    let text = property.value();
    if text.len() == 8 {
        return Date::strptime("%Y%m%d", text).map(Moment::Day).map_err(|_| wrong);
    }
    let local = DateTime::strptime("%Y%m%dT%H%M%S", text.trim_end_matches('Z'));
    let local = local.map_err(|_| wrong)?;
    let of = match property.params().get("TZID") {
        _ if text.ends_with('Z') => TimeZone::UTC,
        Some(name) => TimeZone::get(name.value()).map_err(|_| "its time zone is not known")?,
        None => return Ok(Moment::At(local)),
    };
    let here = local.to_zoned(of).map_err(|_| wrong)?.with_time_zone(zone.clone());
    Ok(Moment::At(here.datetime()))
}

fn weekly(
    once: &CalendarOnce,
    rule: &str,
    event: &Event,
    zone: &TimeZone,
) -> Result<Vec<Weekly>, &'static str> {
    let parts: Vec<_> = rule.split(';').filter_map(|part| part.split_once('=')).collect();
    let part = |key: &str| parts.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|p| p.1);
    let from = once.starts.date();
    let weekdays = match (part("FREQ"), part("BYDAY")) {
        (Some("WEEKLY"), None) => vec![from.weekday()],
        (Some("WEEKLY"), Some(days)) => days
            .split(',')
            .map(weekday)
            .collect::<Option<BTreeSet<_>>>()
            .ok_or("its days are unclear")?
            .into_iter()
            .filter_map(|day| Weekday::from_monday_one_offset(day).ok())
            .collect(),
        _ => return Err("only lessons that come each week can be taken over"),
    };
    if part("INTERVAL").is_some_and(|every| every != "1") {
        return Err("only lessons that come each week can be taken over");
    }
    let until = match (part("UNTIL"), part("COUNT")) {
        (Some(until), _) => match moment(&Property::new("UNTIL", until), zone)? {
            Moment::Day(day) => Some(day),
            Moment::At(at) => Some(at.date()),
        },
        (None, Some(count)) => Some(last_of(from, &weekdays, count)?),
        (None, None) => None,
    };
    let without = exdates(event, zone);
    let one = |weekday: &Weekday| Weekly {
        name: once.name.clone(),
        weekday: *weekday,
        starts: once.starts.time(),
        ends: once.ends.time(),
        room: once.room.clone(),
        from,
        to: until,
        without: without.iter().copied().filter(|day| day.weekday() == *weekday).collect(),
    };
    Ok(weekdays.iter().map(one).collect())
}

/// The day of the last of so many lessons.
fn last_of(from: Date, weekdays: &[Weekday], count: &str) -> Result<Date, &'static str> {
    let count: usize = count.parse().map_err(|_| "its number of weeks is unclear")?;
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
    let mut on = days.filter(|day| weekdays.contains(&day.weekday()));
    let last = count.clamp(1, 1_000) - 1;
    on.nth(last).or(from.checked_add(1.year()).ok()).ok_or("its number of weeks is unclear")
}

fn exdates(event: &Event, zone: &TimeZone) -> Vec<Date> {
    let many = event.multi_properties().get("EXDATE").map(Vec::as_slice).unwrap_or_default();
    let all = many.iter().chain(event.properties().get("EXDATE"));
    let days = all.flat_map(|property| {
        let one = |text: &str| {
            let mut single = Property::new("EXDATE", text);
            if let Some(zone) = property.params().get("TZID") {
                single.add_parameter("TZID", zone.value());
            }
            match moment(&single, zone).ok()? {
                Moment::Day(day) => Some(day),
                Moment::At(at) => Some(at.date()),
            }
        };
        property.value().split(',').filter_map(one).collect::<Vec<_>>()
    });
    days.take(WITHOUT).collect()
}

/// The day's number; 1 is Monday.
fn weekday(text: &str) -> Option<i8> {
    let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    (1..).zip(days).find(|(_, day)| *day == text.trim()).map(|(number, _)| number)
}

/// Days of the week as their numbers; 1 is Monday.
mod by_number {
    use jiff::civil::Weekday;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    pub(super) fn serialize<S: Serializer>(day: &Weekday, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i8(day.to_monday_one_offset())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Weekday, D::Error> {
        let number = i8::deserialize(from)?;
        Weekday::from_monday_one_offset(number).map_err(|_| D::Error::custom("no day of the week"))
    }
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
