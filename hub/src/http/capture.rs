//! `/api/capture` and `/api/face/verify`: one photo, looked at by the hub itself.

use super::attendance::reader;
use super::call::{Call, Proof};
use super::problem::Problem;
use super::reply::json;
use super::route::{Object, Outcome, PHOTO, Route, STAFF, Shapes, Takes};
use crate::attendance::register;
use crate::auth::Role;
use crate::error::Error;
use crate::events::Event;
use crate::photo::{self, Find, Stored, Taken};
use crate::recogniser::Sight;
use crate::review::Status;
use crate::store::class::{self, Class};
use crate::store::review::status_text;
use crate::store::{desk, device};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::{DeviceId, StudentId, Wall};

/// How far a photo's time may lie ahead, milliseconds: two clocks differ.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// How far it may lie back: what is older belongs in another way of marking.
const BACK_MS: i64 = 30 * 24 * 60 * 60 * 1000;

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
    /// The room; the door’s own if it is left out.
    classroom_id: Option<String>,
    /// When it was taken; now if it is left out.
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
    /// pending, approved by the class's policy, logged: in school but in no lesson, or unknown:
    /// then nothing was stored.
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
    if let Some(Proof::Door(own)) = call.by.as_ref().map(|by| &by.proof)
        && *own != device
    {
        return Err(Error::unknown("door", &device).into());
    }
    let room = call.content.field("classroom_id").unwrap_or("").trim().to_owned();
    let at = when(&call, "timestamp")?;
    let picture = call.content.file("image").or_else(|| call.content.file("file")).cloned();
    let picture = picture.ok_or_else(|| Problem::field("image", "a picture is missing"))?;
    let name = device.clone();
    let door = call.app().db.read(move |tx| device::get(tx, &name)).await?;
    let door = door.ok_or_else(|| Error::unknown("door", &device))?;
    let room = if room.is_empty() { door.room } else { room };
    let sight = sight(&call, picture).await?;
    let face = photo::only_face(&sight)?;
    let index = call.app().gallery.index();
    let found = photo::compare(&index, face, |_| true);
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
        status: status_text(stored.worth.status),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn no_door(error: wire::id::IdError) -> Problem {
    Problem::field("device_id", error.to_string())
}

/// Stores a find, tells the desks, and says who it is if the caller may know.
async fn store(
    call: &Call,
    find: Find,
    class: Option<Class>,
) -> Result<(Stored, Option<desk::Person>), Problem> {
    let (keys, now, mut reader) = (call.app().keys.clone(), call.now, reader(call)?);
    if matches!(call.by.as_ref().map(|by| &by.proof), Some(Proof::Door(_))) {
        // A door is told whom its own picture shows, as a unit knows it by its gallery.
        reader.actor.role = Role::Admin;
    }
    let write = call.app().db.write(move |tx| {
        let stored = match class {
            None => find.store(tx, &keys, now)?,
            Some(class) => {
                let actor = reader.actor.user.to_string();
                let lesson = register::lesson_now(tx, &class, (now, reader.today), &actor)?;
                find.store_in(tx, &keys, &lesson, now)?
            }
        };
        let who = desk::one(tx, reader, stored.record).ok().and_then(|seen| seen.predicted);
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

/// When the picture was taken: as its sender says, within reason, or now.
pub(super) fn when(call: &Call, field: &str) -> Result<Wall, Problem> {
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
        at if at < call.now.plus_ms(-BACK_MS) => Err(odd("this time is over 30 days old")),
        at => Ok(at),
    }
}

async fn check(call: Call) -> Outcome {
    let name = call.field("class_id")?.to_owned();
    let (reader, picture) = (reader(&call)?, call.file("file")?);
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
    let device = call.app().db.write(move |tx| photo::ensure_door(tx, now)).await?;
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
        status: status_text(stored.worth.status),
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
