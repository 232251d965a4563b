//! The buttons of a roll: a person's hand on the mark of one student.
//!
//! Every button is a form of its own; with JavaScript only the student's row is exchanged. A mark
//! that somebody else changed meanwhile is left alone, and told.

use super::roll::{self, RollRow};
use super::shell::Shell;
use super::today::{facts, said};
use crate::shell::shell;
use acts::lessons::{MarkBack, MarkOf, MarkSaid, Spoken, TakeBack};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see, with};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rules::attendance::Status;
use rules::attendance::spoken::{Details, Over, SpokenWord};
use rules::error::Error;
use store::session::{self, Session};
use store::student;
use uuid::Uuid;
use warp::http::{HeaderName, StatusCode};
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let one = "/lesson/{id}/marks/{student}";
    vec![
        Route::get(one).staff().of(Object::Session).part().by(row_piece),
        Route::post(one).staff().of(Object::Session).form().page().by(say),
        Route::post("/lesson/{id}/marks/{student}/undo")
            .staff()
            .of(Object::Session)
            .form()
            .page()
            .by(take_back),
        Route::post("/lesson/{id}/here").staff().of(Object::Session).form().page().by(here),
    ]
}

/// One row, and the counts that change with it.
#[derive(Template)]
#[template(path = "roll-piece.html")]
struct RollButtonPiece {
    shell: Shell,
    lesson: Uuid,
    row: RollRow,
    counts: Vec<(&'static str, &'static str, usize)>,
}

/// Lesson and student, as the address names them.
fn named(call: &Call) -> (String, String) {
    (call.param("id").to_owned(), call.param("student").to_owned())
}

/// The lesson and the student that the address names.
async fn found(call: &Call) -> Result<(Session, StudentId), Problem> {
    let reader = call.reader()?;
    let (lesson, student) = named(call);
    let read = call.app().db.read(move |tx| {
        let lesson = session::find(tx, reader, &lesson)?;
        Ok((lesson, student::find_for(tx, reader, &student)?.id))
    });
    Ok(read.await?)
}

async fn row_piece(call: Call) -> Outcome {
    let (lesson, who) = found(&call).await?;
    answer(&call, &lesson, who, None).await
}

async fn say(call: Call) -> Outcome {
    let wanted = call.content.field("status").unwrap_or("");
    let wanted = Status::SAID.into_iter().find(|status| status.as_str() == wanted);
    let odd = || Error::Invalid("status: say present, late, absent or excused".into());
    let status = wanted.ok_or_else(odd)?;
    let (lesson, student) = named(&call);
    let over = seen(&call).map_or(Over::Any, Over::Seen);
    let word = SpokenWord { status, details: Details::Kept, over };
    let said = MarkSaid { lesson, of: vec![MarkOf { student, word }] };
    let came = call.app().classroom().say(call.reader()?, said, |_, of| Ok(of), call.now).await;
    came_of(call, came).await
}

async fn take_back(call: Call) -> Outcome {
    let (lesson, student) = named(&call);
    let what = TakeBack { lesson, student, back: MarkBack::Last { seen: seen(&call) } };
    let came = call.app().classroom().take_back(call.reader()?, what, call.now).await;
    came_of(call, came).await
}

/// Marks everybody who was ticked as present: those whom no door can know. Whoever was marked
/// meanwhile is left alone.
async fn here(call: Call) -> Outcome {
    let here = |student: &str| {
        let status = Status::Present;
        let over = Over::Unverified;
        MarkOf {
            student: student.to_owned(),
            word: SpokenWord { status, details: Details::Kept, over },
        }
    };
    let of = call.content.fields("who").map(here).collect();
    let said = MarkSaid { lesson: call.param("id").to_owned(), of };
    let classroom = call.app().classroom();
    let lesson = classroom.say(call.reader()?, said, |_, of| Ok(of.lesson), call.now).await?;
    see(&format!("/class/{}/today?lesson={}", lesson.class, lesson.id))
}

/// The stamp of the mark that the person looked at.
fn seen(call: &Call) -> Option<String> {
    call.content.field("stamp").map(str::to_owned)
}

/// The row as it stands after a click; a mark that somebody else changed is told.
async fn came_of(call: Call, came: Result<Spoken, Error>) -> Outcome {
    let conflict = match came {
        Ok(_) => None,
        Err(Error::Conflict(_)) => Some("roll-faster"),
        Err(error) => return Err(error.into()),
    };
    let (lesson, who) = found(&call).await?;
    if conflict.is_some() || call.wants_piece() {
        return answer(&call, &lesson, who, conflict).await;
    }
    see(&format!("/class/{}/today?lesson={}&done={who}#s-{who}", lesson.class, lesson.id))
}

/// The student's row as it stands now: after a conflict as 409, with what happened in words.
async fn answer(
    call: &Call,
    lesson: &Session,
    who: StudentId,
    conflict: Option<&'static str>,
) -> Outcome {
    let zone = call.app().config.zone.clone();
    let of = lesson.clone();
    let now = call.now;
    let facts = call.app().db.read(move |tx| facts(tx, &of, &zone, now)).await?;
    let shell = shell(call, "class");
    let zone = &call.app().config.zone;
    let mut rows: Vec<_> =
        facts.into_iter().map(|facts| RollRow::new(facts, shell.language, zone)).collect();
    let counts = roll::counts(&rows);
    let place = rows.iter().position(|row| row.id == who.0);
    let gone = || Problem::not_found(shell.say("roll-not-here"));
    let row = rows.swap_remove(place.ok_or_else(gone)?);
    let words = said(&shell, &row);
    let conflict = conflict.map(|key| shell.one(key, "now", &words));
    let status = if conflict.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    if let Some(detail) = conflict.clone().filter(|_| !call.wants_piece()) {
        return Err(Problem::conflict(detail));
    }
    let said =
        utf8_percent_encode(conflict.as_ref().unwrap_or(&words), NON_ALPHANUMERIC).to_string();
    let piece = page(status, &RollButtonPiece { shell, lesson: lesson.id, row, counts })?;
    Ok(with(piece, HeaderName::from_static("x-said"), &said))
}
