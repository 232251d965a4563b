//! `/people/{id}/erase`: asked once more, then which doors have forgotten the person.

use crate::shell::Shell;
use crate::shell::shell;
use acts::privacy::certificate::{self, ErasureCertificate, ErasureReceipt, ErasureState};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::error::Error;
use store::{device, student};
use uuid::Uuid;
use warp::http::StatusCode;
use wire::{DeviceId, Wall};
use words::language::Language;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/people/{id}/erase";
    vec![
        Route::get(path).admin().of(Object::Student).page().by(index),
        Route::post(path).admin().of(Object::Student).form().page().by(begin),
    ]
}

#[derive(Template)]
#[template(path = "person-erase.html")]
struct ForgetAsk {
    shell: Shell,
    person: Uuid,
    name: String,
    number: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "person-erased.html")]
struct Erased {
    shell: Shell,
    proof: ForgetProof,
}

#[derive(Template)]
#[template(path = "person-doors.html")]
struct ForgetPiece {
    shell: Shell,
    proof: ForgetProof,
}

/// How far an erasure is.
struct ForgetProof {
    person: Uuid,
    complete: bool,
    /// Doors that have forgotten, and all of them.
    done: usize,
    total: usize,
    doors: Vec<ForgetDoor>,
    gone: [(&'static str, u64); 4],
    pseudonym: bool,
    key_gone: bool,
}

/// A door that must forget.
struct ForgetDoor {
    name: String,
    class: &'static str,
    words: String,
}

async fn index(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    match call.app().db.read(move |tx| student::find(tx, &name)).await {
        Ok(person) => ask(&call, StatusCode::OK, &person, None),
        Err(Error::NotFound(_)) => shown(&call).await,
        Err(error) => Err(error.into()),
    }
}

fn ask(
    call: &Call,
    status: StatusCode,
    person: &student::Student,
    problem: Option<String>,
) -> Outcome {
    let name = person.profile.full_name();
    let number = person.profile.student_number.clone();
    page(
        status,
        &ForgetAsk { shell: shell(call, "people"), person: person.id.0, name, number, problem },
    )
}

/// Erases whoever’s number was typed, and nobody else.
async fn begin(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let person = call.app().db.read(move |tx| student::find(tx, &name)).await?;
    let typed = call.content.field("number").unwrap_or_default().trim();
    if typed != person.profile.student_number {
        let problem = language::of(&call.headers).say("people-erase-wrong");
        return ask(&call, StatusCode::UNPROCESSABLE_ENTITY, &person, Some(problem));
    }
    let name = call.param("id").to_owned();
    let by = call.name()?;
    let person = call.app().privacy().erase(name, by, call.now).await?;
    see(&format!("/people/{}/erase", person.0))
}

async fn shown(call: &Call) -> Outcome {
    let db = &call.app().db;
    let keys = &call.app().keys;
    let certificate = certificate::of(db, keys, call.id("id")?, call.now).await?;
    let names: Vec<DeviceId> =
        certificate.statement.doors.iter().filter_map(|door| door.device_id.parse().ok()).collect();
    let read = call.app().db.read(move |tx| {
        let online =
            |name: &DeviceId| device::get(tx, name).map(|door| door.is_some_and(|d| d.online));
        names
            .iter()
            .map(|name| Ok((name.to_string(), online(name)?)))
            .collect::<Result<Vec<_>, Error>>()
    });
    let online = read.await?;
    let is_online = |name: &str| online.iter().any(|(door, on)| *on && door == name);
    let shell = shell(call, "people");
    let zone = &call.app().config.zone;
    let proof = view(shell.language, &certificate, is_online, call.now, zone);
    match call.wants_piece() {
        true => page(StatusCode::OK, &ForgetPiece { shell, proof }),
        false => page(StatusCode::OK, &Erased { shell, proof }),
    }
}

fn view(
    language: Language,
    certificate: &ErasureCertificate,
    is_online: impl Fn(&str) -> bool,
    now: Wall,
    zone: &TimeZone,
) -> ForgetProof {
    let said = &certificate.statement;
    let done = said.doors.iter().filter(|door| door.state == ErasureState::Confirmed).count();
    let door = |receipt: &ErasureReceipt| {
        let (class, words) = words_of(language, receipt, is_online(&receipt.device_id), now, zone);
        ForgetDoor { name: receipt.device_id.clone(), class, words }
    };
    let gone = &said.deleted;
    ForgetProof {
        person: said.student_id,
        complete: said.complete,
        done,
        total: said.doors.len(),
        doors: said.doors.iter().map(door).collect(),
        gone: [
            ("people-gone-templates", gone.templates),
            ("people-gone-crops", gone.crops),
            ("people-gone-sightings", gone.sightings),
            ("people-gone-consents", gone.consents),
        ],
        pseudonym: said.pseudonym_kept,
        key_gone: said.key_erased_at.is_some(),
    }
}

/// Colour and words of where a door stands.
fn words_of(
    language: Language,
    receipt: &ErasureReceipt,
    online: bool,
    now: Wall,
    zone: &TimeZone,
) -> (&'static str, String) {
    let wall = |at: Option<Timestamp>| Wall(at.map_or(0, Timestamp::as_millisecond));
    let day = |at| {
        words::say_day(
            language,
            rules::timetable::day(wall(at), zone),
            rules::timetable::day(now, zone),
        )
    };
    match receipt.state {
        ErasureState::Confirmed => {
            let ago = words::ago(language, wall(receipt.confirmed_at), now);
            ("good", language.one("people-door-confirmed", "ago", ago))
        }
        ErasureState::Unconfirmed => ("warn", language.say("people-door-unconfirmed")),
        ErasureState::Waiting if online => ("warn", language.say("people-door-waiting")),
        ErasureState::Waiting => {
            ("off", language.one("people-door-offline", "day", day(receipt.lease_ends)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_that_is_offline_says_when_it_forgets_by_itself() {
        let receipt = |state, at| ErasureReceipt {
            device_id: "door-1".into(),
            state,
            release: 2,
            confirmed_at: Some(at),
            manifest: None,
            lease_ends: Some(at),
        };
        let now = Wall(1_772_441_130_000);
        let at = Timestamp::from_millisecond(now.0 - 120_000).unwrap();
        let said = |state, online| {
            let (class, words) =
                words_of(Language::English, &receipt(state, at), online, now, &TimeZone::UTC);
            (class, words.replace(['\u{2068}', '\u{2069}'], ""))
        };
        let (class, words) = said(ErasureState::Confirmed, false);
        assert_eq!((class, words.contains("2 min ago")), ("good", true), "{words}");
        assert_eq!(said(ErasureState::Waiting, true).0, "warn");
        let (class, words) = said(ErasureState::Unconfirmed, false);
        assert_eq!((class, words.contains("not confirmed")), ("warn", true), "{words}");
        let (class, words) = said(ErasureState::Waiting, false);
        assert_eq!((class, words.contains("Today")), ("off", true), "{words}");
    }
}
