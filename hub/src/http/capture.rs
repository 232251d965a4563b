//! `/api/capture` and `/api/face/verify`: one photo, looked at by the hub itself.
//!
//! A captured picture counts for its door and the room behind it, is compared with those whom that
//! door knows, and marks nobody: a person decides. Who may not send for a door is told that there
//! is none.

use super::call::{Call, Proof};
use super::problem::Problem;
use super::reply::json;
use super::route::{Object, Outcome, PHOTO, Route, STAFF, Shapes, Takes};
use crate::events::Event;
use crate::marks;
use crate::photo::{self, Find, Stored, Taken};
use crate::recogniser::Sight;
use jiff::Timestamp;
use rules::error::Error;
use rules::review::Status;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use store::audit::{self, Entry};
use store::class::{self, Class};
use store::review;
use store::{Tx, desk, device, scope, student};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::{DeviceId, StudentId, Wall};

/// How far a photo's time may lie ahead, milliseconds: two clocks differ.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// How far that of a captured picture may lie back: what is older belongs in another way of marking.
const BACK_MS: i64 = 60 * 60 * 1000;

/// The one route that a door's capture token opens.
pub const CAPTURE: &str = "/api/capture";

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (none, photo) = (Object::None, Takes::Parts(PHOTO));
    let (capture, verify) = ((Method::POST, CAPTURE), (Method::POST, "/api/face/verify"));
    vec![
        Route::new(capture, STAFF, none, photo, Shapes::both::<Picture, Captured>(), take),
        Route::new(verify, STAFF, none, photo, Shapes::both::<Asked, Verified>(), check),
    ]
}

/// A picture from a door or a program.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read field by field; this is its description")]
pub struct Picture {
    /// JPEG, PNG, BMP, TIFF or WebP with exactly one face.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// The door it was taken at.
    device_id: String,
    /// The room behind that door, if it is said at all.
    classroom_id: Option<String>,
    /// When it was taken, within the last hour; now if it is left out.
    timestamp: Option<String>,
}

