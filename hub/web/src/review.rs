//! `/review`: the review desk. The same decisions as the API's, for people.

use super::card::{Card, CardFace, CardFacts, CardGroup, CardVerdict};
use super::class::policy;
use super::desk::{DeskFound, DeskHouse, DeskNews, DeskPage, DeskPiece, DeskWho, empty};
use crate::shell::shell;
use acts::desk::DeskDone;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::problem::Problem;
use http::reply::{page, see, with};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rules::auth::Role;
use rules::error::Error;
use rules::review::{ReviewAsk, ReviewSay, Status};
use rules::scores;
use serde::Deserialize;
use store::Tx;
use store::class::{self, Class};
use store::desk::queue::{self, QueuePart, Spot};
use store::desk::{self as sightings, PersonSeen, SightingSeen};
use warp::http::{HeaderName, StatusCode};
use warp::reply::Response;
use wire::RecordId;
use words::language::Language;

/// Cards on a page.
const PER_PAGE: u32 = 50;
/// People that a search names.
const FOUND: u32 = 8;
/// The note on a face that nobody here knows.
const STRANGER: &str = "Nobody we know";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/review").staff().page().by(index),
        Route::get("/review/{id}/card").staff().of(Object::Record).part().by(card_piece),
        Route::get("/review/{id}/who").staff().of(Object::Record).page().by(who),
        Route::post("/review/{id}").staff().of(Object::Record).form().page().by(decide),
        Route::post("/review/sure").staff().form().page().by(approve_sure),
        Route::post("/review/{id}/undo").staff().of(Object::Record).form().page().by(take_back),
    ]
}

#[derive(Deserialize)]
struct ReviewQuery {
    after: Option<String>,
    /// What was just done, for browsers without JavaScript.
    done: Option<RecordId>,
    /// How many were done with it.
    count: Option<usize>,
}

async fn index(call: Call) -> Outcome {
    let which: ReviewQuery = call.query()?;
    let reader = call.reader()?;
    let after = which.after.as_deref().map(str::parse::<Spot>).transpose();
    let after = after.map_err(|why| Problem::field("after", why))?;
    let zone = call.app().config.zone.clone();
    let read = call.app().db.read(move |tx| {
        let parts = queue::page(tx, reader, &zone, after.as_ref(), PER_PAGE)?;
        let done = which.done.map(|id| sightings::one(tx, reader, id).ok());
        let suspended = class::suspended(tx, reader)?;
        Ok((
            parts,
            sightings::waiting(tx, reader)?,
            sightings::house(tx, reader)?,
            done.flatten(),
            suspended,
        ))
    });
    let (parts, waiting, (enrolled, doors, classes), done, suspended) = read.await?;
    let after = next(&parts);
    let groups = groups(&call, &parts);
    let shell = shell(&call, "review");
    if call.wants_piece() {
        return page(StatusCode::OK, &DeskPiece { shell, waiting, groups, after });
    }
    let admin = reader.actor.role == Role::Admin;
    let empty = empty(DeskHouse { admin, enrolled, doors, classes });
    let done = done.as_ref().map(|seen| say_done(&call, seen, which.count));
    let why = |class: Class| Some((class.id, policy::suspended(shell.language, &class, call.now)?));
    let suspended = suspended.into_iter().filter_map(why).collect();
    page(StatusCode::OK, &DeskPage { shell, waiting, groups, after, done, suspended, empty })
}

/// Where the page after these begins, if they fill one.
fn next(parts: &[QueuePart]) -> Option<String> {
    let cards: usize = parts.iter().map(|(_, seen)| seen.len()).sum();
    let (group, seen) = parts.last().filter(|_| cards >= PER_PAGE as usize)?;
    let last = seen.last()?;
    let spot = Spot { place: group.place(), sure: last.confidence, id: last.id };
    Some(utf8_percent_encode(&spot.to_string(), NON_ALPHANUMERIC).to_string())
}

fn groups(call: &Call, parts: &[QueuePart]) -> Vec<CardGroup> {
    let zone = &call.app().config.zone;
    let language = language::of(&call.headers);
    let today = rules::timetable::day(call.now, zone);
    let card = |seen: &SightingSeen| Card::new(facts(seen), zone, language);
    let group = |(group, seen): &QueuePart| {
        CardGroup::new(group, seen.iter().map(card).collect(), today, zone, language)
    };
    parts.iter().map(group).collect()
}

