//! A lesson, as the API says it and as it is typed.

use acts::lessons::{LessonChanges, NewLesson};
use http::key::HttpKey;
use jiff::civil::{Date, Time};
use jiff::{Timestamp, tz::TimeZone};
use rules::reports::MarkTally;
use rules::timetable::Source;
use serde::{Deserialize, Serialize};
use store::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Wall;

/// Why a lesson is there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SessionSource)]
pub enum MarkGrounds {
    /// The weekly timetable.
    Timetable,
    /// Somebody planned it.
    Manual,
    /// Attendance was taken without a plan.
    Adhoc,
}

/// A lesson, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    pub(super) id: Uuid,
    class_id: Uuid,
    name: String,
    /// The local date.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Local time, `08:45`.
    start_time: String,
    end_time: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// Whoever arrives after this is late.
    #[schema(value_type = Option<String>, format = DateTime)]
    late_after: Option<Timestamp>,
    room: String,
    source: MarkGrounds,
    /// The weekly lesson it was made from.
    period_id: Option<Uuid>,
    /// When everybody without a mark got one.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    marks: SessionCounts,
    pub(super) version: i64,
}

/// Marks of a lesson, counted.
#[derive(Serialize, ToSchema)]
#[schema(as = MarkCounts)]
pub struct SessionCounts {
    present: i64,
    late: i64,
    absent: i64,
    excused: i64,
    unverified: i64,
    undecided: i64,
}

/// A new lesson.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSession)]
pub struct SessionForm {
    /// Own id or class code.
    #[serde(alias = "class", alias = "class_session", alias = "subject_id")]
    pub(super) class_id: HttpKey,
    /// What people call it; the class's name if it is left out.
    pub(super) name: Option<String>,
    /// Today if it is left out.
    #[serde(alias = "day", alias = "session_date")]
    #[schema(value_type = Option<String>, format = Date)]
    pub(super) date: Option<Date>,
    /// Local time; now if it is left out.
    #[schema(value_type = Option<String>, example = "08:45")]
    pub(super) start_time: Option<Time>,
    /// 45 minutes later if it is left out.
    #[schema(value_type = Option<String>, example = "09:30")]
    pub(super) end_time: Option<Time>,
    /// The class's usual room if it is left out.
    pub(super) room: Option<String>,
}

/// What may change about a lesson; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = SessionChange)]
pub struct SessionPatch {
    pub(super) name: Option<String>,
    #[serde(alias = "day", alias = "session_date")]
    #[schema(value_type = Option<String>, format = Date)]
    pub(super) date: Option<Date>,
    #[schema(value_type = Option<String>, example = "08:45")]
    pub(super) start_time: Option<Time>,
    #[schema(value_type = Option<String>, example = "09:30")]
    pub(super) end_time: Option<Time>,
    pub(super) room: Option<String>,
    /// The version that was read, so that nobody’s change is overwritten.
    pub(super) version: Option<i64>,
}

impl From<SessionForm> for NewLesson {
    fn from(typed: SessionForm) -> Self {
        let SessionForm { class_id, name, date: day, start_time: starts, end_time: ends, room } =
            typed;
        Self { class: class_id.text(), name, day, starts, ends, room }
    }
}

impl SessionPatch {
    /// The same, of the lesson that is named.
    pub(super) fn of(self, lesson: &str) -> LessonChanges {
        let Self { name, date: day, start_time: starts, end_time: ends, room, version } = self;
        LessonChanges { lesson: lesson.to_owned(), name, day, starts, ends, room, version }
    }
}

impl SessionBody {
    /// `session` with its marks counted, in local time.
    #[must_use]
    pub fn new(session: Session, tally: MarkTally, zone: &TimeZone) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let local = |at: Wall| {
            let local = time(at).map(|at| at.to_zoned(zone.clone()));
            local.map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
        };
        let MarkTally([present, late, absent, excused, unverified, undecided]) = tally;
        Self {
            id: session.id,
            class_id: session.class,
            name: session.name,
            date: session.day,
            start_time: local(session.starts),
            end_time: local(session.ends),
            starts_at: time(session.starts),
            ends_at: time(session.ends),
            late_after: time(session.late_after),
            room: session.room,
            source: match session.source {
                Source::Timetable => MarkGrounds::Timetable,
                Source::Manual => MarkGrounds::Manual,
                Source::Adhoc => MarkGrounds::Adhoc,
            },
            period_id: session.period,
            closed_at: session.closed_at.and_then(time),
            marks: SessionCounts { present, late, absent, excused, unverified, undecided },
            version: session.version,
        }
    }
}
