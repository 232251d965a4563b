//! `/api/classes/{id}/students`: who is on a roster, what they were marked, and whether a teacher
//! verified that the face enrolled is theirs.

use super::classes::ClassQuery;
use acts::roster::{self, EnrolledFace, Entering, Membership, Strangers};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{following, page, rows};
use http::reply::{json, nothing};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::error::Error;
use rules::reports::Sums;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::class::{self, Member};
use store::member::{self, MemberCounts};
use utoipa::ToSchema;
use uuid::Uuid;
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let roster = "/api/classes/{id}/students";
    vec![
        Route::get(roster)
            .staff()
            .of(Object::Class)
            .asks::<ClassQuery>()
            .gives::<Vec<MemberPerson>>()
            .by(index),
        Route::post(roster)
            .admin()
            .of(Object::Class)
            .takes::<Enter>()
            .gives::<Vec<MemberPerson>>()
            .by(put),
        Route::put("/api/classes/{id}/students/{student}/verified")
            .staff()
            .of(Object::Class)
            .takes::<MemberSaid>()
            .gives::<MemberPerson>()
            .by(verify),
        Route::delete("/api/classes/{id}/students/{student}")
            .admin()
            .of(Object::Class)
            .by(take_off),
    ]
}

/// Who enters a roster: own ids or student numbers.
#[derive(Deserialize, ToSchema)]
#[schema(as = RosterEntry)]
pub struct Enter {
    students: Vec<String>,
}

/// Whether the face enrolled is theirs.
#[derive(Deserialize, ToSchema)]
#[schema(as = FaceVerified)]
pub struct MemberSaid {
    verified: bool,
}

/// Somebody on a roster.
#[derive(Serialize, ToSchema)]
#[schema(as = RosterMember)]
pub struct MemberPerson {
    id: Uuid,
    student_id: String,
    full_name: String,
    /// Whether they have a photo that counts.
    face_enrolled: bool,
    /// Whether a teacher said that the face enrolled is theirs. Another photo takes that back.
    verified: bool,
    attendance: MemberAttendance,
}

/// What they were marked in this class so far.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberAttendance)]
pub struct MemberAttendance {
    present: i64,
    late: i64,
    absent: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_marked_at: Option<Timestamp>,
}

impl From<MemberCounts> for MemberAttendance {
    fn from(MemberCounts { sums: Sums { present, late, absent }, last }: MemberCounts) -> Self {
        let last_marked_at = last.and_then(|at| Timestamp::from_millisecond(at.0).ok());
        Self { present, late, absent, last_marked_at }
    }
}

/// The roster as it is now.
fn people(tx: &Tx<'_>, class: Uuid) -> Result<Vec<MemberPerson>, Error> {
    let mut counts = member::counts(tx, class)?;
    let person = |member: Member| {
        let Member { student, number, name, enrolled, verified } = member;
        MemberPerson {
            id: student.0,
            student_id: number,
            full_name: name,
            face_enrolled: enrolled,
            verified,
            attendance: counts.remove(&student).unwrap_or_default().into(),
        }
    };
    Ok(class::members(tx, class)?.into_iter().map(person).collect())
}

async fn index(call: Call) -> Outcome {
    let which: ClassQuery = call.query()?;
    let reader = call.reader()?;
    let limit = rows(which.limit.or(Some(500)));
    let name = call.param("id").to_owned();
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        people(tx, class.id)
    });
    let rest = following(read.await?, which.after, |person| person.id)?;
    let part: Vec<_> = rest.take(limit as usize).collect();
    let last = part.last().map(|person| person.id.to_string());
    page(&call, &part, limit, last)
}

async fn put(call: Call) -> Outcome {
    let Enter { students } = call.json()?;
    let class = call.param("id").to_owned();
    let strangers = Strangers::Refuse;
    let who = Entering { class, students, strangers };
    let shown = |tx: &Tx<'_>, class, _| people(tx, class);
    json(&call.app().people().enter(call.reader()?, who, shown, call.now).await?)
}

async fn verify(call: Call) -> Outcome {
    let MemberSaid { verified } = call.json()?;
    let face = if verified { EnrolledFace::Own } else { EnrolledFace::Unsaid };
    let db = &call.app().db;
    let whose = named(&call);
    let shown = |tx: &Tx<'_>, class, student: StudentId| {
        let member = people(tx, class)?.into_iter().find(|person| person.id == student.0);
        member.ok_or_else(|| Error::unknown("student on this roster", student))
    };
    json(&roster::verify(db, call.reader()?, whose, face, shown, call.now).await?)
}

async fn take_off(call: Call) -> Outcome {
    call.app().people().leave(call.reader()?, named(&call), call.now).await?;
    nothing()
}

/// Class and student, as the address names them.
fn named(call: &Call) -> Membership {
    let class = call.param("id").to_owned();
    let student = call.param("student").to_owned();
    Membership { class, student }
}
