//! `/api/classes/{id}/attendance-report`: the register of a class.
//!
//! A register is read in one snapshot into four bytes a cell, and sent row by row.

use acts::reports::Register;
use acts::sheets::register as table;
use acts::sheets::sheet;
use bytes::Bytes;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::with;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::{Timestamp, civil::Date};
use rules::attendance::Status;
use rules::error::{Doing, Error};
use rules::reports::MarkTally;
use rules::reports::matrix::{self, MatrixLesson, RegisterMatrix};
use serde::{Deserialize, Serialize};
use store::{Tx, register};
use tokio::io::AsyncReadExt as _;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::header;
use warp::reply::{Reply, Response};
use wire::Wall;

/// Media types of a register besides JSON.
const TYPES: [&str; 3] = ["text/csv", sheet::XLSX, "text/html"];
/// The register as a page, for printers.
pub type RegisterPage = fn(&Call, &Register) -> Outcome;

/// Bytes of a file read at once.
const PIECE: usize = 64 * 1024;

/// Routes of this file.
#[must_use]
pub fn routes(shown: RegisterPage) -> Vec<Endpoint> {
    vec![
        Route::get("/api/classes/{id}/attendance-report")
            .staff()
            .of(Object::Class)
            .asks::<ReportSpan>()
            .gives::<ReportBody>()
            .also(&TYPES)
            .by(move |call| report_of(call, shown)),
    ]
}

/// Which days, and as what.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReportSpan {
    /// First day; without it from the first lesson on.
    #[param(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    /// Last day; without it to the last lesson.
    #[param(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    /// As what; without it as `Accept` says, else JSON.
    #[param(inline)]
    format: Option<ReportFormat>,
}

/// As what a register is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Format)]
enum ReportFormat {
    /// For programs.
    Json,
    /// For spreadsheets, as text.
    Csv,
    /// For spreadsheets, as a workbook.
    Xlsx,
    /// For printers.
    Html,
}

impl ReportFormat {
    /// What `accept` asks for.
    fn of(accept: &str) -> Self {
        let named = [(TYPES[0], Self::Csv), (TYPES[1], Self::Xlsx), (TYPES[2], Self::Html)];
        let kinds = accept.split(',').filter_map(|kind| kind.split(';').next()).map(str::trim);
        let mut asked = kinds.filter_map(|kind| match kind {
            "application/json" | "*/*" => Some(Self::Json),
            kind => named.iter().find(|(name, _)| *name == kind).map(|(_, format)| *format),
        });
        asked.next().unwrap_or(Self::Json)
    }
}

/// The register of a class: students by lessons.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub struct ReportBody {
    class_id: Uuid,
    class_name: String,
    class_code: String,
    #[schema(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    total_students: usize,
    total_sessions: usize,
    /// Of all marks that count.
    attendance_rate: f64,
    /// By family name.
    students: Vec<StudentRow>,
    /// By time.
    sessions: Vec<SessionRow>,
}

/// A student's row.
#[derive(Serialize, ToSchema)]
pub struct StudentRow {
    /// Own id.
    id: Uuid,
    /// Student number.
    student_id: String,
    first_name: String,
    last_name: String,
    full_name: String,
    #[serde(flatten)]
    counts: ReportCounts,
    /// One per lesson, in the order of `sessions`.
    attendance: Vec<ReportCell>,
}

/// What one lesson says of a student.
#[derive(Serialize, ToSchema)]
#[schema(as = Cell)]
pub struct ReportCell {
    session_id: Uuid,
    /// There, in time or late.
    present: bool,
    /// Sightings and faces in photos, without rejected ones.
    detection_count: u16,
    /// Set by a person.
    is_manual: bool,
    /// The mark, if there is one.
    status: Option<Status>,
}

/// A lesson's sums.
#[derive(Serialize, ToSchema)]
pub struct SessionRow {
    session_id: Uuid,
    name: String,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    #[serde(flatten)]
    counts: ReportCounts,
}

/// Marks, counted.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct ReportCounts {
    /// There, in time or late.
    present_count: i64,
    /// Marks that count: in time, late and absent.
    total_count: i64,
    /// `present_count` of `total_count` in per cent, two decimals; 0 of nothing.
    attendance_rate: f64,
    late_count: i64,
    absent_count: i64,
    excused_count: i64,
    unverified_count: i64,
    undecided_count: i64,
}

impl From<MarkTally> for ReportCounts {
    fn from(count: MarkTally) -> Self {
        let sums = count.sums();
        Self {
            present_count: sums.present + sums.late,
            total_count: sums.total(),
            attendance_rate: sums.attended().percent(),
            late_count: sums.late,
            absent_count: sums.absent,
            excused_count: count.of(Status::Excused),
            unverified_count: count.of(Status::Unverified),
            undecided_count: count.of(Status::Undecided),
        }
    }
}

