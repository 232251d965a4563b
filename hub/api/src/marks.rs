//! `/api/sessions/{id}/marks`: the roll of a lesson, and what a person says of it.

use acts::lessons::{self, MarkBack, TakeBack};
use acts::marks;
use http::call::Call;
use http::endpoint::Endpoint;
use http::key::HttpKey;
use http::language;
use http::page::{following, page, rows};
use http::problem::Problem;
use http::reply::{json, nothing};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::{Timestamp, tz::TimeZone};
use rules::attendance::closing::Grounds;
use rules::attendance::spoken::{self, Details, Over};
use rules::attendance::{Mark, Source, Status};
use rules::error::Error;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use store::session::{self, Session};
use store::{Tx, class, mark, passage};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::{StudentId, Wall};
use words::language::Language;
use words::why;

/// Marks in one request at most.
const AT_ONCE: usize = 500;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/sessions/{id}/marks";
    vec![
        Route::get(some)
            .staff()
            .of(Object::Session)
            .asks::<MarkQuery>()
            .gives::<Vec<MarkEntry>>()
            .by(roll),
        Route::post(some)
            .staff()
            .of(Object::Session)
            .takes::<MarkSaidBody>()
            .gives::<Vec<MarkEntry>>()
            .by(say),
        Route::delete("/api/sessions/{id}/marks/{student}")
            .staff()
            .of(Object::Session)
            .by(take_back),
    ]
}

/// A student on the roll of a lesson.
#[derive(Serialize, ToSchema)]
#[schema(as = Mark)]
pub struct MarkEntry {
    /// Own id of the student.
    id: Uuid,
    /// Number of the student.
    student_id: String,
    full_name: String,
    /// Null while nothing is recorded.
    status: Option<Status>,
    /// Who says so.
    source: Option<Source>,
    /// Whether a person said it: then it wins over every door.
    is_manual: bool,
    /// Whether a sighting of them in this lesson waits for a person.
    waiting: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Timestamp>,
    /// The record it follows from.
    record_id: Option<Uuid>,
    notes: Option<String>,
    /// What a mark that the end of the lesson made stands on, door by door.
    grounds: Option<Grounds>,
    /// The same in sentences, in the language the request asks for.
    why: Vec<String>,
    /// Account that decided, or `hub`.
    recorded_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    recorded_at: Option<Timestamp>,
    version: i64,
}

/// What a person says: of one student, or of many.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = NewMarks)]
pub enum MarkSaidBody {
    /// Of many, all or none.
    Many {
        /// What is said of each.
        #[schema(max_items = 500)]
        marks: Vec<MarkItem>,
    },
    /// Of one.
    One(MarkItem),
}

/// What a person says of one student.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = NewMark)]
pub struct MarkItem {
    /// Own id or student number.
    #[serde(alias = "id", alias = "student")]
    student_id: HttpKey,
    status: MarkWord,
    /// When they came, if that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Timestamp>,
    notes: Option<String>,
}

/// What a person can say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MarkWord)]
pub enum MarkWord {
    /// There in time.
    Present,
    /// There, after the grace period.
    Late,
    /// Not there.
    Absent,
    /// Not there, with a reason; left out of every percentage.
    Excused,
}

/// Which part of the roll.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MarkQuery {
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<MarkWord> for Status {
    fn from(word: MarkWord) -> Self {
        match word {
            MarkWord::Present => Self::Present,
            MarkWord::Late => Self::Late,
            MarkWord::Absent => Self::Absent,
            MarkWord::Excused => Self::Excused,
        }
    }
}

impl From<MarkItem> for lessons::MarkOf {
    fn from(one: MarkItem) -> Self {
        let arrived_at = one.arrived_at.map(|at| Wall(at.as_millisecond()));
        let details = Details::Said { arrived_at, notes: one.notes };
        let word = spoken::SpokenWord { status: one.status.into(), details, over: Over::Any };
        Self { student: one.student_id.text(), word }
    }
}

