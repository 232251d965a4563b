//! `/people/{id}`: one person with everything an admin may see and change.

mod me;

use super::faces::FaceLook;
use super::initials;
use crate::mark_words::{self, MarkWords};
use crate::shell::Shell;
use crate::shell::shell;
use acts::people::{PersonChanges, PersonKind, Turn};
use acts::roster::{Entering, Membership, Strangers};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::problem::Problem;
use http::reply::{page, see, with};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::attendance::Status;
use rules::error::Error;
use rules::person::PersonDetails;
use serde::Deserialize;
use std::collections::HashMap;
use store::class::{self, Class};
use store::consent::{self, ConsentSaid, TEXT};
use store::enrolment::{self, Enrolment};
use store::register::{self, RegisterMarked, RegisterSpan, RegisterSpanOf};
use store::student::{self, Student, StudentProfile};
use store::{Tx, account, export};
use uuid::Uuid;
use vision::quality;
use warp::http::{HeaderName, StatusCode};
use wire::StudentId;
use words::language::Language;

/// Entries of the consent ledger that are shown.
const ENTRIES: u32 = 50;
/// Days that the short account of attendance goes back.
const DAYS: i32 = 30;
/// Marks of those days that are counted at most.
const MARKS: u32 = 500;
/// Marks that are shown.
const SHOWN: usize = 6;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let one = "/people/{id}";
    let keep_at = "/people/enrolments/{id}";
    let own = vec![
        Route::get(one).admin().of(Object::Student).page().by(index),
        Route::post(one).admin().of(Object::Student).form().page().by(change),
        Route::post("/people/{id}/consent").admin().of(Object::Student).form().page().by(agree),
        Route::post("/people/{id}/classes").admin().of(Object::Student).form().page().by(enter),
        Route::post(keep_at).admin().of(Object::Enrolment).form().page().by(keep),
        Route::post("/people/{id}/active").admin().of(Object::Student).form().page().by(turn),
    ];
    [own, me::routes()].concat()
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    shell: Shell,
    /// Own id.
    person: Uuid,
    name: String,
    initials: String,
    profile: StudentProfile,
    details: Vec<DetailField>,
    version: i64,
    active: bool,
    enrolled: bool,
    consent: Option<bool>,
    note: Option<(bool, String)>,
    looks: Vec<FaceLook>,
    photos: Vec<PersonPhoto>,
    ledger: Vec<PersonEntry>,
    classes: Vec<(String, String)>,
    others: Vec<Class>,
    accounts: Vec<(String, bool)>,
    sums: [(&'static str, usize); Status::SAID.len()],
    marks: Vec<PersonMark>,
}

/// A photo they were enrolled by.
struct PersonPhoto {
    id: Uuid,
    source: String,
    active: bool,
    doubts: Vec<String>,
    /// Pixels between the eyes.
    eyes: u32,
    when: String,
    by: String,
}

/// An entry of the consent ledger.
struct PersonEntry {
    given: bool,
    said_by: String,
    noted_by: String,
    text: String,
    when: String,
}

/// A field of the form.
struct DetailField {
    name: &'static str,
    label: String,
    /// Of the input.
    kind: &'static str,
    direction: &'static str,
    /// Letters at most.
    most: usize,
    value: String,
}

/// What is recorded of them in a lesson.
struct PersonMark {
    day: String,
    lesson: String,
    class: &'static str,
    words: String,
}

/// What was just done, after which the page came again.
#[derive(Deserialize)]
struct PersonDone {
    done: Option<String>,
}

async fn index(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let id = call.app().db.read(move |tx| student::find(tx, &name)).await?.id;
    let language = language::of(&call.headers);
    let done = call.query::<PersonDone>()?.done;
    let note = done.as_deref().and_then(done_key).map(|key| (true, language.say(key)));
    show(&call, id, StatusCode::OK, note, Vec::new()).await
}

fn done_key(done: &str) -> Option<&'static str> {
    match done {
        "added" => Some("people-done-added"),
        "changed" => Some("people-done-changed"),
        "given" => Some("people-done-given"),
        "withdrawn" => Some("people-done-withdrawn"),
        "entered" => Some("people-done-entered"),
        "left" => Some("people-done-left"),
        "on" => Some("people-done-on"),
        "off" => Some("people-done-off"),
        "deleted" => Some("people-done-deleted"),
        "active" => Some("people-done-active"),
        "inactive" => Some("people-done-inactive"),
        _ => None,
    }
}

/// Everything that is read for the page.
struct PersonFacts {
    person: Student,
    photos: Vec<Enrolment>,
    ledger: Vec<consent::ConsentEntry>,
    /// What accounts are called.
    names: HashMap<String, String>,
    classes: Vec<(String, String)>,
    all: Vec<Class>,
    accounts: Vec<(String, bool)>,
    marks: Vec<RegisterMarked>,
}

