//! One thing of every kind that an address may name, for the access matrix.

use super::NOW;
use http::route::Object;
use jiff::civil::{date, time};
use rules::auth::Role;
use rules::error::Error;
use rules::timetable::Source;
use rules::timetable::{Holiday, Period};
use store::device::DevicePlace;
use store::job::JobState;
use store::keys::Keys;
use store::session::Session;
use store::student::StudentProfile;
use store::{
    Tx, account, class, crop, device, enrolment, feed, holiday, image, job, params, period, room,
    session, student, webhook,
};
use uuid::Uuid;
use wire::{DeviceId, Direction, ModelId, StudentId};

/// Half of the school: whose things are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Half {
    /// The class.
    pub class: Uuid,
    /// Its student.
    pub pupil: StudentId,
    /// Who starts work in it.
    pub owner: Uuid,
}

/// A good look.
const QUALITY: wire::Quality =
    wire::Quality { eye_px: 40.0, sharpness: 100.0, brightness: 120.0, turn: 0.0, detector: 1.0 };

type Made = Result<String, Error>;

/// A new `object` of this half. A kind without a fixture gives nothing, and no route may name it.
pub(super) fn make(
    tx: &Tx<'_>,
    object: Object,
    half: Half,
    keys: &Keys,
    model: &ModelId,
) -> Result<Option<String>, Error> {
    let id = wire::id::v7(NOW);
    let made = match object {
        Object::Student => pupil(tx, half.class, id),
        Object::Record => record(tx, half.pupil, id),
        Object::Enrolment => enrolment(tx, half.pupil, id, keys, model),
        Object::Device => door(tx, id),
        Object::Class => lesson_group(tx, half, id),
        Object::Session => lesson(tx, half, id),
        Object::Job => work(tx, half.owner, id),
        Object::User => somebody(tx, id),
        Object::Feed => calendar(tx, half.owner, id),
        Object::Holiday => days_off(tx, id),
        Object::Period => weekly(tx, half, id),
        Object::Room => Ok(room::add(tx, &id.to_string(), "", "t", NOW)?.name),
        Object::Image => photo(tx, half.class, id, keys),
        Object::Crop => face(tx, half.class, id, keys, model),
        Object::Webhook => hook(tx, id, keys),
        Object::None => return Ok(None),
    };
    made.map(Some)
}

fn pupil(tx: &Tx<'_>, class: Uuid, id: Uuid) -> Made {
    let (student_number, last_name) = (id.simple().to_string(), "Lovelace".to_owned());
    let profile = StudentProfile { student_number, last_name, ..StudentProfile::default() };
    let student = student::add(tx, profile, "t", NOW)?;
    class::add_member(tx, class, student, "t", NOW)?;
    Ok(student.to_string())
}

/// A sighting that waits.
fn record(tx: &Tx<'_>, pupil: StudentId, id: Uuid) -> Made {
    let sql = "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at, room,
             direction, reasons, quality, confidence, verdict, frames, model, gallery,
             review_status, predicted_student, received_at, version)
         values ($1, 'door-1', $2, 1, 1, 1, 'ntp', $3, '7A', 'entry', '[]', '{}', 0.8, 'medium', 1,
             'm', 1, 'pending', $4, $3, 1)";
    let (id, epoch, pupil) = (id.to_string(), id.as_bytes().to_vec(), pupil.to_string());
    tx.execute(sql, params![id, epoch, NOW.0, pupil])?;
    let sql = "insert into candidate (sighting, rank, student, score) values ($1, 0, $2, 0.95)";
    tx.execute(sql, params![id, pupil])?;
    Ok(id)
}

fn enrolment(tx: &Tx<'_>, pupil: StudentId, id: Uuid, keys: &Keys, model: &ModelId) -> Made {
    let plain: Vec<u8> = [0, 0x2c].repeat(128);
    let key = keys.student_or_new(pupil, NOW)?;
    let sealed = key.seal(&enrolment::place(pupil, model, id), &plain);
    let row = enrolment::Enrolment {
        id,
        student: pupil,
        number: String::new(),
        model: model.clone(),
        source: "photo".into(),
        quality: QUALITY,
        is_active: true,
        created_at: NOW,
        created_by: "t".into(),
        version: 1,
    };
    enrolment::add(tx, &row, &sealed, "t")?;
    Ok(id.to_string())
}

/// A photo of the class that was looked at.
fn photo(tx: &Tx<'_>, class: Uuid, id: Uuid, keys: &Keys) -> Made {
    let row = image::Image {
        id,
        class,
        session: None,
        state: image::ImageState::Processed,
        taken_at: NOW,
        width: 100,
        height: 100,
        kept: true,
        created_at: NOW,
        created_by: "t".into(),
        processed_at: Some(NOW),
        version: 1,
        faces: 0,
        identified: 0,
    };
    image::add(tx, &row, &keys.new_photo(id, NOW)?.seal(&image::place(id), b"no picture"))?;
    image::processed(tx, id, 0, "t", NOW)?;
    Ok(id.to_string())
}

