//! `/api/capture` and `/api/face/verify`: one photo, looked at by the hub itself.
//!
//! A captured picture counts for its door and the room behind it, is compared with those whom that
//! door knows, and marks nobody: a person decides. Who may not send for a door is told that there
//! is none.

use acts::finds::{CaptureFound, CaptureKept, CaptureSender, ClassPicture, DoorPicture};
use http::endpoint::Endpoint;
use http::guard::CAPTURE;
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use http::{call::Call, signed_in::Proof};
use http::{problem::Outcome, takes::PHOTO};
use jiff::Timestamp;
use rules::review::Status;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::{DeviceId, Wall};

/// How far a photo's time may lie ahead, milliseconds: two clocks differ.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// How far that of a captured picture may lie back: what is older belongs in another way of marking.
const BACK_MS: i64 = 60 * 60 * 1000;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post(CAPTURE)
            .staff()
            .parts(PHOTO)
            .fields::<CapturePicture>()
            .gives::<Captured>()
            .by(take),
        Route::post("/api/face/verify")
            .staff()
            .parts(PHOTO)
            .fields::<CaptureQuery>()
            .gives::<Verified>()
            .by(check),
    ]
}

/// A picture from a door or a program.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read field by field; this is its description")]
#[schema(as = Picture)]
pub struct CapturePicture {
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
#[schema(as = Asked)]
pub struct CaptureQuery {
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

async fn take(call: Call) -> Outcome {
    let door: DeviceId = call.field("device_id")?.parse().map_err(no_door)?;
    let room = call.content.field("classroom_id").map(str::trim).filter(|room| !room.is_empty());
    let room = room.map(str::to_owned);
    let at = when(&call, "timestamp", BACK_MS)?;
    let picture = call.content.file("image").or_else(|| call.content.file("file"));
    let picture = picture.ok_or_else(|| Problem::field("image", "a picture is missing"))?;
    let sent = DoorPicture { picture: picture.to_vec(), door, room, at };
    let from = sender(&call)?;
    let _place = call.photo_place().await?;
    json(&Captured::from(call.app().finds().at_door(sent, from, call.now).await?))
}

/// Whoever sends a picture for a door.
fn sender(call: &Call) -> Result<CaptureSender, Problem> {
    match call.by.as_ref().map(|by| &by.proof) {
        Some(Proof::Door(door)) => Ok(CaptureSender::Door(door.clone())),
        _ => call.reader().map(CaptureSender::Person),
    }
}

impl From<CaptureFound> for Captured {
    fn from(found: CaptureFound) -> Self {
        let nobody = |confidence| Self {
            record_id: None,
            predicted_student_id: None,
            predicted_name: None,
            confidence,
            status: "unknown",
        };
        match found {
            CaptureFound::NobodyEnrolled => nobody(0.0),
            CaptureFound::Nobody { confidence } => nobody(confidence),
            CaptureFound::Somebody(kept) => Self {
                record_id: Some(kept.record.0),
                predicted_student_id: kept.who.as_ref().map(|who| who.number.clone()),
                predicted_name: kept.who.map(|who| who.name),
                confidence: kept.confidence,
                status: kept.status.as_str(),
            },
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn no_door(error: wire::id::IdError) -> Problem {
    Problem::field("device_id", error.to_string())
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
    let class = call.field("class_id")?.to_owned();
    let reader = call.reader()?;
    let picture = call.file("file")?.to_vec();
    let _place = call.photo_place().await?;
    let sent = ClassPicture { picture, class };
    let (class, found) = call.app().finds().in_class(sent, reader, call.now).await?;
    json(&Verified::of(&class.class_name, found))
}

impl Verified {
    /// What a picture taken in `class` comes to.
    fn of(class: &str, found: CaptureFound) -> Self {
        match found {
            CaptureFound::NobodyEnrolled => {
                let say = format!(
                    "Nobody in {class} can be recognised yet: add students to the class and enrol \
                     them with a photo."
                );
                Self::nobody(0.0, say)
            }
            CaptureFound::Nobody { confidence } => {
                let say = format!("This is nobody of {class} whom the hub knows.");
                Self::nobody(confidence, say)
            }
            CaptureFound::Somebody(kept) => Self::somebody(kept),
        }
    }

    fn nobody(confidence: f32, message: String) -> Self {
        Self {
            recognized: false,
            marked: false,
            status: "unknown",
            record_id: None,
            student_id: None,
            student_name: None,
            confidence,
            message,
        }
    }

    fn somebody(kept: CaptureKept) -> Self {
        let name = kept.who.as_ref().map_or_else(|| "somebody".to_owned(), |who| who.name.clone());
        let marked = kept.status == Status::Approved;
        let message = match marked {
            true => format!("This is {name}, who is marked."),
            false => format!("This may be {name}. It waits for a teacher on the review desk."),
        };
        Self {
            recognized: true,
            marked,
            status: kept.status.as_str(),
            record_id: Some(kept.record.0),
            student_id: kept.who.as_ref().map(|who| who.number.clone()),
            student_name: kept.who.map(|who| who.name),
            confidence: kept.confidence,
            message,
        }
    }
}