fn time(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

async fn report_of(call: Call, shown: RegisterPage) -> Outcome {
    let ReportSpan { date_from: from, date_to: to, format } = call.query()?;
    let format = format.unwrap_or_else(|| ReportFormat::of(call.header("accept").unwrap_or("")));
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let read =
        move |tx: &Tx<'_>| Register::read(tx, reader, &name, register::RegisterSpan { from, to });
    let register = call.app().db.read(read).await?;
    match format {
        ReportFormat::Json => in_json(register),
        ReportFormat::Csv => in_csv(&call, register),
        ReportFormat::Xlsx => in_xlsx(&call, register).await,
        ReportFormat::Html => shown(&call, &register),
    }
}

/// The students' rows go out one after the other, between the head and the sums.
fn in_json(register: Register) -> Outcome {
    let Register { class, span, matrix } = register;
    let everything = (0..matrix.people.len()).flat_map(|n| matrix.row(n).iter().copied());
    let mut report = ReportBody {
        class_id: class.id,
        class_name: class.class_name,
        class_code: class.class_code,
        date_from: span.from,
        date_to: span.to,
        total_students: matrix.people.len(),
        total_sessions: matrix.lessons.len(),
        attendance_rate: matrix::tally(everything).sums().attended().percent(),
        students: Vec::new(),
        sessions: Vec::new(),
    };
    let doing = "writing a report";
    let head = serde_json::to_string(&report).doing(doing)?;
    let sums = |(n, lesson): (usize, &MatrixLesson)| SessionRow {
        session_id: lesson.id,
        name: lesson.name.clone(),
        date: lesson.day,
        starts_at: time(lesson.starts),
        ends_at: time(lesson.ends),
        counts: matrix::tally(matrix.column(n)).into(),
    };
    report.sessions = matrix.lessons.iter().enumerate().map(sums).collect();
    let whole = serde_json::to_string(&report).doing(doing)?;
    let no_rows = "],\"sessions\":[]}";
    let head = head.strip_suffix(no_rows).ok_or_else(Problem::internal)?.to_owned();
    let tail = whole.strip_prefix(&head).ok_or_else(Problem::internal)?.to_owned();
    let rows = (0..matrix.people.len()).map(move |n| {
        let row = serde_json::to_string(&student(&matrix, n)).doing(doing)?;
        Ok(if n == 0 { row } else { format!(",{row}") })
    });
    let all = std::iter::once(Ok(head)).chain(rows).chain(std::iter::once(Ok(tail)));
    let answer = streamed(all.map(|piece: Result<String, Error>| piece.map(Bytes::from)));
    Ok(with(answer, header::CONTENT_TYPE, "application/json"))
}

fn student(matrix: &RegisterMatrix, n: usize) -> StudentRow {
    let person = &matrix.people[n];
    let cell = |(lesson, cell): (&MatrixLesson, &matrix::Cell)| ReportCell {
        session_id: lesson.id,
        present: cell.present(),
        detection_count: cell.seen,
        is_manual: cell.manual,
        status: cell.status,
    };
    StudentRow {
        id: person.id.0,
        student_id: person.number.clone(),
        first_name: person.first_name.clone(),
        last_name: person.last_name.clone(),
        full_name: person.full_name(),
        counts: matrix::tally(matrix.row(n).iter().copied()).into(),
        attendance: matrix.lessons.iter().zip(matrix.row(n)).map(cell).collect(),
    }
}

fn in_csv(call: &Call, register: Register) -> Outcome {
    let zone = &call.app().config.zone;
    let name = register.class.class_code;
    let answer = streamed(table::csv(register.matrix, zone));
    Ok(file(answer, sheet::CSV, &name, "csv"))
}

async fn in_xlsx(call: &Call, register: Register) -> Outcome {
    let zone = call.app().config.zone.clone();
    let name = register.class.class_code;
    let folder = call.app().config.data.clone();
    let matrix = register.matrix;
    let make = move || table::workbook(&matrix, &zone, &folder);
    let done = tokio::task::spawn_blocking(make).await.doing("making a workbook")??;
    let read = |mut file: tokio::fs::File| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(n) => {
                piece.truncate(n);
                Some((Ok(Bytes::from(piece)), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    };
    let pieces = futures_util::stream::unfold(tokio::fs::File::from_std(done), read);
    let answer = warp::reply::stream(pieces).into_response();
    Ok(file(answer, sheet::XLSX, &name, "xlsx"))
}

fn streamed<I>(pieces: I) -> Response
where
    I: Iterator<Item = Result<Bytes, Error>> + Send + Sync + 'static,
{
    warp::reply::stream(futures_util::stream::iter(pieces)).into_response()
}

/// A file to be kept, named after the class.
fn file(answer: Response, kind: &str, class: &str, ending: &str) -> Response {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = class.chars().take(60).map(plain).collect();
    let named = format!("attachment; filename=\"attendance-{name}.{ending}\"");
    with(with(answer, header::CONTENT_TYPE, kind), header::CONTENT_DISPOSITION, &named)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn accept_names_a_format_and_json_is_the_rest() {
        assert_eq!(ReportFormat::of("text/csv"), ReportFormat::Csv);
        assert_eq!(
            ReportFormat::of("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
            ReportFormat::Html
        );
        assert_eq!(ReportFormat::of(&format!("{}; q=1", sheet::XLSX)), ReportFormat::Xlsx);
        for other in ["", "*/*", "application/json, text/csv", "image/png"] {
            assert_eq!(ReportFormat::of(other), ReportFormat::Json, "{other}");
        }
    }
}