fn say_done(call: &Call, seen: &SightingSeen, count: Option<usize>) -> DeskNews {
    let language = language::of(&call.headers);
    let words = match count {
        Some(count) if count > 1 => language.one("review-approved-sure", "count", count),
        _ => said(language, seen),
    };
    DeskNews { words, id: seen.id.to_string(), undo: seen.status != Status::Pending }
}

/// What became of a record, in words.
fn said(language: Language, seen: &SightingSeen) -> String {
    let name = |person: &Option<PersonSeen>| {
        let name = person.as_ref().map(|person| person.name.clone());
        name.unwrap_or_else(|| language.say("review-nobody"))
    };
    match seen.status {
        Status::Approved => language.one("review-approved", "name", name(&seen.decided)),
        Status::Rejected if seen.notes.as_deref() == Some(STRANGER) => {
            language.say("review-is-unknown")
        }
        Status::Rejected => language.one("review-rejected", "name", name(&seen.predicted)),
        Status::Pending | Status::Logged => {
            language.one("review-waits", "name", name(&seen.predicted))
        }
    }
}

/// The record `id`, if the caller may see it.
async fn one(call: &Call, id: RecordId) -> Result<SightingSeen, Problem> {
    let reader = call.reader()?;
    Ok(call.app().db.read(move |tx| sightings::one(tx, reader, id)).await?)
}

/// Those of these records that the caller may see.
async fn some(call: &Call, ids: Vec<RecordId>) -> Result<Vec<SightingSeen>, Problem> {
    let reader = call.reader()?;
    Ok(call.app().db.read(move |tx| sightings::some(tx, reader, &ids)).await?)
}

async fn card_piece(call: Call) -> Outcome {
    let seen = one(&call, call.id("id")?).await?;
    piece(&call, StatusCode::OK, vec![seen]).await
}

/// These cards, in their groups, for a page that is open.
async fn piece(call: &Call, status: StatusCode, seen: Vec<SightingSeen>) -> Outcome {
    let reader = call.reader()?;
    let zone = call.app().config.zone.clone();
    let read = call.app().db.read(move |tx| {
        let mut parts: Vec<QueuePart> = Vec::new();
        for seen in seen {
            let group = queue::group_of(tx, reader, &zone, &seen)?;
            match parts.iter_mut().find(|(known, _)| *known == group) {
                Some((_, cards)) => cards.push(seen),
                None => parts.push((group, vec![seen])),
            }
        }
        Ok((parts, sightings::waiting(tx, reader)?))
    });
    let (parts, waiting) = read.await?;
    let shell = shell(call, "review");
    let groups = groups(call, &parts);
    page(status, &DeskPiece { shell, waiting, groups, after: None })
}

