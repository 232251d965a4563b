//! `/review`: the review desk. The same decisions as the API's, for people.

use super::card::{self, Card, Face, Facts, Verdict};
use super::desk::{Done, House, One, Page, empty};
use super::start::shell;
use super::tongue::Tongue;
use super::words;
use crate::auth::Role;
use crate::http::attendance::{
    Say, confidence, cursor, decide_as, one, parse_cursor, reader, undo_of,
};
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{page, see, with};
use crate::http::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::store::desk::{self as store, Filter, Seen};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use warp::http::{HeaderName, Method, StatusCode};
use wire::RecordId;

/// Cards on a page.
const PER_PAGE: u32 = 50;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (no, form, record) = (Shapes::PAGE, Takes::Form(SMALL), Object::Record);
    let (at, undo, piece) = ("/review/{id}", "/review/{id}/undo", "/review/{id}/card");
    vec![
        Route::new((Method::GET, "/review"), STAFF, Object::None, Takes::Nothing, no, index),
        Route::new((Method::GET, piece), STAFF, record, Takes::Nothing, Shapes::PART, card_piece),
        Route::new((Method::POST, at), STAFF, record, form, no, decide),
        Route::new((Method::POST, undo), STAFF, record, form, no, take_back),
    ]
}

#[derive(Deserialize)]
struct Which {
    after: Option<String>,
    /// What was just done, for browsers without JavaScript.
    done: Option<RecordId>,
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    let reader = reader(&call)?;
    let after = which.after.as_deref().map(parse_cursor).transpose()?;
    let read = call.app().db.read(move |tx| {
        let filter = Filter { status: Some("pending".into()), ..Filter::default() };
        let seen = store::list(tx, reader, &filter, store::Page { after, limit: PER_PAGE })?;
        let done = which.done.map(|id| store::one(tx, reader, id).ok());
        Ok((seen, store::waiting(tx, reader)?, store::house(tx, reader)?, done.flatten()))
    });
    let (seen, waiting, (enrolled, doors, classes), done) = read.await?;
    let after = seen.last().filter(|_| seen.len() == PER_PAGE as usize).map(cursor);
    let mut groups = card::grouped(seen.iter().map(|seen| card(&call, seen)).collect());
    groups
        .iter_mut()
        .for_each(|group| group.cards.sort_by_key(|card| std::cmp::Reverse(card.percent)));
    let admin = reader.actor.role == Role::Admin;
    let empty = empty(House { admin, enrolled, doors, classes });
    let (shell, done) = (shell(&call, "review"), done.as_ref().map(say_done));
    page(StatusCode::OK, &Page { shell, waiting, groups, after, done, empty })
}

fn say_done(seen: &Seen) -> Done {
    let (id, undo) = (seen.id.to_string(), seen.status != "pending");
    Done { words: said(seen), id, undo }
}

/// What became of a record, in words.
fn said(seen: &Seen) -> String {
    let name = |person: &Option<store::Person>| {
        person.as_ref().map_or_else(|| "this person".to_owned(), |person| person.name.clone())
    };
    match seen.status.as_str() {
        "approved" => format!("Approved: {}", name(&seen.decided)),
        "rejected" => format!("Rejected: not {}", name(&seen.predicted)),
        _ => format!("{} waits again", name(&seen.predicted)),
    }
}

async fn card_piece(call: Call) -> Outcome {
    let seen = one(&call, call.id("id")?).await?;
    piece(&call, StatusCode::OK, &seen)
}

fn piece(call: &Call, status: StatusCode, seen: &Seen) -> Outcome {
    page(status, &One { shell: shell(call, "review"), card: card(call, seen) })
}

/// With JavaScript the card is swapped for nothing, or for what somebody else decided; without
/// it the page comes again and says what was done.
async fn decide(call: Call) -> Outcome {
    let id: RecordId = call.id("id")?;
    let field = |name| call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let say = match field("decision") {
        Some("approve") => Say::Approve,
        Some("reject") => Say::Reject,
        _ => return Err(Problem::field("decision", "say approve or reject")),
    };
    let version = field("version").and_then(|version| version.parse().ok());
    let student = field("student").map(str::to_owned);
    let decided = decide_as(&call, id, say, student, None, version).await;
    match decided {
        Ok(seen) if call.wants_piece() => {
            let gone = warp::reply::Reply::into_response(warp::reply::html(""));
            let words = utf8_percent_encode(&said(&seen), NON_ALPHANUMERIC).to_string();
            Ok(with(gone, HeaderName::from_static("x-said"), &words))
        }
        Ok(seen) => see(&format!("/review?done={}", seen.id)),
        Err(problem) if problem.status == StatusCode::CONFLICT && call.wants_piece() => {
            piece(&call, StatusCode::CONFLICT, &one(&call, id).await?)
        }
        Err(problem) => Err(problem),
    }
}

async fn take_back(call: Call) -> Outcome {
    let seen = undo_of(&call, call.id("id")?).await?;
    if call.wants_piece() {
        return piece(&call, StatusCode::OK, &seen);
    }
    see(&format!("/review?done={}", seen.id))
}

/// The card of a sighting.
fn card(call: &Call, seen: &Seen) -> Card {
    let zone = &call.app().config.zone;
    let tongue = Tongue::read(&call.headers);
    Card::new(facts(seen), words::day(call.now, zone), zone, tongue)
}

fn facts(seen: &Seen) -> Facts {
    let face = |candidate: &store::Candidate| Face {
        id: candidate.person.student.to_string(),
        number: candidate.person.number.clone(),
        name: candidate.person.name.clone(),
        confidence: confidence(candidate.score),
    };
    let verdict = (seen.status != "pending").then(|| Verdict {
        approved: seen.status == "approved",
        name: seen.decided.as_ref().map(|person| person.name.clone()).unwrap_or_default(),
        by: seen.reviewer.as_ref().map_or_else(|| "Somebody".into(), |(_, name)| name.clone()),
    });
    Facts {
        id: seen.id.to_string(),
        version: seen.version,
        at: seen.order_at,
        clock: seen.clock.clone(),
        device: seen.device.clone(),
        room: seen.room.clone(),
        candidates: seen.candidates.iter().map(face).collect(),
        confidence: seen.confidence,
        reasons: seen.reasons.clone(),
        crop: seen.crop,
        verdict,
    }
}
