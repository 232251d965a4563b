//! `/api/attendance`: sightings that wait for a person, and what was decided.

use super::call::Call;
use super::problem::Problem;
use super::reply::{json, with};
use super::route::{EVERYONE, Object, Outcome, Route, STAFF, Shapes, Takes};
use crate::auth::Actor;
use crate::store::desk::{self, Filter, Page, Reader, Seen};
use crate::store::student;
use crate::web::words;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::{Method, header};
use wire::{RecordId, StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let get = |path| (Method::GET, path);
    let (record, nothing) = (Object::Record, Takes::Nothing);
    let (one, list) = (Shapes::gives::<Record>(), Shapes::gives::<Vec<Record>>());
    let (at, pending) = ("/api/attendance/{id}", "/api/attendance/pending");
    vec![
        Route::new(get("/api/attendance"), EVERYONE, Object::None, nothing, list, index),
        Route::new(get(pending), STAFF, Object::None, nothing, list, waiting),
        Route::new(get(at), EVERYONE, record, nothing, one, show),
    ]
}

/// A record of attendance, as the API says it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Record {
    #[schema(value_type = Uuid)]
    id: RecordId,
    device_id: String,
    classroom_id: String,
    session_id: Option<Uuid>,
    /// Student number of whom it is taken to be.
    predicted_student_id: Option<String>,
    predicted_name: Option<String>,
    confidence: f64,
    candidates: Vec<Candidate>,
    #[schema(value_type = String)]
    timestamp: Option<Timestamp>,
    /// unset, floor, rtc, ntp or hub: how well the time is known.
    time_quality: String,
    direction: String,
    gate_name: String,
    camera_name: String,
    review_status: String,
    /// Student number of whom it was decided to be.
    decided_student_id: Option<String>,
    reviewer_id: Option<String>,
    reviewer_name: Option<String>,
    #[schema(value_type = Option<String>)]
    review_timestamp: Option<Timestamp>,
    notes: Option<String>,
    #[schema(value_type = Vec<String>)]
    reasons: Vec<wire::Reason>,
    captured_image_path: Option<String>,
    version: i64,
}

/// A person it may have been.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Candidate {
    #[schema(value_type = Uuid)]
    id: StudentId,
    student_id: String,
    name: String,
    /// Cosine similarity.
    score: f64,
    confidence: f64,
}

/// Which to list.
#[derive(Deserialize)]
struct Which {
    class_id: Option<Uuid>,
    student_id: Option<String>,
    device_id: Option<String>,
    #[serde(alias = "review_status")]
    status: Option<String>,
    date_from: Option<Date>,
    date_to: Option<Date>,
    after: Option<String>,
    limit: Option<u32>,
}

impl From<Seen> for Record {
    fn from(seen: Seen) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let crop = seen.crop.then(|| format!("/api/attendance/{}/crop", seen.id));
        let (predicted, decided) = (seen.predicted.clone(), seen.decided.clone());
        let candidate = |c: &desk::Candidate| Candidate {
            id: c.person.student,
            student_id: c.person.number.clone(),
            name: c.person.name.clone(),
            score: c.score,
            confidence: confidence(c.score),
        };
        let (reviewer_id, reviewer_name) = seen.reviewer.clone().unzip();
        Self {
            id: seen.id,
            classroom_id: seen.room.clone(),
            session_id: None,
            predicted_student_id: predicted.as_ref().map(|c| c.number.clone()),
            predicted_name: predicted.map(|c| c.name),
            confidence: seen.confidence,
            candidates: seen.candidates.iter().map(candidate).collect(),
            timestamp: time(seen.order_at),
            time_quality: seen.clock,
            direction: seen.direction,
            gate_name: if seen.location.is_empty() { seen.device.clone() } else { seen.location },
            camera_name: seen.device.clone(),
            device_id: seen.device,
            review_status: seen.status,
            decided_student_id: decided.map(|c| c.number),
            reviewer_id,
            reviewer_name,
            review_timestamp: seen.reviewed_at.and_then(time),
            notes: seen.notes,
            reasons: seen.reasons,
            captured_image_path: crop,
            version: seen.version,
        }
    }
}

/// Confidence of a cosine, as the default pack maps it.
#[must_use]
pub fn confidence(score: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cosine has no more digits in f32")]
    f64::from(vision::decide::confidence(score as f32))
}

/// The reader of `call`, on the school's day.
///
/// # Errors
/// 401 when nobody is signed in.
pub fn reader(call: &Call) -> Result<Reader, Problem> {
    let actor: Actor = call.actor()?;
    Ok(Reader { actor, today: words::day(call.now, &call.app().config.zone) })
}

/// The next page of a list, as its address says it: time and id of the last one.
#[must_use]
pub fn cursor(seen: &Seen) -> String {
    format!("{}_{}", seen.order_at.0, seen.id)
}

/// What [`cursor`] wrote.
///
/// # Errors
/// 422 for anything else.
pub fn parse_cursor(text: &str) -> Result<(Wall, RecordId), Problem> {
    let parse = || {
        let (at, id) = text.split_once('_')?;
        Some((Wall(at.parse().ok()?), id.parse().ok()?))
    };
    parse().ok_or_else(|| Problem::field("after", "this is not from a list’s next link"))
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    listed(&call, which).await
}

async fn waiting(call: Call) -> Outcome {
    let which: Which = call.query()?;
    listed(&call, Which { status: Some("pending".into()), ..which }).await
}

async fn listed(call: &Call, which: Which) -> Outcome {
    let (reader, zone) = (reader(call)?, call.app().config.zone.clone());
    let start = |day: Date| {
        let start = day.to_zoned(zone.clone()).ok();
        start.map(|start| Wall(start.timestamp().as_millisecond()))
    };
    let after = which.after.as_deref().map(parse_cursor).transpose()?;
    let page = Page { after, limit: which.limit.unwrap_or(100).clamp(1, 500) };
    let until = which.date_to.and_then(|day| day.tomorrow().ok()).and_then(start);
    let from = which.date_from.and_then(start);
    let (status, device, class) = (which.status, which.device_id, which.class_id);
    let read = call.app().db.read(move |tx| {
        let student = which.student_id.map(|name| student::find(tx, &name)).transpose();
        let student = match student {
            Ok(student) => student.map(|student| student.id),
            Err(crate::Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let filter = Filter { status, device, student, class, from, until };
        desk::list(tx, reader, &filter, page)
    });
    let seen = read.await?;
    let next = seen.last().filter(|_| seen.len() == page.limit as usize).map(cursor);
    let answer = json(&seen.into_iter().map(Record::from).collect::<Vec<_>>())?;
    Ok(match next {
        None => answer,
        Some(after) => {
            let link = format!("<?limit={}&after={after}>; rel=\"next\"", page.limit);
            with(answer, header::LINK, &link)
        }
    })
}

async fn show(call: Call) -> Outcome {
    json(&Record::from(one(&call, call.id("id")?).await?))
}

/// The record `id`, if the caller may see it.
///
/// # Errors
/// 404.
pub async fn one(call: &Call, id: RecordId) -> Result<Seen, Problem> {
    let reader = reader(call)?;
    Ok(call.app().db.read(move |tx| desk::one(tx, reader, id)).await?)
}
