//! `/class/{id}/report`: the register of a class as a heat map, its trend, its months, and who is
//! at risk; for screens and printers.

use super::chart::{self, ChartPart, ChartPiece};
use super::heat::{self, HeatMark, HeatPage as Slice, HeatRisk, Legend};
use super::shell::Shell;
use crate::shell::shell;
use acts::reports::Register;
use acts::sheets::register::title;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::page;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::Date;
use rules::attendance::Status;
use rules::reports::MarkTally;
use rules::reports::Sums;
use rules::reports::matrix::{self, RegisterMatrix};
use serde::Deserialize;
use store::Tx;
use store::class::Class;
use store::register::RegisterSpan;
use uuid::Uuid;
use warp::http::StatusCode;

/// Lessons side by side: more do not fit on a sheet of paper.
const LESSONS: usize = 30;
/// Students below each other.
const STUDENTS: usize = 60;
/// Students at risk that are listed.
const RISKS: usize = 50;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::get("/class/{id}/report").staff().of(Object::Class).page().by(show)]
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    shell: Shell,
    class: Class,
    from: String,
    to: String,
    /// How many per cent were there.
    rate: String,
    lessons: usize,
    columns: Vec<ReportColumn>,
    rows: Vec<ReportRow>,
    legend: Vec<HeatMark>,
    charts: Vec<Chart>,
    risks: Vec<(HeatRisk, String)>,
    more_risks: usize,
    pagers: Vec<Pager>,
    download: [(&'static str, String); 2],
}

/// A lesson of the heat map.
struct ReportColumn {
    id: Uuid,
    day: String,
    time: String,
    title: String,
    rate: String,
}

/// A student of the heat map.
struct ReportRow {
    name: String,
    number: String,
    marks: Vec<HeatMark>,
    count: MarkTally,
    rate: String,
    risk: bool,
}

/// A chart with its table.
struct Chart {
    id: &'static str,
    title: &'static str,
    first: &'static str,
    bars: bool,
    width: i64,
    height: i64,
    pieces: Vec<ChartPiece>,
    line: String,
    /// Heights that are marked, with their words.
    lines: Vec<(i64, String)>,
    /// In full, who was there, of how many, in per cent.
    rows: Vec<(String, i64, i64, String)>,
}

/// Where the pages before and after are.
struct Pager {
    title: &'static str,
    slice: Slice,
    all: usize,
    before: Option<String>,
    after: Option<String>,
}

impl Pager {
    /// Which of how many are shown.
    fn range(&self, shell: &Shell) -> String {
        let Slice { from, to, .. } = self.slice;
        shell.number(format!("{}–{to} / {}", from + 1, self.all))
    }
}

#[derive(Deserialize)]
struct ReportQuery {
    #[serde(default)]
    date_from: String,
    #[serde(default)]
    date_to: String,
    /// Which page of lessons; without it the newest.
    lessons: Option<usize>,
    /// Which page of students.
    students: Option<usize>,
}

async fn show(call: Call) -> Outcome {
    let asked: ReportQuery = call.query()?;
    let (from, to) = (day("date_from", &asked.date_from)?, day("date_to", &asked.date_to)?);
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let read = move |tx: &Tx<'_>| Register::read(tx, reader, &name, RegisterSpan { from, to });
    let register = call.app().db.read(read).await?;
    written(&call, &register, (asked.lessons, asked.students))
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
    written(call, register, (None, None))
}

fn written(call: &Call, register: &Register, asked: (Option<usize>, Option<usize>)) -> Outcome {
    let Register { class, span, matrix } = register;
    let shell = shell(call, "class");
    let language = shell.language;
    let legend = Legend::new(shell.language);
    let lessons = Slice::last(matrix.lessons.len(), LESSONS, asked.0);
    let students = Slice::first(matrix.people.len(), STUDENTS, asked.1);
    let everything = (0..matrix.people.len()).flat_map(|n| matrix.row(n).iter().copied());
    let mut risks = heat::at_risk(matrix);
    let more_risks = risks.len().saturating_sub(RISKS);
    risks.truncate(RISKS);
    let text = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let view = ReportPage {
        rate: said(&shell, matrix::tally(everything).sums()),
        lessons: matrix.lessons.len(),
        columns: (lessons.from..lessons.to).map(|n| column(call, &shell, matrix, n)).collect(),
        rows: (students.from..students.to)
            .map(|n| row(&shell, matrix, n, lessons, &legend))
            .collect(),
        legend: legend.each().cloned().collect(),
        charts: vec![
            drawn(&shell, "trend", &heat::trend(matrix, language)),
            drawn(&shell, "months", &heat::months(matrix, language)),
        ],
        risks: risks
            .into_iter()
            .map(|risk| (risk.clone(), words::share(language, risk.rate)))
            .collect(),
        more_risks,
        pagers: pagers(register, lessons, students),
        download: ["csv", "xlsx"].map(|kind| (kind, download(register, kind))),
        from: text(span.from),
        to: text(span.to),
        class: class.clone(),
        shell,
    };
    page(StatusCode::OK, &view)
}

/// What was attended, or a dash where nothing counts.
fn said(shell: &Shell, sums: Sums) -> String {
    match sums.total() {
        0 => "–".to_owned(),
        _ => words::share(shell.language, sums.attended()),
    }
}

fn column(call: &Call, shell: &Shell, matrix: &RegisterMatrix, n: usize) -> ReportColumn {
    let lesson = &matrix.lessons[n];
    let zone = &call.app().config.zone;
    ReportColumn {
        id: lesson.id,
        day: words::short_day(shell.language, lesson.day),
        time: words::minute(shell.language, lesson.starts, zone),
        title: title(lesson, zone),
        rate: said(shell, matrix::tally(matrix.column(n)).sums()),
    }
}

fn row(
    shell: &Shell,
    matrix: &RegisterMatrix,
    n: usize,
    lessons: Slice,
    legend: &Legend,
) -> ReportRow {
    let person = &matrix.people[n];
    let cells = matrix.row(n);
    let count = matrix::tally(cells.iter().copied());
    ReportRow {
        name: person.full_name(),
        number: person.number.clone(),
        marks: cells[lessons.from..lessons.to]
            .iter()
            .map(|cell| legend.of(*cell).clone())
            .collect(),
        rate: said(shell, count.sums()),
        risk: count.sums().total() > 0
            && count.sums().attended().is_below(rules::reports::analytics::RISK),
        count,
    }
}

fn drawn(shell: &Shell, id: &'static str, parts: &[ChartPart]) -> Chart {
    let pieces = chart::pieces(parts);
    let months = id == "months";
    let per_cent = |n: i64| words::share(shell.language, rules::reports::ReportRate::of(n, 100));
    let whole = |n: i64| per_cent(n).replace(".00", "").replace("٫۰۰", "");
    let height = |n: i32| (chart::height_of(f64::from(n)), whole(i64::from(n)));
    let table = |part: &ChartPart| {
        let Sums { present, late, .. } = part.sums;
        (part.full.clone(), present + late, part.sums.total(), said(shell, part.sums))
    };
    Chart {
        id,
        title: if months { "report-months" } else { "report-trend" },
        first: if months { "report-month" } else { "report-day" },
        bars: months,
        width: chart::WIDTH,
        height: chart::HEIGHT,
        line: chart::line(&pieces),
        pieces,
        lines: [0, 25, 50, 75, 100].map(height).into(),
        rows: parts.iter().map(table).collect(),
    }
}

/// The days of a register, as a query string goes on with them.
fn days(span: RegisterSpan) -> String {
    let day = |name: &str, day: Option<Date>| day.map(|day| format!("&{name}={day}"));
    let (from, to) = (day("date_from", span.from), day("date_to", span.to));
    from.unwrap_or_default() + &to.unwrap_or_default()
}

fn download(register: &Register, kind: &str) -> String {
    let id = register.class.id;
    let days = days(register.span);
    format!("/api/classes/{id}/attendance-report?format={kind}{days}")
}

/// Ways to the other lessons and students, where there are more than a page of them.
fn pagers(register: &Register, lessons: Slice, students: Slice) -> Vec<Pager> {
    let id = register.class.id;
    let days = days(register.span);
    let link = |lessons: usize, students: usize| {
        format!("/class/{id}/report?lessons={lessons}&students={students}{days}#register")
    };
    let pager = |title, slice: Slice, all, to: &dyn Fn(usize) -> String| Pager {
        title,
        slice,
        all,
        before: (slice.page > 1).then(|| to(slice.page - 1)),
        after: (slice.page < slice.pages).then(|| to(slice.page + 1)),
    };
    let of_lessons = |page| link(page, students.page);
    let of_students = |page| link(lessons.page, page);
    let all = [
        pager("report-lessons", lessons, register.matrix.lessons.len(), &of_lessons),
        pager("report-students", students, register.matrix.people.len(), &of_students),
    ];
    all.into_iter().filter(|pager| pager.slice.pages > 1).collect()
}