impl MarkEntry {
    fn new(member: class::Member, mark: Option<Mark>, waiting: bool) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            id: member.student.0,
            student_id: member.number,
            full_name: member.name,
            status: mark.as_ref().map(|mark| mark.status),
            source: mark.as_ref().map(|mark| mark.source),
            is_manual: mark.as_ref().is_some_and(|mark| mark.source == Source::Manual),
            waiting,
            arrived_at: mark.as_ref().and_then(|mark| mark.arrived_at).and_then(time),
            record_id: mark.as_ref().and_then(|mark| mark.sighting).map(|id| id.0),
            recorded_at: mark.as_ref().and_then(|mark| time(mark.at)),
            version: mark.as_ref().map_or(0, |mark| mark.version),
            recorded_by: mark.as_ref().map(|mark| mark.by.clone()),
            notes: mark.and_then(|mark| mark.notes),
            grounds: None,
            why: Vec::new(),
        }
    }

    /// With what the mark stands on.
    fn because(
        self,
        grounds: Option<Grounds>,
        session: &Session,
        language: Language,
        zone: &TimeZone,
    ) -> Self {
        let said = grounds.as_ref().zip(self.status).map(|(grounds, status)| {
            why::sentences(language, status, grounds, marks::counts(session), zone)
        });
        Self { grounds, why: said.unwrap_or_default(), ..self }
    }
}

/// In which language, and by which clock, sentences are said.
fn voice(call: &Call) -> (Language, TimeZone) {
    (language::of(&call.headers), call.app().config.zone.clone())
}

/// Everybody on the roster, with what is recorded of them.
fn entries(
    tx: &Tx<'_>,
    session: &Session,
    (language, zone): &(Language, TimeZone),
) -> Result<Vec<MarkEntry>, Error> {
    let mut marks: HashMap<StudentId, Mark> =
        mark::of_session(tx, session.id)?.into_iter().collect();
    let waiting: HashSet<StudentId> = passage::waiting(tx, session.id)?.into_iter().collect();
    let mut grounds = mark::grounds(tx, session.id)?;
    let entry = |member: class::Member| {
        let mark = marks.remove(&member.student);
        let waits = waiting.contains(&member.student);
        let grounds = grounds.remove(&member.student);
        MarkEntry::new(member, mark, waits).because(grounds, session, *language, zone)
    };
    Ok(class::members(tx, session.class)?.into_iter().map(entry).collect())
}

async fn roll(call: Call) -> Outcome {
    let which: MarkQuery = call.query()?;
    let reader = call.reader()?;
    let limit = rows(which.limit.or(Some(500)));
    let name = call.param("id").to_owned();
    let voice = voice(&call);
    let read = call.app().db.read(move |tx| {
        let session = session::find(tx, reader, &name)?;
        entries(tx, &session, &voice)
    });
    let rest = following(read.await?, which.after, |entry| entry.id)?;
    let part: Vec<_> = rest.take(limit as usize).collect();
    let last = part.last().map(|entry| entry.id.to_string());
    page(&call, &part, limit, last)
}

async fn say(call: Call) -> Outcome {
    let said: MarkSaidBody = call.json()?;
    let reader = call.reader()?;
    let now = call.now;
    let said = match said {
        MarkSaidBody::Many { marks } => marks,
        MarkSaidBody::One(one) => vec![one],
    };
    if said.is_empty() || said.len() > AT_ONCE {
        return Err(Problem::field("marks", format!("give 1 to {AT_ONCE} of them")));
    }
    let said = lessons::MarkSaid {
        lesson: call.param("id").to_owned(),
        of: said.into_iter().map(lessons::MarkOf::from).collect(),
    };
    let voice = voice(&call);
    let shown = move |tx: &Tx<'_>, spoken: lessons::Spoken| {
        let mut all = entries(tx, &spoken.lesson, &voice)?;
        all.retain(|entry| spoken.students.contains(&StudentId(entry.id)));
        Ok(all)
    };
    json(&call.app().classroom().say(reader, said, shown, now).await?)
}

/// Takes back what was said by hand; what doors say counts again.
async fn take_back(call: Call) -> Outcome {
    let lesson = call.param("id").to_owned();
    let student = call.param("student").to_owned();
    let what = TakeBack { lesson, student, back: MarkBack::All };
    call.app().classroom().take_back(call.reader()?, what, call.now).await?;
    nothing()
}