fn facts(tx: &Tx<'_>, reader: store::reader::Reader, id: StudentId) -> Result<PersonFacts, Error> {
    let person = student::get(tx, id)?.ok_or_else(|| Error::unknown("student", id))?;
    let photos = enrolment::of(tx, id)?;
    let ledger = consent::list(tx, id, None, ENTRIES)?;
    let mut names = HashMap::new();
    let who = photos.iter().map(|row| &row.created_by).chain(ledger.iter().map(|row| &row.actor));
    for id in who {
        if !names.contains_key(id) {
            names.insert(id.clone(), account::name(tx, id)?.unwrap_or_else(|| id.clone()));
        }
    }
    let from = reader.today.checked_sub(DAYS.days()).ok();
    let which = RegisterSpanOf {
        span: RegisterSpan { from, to: None },
        limit: MARKS,
        ..RegisterSpanOf::default()
    };
    let classes = export::classes(tx, id)?.into_iter().map(|(code, name, _)| (code, name));
    let accounts = export::accounts(tx, id)?.into_iter().map(|of| (of.email, of.is_active));
    Ok(PersonFacts {
        classes: classes.collect(),
        all: class::list(tx, reader)?,
        accounts: accounts.collect(),
        marks: register::history(tx, reader, id, &which)?,
        person,
        photos,
        ledger,
        names,
    })
}

/// The page, with what became of photos that were just sent. Only here may the camera be used.
pub(super) async fn show(
    call: &Call,
    id: StudentId,
    status: StatusCode,
    note: Option<(bool, String)>,
    looks: Vec<FaceLook>,
) -> Outcome {
    let reader = call.reader()?;
    let facts = call.app().db.read(move |tx| facts(tx, reader, id)).await?;
    let zone = &call.app().config.zone;
    let view = view(shell(call, "people"), facts, reader.today, zone, SHOWN);
    let answer = page(status, &PersonPage { note, looks, ..view })?;
    let camera = "camera=(self), microphone=(), geolocation=()";
    Ok(with(answer, HeaderName::from_static("permissions-policy"), camera))
}

/// The page, with so many marks on it.
fn view(
    shell: Shell,
    facts: PersonFacts,
    today: Date,
    zone: &TimeZone,
    shown: usize,
) -> PersonPage {
    let PersonFacts { person, photos, ledger, names, classes, all, accounts, marks } = facts;
    let language = shell.language;
    let name = person.profile.full_name();
    let when = |at| words::say_day(language, rules::timetable::day(at, zone), today);
    let by = |id: &String| names.get(id).cloned().unwrap_or_default();
    let photo = |row: Enrolment| PersonPhoto {
        id: row.id,
        source: source(language, &row.source),
        active: row.is_active,
        doubts: quality::doubts(&row.quality)
            .into_iter()
            .map(|why| language.say(words::reason(why)))
            .collect(),
        eyes: whole(row.quality.eye_px),
        when: when(row.created_at),
        by: by(&row.created_by),
    };
    let entry = |row: consent::ConsentEntry| PersonEntry {
        given: row.given,
        noted_by: by(&row.actor),
        said_by: row.by_whom,
        text: row.text_version,
        when: when(row.at),
    };
    let mark = |row: &RegisterMarked| {
        let MarkWords { tone: class, of_person: key, .. } = mark_words::of(row.status);
        let lesson = format!("{} · {}", row.class.1, row.name);
        PersonMark {
            day: words::say_day(language, row.day, today),
            lesson,
            class,
            words: language.say(key),
        }
    };
    let others =
        all.into_iter().filter(|class| !classes.iter().any(|(code, _)| *code == class.class_code));
    PersonPage {
        person: person.id.0,
        initials: initials(&name),
        name,
        details: detail_fields(language, &person.profile.details),
        profile: person.profile,
        version: person.version,
        active: person.is_active,
        enrolled: person.face_enrolled,
        consent: person.consent,
        note: None,
        looks: Vec::new(),
        photos: photos.into_iter().map(photo).collect(),
        ledger: ledger.into_iter().map(entry).collect(),
        others: others.collect(),
        classes,
        accounts,
        sums: sums(&marks),
        marks: marks.iter().take(shown).map(mark).collect(),
        shell,
    }
}

/// The fields of the form, one for each detail.
fn detail_fields(language: Language, details: &PersonDetails) -> Vec<DetailField> {
    let field = |(name, value): (&'static str, Option<&str>)| {
        let (kind, direction, most) = match name {
            "email" => ("email", "ltr", 254),
            "phone" => ("tel", "ltr", 64),
            _ => ("text", "auto", 200),
        };
        let label = language.say(&format!("people-{name}"));
        DetailField { name, label, kind, direction, most, value: value.unwrap_or_default().into() }
    };
    PersonDetails::NAMES.into_iter().zip(details.values()).map(field).collect()
}

