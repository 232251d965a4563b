//! Takes a timetable over from a file: iCalendar, or a table with a line for each weekly lesson.
//!
//! A second run of the same file changes nothing.

use super::booking;
use super::calendar::{self, CalendarFound, CalendarOnce, Weekly};
use super::maker::{MakeFor, make};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use rules::error::Error;
use rules::timetable::Source;
use rules::timetable::{Change, Holiday, Period, span};
use serde::{Deserialize, Serialize};
use store::reader::Reader;
use store::session::Session;
use store::{Tx, class, holiday, period, session};
use uuid::Uuid;
use wire::Wall;

/// Lines of a table at most.
const LINES: usize = 20_000;

/// A file, and what it is to become.
#[derive(Clone, Copy)]
pub struct Wishes<'a> {
    /// What the file holds.
    pub plan: &'a TakeoverPlan,
    /// The class whose lessons it holds, where the file does not say it.
    pub class: Option<&'a str>,
    /// The site's time zone.
    pub zone: &'a TimeZone,
    /// Who brought it, as the audit chain says it.
    pub actor: &'a str,
}

/// What became of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TakeoverDone {
    /// Weekly lessons that are new.
    pub periods: usize,
    /// Single lessons that are new.
    pub sessions: usize,
    /// Holidays that are new.
    pub holidays: usize,
    /// What was there already.
    pub unchanged: usize,
    /// What was left out, in sentences.
    pub skipped: Vec<String>,
}

/// What a file holds, read and not yet looked up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TakeoverPlan {
    /// A calendar's events.
    Calendar(CalendarFound),
    /// A table's lines from the second on; nothing for one that cannot be read.
    Table(Vec<Option<TakeoverLine>>),
}

/// A line of the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TakeoverLine {
    class_code: String,
    /// 1 is Monday.
    weekday: i8,
    starts: jiff::civil::Time,
    ends: jiff::civil::Time,
    room: String,
    from_day: Option<Date>,
    to_day: Option<Date>,
}

/// The columns of the table.
const WANTS: &str = "class_code, weekday, starts, ends, room, from_day, to_day";

/// Reads a file.
///
/// # Errors
/// `Invalid` when it cannot be read at all.
pub fn read(text: &str, zone: &TimeZone) -> Result<TakeoverPlan, Error> {
    if text.contains("BEGIN:VCALENDAR") {
        let found = calendar::read(text, zone);
        return found
            .map(TakeoverPlan::Calendar)
            .map_err(|error| Error::Invalid(error.to_string()));
    }
    lines(text).map(TakeoverPlan::Table)
}

fn lines(text: &str) -> Result<Vec<Option<TakeoverLine>>, Error> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or("");
    let comma = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(comma)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let heads = reader.headers().map_err(|_| Error::Invalid(format!("columns: {WANTS}")))?;
    if !heads.iter().any(|head| head == "class_code") {
        return Err(Error::Invalid(format!("the first line names the columns: {WANTS}")));
    }
    let lines: Vec<_> = reader.deserialize().take(LINES + 1).map(Result::ok).collect();
    if lines.len() > LINES {
        return Err(Error::Invalid(format!("use at most {LINES} lines")));
    }
    Ok(lines)
}

/// Takes the file over.
///
/// # Errors
/// `Invalid` when a calendar's class is missing; single lines that cannot be taken are in the
/// answer.
pub fn take(
    tx: &Tx<'_>,
    reader: Reader,
    wishes: &Wishes<'_>,
    now: Wall,
) -> Result<TakeoverDone, Error> {
    let zone = wishes.zone;
    let actor = wishes.actor;
    let mut hand = TakeoverHand { tx, reader, zone, actor, now, done: TakeoverDone::default() };
    match wishes.plan {
        TakeoverPlan::Calendar(found) => hand.calendar(found.clone(), wishes.class)?,
        TakeoverPlan::Table(lines) => hand.table(lines)?,
    }
    make(tx, MakeFor::Everybody, wishes.zone, now)?;
    Ok(hand.done)
}

struct TakeoverHand<'a, 't> {
    tx: &'a Tx<'t>,
    reader: Reader,
    zone: &'a TimeZone,
    actor: &'a str,
    now: Wall,
    done: TakeoverDone,
}

impl TakeoverHand<'_, '_> {
    fn calendar(&mut self, found: CalendarFound, class: Option<&str>) -> Result<(), Error> {
        let CalendarFound { weekly, once, days, skipped } = found;
        self.done.skipped.extend(skipped);
        for (name, from, to) in days {
            self.holiday(name, from, to)?;
        }
        if weekly.is_empty() && once.is_empty() {
            return Ok(());
        }
        let missing = || Error::Invalid("class_id: say whose lessons this calendar holds".into());
        let class = class::find(self.tx, self.reader, class.ok_or_else(missing)?)?;
        for lesson in weekly {
            self.weekly(class.id, &lesson)?;
        }
        for lesson in once {
            let taken = self.once(class.id, &lesson);
            self.or_skip(taken, || format!("“{}”", lesson.name))?;
        }
        Ok(())
    }

