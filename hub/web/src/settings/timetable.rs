//! `/settings/timetable`: the week of a class or a room, its lessons, and days that differ.

use super::grid::{self, Grid};
use super::users::day;
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::planning::takeover::TakeoverDone;
use acts::timetable::{Differs, NewPeriod, OtherDay, PeriodChanges, TimetableFile};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::{Date, Time};
use jiff::{Span, ToSpan};
use rules::timetable::{Change, Holiday, Period};
use serde::Deserialize;
use std::collections::HashMap;
use store::period::{self, PeriodFilter, clock};
use store::{class, holiday, room};
use uuid::Uuid;
use warp::http::StatusCode;
use words::language::Language;

/// Weekly lessons of one class or room that are shown.
const MOST: u32 = 500;
/// Bytes of a calendar file at most.
const FILE: u64 = 5 * 1024 * 1024;
const DONE: [&str; 4] =
    ["settings-time-added", "settings-time-saved", "settings-time-ended", "settings-time-differs"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let all = "/settings/timetable";
    let one = "/settings/timetable/{id}";
    vec![
        Route::get(all).admin().page().by(index),
        Route::post(all).admin().form().page().by(add),
        Route::post("/settings/timetable/import").admin().parts(FILE).page().by(take),
        Route::get(one).admin().of(Object::Period).page().by(show),
        Route::post(one).admin().of(Object::Period).form().page().by(change),
        Route::post("/settings/timetable/{id}/days")
            .admin()
            .of(Object::Period)
            .form()
            .page()
            .by(differ),
    ]
}

#[derive(Template)]
#[template(path = "settings-timetable.html")]
struct TimetablePage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    /// What an import left out, and why.
    skipped: Vec<String>,
    classes: Vec<class::Class>,
    rooms: Vec<room::Room>,
    asked: TimetablePageQuery,
    week: Vec<TimetablePageDay>,
    /// The same as a grid; nothing in a week without lessons.
    grid: Option<Grid>,
    weekdays: Vec<(i8, String)>,
    /// The Mondays before and after.
    around: (String, String),
    today: Date,
}

/// Whose week, and which.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct TimetablePageQuery {
    class: String,
    room: String,
    day: String,
}

/// A day of the week that is shown.
#[derive(PartialEq, Debug)]
struct TimetablePageDay {
    name: String,
    date: String,
    today: bool,
    holiday: Option<String>,
    lessons: Vec<TimetablePageLesson>,
}

/// A lesson of a day.
#[derive(PartialEq, Debug)]
struct TimetablePageLesson {
    id: Uuid,
    starts: String,
    ends: String,
    hours: grid::TimetableSpan,
    class: String,
    room: String,
    /// `cancelled`, `moved`, or nothing.
    differs: &'static str,
}

#[derive(Template)]
#[template(path = "settings-lesson.html")]
struct TimetablePageItem {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    period: Period,
    class_name: String,
    starts: String,
    ends: String,
    weekday: String,
    weekdays: Vec<(i8, String)>,
    rooms: Vec<room::Room>,
    differ: Vec<(String, String)>,
}

async fn index(call: Call) -> Outcome {
    list(&call, StatusCode::OK, Note::done(&call, &DONE), Vec::new()).await
}