/// Where a photo came from, in words.
fn source(language: Language, source: &str) -> String {
    match source {
        "photo" => language.say("people-source-photo"),
        "webcam" => language.say("people-source-webcam"),
        "crop" => language.say("people-source-crop"),
        bulk if bulk.starts_with("bulk-") => language.say("people-source-archive"),
        other => other.to_owned(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a face")]
fn whole(pixels: f32) -> u32 {
    pixels.max(0.0).round() as u32
}

/// How often each was said that a person may say.
fn sums(marks: &[RegisterMarked]) -> [(&'static str, usize); Status::SAID.len()] {
    let count = |wanted| marks.iter().filter(|mark| mark.status == wanted).count();
    Status::SAID.map(|wanted| (mark_words::of(wanted).of_person, count(wanted)))
}

fn back(person: StudentId, done: &str) -> Outcome {
    see(&format!("/people/{}?done={done}", person.0))
}

async fn found(call: &Call) -> Result<Student, Problem> {
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| student::find(tx, &name)).await?)
}

/// The form with a problem, on the page it came from.
async fn refused(call: &Call, person: StudentId, problem: Problem) -> Outcome {
    // What the form named is not there; the page itself is.
    let status = match problem.status {
        StatusCode::NOT_FOUND => StatusCode::UNPROCESSABLE_ENTITY,
        status => status,
    };
    show(call, person, status, Some((false, problem.detail)), Vec::new()).await
}

async fn change(call: Call) -> Outcome {
    let person = found(&call).await?;
    let version = match call.form_version() {
        Ok(version) => version,
        Err(problem) => return refused(&call, person.id, problem).await,
    };
    let field = |name| call.content.field(name).map(str::to_owned);
    let changes = PersonChanges {
        number: field("student_number"),
        full_name: None,
        first_name: field("first_name"),
        last_name: field("last_name"),
        details: PersonDetails::of(field),
        kind: field("kind")
            .map(|kind| if kind == "staff" { PersonKind::Staff } else { PersonKind::Student }),
        turn: None,
        version,
    };
    let id = person.id;
    let name = person.id.to_string();
    match call.app().people().change(name, changes, call.name()?, call.now).await {
        Ok(_) => back(id, "changed"),
        Err(error) => refused(&call, id, error.into()).await,
    }
}

async fn agree(call: Call) -> Outcome {
    let person = found(&call).await?.id;
    let given = call.content.field("given") == Some("yes");
    let by_whom = call.content.field("by").unwrap_or_default().to_owned();
    let said = ConsentSaid { given, by_whom, text_version: TEXT.to_owned() };
    match call.app().people().hear(person, said, call.name()?, call.now).await {
        Ok(_) => back(person, if given { "given" } else { "withdrawn" }),
        Err(error) => refused(&call, person, error.into()).await,
    }
}

/// Onto the roster of a class, or off it.
async fn enter(call: Call) -> Outcome {
    let person = found(&call).await?.id;
    let reader = call.reader()?;
    let leave = call.content.field("act") == Some("leave");
    let class = call.content.field("class").unwrap_or_default().to_owned();
    let people = call.app().people();
    let student = person.to_string();
    let done = match leave {
        true => people.leave(reader, Membership { class, student }, call.now).await.map(drop),
        false => {
            let who = Entering { class, students: vec![student], strangers: Strangers::Refuse };
            people.enter(reader, who, |_, _, _| Ok(()), call.now).await
        }
    };
    match done {
        Ok(()) => back(person, if leave { "left" } else { "entered" }),
        Err(error) => refused(&call, person, error.into()).await,
    }
}

/// Lets a photo count, or not, or deletes it.
async fn keep(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    let people = call.app().people();
    let by = call.name()?;
    let count = |to| people.count(id, to, None, by.clone(), call.now);
    let (person, done) = match call.content.field("act") {
        Some("delete") => (people.delete(id, None, by.clone(), call.now).await?, "deleted"),
        Some("on") => (count(Turn::On).await?.student, "on"),
        _ => (count(Turn::Off).await?.student, "off"),
    };
    back(person, done)
}

async fn turn(call: Call) -> Outcome {
    let person = found(&call).await?.id;
    let active = call.content.field("active") == Some("yes");
    let name = person.to_string();
    let to = Turn::wished(active);
    call.app().people().turn(name, to, None, call.name()?, call.now).await?;
    back(person, if active { "active" } else { "inactive" })
}
