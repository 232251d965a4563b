//! The buttons of a roll: a person's hand on the mark of one student.
//!
//! Every button is a form of its own; with JavaScript only the student's row is exchanged. A mark
//! that somebody else changed meanwhile is left alone, and told.

use super::roll::{self, CHOICES, Row};
use super::shell::Shell;
use super::start::shell;
use super::today::{facts, said};
use crate::http::attendance::reader;
use crate::http::call::Call;
use crate::http::images::tell;
use crate::http::marks::tell_suspended;
use crate::http::problem::Problem;
use crate::http::reply::{page, see, with};
use crate::http::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::marks;
use crate::marks::Marked;
use crate::marks::budget;
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rules::attendance::{Mark, Source, Status};
use rules::error::Error;
use store::desk::Reader;
use store::session::{self, Session};
use store::{Tx, mark, student};
use uuid::Uuid;
use warp::http::{HeaderName, Method, StatusCode};
use wire::{StudentId, Wall};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (no, form, of) = (Shapes::PAGE, Takes::Form(SMALL), Object::Session);
    let (one, undo) = ("/lesson/{id}/marks/{student}", "/lesson/{id}/marks/{student}/undo");
    let all = (Method::POST, "/lesson/{id}/here");
    vec![
        Route::new((Method::GET, one), STAFF, of, Takes::Nothing, Shapes::PART, row_piece),
        Route::new((Method::POST, one), STAFF, of, form, no, say),
        Route::new((Method::POST, undo), STAFF, of, form, no, take_back),
        Route::new(all, STAFF, of, form, no, here),
    ]
}

/// One row, and the counts that change with it.
#[derive(Template)]
#[template(path = "roll-piece.html")]
struct Piece {
    shell: Shell,
    lesson: Uuid,
    row: Row,
    counts: Vec<(&'static str, &'static str, usize)>,
}

/// The lesson and the student that the address names.
fn named(
    tx: &Tx<'_>,
    reader: Reader,
    lesson: &str,
    who: &str,
) -> Result<(Session, StudentId), Error> {
    let lesson = session::find(tx, reader, lesson)?;
    Ok((lesson, student::find_for(tx, reader, who)?.id))
}

async fn row_piece(call: Call) -> Outcome {
    let reader = reader(&call)?;
    let (lesson, who) = (call.param("id").to_owned(), call.param("student").to_owned());
    let (lesson, who) = call.app().db.read(move |tx| named(tx, reader, &lesson, &who)).await?;
    answer(&call, &lesson, who, None).await
}

/// What became of a click.
enum Came {
    /// It is recorded; and the class that lets a person decide again because of it.
    Done(Option<Marked>, Option<Uuid>),
    /// Somebody was faster.
    Late,
}

async fn say(call: Call) -> Outcome {
    let wanted = call.content.field("status").unwrap_or("");
    let wanted = CHOICES.iter().find(|(value, ..)| *value == wanted).map(|choice| choice.2);
    let odd = || Error::Invalid("status: say present, late, absent or excused".into());
    step(call, move |tx, hand| {
        let status = wanted.ok_or_else(odd)?;
        let mark = hand.mark(status);
        marks::say(tx, &hand.lesson, hand.who, mark, hand.now)
    })
    .await
}

async fn take_back(call: Call) -> Outcome {
    step(call, |tx, hand| marks::undo(tx, &hand.lesson, hand.who, &hand.by, hand.now).map(Some))
        .await
}

/// Marks everybody who was ticked as present: those whom no door can know. Whoever was marked
/// meanwhile is left alone.
async fn here(call: Call) -> Outcome {
    let (reader, now, name) = (reader(&call)?, call.now, call.param("id").to_owned());
    let ticked: Vec<String> = call.content.fields("who").map(str::to_owned).collect();
    let write = call.app().db.write(move |tx| {
        let lesson = session::find(tx, reader, &name)?;
        let (by, mut marked) = (reader.actor.user.to_string(), Vec::new());
        for who in ticked {
            let who = student::find_for(tx, reader, &who)?.id;
            let old = mark::get(tx, lesson.id, who)?;
            if old.as_ref().is_some_and(|old| old.status != Status::Unverified) {
                continue;
            }
            let hand = Hand { lesson: lesson.clone(), who, old, by: by.clone(), now };
            marked.extend(marks::say(tx, &lesson, who, hand.mark(Status::Present), now)?);
        }
        Ok((lesson, marked))
    });
    let (lesson, marked) = write.await?;
    tell(&call, marked);
    see(&format!("/class/{}/today?lesson={}", lesson.class, lesson.id))
}

/// One person's hand on the mark of one student.
struct Hand {
    lesson: Session,
    who: StudentId,
    old: Option<Mark>,
    by: String,
    now: Wall,
}

impl Hand {
    /// What the person says; what was noted before stays, and so does when somebody came.
    fn mark(&self, status: Status) -> Mark {
        let there = matches!(status, Status::Present | Status::Late);
        let arrived = self.old.as_ref().and_then(|old| old.arrived_at);
        Mark {
            status,
            source: Source::Manual,
            sighting: None,
            arrived_at: arrived.filter(|_| there),
            by: self.by.clone(),
            at: self.now,
            notes: self.old.as_ref().and_then(|old| old.notes.clone()),
            version: 1,
        }
    }
}

/// Does `work` to the mark that the person looked at; another one is left alone, and told.
async fn step<F>(call: Call, work: F) -> Outcome
where
    F: FnOnce(&Tx<'_>, &Hand) -> Result<Option<Marked>, Error> + Send + 'static,
{
    let (reader, now) = (reader(&call)?, call.now);
    let (lesson, who) = (call.param("id").to_owned(), call.param("student").to_owned());
    let seen = call.content.field("stamp").map(str::to_owned);
    let write = call.app().db.write(move |tx| {
        let (lesson, who) = named(tx, reader, &lesson, &who)?;
        let old = mark::get(tx, lesson.id, who)?;
        let late = seen.is_some_and(|seen| seen != roll::stamp(old.as_ref()));
        let hand = Hand { lesson, who, old, by: reader.actor.user.to_string(), now };
        let came = if late {
            Came::Late
        } else {
            Came::Done(work(tx, &hand)?, budget::look(tx, hand.lesson.class, now)?)
        };
        Ok((hand.lesson, hand.who, came))
    });
    let (lesson, who, came) = write.await?;
    match came {
        Came::Late => answer(&call, &lesson, who, Some("roll-faster")).await,
        Came::Done(marked, suspended) => {
            tell(&call, marked.into_iter().collect());
            tell_suspended(&call, suspended);
            if call.wants_piece() {
                return answer(&call, &lesson, who, None).await;
            }
            see(&format!("/class/{}/today?lesson={}&done={who}#s-{who}", lesson.class, lesson.id))
        }
    }
}

/// The student's row as it stands now: after a conflict as 409, with what happened in words.
async fn answer(
    call: &Call,
    lesson: &Session,
    who: StudentId,
    conflict: Option<&'static str>,
) -> Outcome {
    let (zone, of, now) = (call.app().config.zone.clone(), lesson.clone(), call.now);
    let facts = call.app().db.read(move |tx| facts(tx, &of, &zone, now)).await?;
    let (shell, zone) = (shell(call, "class"), &call.app().config.zone);
    let mut rows: Vec<_> =
        facts.into_iter().map(|facts| Row::new(facts, shell.tongue, zone)).collect();
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
    let piece = page(status, &Piece { shell, lesson: lesson.id, row, counts })?;
    Ok(with(piece, HeaderName::from_static("x-said"), &said))
}
