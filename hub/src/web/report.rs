//! `/reports`: registers of classes, for screens and printers.

use super::shell::Shell;
use super::start::shell;
use crate::attendance::Status;
use crate::http::attendance::reader;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::page;
use crate::http::reports::{Register, read};
use crate::http::route::{Object, Outcome, Route, STAFF, Shapes, Takes};
use crate::reports::matrix::{Cell, Count, Matrix};
use crate::reports::register::title;
use crate::store::class::{self, Class};
use crate::store::register::Span;
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use warp::http::{Method, StatusCode};

/// Lessons whose single marks are shown: more do not fit on a sheet of paper.
const COLUMNS: usize = 20;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (no, nothing) = (Shapes::PAGE, Takes::Nothing);
    let one = (Method::GET, "/reports/{id}");
    vec![
        Route::new((Method::GET, "/reports"), STAFF, Object::None, nothing, no, index),
        Route::new(one, STAFF, Object::Class, nothing, no, show),
    ]
}

#[derive(Template)]
#[template(path = "reports.html")]
struct List {
    shell: Shell,
    classes: Vec<Class>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    shell: Shell,
    class: Class,
    from: String,
    to: String,
    /// How many per cent were there.
    rate: String,
    people: usize,
    lessons: Vec<Lesson>,
    /// Whether single marks are shown.
    wide: bool,
    rows: Vec<Row>,
    download: Vec<(&'static str, String)>,
}

struct Lesson {
    title: String,
    there: i64,
    of: i64,
    rate: String,
}

struct Row {
    name: String,
    number: String,
    marks: Vec<(&'static str, String)>,
    count: Count,
    rate: String,
}

#[derive(Deserialize)]
struct Days {
    #[serde(default)]
    date_from: String,
    #[serde(default)]
    date_to: String,
}

async fn index(call: Call) -> Outcome {
    let reader = reader(&call)?;
    let classes = call.app().db.read(move |tx| class::list(tx, reader)).await?;
    page(StatusCode::OK, &List { shell: shell(&call, "reports"), classes })
}

async fn show(call: Call) -> Outcome {
    let days: Days = call.query()?;
    let (from, to) = (day("date_from", &days.date_from)?, day("date_to", &days.date_to)?);
    let register = read(&call, call.param("id"), Span { from, to }).await?;
    shown(&call, &register)
}

/// A day as a form sends it: nothing when the field is empty.
fn day(field: &str, text: &str) -> Result<Option<Date>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Problem::field(field, "write the day as 2026-03-02"))
}

/// The register as a page that prints well.
///
/// # Errors
/// 500 when the template cannot be written.
pub fn shown(call: &Call, register: &Register) -> Outcome {
    let Register { class, span, matrix } = register;
    let zone = &call.app().config.zone;
    let lessons = matrix.lessons.iter().enumerate().map(|(n, lesson)| {
        let sums = Count::of(matrix.column(n)).sums;
        let (there, of) = (sums.present + sums.late, sums.total());
        Lesson { title: title(lesson, zone), there, of, rate: said(sums.attended(), of) }
    });
    let lessons: Vec<_> = lessons.collect();
    let wide = lessons.len() <= COLUMNS;
    let everything = (0..matrix.people.len()).flat_map(|n| matrix.row(n).iter().copied());
    let sums = Count::of(everything).sums;
    let text = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let (from, to) = (text(span.from), text(span.to));
    let view = Page {
        shell: shell(call, "reports"),
        class: class.clone(),
        rate: said(sums.attended(), sums.total()),
        people: matrix.people.len(),
        lessons,
        wide,
        rows: (0..matrix.people.len()).map(|n| row(matrix, n, wide)).collect(),
        download: ["csv", "xlsx"].map(|kind| (kind, link(register, kind))).into(),
        from,
        to,
    };
    page(StatusCode::OK, &view)
}

fn link(register: &Register, kind: &str) -> String {
    let day = |name: &str, day: Option<Date>| day.map(|day| format!("&{name}={day}"));
    let (from, to) = (day("date_from", register.span.from), day("date_to", register.span.to));
    let days = from.unwrap_or_default() + &to.unwrap_or_default();
    format!("/api/classes/{}/attendance-report?format={kind}{days}", register.class.id)
}

fn row(matrix: &Matrix, n: usize, wide: bool) -> Row {
    let (person, cells) = (&matrix.people[n], matrix.row(n));
    let count = Count::of(cells.iter().copied());
    let marks = if wide { cells.iter().map(|cell| mark(*cell)).collect() } else { Vec::new() };
    Row {
        name: person.full_name(),
        number: person.number.clone(),
        marks,
        rate: said(count.sums.attended(), count.sums.total()),
        count,
    }
}

/// One letter for the eye and a word for the ear.
fn mark(cell: Cell) -> (&'static str, String) {
    let Some(status) = cell.status else { return ("", String::new()) };
    let letter = match status {
        Status::Present => "P",
        Status::Late => "L",
        Status::Absent => "A",
        Status::Excused => "E",
        Status::Unverified => "?",
        Status::Undecided => "…",
    };
    let by = if cell.manual { ", set by a person" } else { "" };
    (letter, format!("{}{by}", status.as_str()))
}

/// A rate, or a dash where nothing counts.
fn said(rate: crate::reports::Rate, of: i64) -> String {
    if of == 0 { "–".to_owned() } else { format!("{rate} %") }
}
