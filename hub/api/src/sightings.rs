//! `/api/attendance`: sightings that wait for a person, and what was decided.

use acts::desk::DeskDone;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{bytes, json, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::{Timestamp, civil::Date};
use rules::attendance::Authority;
use rules::review::{self, ReviewAsk};
use rules::scores;
use serde::{Deserialize, Serialize};
use store::desk::{self, SightingFilter, SightingPage, SightingSeen};
use store::{Tx, student};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{RecordId, StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/api/attendance/{id}";
    vec![
        Route::get("/api/attendance")
            .everyone()
            .asks::<AttendanceQuery>()
            .gives::<Vec<Record>>()
            .by(index),
        Route::get("/api/attendance/pending")
            .staff()
            .asks::<AttendanceQuery>()
            .gives::<Vec<Record>>()
            .by(waiting),
        Route::get(at).everyone().of(Object::Record).gives::<Record>().by(show),
        Route::delete(at).admin().of(Object::Record).by(remove),
        Route::get("/api/attendance/{id}/crop")
            .staff()
            .of(Object::Record)
            .file("image/jpeg")
            .by(picture),
        Route::post("/api/attendance/{id}/review")
            .staff()
            .of(Object::Record)
            .takes::<ReviewDecision>()
            .gives::<Record>()
            .or_nothing()
            .by(decide),
        Route::post("/api/attendance/review")
            .staff()
            .takes::<Decisions>()
            .gives::<Vec<Record>>()
            .by(decide_many),
        Route::post("/api/attendance/{id}/undo")
            .staff()
            .of(Object::Record)
            .gives::<Record>()
            .or_nothing()
            .by(take_back),
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
    /// The same, as gate logs name it.
    confidence_score: f64,
    candidates: Vec<AttendanceCandidate>,
    #[schema(value_type = Option<String>, format = DateTime)]
    timestamp: Option<Timestamp>,
    /// unset, floor, rtc, ntp or hub: how well the time is known.
    time_quality: String,
    direction: String,
    gate_name: String,
    camera_name: String,
    review_status: String,
    /// Of a passage that is only logged: whether the person may be there.
    authorized: Option<bool>,
    /// And why.
    authorization: Option<Authority>,
    /// Student number of whom it was decided to be.
    decided_student_id: Option<String>,
    reviewer_id: Option<String>,
    reviewer_name: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    review_timestamp: Option<Timestamp>,
    notes: Option<String>,
    #[schema(value_type = Vec<String>)]
    reasons: Vec<wire::Reason>,
    captured_image_path: Option<String>,
    version: i64,
}

/// A person it may have been.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Candidate)]
pub struct AttendanceCandidate {
    #[schema(value_type = Uuid)]
    id: StudentId,
    student_id: String,
    name: String,
    /// Cosine similarity.
    score: f64,
    confidence: f64,
}

/// What a person says about one record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = Decision)]
pub struct ReviewDecision {
    decision: ReviewWord,
    /// Approve as this person instead: own id or student number.
    student_id: Option<String>,
    notes: Option<String>,
    version: Option<i64>,
}

/// The same for many, all or none.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Decisions {
    #[schema(value_type = Vec<Uuid>)]
    ids: Vec<RecordId>,
    decision: ReviewWord,
    notes: Option<String>,
}

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Say)]
pub enum ReviewWord {
    /// It was this person.
    #[serde(alias = "approved")]
    Approve,
    /// It was none of them.
    #[serde(alias = "rejected")]
    Reject,
    /// It was not the predicted person, and never is: the next candidate takes their place.
    #[serde(rename = "rule_out")]
    RuleOut,
}

