//! `/api/students/{id}/attendance`: what is recorded of a student.

use super::sessions::{cursor, parse_cursor};
use super::students::own;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::{Timestamp, civil::Date};
use rules::attendance::{Source, Status};
use rules::error::Error;
use rules::reports::{forwards, matrix};
use serde::{Deserialize, Serialize};
use store::register::{self, RegisterMarked};
use store::student;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/students/{id}/attendance")
            .everyone()
            .of(Object::Student)
            .asks::<HistoryQuery>()
            .gives::<Vec<HistoryMark>>()
            .by(history),
        Route::get("/api/students/me/attendance")
            .pupil()
            .asks::<HistoryQuery>()
            .gives::<Vec<HistoryMark>>()
            .by(mine),
    ]
}

/// Which marks of a student.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Own id or code of a class.
    class_id: Option<String>,
    #[param(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    #[param(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    /// The page after this one, as the last answer's `Link` says it.
    after: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// What is recorded of a student in one lesson.
#[derive(Serialize, ToSchema)]
#[schema(as = Mark)]
pub struct HistoryMark {
    session_id: Uuid,
    session_name: String,
    class_id: Uuid,
    class_name: String,
    class_code: String,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    status: Status,
    /// There, in time or late.
    present: bool,
    source: Source,
    is_manual: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Timestamp>,
    notes: Option<String>,
}

impl From<RegisterMarked> for HistoryMark {
    fn from(marked: RegisterMarked) -> Self {
        let RegisterMarked { session, class, name, day, starts, status, source, arrived_at, notes } =
            marked;
        Self {
            session_id: session,
            session_name: name,
            class_id: class.0,
            class_name: class.1,
            class_code: class.2,
            date: day,
            starts_at: time(starts),
            status,
            present: matrix::Cell::of(status, source).present(),
            source,
            is_manual: source == Source::Manual,
            arrived_at: arrived_at.and_then(time),
            notes,
        }
    }
}

fn time(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

async fn history(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    history_of(&call, name).await
}

/// The history of the student whose account asks.
async fn mine(call: Call) -> Outcome {
    let own = own(&call).await?;
    history_of(&call, own.id.to_string()).await
}

async fn history_of(call: &Call, name: String) -> Outcome {
    let HistoryQuery { class_id, date_from, date_to, after, limit } = call.query()?;
    if let (Some(from), Some(to)) = (date_from, date_to) {
        forwards("date_to", from, to)?;
    }
    let after = after.as_deref().map(parse_cursor).transpose()?;
    let reader = call.reader()?;
    let limit = rows(limit);
    let span = register::RegisterSpan { from: date_from, to: date_to };
    let which = register::RegisterSpanOf { span, class: class_id, after, limit };
    let read = call.app().db.read(move |tx| {
        let id: StudentId = student::find(tx, &name)?.id;
        if !store::reader::visible_to(tx, reader, id)? {
            return Err(Error::unknown("student", &name));
        }
        register::history(tx, reader, id, &which)
    });
    let marks = read.await?;
    let last = marks.last().map(|mark| cursor(mark.starts, mark.session));
    page(call, &marks.into_iter().map(HistoryMark::from).collect::<Vec<_>>(), limit, last)
}