async fn list(
    call: &Call,
    status: StatusCode,
    note: Option<Note>,
    skipped: Vec<String>,
) -> Outcome {
    let mut asked: TimetablePageQuery = call.query()?;
    let reader = call.reader()?;
    let today = reader.today;
    let monday = monday(asked.day.parse().unwrap_or(today));
    let wish = asked.clone();
    let read = call.app().db.read(move |tx| {
        let classes = class::list(tx, reader)?;
        let rooms = room::list(tx, "", MOST)?;
        let known = |class: &&class::Class| class.id.to_string() == wish.class;
        let class = classes.iter().find(known).or(classes.first()).map(|class| class.id);
        let room = Some(wish.room).filter(|room| !room.is_empty());
        let class = class.filter(|_| room.is_none());
        let periods = match (&room, class) {
            (None, None) => Vec::new(),
            _ => period::list(tx, reader, &PeriodFilter { class, room, after: None, limit: MOST })?,
        };
        let sunday = later(monday, 6.days());
        let changes = period::changes(tx, None, monday, sunday)?;
        let holidays = holiday::between(tx, monday, sunday)?;
        Ok((classes, rooms, class, periods, changes, holidays))
    });
    let (classes, rooms, class, periods, changes, holidays) = read.await?;
    asked.class = class.map(|id| id.to_string()).unwrap_or_default();
    asked.day = monday.to_string();
    let shell = shell(call, "settings");
    let names = classes.iter().map(|class| (class.id, class.class_name.clone())).collect();
    let facts = TimetablePageFacts { periods, changes, holidays, names };
    let week = week(shell.language, &facts, monday, today);
    let hours = |day: &TimetablePageDay| day.lessons.iter().map(|lesson| lesson.hours).collect();
    let hours: Vec<_> = week.iter().map(hours).collect();
    let grid = grid::lay(&hours, shell.language.direction() == "rtl");
    let around = (later(monday, -7.days()).to_string(), later(monday, 7.days()).to_string());
    let weekdays = weekdays(shell.language);
    let view = TimetablePage {
        shell,
        tab: "timetable",
        note,
        skipped,
        classes,
        rooms,
        asked,
        week,
        grid,
        weekdays,
        around,
        today,
    };
    page(status, &view)
}

fn later(day: Date, span: Span) -> Date {
    day.checked_add(span).unwrap_or(day)
}

/// The Monday of the week of `day`.
fn monday(day: Date) -> Date {
    later(day, -i64::from(day.weekday().to_monday_zero_offset()).days())
}

/// Everything a week follows from.
struct TimetablePageFacts {
    periods: Vec<Period>,
    changes: HashMap<(Uuid, Date), Change>,
    holidays: Vec<Holiday>,
    names: HashMap<Uuid, String>,
}

/// The seven days from `monday` on; Saturday and Sunday only if there is something.
fn week(
    language: Language,
    facts: &TimetablePageFacts,
    monday: Date,
    today: Date,
) -> Vec<TimetablePageDay> {
    let days = (0..7).map(|n| later(monday, i64::from(n).days()));
    let day = |day: Date| {
        let holiday = facts.holidays.iter().find(|h| (h.from..=h.to).contains(&day));
        let mut lessons: Vec<_> = facts
            .periods
            .iter()
            .filter(|period| period.is_on(day))
            .map(|period| lesson(facts, period, day))
            .collect();
        lessons.sort_by(|a, b| (a.hours, &a.class).cmp(&(b.hours, &b.class)));
        TimetablePageDay {
            name: words::weekday(language, day),
            date: language.digits(&format!("{}.{}.", day.day(), day.month())),
            today: day == today,
            holiday: holiday.map(|holiday| holiday.name.clone()),
            lessons,
        }
    };
    let all: Vec<_> = days.map(day).collect();
    let last = all.iter().rposition(|day| !day.lessons.is_empty()).map_or(5, |n| n.max(4) + 1);
    all.into_iter().take(last.max(5)).collect()
}

fn lesson(facts: &TimetablePageFacts, period: &Period, day: Date) -> TimetablePageLesson {
    let class = facts.names.get(&period.class).cloned().unwrap_or_default();
    let usual = (period.starts, period.ends, period.room.clone());
    let ((starts, ends, room), differs) = match facts.changes.get(&(period.id, day)) {
        None => (usual, ""),
        Some(Change::Cancelled) => (usual, "cancelled"),
        Some(Change::Moved { starts, ends, room }) => ((*starts, *ends, room.clone()), "moved"),
    };
    let hours = (starts, ends);
    let starts = clock(starts);
    let ends = clock(ends);
    TimetablePageLesson { id: period.id, starts, ends, hours, class, room, differs }
}

fn text<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.content.field(name).map(str::trim).filter(|text| !text.is_empty())
}