impl ReviewWord {
    /// The same about `student`, if one was named.
    fn of(self, student: Option<StudentId>) -> review::ReviewSay {
        match self {
            Self::Approve => review::ReviewSay::Approve(student),
            Self::Reject => review::ReviewSay::Reject,
            Self::RuleOut => review::ReviewSay::RuleOut,
        }
    }
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AttendanceQuery {
    class_id: Option<Uuid>,
    student_id: Option<String>,
    device_id: Option<String>,
    /// `pending`, `approved`, `rejected` or `logged`.
    #[serde(alias = "review_status")]
    status: Option<String>,
    #[param(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    #[param(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<SightingSeen> for Record {
    fn from(seen: SightingSeen) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let crop = seen.crop.then(|| format!("/api/attendance/{}/crop", seen.id));
        let predicted = seen.predicted.clone();
        let decided = seen.decided.clone();
        let candidate = |c: &desk::CandidateSeen| AttendanceCandidate {
            id: c.person.student,
            student_id: c.person.number.clone(),
            name: c.person.name.clone(),
            score: c.score,
            confidence: scores::confidence(&seen.model, c.score),
        };
        let (reviewer_id, reviewer_name) = seen.reviewer.clone().unzip();
        Self {
            id: seen.id,
            classroom_id: seen.room.clone(),
            session_id: seen.session,
            predicted_student_id: predicted.as_ref().map(|c| c.number.clone()),
            predicted_name: predicted.map(|c| c.name),
            confidence: seen.confidence,
            confidence_score: seen.confidence,
            candidates: seen.candidates.iter().map(candidate).collect(),
            timestamp: time(seen.order_at),
            time_quality: seen.clock,
            direction: seen.direction,
            gate_name: if seen.location.is_empty() { seen.device.clone() } else { seen.location },
            camera_name: seen.device.clone(),
            device_id: seen.device,
            review_status: seen.status.as_str().to_owned(),
            authorized: seen.authority.map(Authority::is_authorized),
            authorization: seen.authority,
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

/// The next page of a list, as its address says it: time and id of the last one.
#[must_use]
fn cursor(seen: &SightingSeen) -> String {
    format!("{}_{}", seen.order_at.0, seen.id)
}

/// What [`cursor`] wrote.
///
/// # Errors
/// 422 for anything else.
fn parse_cursor(text: &str) -> Result<(Wall, RecordId), Problem> {
    let parse = || {
        let (at, id) = text.split_once('_')?;
        Some((Wall(at.parse().ok()?), id.parse().ok()?))
    };
    parse().ok_or_else(|| Problem::field("after", "this is not from a list’s next link"))
}

async fn index(call: Call) -> Outcome {
    let which: AttendanceQuery = call.query()?;
    listed(&call, which).await
}

async fn waiting(call: Call) -> Outcome {
    let which: AttendanceQuery = call.query()?;
    listed(&call, AttendanceQuery { status: Some("pending".into()), ..which }).await
}

async fn listed(call: &Call, which: AttendanceQuery) -> Outcome {
    let reader = call.reader()?;
    let zone = call.app().config.zone.clone();
    let start = |day: Date| {
        let start = day.to_zoned(zone.clone()).ok();
        start.map(|start| Wall(start.timestamp().as_millisecond()))
    };
    let after = which.after.as_deref().map(parse_cursor).transpose()?;
    let limit = rows(which.limit);
    let until = which.date_to.and_then(|day| day.tomorrow().ok()).and_then(start);
    let from = which.date_from.and_then(start);
    let state = |text: &str| {
        let say = |why| format!("{why}: say pending, approved, rejected or logged");
        text.parse::<review::Status>().map_err(|why| Problem::field("status", say(why)))
    };
    let status = which.status.as_deref().map(state).transpose()?;
    let device = which.device_id;
    let class = which.class_id;
    let read = call.app().db.read(move |tx| {
        let student = which.student_id.map(|name| student::find(tx, &name)).transpose();
        let student = match student {
            Ok(student) => student.map(|student| student.id),
            Err(rules::Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let filter = SightingFilter { status, device, student, class, from, until };
        desk::list(tx, reader, &filter, SightingPage { after, limit })
    });
    let seen = read.await?;
    let last = seen.last().map(cursor);
    let records: Vec<_> = seen.into_iter().map(Record::from).collect();
    page(call, &records, limit, last)
}

async fn show(call: Call) -> Outcome {
    let id = call.id("id")?;
    let reader = call.reader()?;
    let record = Record::from(call.app().db.read(move |tx| desk::one(tx, reader, id)).await?);
    versioned(&record, record.version)
}

/// Deletes a record for good; marks that followed from it are taken back.
async fn remove(call: Call) -> Outcome {
    let reader = call.reader()?;
    let id = call.id("id")?;
    call.app().desk().remove(reader, id, call.version(None)?, call.now).await?;
    nothing()
}

/// The face as the door saw it, for whoever may decide.
async fn picture(call: Call) -> Outcome {
    let reader = call.reader()?;
    let id = call.id("id")?;
    let jpeg = call.app().desk().crop(reader, id).await?;
    bytes("image/jpeg", jpeg.to_vec())
}

async fn decide(call: Call) -> Outcome {
    let id: RecordId = call.id("id")?;
    let said: ReviewDecision = call.json()?;
    let version = call.version(said.version)?;
    let reader = call.reader()?;
    let desk = call.app().desk();
    let student = desk.named(reader, said.student_id).await?;
    let ask = ReviewAsk { record: id, say: said.decision.of(student), notes: said.notes, version };
    let shown = move |tx: &Tx<'_>, _: &[DeskDone]| desk::some(tx, reader, &[id]);
    decided(desk.decide(reader, vec![ask], shown, call.now).await?)
}

/// The record after a decision; nothing once it waits as that of somebody whom the caller does not
/// teach.
fn decided(mut seen: Vec<SightingSeen>) -> Outcome {
    match seen.pop().map(Record::from) {
        Some(record) => versioned(&record, record.version),
        None => nothing(),
    }
}

async fn decide_many(call: Call) -> Outcome {
    let said: Decisions = call.json()?;
    let reader = call.reader()?;
    let say = said.decision.of(None);
    let ask = |record| ReviewAsk { record, say, notes: said.notes.clone(), version: None };
    let asks = said.ids.iter().copied().map(ask).collect();
    let shown = move |tx: &Tx<'_>, _: &[DeskDone]| desk::some(tx, reader, &said.ids);
    let seen = call.app().desk().decide(reader, asks, shown, call.now).await?;
    json(&seen.into_iter().map(Record::from).collect::<Vec<_>>())
}

async fn take_back(call: Call) -> Outcome {
    let id = call.id("id")?;
    let reader = call.reader()?;
    let shown = move |tx: &Tx<'_>, _: &[DeskDone]| desk::some(tx, reader, &[id]);
    let version = call.version(None)?;
    decided(call.app().desk().undo(reader, Some(id), version, shown, call.now).await?)
}