    fn table(&mut self, lines: &[Option<TakeoverLine>]) -> Result<(), Error> {
        for (n, line) in (2..).zip(lines) {
            let taken = match line {
                Some(line) => self.line(line.clone()),
                None => Err(Error::Invalid(format!("it does not hold {WANTS}"))),
            };
            self.or_skip(taken, || format!("line {n}"))?;
        }
        Ok(())
    }

    fn line(&mut self, line: TakeoverLine) -> Result<(), Error> {
        let class = class::find(self.tx, self.reader, &line.class_code)?;
        let weekday = Weekday::from_monday_one_offset(line.weekday)
            .map_err(|_| Error::Invalid("weekday: 1 is Monday and 7 is Sunday".into()))?;
        let lesson = Weekly {
            name: String::new(),
            weekday,
            starts: line.starts,
            ends: line.ends,
            room: if line.room.is_empty() { class.room.unwrap_or_default() } else { line.room },
            from: line.from_day.unwrap_or(self.reader.today),
            to: line.to_day,
            without: Vec::new(),
        };
        self.add(class.id, &lesson)
    }

    fn weekly(&mut self, class: Uuid, lesson: &Weekly) -> Result<(), Error> {
        let taken = self.add(class, lesson);
        self.or_skip(taken, || format!("“{}”", lesson.name))
    }

    fn add(&mut self, class: Uuid, lesson: &Weekly) -> Result<(), Error> {
        let filter = period::PeriodFilter { class: Some(class), limit: 500, ..Default::default() };
        let there = period::list(self.tx, self.reader, &filter)?;
        let same = |p: &Period| {
            (p.weekday, p.starts, p.ends, &p.room)
                == (lesson.weekday, lesson.starts, lesson.ends, &lesson.room)
                && p.to == lesson.to
        };
        if there.iter().any(same) {
            self.done.unchanged += 1;
            return Ok(());
        }
        let period = Period {
            id: wire::id::v7(self.now),
            class,
            weekday: lesson.weekday,
            starts: lesson.starts,
            ends: lesson.ends,
            room: lesson.room.clone(),
            from: lesson.from,
            to: lesson.to,
            version: 1,
        };
        booking::weekly(self.tx, &period, self.now, self.zone)?;
        period::put(self.tx, &period, self.actor, self.now)?;
        for day in lesson.without.iter().filter(|day| period.is_on(**day)) {
            period::except(self.tx, &period, *day, &Change::Cancelled, self.actor, self.now)?;
        }
        self.done.periods += 1;
        Ok(())
    }

    fn once(&mut self, class: Uuid, lesson: &CalendarOnce) -> Result<(), Error> {
        let day = lesson.starts.date();
        let from = lesson.starts.time();
        let to = lesson.ends.time();
        let unclear = || Error::Invalid("its time is unclear".into());
        let (starts, ends) = span(day, from, to, self.zone).ok_or_else(unclear)?;
        if period::has_lesson(self.tx, class, starts)? {
            self.done.unchanged += 1;
            return Ok(());
        }
        let (_, grace) = period::lesson_of(self.tx, class)?;
        let lesson = Session {
            id: wire::id::v7(self.now),
            class,
            name: lesson.name.clone(),
            day,
            starts,
            ends,
            late_after: starts.plus_ms(grace * 60_000),
            room: lesson.room.clone(),
            source: Source::Manual,
            period: None,
            closed_at: None,
            version: 1,
        };
        booking::lesson(self.tx, &lesson, self.now, self.zone)?;
        session::add(self.tx, &lesson)?;
        self.done.sessions += 1;
        Ok(())
    }

    fn holiday(&mut self, name: String, from: Date, to: Date) -> Result<(), Error> {
        let there = holiday::between(self.tx, from, to)?;
        if there.iter().any(|h| (h.from, h.to, &h.name) == (from, to, &name)) {
            self.done.unchanged += 1;
            return Ok(());
        }
        let holiday = Holiday { id: wire::id::v7(self.now), name, from, to };
        holiday::put(self.tx, &holiday, self.actor, self.now)?;
        self.done.holidays += 1;
        Ok(())
    }

    /// What one line lacks is told, and the others are taken.
    fn or_skip(
        &mut self,
        taken: Result<(), Error>,
        what: impl Fn() -> String,
    ) -> Result<(), Error> {
        match taken {
            Err(error) if error.is_ours() => Err(error),
            Err(why) => {
                self.done.skipped.push(format!("{} was left out: {why}", what()));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