fn time(call: &Call, name: &str) -> Result<Option<Time>, Problem> {
    let read = text(call, name).map(|text| text.parse().map_err(|_| ())).transpose();
    read.map_err(|()| Problem::field(name, "write the time as 08:45"))
}

fn needed<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::field(name, "this field is missing"))
}

async fn add(call: Call) -> Outcome {
    let done = async {
        let new = NewPeriod {
            class: call.field("class_id")?.to_owned(),
            weekday: call.field("weekday")?.parse().unwrap_or(0),
            starts: needed("starts", time(&call, "starts")?)?,
            ends: needed("ends", time(&call, "ends")?)?,
            room: text(&call, "room").map(str::to_owned),
            from: day(&call, "from_day")?,
            to: day(&call, "to_day")?,
        };
        let class = new.class.clone();
        call.app().timetable().add(call.reader()?, new, |_, _| Ok(()), call.now).await?;
        Ok::<_, Problem>(class)
    };
    match done.await {
        Ok(class) => see(&format!("/settings/timetable?class={class}&done=settings-time-added")),
        Err(problem) => list(&call, problem.status, Some(Note::problem(&problem)), vec![]).await,
    }
}

/// What came of the file that was brought.
async fn taken(call: &Call) -> Result<TakeoverDone, Problem> {
    let zone = &call.app().config.zone;
    let file = call.file("file")?;
    let plan = call.app().apart.timetable(file, zone).await?;
    let class = text(call, "class_id").map(str::to_owned);
    let file = TimetableFile { plan, class };
    let by = call.name()?;
    Ok(call.app().timetable().take_over(call.reader()?, file, by, call.now).await?)
}

async fn take(call: Call) -> Outcome {
    let language = shell(&call, "").language;
    match taken(&call).await {
        Ok(taken) => {
            let new = taken.periods + taken.sessions + taken.holidays;
            let new = ("new", new);
            let same = ("same", taken.unchanged);
            let note = Note::good(language.two("settings-time-taken", new, same));
            list(&call, StatusCode::OK, Some(note), taken.skipped).await
        }
        Err(problem) => list(&call, problem.status, Some(Note::problem(&problem)), vec![]).await,
    }
}

async fn show(call: Call) -> Outcome {
    one(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn one(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let id: Uuid = call.id("id")?;
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let period = period::find(tx, reader, id)?;
        let class = class::find(tx, reader, &period.class.to_string())?;
        let until = later(reader.today, 1.year());
        let changes = period::changes(tx, Some(id), reader.today, until)?;
        Ok((period, class.class_name, changes, room::list(tx, "", MOST)?))
    });
    let (period, class_name, changes, rooms) = read.await?;
    let shell = shell(call, "settings");
    let mut differ: Vec<_> = changes
        .into_iter()
        .map(|((_, day), change)| (day.to_string(), said(shell.language, &change)))
        .collect();
    differ.sort();
    let view = TimetablePageItem {
        tab: "timetable",
        note,
        class_name,
        starts: clock(period.starts),
        ends: clock(period.ends),
        weekday: weekday(shell.language, period.weekday.to_monday_one_offset()),
        weekdays: weekdays(shell.language),
        rooms,
        differ,
        period,
        shell,
    };
    page(status, &view)
}

fn said(language: Language, change: &Change) -> String {
    match change {
        Change::Cancelled => language.say("settings-time-is-cancelled"),
        Change::Moved { starts, ends, room } => {
            let times = language.digits(&format!("{}–{}", clock(*starts), clock(*ends)));
            language.two("settings-time-is-moved", ("times", times), ("room", room))
        }
    }
}

/// Every day of the week with its number.
fn weekdays(language: Language) -> Vec<(i8, String)> {
    (1..=7).map(|n| (n, weekday(language, n))).collect()
}

fn weekday(language: Language, n: i8) -> String {
    // 2024 began on a Monday.
    words::weekday(language, jiff::civil::date(2024, 1, n))
}