/// With JavaScript the card is swapped for nothing, or for what somebody else decided; without
/// it the page comes again and says what was done.
async fn decide(call: Call) -> Outcome {
    let id: RecordId = call.id("id")?;
    let field = |name| call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let reader = call.reader()?;
    let desk = call.app().desk();
    let (word, notes) = match field("decision") {
        Some("unknown") => ("reject", Some(STRANGER.to_owned())),
        word => (word.unwrap_or_default(), None),
    };
    let student = desk.named(reader, field("student").map(str::to_owned));
    let say = match word {
        "approve" => ReviewSay::Approve(student.await?),
        "reject" => ReviewSay::Reject,
        "never" => ReviewSay::RuleOut,
        _ => return Err(Problem::field("decision", "say approve, reject, unknown or never")),
    };
    let version = call.form_version()?;
    let language = language::of(&call.headers);
    let ruled_out = match say {
        ReviewSay::RuleOut => one(&call, id).await?.predicted.map(|person| person.name),
        ReviewSay::Approve(_) | ReviewSay::Reject => None,
    };
    let ask = ReviewAsk { record: id, say, notes, version };
    match desk.decide(reader, vec![ask], |_, _| Ok(()), call.now).await {
        Ok(()) if call.wants_piece() => {
            let seen = some(&call, vec![id]).await?;
            let words = match (ruled_out, seen.first()) {
                (Some(name), _) => language.one("review-ruled-out", "name", name),
                (None, seen) => seen.map(|seen| said(language, seen)).unwrap_or_default(),
            };
            let waits = seen.into_iter().filter(|seen| seen.status == Status::Pending).collect();
            Ok(saying(piece(&call, StatusCode::OK, waits).await?, &words))
        }
        Ok(()) => see(&format!("/review?done={id}")),
        Err(Error::Conflict(_)) if call.wants_piece() => {
            piece(&call, StatusCode::CONFLICT, vec![one(&call, id).await?]).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Approves the cards of a group that are above its line, as one step: those that were on the
/// page, as they were on it.
async fn approve_sure(call: Call) -> Outcome {
    let ask = |word: &str| {
        let (id, version) = word.split_once(':')?;
        let record = id.parse().ok()?;
        let version = version.parse().ok()?;
        let say = ReviewSay::Approve(None);
        Some(ReviewAsk { record, say, notes: None, version: Some(version) })
    };
    let asks: Option<Vec<_>> = call.field("cards")?.split_whitespace().map(ask).collect();
    let asks = asks.ok_or_else(|| Problem::field("cards", "give id:version of each"))?;
    let ids: Vec<_> = asks.iter().map(|ask| ask.record).collect();
    let count = |_: &Tx<'_>, done: &[DeskDone]| Ok(done.len());
    match call.app().desk().decide(call.reader()?, asks, count, call.now).await {
        Ok(count) if call.wants_piece() => {
            let language = language::of(&call.headers);
            let words = language.one("review-approved-sure", "count", count);
            Ok(saying(piece(&call, StatusCode::OK, Vec::new()).await?, &words))
        }
        Ok(count) => {
            let first = ids.first().map(ToString::to_string).unwrap_or_default();
            see(&format!("/review?done={first}&count={count}"))
        }
        Err(Error::Conflict(_)) if call.wants_piece() => {
            piece(&call, StatusCode::CONFLICT, some(&call, ids).await?).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn take_back(call: Call) -> Outcome {
    let id: RecordId = call.id("id")?;
    let ids = |_: &Tx<'_>, done: &[DeskDone]| Ok(done.iter().map(|done| done.record).collect());
    let desk = call.app().desk();
    let undone: Vec<_> = desk.undo(call.reader()?, Some(id), None, ids, call.now).await?;
    if !call.wants_piece() {
        return see(&format!("/review?done={id}"));
    }
    let language = language::of(&call.headers);
    let count = undone.len();
    let seen = some(&call, undone).await?;
    let words = match seen.iter().find(|seen| seen.id == id) {
        Some(seen) if count == 1 => said(language, seen),
        _ => language.one("review-wait-again", "count", count),
    };
    Ok(saying(piece(&call, StatusCode::OK, seen).await?, &words))
}

/// Who it was, if none of the candidates.
async fn who(call: Call) -> Outcome {
    #[derive(Deserialize)]
    struct Asked {
        q: Option<String>,
    }
    let Asked { q } = call.query()?;
    let asked = q.unwrap_or_default().trim().to_owned();
    let reader = call.reader()?;
    let SightingSeen { id, version, .. } = one(&call, call.id("id")?).await?;
    let people = match asked.is_empty() {
        true => Vec::new(),
        false => {
            let text = asked.clone();
            call.app().db.read(move |tx| sightings::named(tx, reader, &text, FOUND)).await?
        }
    };
    let shell = shell(&call, "review");
    let record = id.to_string();
    match call.wants_piece() {
        true => page(StatusCode::OK, &DeskFound { shell, record, version, asked, people }),
        false => page(StatusCode::OK, &DeskWho { shell, record, version, asked, people }),
    }
}

/// The same answer, with what happened in words.
fn saying(answer: Response, words: &str) -> Response {
    let words = utf8_percent_encode(words, NON_ALPHANUMERIC).to_string();
    with(answer, HeaderName::from_static("x-said"), &words)
}

fn facts(seen: &SightingSeen) -> CardFacts {
    let face = |candidate: &sightings::CandidateSeen| CardFace {
        id: candidate.person.student.to_string(),
        number: candidate.person.number.clone(),
        name: candidate.person.name.clone(),
        confidence: scores::confidence(&seen.model, candidate.score),
    };
    let verdict = (seen.status != Status::Pending).then(|| CardVerdict {
        approved: seen.status == Status::Approved,
        name: seen.decided.as_ref().map(|person| person.name.clone()).unwrap_or_default(),
        by: seen.reviewer.as_ref().map(|(_, name)| name.clone()),
    });
    CardFacts {
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