/// A face on a photo of its own.
fn face(tx: &Tx<'_>, class: Uuid, id: Uuid, keys: &Keys, model: &ModelId) -> Made {
    let of = wire::id::v7(NOW);
    photo(tx, class, of, keys)?;
    let key = keys.photo(of)?.ok_or_else(|| Error::unknown("key", of))?;
    let plain: Vec<u8> = [0, 0x2c].repeat(128);
    let found = crop::NewCrop {
        id,
        at: crop::Area { x: 1, y: 2, width: 50, height: 60 },
        score: 1.0,
        quality: QUALITY,
        doubts: Vec::new(),
        crop: Some(key.seal(&crop::place(id), b"no picture")),
        template: key.seal(&crop::template_place(id), &plain),
        model: model.to_string(),
        proposed: None,
    };
    crop::add(tx, &image::get(tx, of)?, &[found])?;
    Ok(id.to_string())
}

fn door(tx: &Tx<'_>, id: Uuid) -> Made {
    let end = &id.simple().to_string()[20..];
    let name: DeviceId = format!("door-{end}").parse().map_err(|e| Error::internal("a name", e))?;
    let (room, direction) = ("7A".to_owned(), Direction::Both);
    device::add(tx, &name, &DevicePlace { room, location: String::new(), direction }, "t", NOW)?;
    Ok(name.to_string())
}

fn lesson_group(tx: &Tx<'_>, half: Half, id: Uuid) -> Made {
    let code = id.simple().to_string();
    let class = class::add(tx, &code, &code, None, "t", NOW)?;
    class::add_teacher(tx, class, half.owner, date(2026, 1, 1), "t", NOW)?;
    class::add_member(tx, class, half.pupil, "t", NOW)?;
    let first = student::find(tx, "STU1")?.id;
    class::add_member(tx, class, first, "t", NOW)?;
    Ok(class.to_string())
}

/// Of a class of its own, so that no class is in two places at once.
fn lesson(tx: &Tx<'_>, half: Half, id: Uuid) -> Made {
    let class = lesson_group(tx, half, id)?.parse().map_err(|e| Error::internal("an id", e))?;
    let row = Session {
        id,
        class,
        name: "Maths".into(),
        day: date(2026, 3, 2),
        starts: NOW,
        ends: NOW.plus_ms(3_600_000),
        late_after: NOW,
        room: id.to_string(),
        source: Source::Manual,
        period: None,
        closed_at: None,
        version: 1,
    };
    session::add(tx, &row)?;
    Ok(id.to_string())
}

fn calendar(tx: &Tx<'_>, account: Uuid, id: Uuid) -> Made {
    let feed = feed::Feed { id, account, class: None, created_at: NOW };
    feed::add(tx, &feed, id.as_bytes(), NOW)?;
    Ok(id.to_string())
}

fn hook(tx: &Tx<'_>, id: Uuid, keys: &Keys) -> Made {
    let (url, events) = (format!("https://example.org/{id}"), Vec::new());
    let (failing_since, created_at) = (None, NOW);
    let row = webhook::Webhook {
        id,
        url,
        events,
        is_active: true,
        failing_since,
        created_at,
        version: 1,
    };
    webhook::add(tx, keys, &row, "whsec_AAAA", "t", NOW)?;
    Ok(id.to_string())
}

fn days_off(tx: &Tx<'_>, id: Uuid) -> Made {
    let day = date(2026, 3, 30);
    let row = Holiday { id, name: "Spring".into(), from: day, to: day };
    holiday::put(tx, &row, "t", NOW)?;
    Ok(id.to_string())
}

/// In a class and a room of its own, so that no two are at one time in one place.
fn weekly(tx: &Tx<'_>, half: Half, id: Uuid) -> Made {
    let class = lesson_group(tx, half, id)?.parse().map_err(|e| Error::internal("an id", e))?;
    let row = Period {
        id,
        class,
        weekday: jiff::civil::Weekday::Monday,
        starts: time(9, 0, 0, 0),
        ends: time(10, 0, 0, 0),
        room: id.to_string(),
        from: date(2026, 1, 1),
        to: None,
        version: 1,
    };
    period::put(tx, &row, "t", NOW)?;
    Ok(id.to_string())
}

fn work(tx: &Tx<'_>, by: Uuid, id: Uuid) -> Made {
    let row = job::Job {
        id,
        kind: "test".into(),
        state: JobState::Queued,
        done: 0,
        total: 1,
        result: None,
        error: None,
        by,
        created_at: NOW,
        started_at: None,
        ended_at: None,
    };
    job::add(tx, &row, "")?;
    Ok(id.to_string())
}

fn somebody(tx: &Tx<'_>, id: Uuid) -> Made {
    let new = account::NewAccount {
        email: format!("{id}@school.test"),
        name: "Somebody".into(),
        role: Role::Teacher,
        student: None,
        password: None,
    };
    Ok(account::add(tx, &new, "t", NOW)?.id.to_string())
}