async fn change(call: Call) -> Outcome {
    let done = async {
        let version = call.form_version()?;
        if call.content.field("end").is_some() {
            call.app().timetable().end(call.reader()?, call.id("id")?, version, call.now).await?;
            return Ok::<_, Problem>("/settings/timetable?done=settings-time-ended".to_owned());
        }
        let odd = |_| Problem::field("weekday", "give a number from 1, Monday, to 7");
        let changes = PeriodChanges {
            period: call.id("id")?,
            weekday: text(&call, "weekday").map(str::parse).transpose().map_err(odd)?,
            starts: time(&call, "starts")?,
            ends: time(&call, "ends")?,
            room: call.content.field("room").map(str::to_owned),
            from: day(&call, "from_day")?,
            to: day(&call, "to_day")?,
            version,
        };
        call.app().timetable().change(call.reader()?, changes, |_, _| Ok(()), call.now).await?;
        Ok(format!("/settings/timetable/{}?done=settings-time-saved", call.param("id")))
    };
    match done.await {
        Ok(place) => see(&place),
        Err(problem) => one(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// What the form says of a day.
fn differs(call: &Call) -> Result<Differs, Problem> {
    let (starts, ends) = (time(call, "starts")?, time(call, "ends")?);
    let room = text(call, "room").map(str::to_owned);
    Ok(match text(call, "how") {
        Some("move") => Differs::Moved { starts, ends, room },
        _ => Differs::Cancelled,
    })
}

/// Cancels or moves one day, or makes it as usual again.
async fn differ(call: Call) -> Outcome {
    let done = async {
        let period = call.id("id")?;
        let reader = call.reader()?;
        let timetable = call.app().timetable();
        if let Some(usual) = day(&call, "usual")? {
            return Ok(timetable.unexcept(reader, period, usual, None, call.now).await?);
        }
        let day = needed("day", day(&call, "day")?)?;
        let other = OtherDay { period, day, differs: differs(&call)?, version: None };
        Ok::<_, Problem>(timetable.except(reader, other, |_, _| Ok(()), call.now).await?)
    };
    match done.await {
        Ok(()) => {
            see(&format!("/settings/timetable/{}?done=settings-time-differs", call.param("id")))
        }
        Err(problem) => one(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Weekday, date, time};

    fn period(id: u128, weekday: Weekday) -> Period {
        Period {
            id: Uuid::from_u128(id),
            class: Uuid::nil(),
            weekday,
            starts: time(8, 45, 0, 0),
            ends: time(9, 30, 0, 0),
            room: "204".into(),
            from: date(2026, 1, 1),
            to: None,
            version: 1,
        }
    }

    #[test]
    fn a_week_shows_what_is_on_and_what_differs() {
        let monday = date(2026, 3, 2);
        let moved =
            Change::Moved { starts: time(10, 0, 0, 0), ends: time(11, 0, 0, 0), room: "9".into() };
        let facts = TimetablePageFacts {
            periods: vec![period(1, Weekday::Monday), period(2, Weekday::Tuesday)],
            changes: [
                ((Uuid::from_u128(1), monday), Change::Cancelled),
                ((Uuid::from_u128(2), date(2026, 3, 3)), moved),
            ]
            .into(),
            holidays: vec![Holiday {
                id: Uuid::nil(),
                name: "Spring".into(),
                from: date(2026, 3, 6),
                to: date(2026, 3, 8),
            }],
            names: [(Uuid::nil(), "7A".into())].into(),
        };
        let week = week(Language::English, &facts, monday, date(2026, 3, 3));
        assert_eq!(week.len(), 5, "nothing on Saturday");
        assert_eq!((week[0].name.as_str(), week[0].lessons[0].differs), ("Monday", "cancelled"));
        let tuesday = &week[1].lessons[0];
        assert_eq!((tuesday.starts.as_str(), tuesday.room.as_str()), ("10:00", "9"));
        assert!(week[1].today && !week[0].today);
        assert_eq!(week[4].holiday.as_deref(), Some("Spring"));
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(super::monday(date(2026, 3, 8)), date(2026, 3, 2));
        assert_eq!(super::monday(date(2026, 3, 2)), date(2026, 3, 2));
        assert_eq!(weekday(Language::English, 7), "Sunday");
    }
}
