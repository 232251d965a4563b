//! `/api/attendance/today`, `/by-class` and `/summary`: who was there.

use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::{Timestamp, civil::Date};
use rules::attendance::{Source, Status};
use rules::timetable::day_of;
use serde::{Deserialize, Serialize};
use store::class;
use store::presence::{self, Presence, PresenceFilter};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/attendance/today")
            .staff()
            .asks::<Today>()
            .gives::<Vec<PresenceBody>>()
            .by(of_today),
        Route::get("/api/attendance/by-class/{id}")
            .staff()
            .of(Object::Class)
            .asks::<PresenceQuery>()
            .gives::<Vec<PresenceBody>>()
            .by(of_class),
        Route::get("/api/attendance/summary/{id}")
            .staff()
            .of(Object::Class)
            .asks::<PresenceDay>()
            .gives::<Summary>()
            .by(summary),
    ]
}

/// What is recorded of a student in a lesson, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Presence)]
pub struct PresenceBody {
    session_id: Uuid,
    session_name: String,
    #[schema(value_type = String, format = Date)]
    date: Date,
    class_id: Uuid,
    class_name: String,
    /// Own id of the student.
    id: Uuid,
    /// Number of the student.
    student_id: String,
    student_name: String,
    status: Status,
    source: Source,
    /// Whether a person said it: then it wins over every door.
    is_manual: bool,
    /// When they came, if that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    timestamp: Option<Timestamp>,
    notes: Option<String>,
}

/// How many of a class were there on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = AttendanceSummary)]
pub struct Summary {
    total_students: i64,
    /// In time or late.
    present_students: i64,
    /// Per cent, two decimals.
    attendance_rate: f64,
    #[schema(value_type = String, format = Date)]
    date: Date,
}

/// Which of today.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Today {
    /// Own id or code of a class.
    class_id: Option<String>,
    /// Only of this status.
    #[param(inline)]
    status: Option<Status>,
    /// From the list's next link.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Which of a class.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PresenceQuery {
    /// Not before this local date.
    #[param(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    /// Not after this local date.
    #[param(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    /// Only of this status.
    #[param(inline)]
    status: Option<Status>,
    /// From the list's next link.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Of which day.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PresenceDay {
    /// Today if it is left out.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Date>,
}

impl From<Presence> for PresenceBody {
    fn from(one: Presence) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            session_id: one.session,
            session_name: one.lesson,
            date: one.day,
            class_id: one.class,
            class_name: one.class_name,
            id: one.student.0,
            student_id: one.number,
            student_name: one.name,
            status: one.status,
            source: one.source,
            is_manual: one.source == Source::Manual,
            arrived_at: one.arrived_at.and_then(time),
            timestamp: time(one.arrived_at.unwrap_or(one.at)),
            notes: one.notes,
        }
    }
}

/// The last one of a page, as the next link carries it.
fn cursor(one: &Presence) -> String {
    format!("{}_{}_{}", one.starts.0, one.session, one.student)
}

fn parse_cursor(text: &str) -> Result<(Wall, Uuid, StudentId), Problem> {
    let parse = || {
        let mut parts = text.splitn(3, '_');
        let at = Wall(parts.next()?.parse().ok()?);
        Some((at, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    parse().ok_or_else(|| Problem::field("after", "this is not from a list’s next link"))
}

/// Whose, of which days, of which status, from where, how many.
struct PresenceWanted {
    class: Option<String>,
    span: (Wall, Wall),
    status: Option<Status>,
    after: Option<String>,
    limit: Option<u32>,
}

async fn of_today(call: Call) -> Outcome {
    let Today { class_id, status, after, limit } = call.query()?;
    let span = day_of(call.reader()?.today, &call.app().config.zone)?;
    listed(&call, PresenceWanted { class: class_id, span, status, after, limit }).await
}

async fn of_class(call: Call) -> Outcome {
    let PresenceQuery { date_from, date_to, status, after, limit } = call.query()?;
    let zone = &call.app().config.zone;
    let from = date_from.map(|day| day_of(day, zone)).transpose()?;
    let until = date_to.map(|day| day_of(day, zone)).transpose()?;
    let first = from.map_or(Wall(i64::MIN), |day| day.0);
    let span = (first, until.map_or(Wall(i64::MAX), |day| day.1));
    let class = Some(call.param("id").to_owned());
    listed(&call, PresenceWanted { class, span, status, after, limit }).await
}

async fn listed(call: &Call, wanted: PresenceWanted) -> Outcome {
    let PresenceWanted { class, span, status, after, limit } = wanted;
    let reader = call.reader()?;
    let limit = rows(limit);
    let after = after.as_deref().map(parse_cursor).transpose()?;
    let read = call.app().db.read(move |tx| {
        let class = class.map(|name| class::find(tx, reader, &name)).transpose()?;
        let filter = PresenceFilter { class: class.map(|class| class.id), status, span, after };
        presence::list(tx, reader, &filter, limit)
    });
    let found = read.await?;
    let last = found.last().map(cursor);
    let all: Vec<_> = found.into_iter().map(PresenceBody::from).collect();
    page(call, &all, limit, last)
}

async fn summary(call: Call) -> Outcome {
    let day: PresenceDay = call.query()?;
    let reader = call.reader()?;
    let date = day.date.unwrap_or(reader.today);
    let name = call.param("id").to_owned();
    let span = day_of(date, &call.app().config.zone)?;
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        presence::summary(tx, class.id, span)
    });
    let (total_students, present_students) = read.await?;
    let attendance_rate = percentage(present_students, total_students);
    json(&Summary { total_students, present_students, attendance_rate, date })
}

/// `round(part / whole × 100, 2)`, half up; 0 when the whole is 0.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "hundredths of a per cent")]
fn percentage(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { ((part * 20_000 + whole) / (whole * 2)) as f64 / 100.0 }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn percentages_have_two_decimals() {
        let vectors =
            [(22, 26, 84.62), (420, 510, 82.35), (0, 0, 0.0), (1, 3, 33.33), (2, 3, 66.67)];
        for (part, whole, per_cent) in vectors {
            assert!((percentage(part, whole) - per_cent).abs() < 1e-9, "{part}/{whole}");
        }
    }
}