/// A picture taken in a class.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read field by field; this is its description")]
pub struct Asked {
    /// The class: own id or code.
    class_id: String,
    /// JPEG, PNG, BMP, TIFF or WebP with exactly one face.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What became of a captured picture.
#[derive(Serialize, ToSchema)]
pub struct Captured {
    record_id: Option<Uuid>,
    predicted_student_id: Option<String>,
    predicted_name: Option<String>,
    confidence: f32,
    /// pending, logged: in school but in no lesson, or unknown: then nothing was stored.
    status: &'static str,
}

/// What became of a picture taken in a class.
#[derive(Serialize, ToSchema)]
pub struct Verified {
    recognized: bool,
    /// False while the class reviews everything: a person decides.
    marked: bool,
    status: &'static str,
    record_id: Option<Uuid>,
    student_id: Option<String>,
    student_name: Option<String>,
    confidence: f32,
    message: String,
}

/// Looks at a picture, a few at a time.
///
/// # Errors
/// 422 for what is no picture, 503 when too many wait.
pub async fn sight(call: &Call, bytes: bytes::Bytes) -> Result<Sight, Problem> {
    let _place = call.front.photos.acquire().await.map_err(|_| Problem::internal())?;
    Ok(call.app().recogniser.look(bytes.to_vec()).await?)
}

async fn take(call: Call) -> Outcome {
    let device: DeviceId = call.field("device_id")?.parse().map_err(no_door)?;
    let room = call.content.field("classroom_id").unwrap_or("").trim().to_owned();
    let at = when(&call, "timestamp", BACK_MS)?;
    let picture = call.content.file("image").or_else(|| call.content.file("file")).cloned();
    let picture = picture.ok_or_else(|| Problem::field("image", "a picture is missing"))?;
    let (room, known) = sender(&call, &device, room, at).await?;
    let sight = sight(&call, picture).await?;
    let face = photo::only_face(&sight)?;
    let index = call.app().gallery.index();
    let found = photo::compare(&index, face, |id| known.contains(&id));
    let confidence = found.confidence;
    let model = call.app().recogniser.model();
    let Some(find) = Find::new(&sight, face, model, found, Taken { device, room, at }) else {
        let nobody = Captured {
            record_id: None,
            predicted_student_id: None,
            predicted_name: None,
            confidence,
            status: "unknown",
        };
        return json(&nobody);
    };
    let (stored, who) = store(&call, find, None).await?;
    json(&Captured {
        record_id: Some(stored.record.0),
        predicted_student_id: who.as_ref().map(|who| who.number.clone()),
        predicted_name: who.map(|who| who.name),
        confidence,
        status: stored.worth.status.as_str(),
    })
}

/// The room behind `device`, and whom a picture from there is compared with: those whom the door
/// knows, and for a teacher only whom they teach in that room.
///
/// # Errors
/// 404 for a door that is not there or cut off, another door than the token's, another room than
/// the door's, and a room in which the teacher teaches nobody at that time.
async fn sender(
    call: &Call,
    device: &DeviceId,
    room: String,
    at: Wall,
) -> Result<(String, HashSet<StudentId>), Problem> {
    let none = || Problem::from(Error::unknown("door", device));
    let by = call.by.as_ref().ok_or_else(super::call::signed_out)?;
    let taught = match &by.proof {
        Proof::Door(own) if own != device => return Err(none()),
        Proof::Door(_) => None,
        Proof::Session(_) | Proof::Token(_) => Some(call.reader()?).filter(|by| !by.sees_all()),
    };
    let name = device.clone();
    let read = call.app().db.read(move |tx| {
        let Some(door) = device::get(tx, &name)?.filter(|door| door.is_active) else {
            return Ok(None);
        };
        let taught = taught.map(|by| scope::taught_in(tx, by, &door.room, at)).transpose()?;
        Ok(Some((door, taught)))
    });
    let (door, taught) = read.await?.ok_or_else(none)?;
    let nobody = taught.as_ref().is_some_and(Vec::is_empty);
    if nobody || !(room.is_empty() || room == door.room) {
        return Err(none());
    }
    let mut known: HashSet<StudentId> = people(call, device).await?.iter().copied().collect();
    if let Some(taught) = taught {
        let taught: HashSet<StudentId> = taught.into_iter().collect();
        known.retain(|id| taught.contains(id));
    }
    Ok((door.room, known))
}

/// Who is in the gallery of `device`; a door that has just been added gets its first one.
async fn people(call: &Call, device: &DeviceId) -> Result<Arc<Vec<StudentId>>, Problem> {
    let app = call.app();
    if app.gallery.release(device).is_none() {
        app.galleries().follow().await?;
    }
    Ok(app.gallery.release(device).map(|release| release.people.clone()).unwrap_or_default())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn no_door(error: wire::id::IdError) -> Problem {
    Problem::field("device_id", error.to_string())
}

/// Stores a find and who sent it, tells the desks, and says who it is if the caller may know.
async fn store(
    call: &Call,
    find: Find,
    class: Option<Class>,
) -> Result<(Stored, Option<desk::Person>), Problem> {
    let (keys, now, reader) = (call.app().keys.clone(), call.now, call.reader()?);
    let by = call.by.as_ref().map(|by| by.proof.clone());
    let actor = match &by {
        Some(Proof::Door(door)) => format!("door:{door}"),
        _ => reader.actor.user.to_string(),
    };
    let write = call.app().db.write(move |tx| {
        let (stored, action) = match class {
            None => (find.store(tx, &keys, now)?, "capture"),
            Some(class) => {
                let lesson = marks::lesson_now(tx, &class, (now, reader.today), &actor)?;
                (find.store_in(tx, &keys, &lesson, now)?, "verify")
            }
        };
        let id = stored.record.to_string();
        let meta = find.origin();
        audit::add(tx, now, &Entry { actor: &actor, action, table: "sighting", id: &id, meta })?;
        let who = match by {
            // A door is told whom its own picture shows, as a unit knows it by its gallery.
            Some(Proof::Door(_)) => person(tx, review::facts(tx, stored.record)?.state.predicted)?,
            _ => desk::one(tx, reader, stored.record).ok().and_then(|seen| seen.predicted),
        };
        Ok((stored, who))
    });
    let (stored, who) = write.await?;
    let (record, events) = (stored.record, &call.app().events);
    match stored.worth.status {
        Status::Pending => events.say(Event::PendingAdded(record)),
        Status::Approved => events.say(Event::Decided { record, by: uuid::Uuid::nil() }),
        Status::Rejected | Status::Logged => {}
    }
    if let Some((session, student)) = stored.marked {
        events.say(Event::Marked { session, student });
    }
    Ok((stored, who))
}

/// A person by id, as records name them.
fn person(tx: &Tx<'_>, id: Option<StudentId>) -> Result<Option<desk::Person>, Error> {
    let found = id.map(|id| student::get(tx, id)).transpose()?.flatten();
    Ok(found.map(|found| desk::Person {
        student: found.id,
        name: found.profile.full_name(),
        number: found.profile.student_number,
    }))
}

/// When the picture was taken: as its sender says, but not over `back_ms` ago, or now.
pub(super) fn when(call: &Call, field: &str, back_ms: i64) -> Result<Wall, Problem> {
    let Some(text) = call.content.field(field).map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(call.now);
    };
    let odd = |why: &str| Problem::field(field, why);
    let zone = &call.app().config.zone;
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(zone.clone()).ok();
    let at = text.parse::<Timestamp>().ok().or_else(|| local().map(|time| time.timestamp()));
    let at = at.ok_or_else(|| odd("write a time such as 2026-03-02T08:45:30Z"))?;
    let at = Wall(at.as_millisecond());
    match at {
        at if at > call.now.plus_ms(AHEAD_MS) => Err(odd("this time lies in the future")),
        at if at < call.now.plus_ms(-back_ms) => Err(odd(&too_old(back_ms))),
        at => Ok(at),
    }
}

fn too_old(most_ms: i64) -> String {
    match most_ms / BACK_MS {
        1 => "this time is over an hour old: mark by hand what is older".into(),
        hours => format!("this time is over {} days old", hours / 24),
    }
}

async fn check(call: Call) -> Outcome {
    let name = call.field("class_id")?.to_owned();
    let (reader, picture) = (call.reader()?, call.file("file")?);
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        let members = class::members(tx, class.id)?;
        Ok((class, members))
    });
    let (class, members) = read.await?;
    let members: HashSet<StudentId> = members.into_iter().map(|member| member.student).collect();
    let sight = sight(&call, picture).await?;
    let face = photo::only_face(&sight)?;
    let index = call.app().gallery.index();
    if !index.people().iter().any(|id| members.contains(id)) {
        let say = format!(
            "Nobody in {} can be recognised yet: add students to the class and enrol them with a \
             photo.",
            class.class_name
        );
        return json(&unknown(0.0, say));
    }
    let found = photo::compare(&index, face, |id| members.contains(&id));
    let confidence = found.confidence;
    let now = call.now;
    let device = call.app().db.write(move |tx| store::device::for_photos(tx, now)).await?;
    let taken = Taken { device, room: class.room.clone().unwrap_or_default(), at: now };
    let model = call.app().recogniser.model();
    let Some(find) = Find::new(&sight, face, model, found, taken) else {
        let say = format!("This is nobody of {} whom the hub knows.", class.class_name);
        return json(&unknown(confidence, say));
    };
    let (stored, who) = store(&call, find, Some(class)).await?;
    let name = who.as_ref().map_or_else(|| "somebody".to_owned(), |who| who.name.clone());
    let marked = stored.worth.status == Status::Approved;
    let message = match marked {
        true => format!("This is {name}, who is marked."),
        false => format!("This may be {name}. It waits for a teacher on the review desk."),
    };
    json(&Verified {
        recognized: true,
        marked,
        status: stored.worth.status.as_str(),
        record_id: Some(stored.record.0),
        message,
        student_id: who.as_ref().map(|who| who.number.clone()),
        student_name: who.map(|who| who.name),
        confidence,
    })
}

fn unknown(confidence: f32, message: String) -> Verified {
    let (record_id, student_id, student_name) = (None, None, None);
    let (recognized, marked, status) = (false, false, "unknown");
    Verified {
        recognized,
        marked,
        status,
        record_id,
        student_id,
        student_name,
        confidence,
        message,
    }
}
