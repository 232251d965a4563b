//! `/api/attendance/mark` and `/confirm`: a photo of the class, and what the teacher makes of it.
//!
//! The photo marks nobody and is not kept: it says who seems to be there, and the teacher
//! confirms.

use super::attendance::reader;
use super::call::Call;
use super::capture::sight;
use super::images::tell;
use super::marks::tell_suspended;
use super::problem::Problem;
use super::reply::json;
use super::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::album::glance::{Glance, Sureness, glance};
use crate::album::look::pixels_of;
use crate::marks;
use crate::marks::Marked;
use crate::marks::budget;
use data_encoding::BASE64;
use jiff::{civil::Date, tz::TimeZone};
use rules::attendance::{Mark, Source, Status};
use rules::error::Error;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use store::class::{self, Class};
use store::crop::Area;
use store::desk::Reader;
use store::session::{self, Filter, Session};
use store::{Tx, mark, student};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::{StudentId, Wall};

/// Bytes of a photo of 10 MiB as base64 in JSON.
const TEXT: u64 = 14 * 1024 * 1024 + SMALL;
/// Students that one confirmation names.
const MOST: usize = 1000;
/// Lessons of a class on one day that are looked at.
const LESSONS: u32 = 50;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (mark, confirm) = ("/api/attendance/mark", "/api/attendance/confirm");
    let (seen, sure) = (Shapes::both::<Photo, Seen>(), Shapes::both::<Confirm, Confirmed>());
    let (none, text, body) = (Object::None, Takes::Json(TEXT), Takes::Json(SMALL));
    vec![
        Route::new((Method::POST, mark), STAFF, none, text, seen, look),
        Route::new((Method::POST, confirm), STAFF, none, body, sure, settle),
    ]
}

/// A photo of a class.
#[derive(Deserialize, ToSchema)]
pub struct Photo {
    /// `data:image/jpeg;base64,…`, up to 10 MiB before the encoding.
    image: String,
    /// The class: own id or code.
    #[serde(alias = "class_id")]
    subject_id: String,
}

/// Who seems to be on it. Nothing is marked, and nothing is kept.
#[derive(Serialize, ToSchema)]
pub struct Seen {
    subject_id: Uuid,
    faces: Vec<Face>,
    /// How many faces there are.
    count: usize,
}

/// One face.
#[derive(Serialize, ToSchema)]
pub struct Face {
    /// In pixels of the photo, upright.
    #[serde(rename = "box")]
    #[schema(rename = "box")]
    area: Area,
    status: Sureness,
    /// To the student, or else to the nearest of the class; null when nobody of it is enrolled.
    distance: Option<f32>,
    /// 0 to 1.
    confidence: f32,
    student: Option<Person>,
}

/// Somebody of the class.
#[derive(Clone, Serialize, ToSchema)]
pub struct Person {
    /// Own id.
    #[schema(value_type = Uuid)]
    id: StudentId,
    /// Student number.
    student_id: String,
    name: String,
}

/// What the teacher says.
#[derive(Deserialize, ToSchema)]
pub struct Confirm {
    /// The class: own id or code.
    #[serde(alias = "class_id")]
    subject_id: String,
    /// The day; today if it is left out.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// Own ids or student numbers.
    #[serde(default)]
    present_students: Vec<String>,
    /// Own ids or student numbers.
    #[serde(default)]
    absent_students: Vec<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub struct Confirmed {
    subject_id: Uuid,
    session_id: Uuid,
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Students said to be there.
    present: usize,
    /// Students said not to be there.
    absent: usize,
    /// Marks that changed.
    marked: usize,
    message: String,
}

async fn look(call: Call) -> Outcome {
    let Photo { image, subject_id } = call.json()?;
    let (reader, picture) = (reader(&call)?, decoded(&image)?);
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &subject_id)?;
        Ok((class.id, class::members(tx, class.id)?))
    });
    let (subject_id, members) = read.await?;
    let person = |member: class::Member| {
        let (id, student_id, name) = (member.student, member.number, member.name);
        (id, Person { id, student_id, name })
    };
    let people: HashMap<StudentId, Person> = members.into_iter().map(person).collect();
    let ids: HashSet<StudentId> = people.keys().copied().collect();
    let sight = sight(&call, picture.into()).await?;
    let face = |one: &Glance| Face {
        area: pixels_of(one.at),
        status: one.status,
        distance: one.distance(),
        confidence: one.confidence(),
        student: one.student.and_then(|id| people.get(&id).cloned()),
    };
    let faces: Vec<Face> =
        glance(&sight, &call.app().gallery.index(), &ids).iter().map(face).collect();
    json(&Seen { subject_id, count: faces.len(), faces })
}

/// The picture in a data URL, or in plain base64.
fn decoded(text: &str) -> Result<Vec<u8>, Problem> {
    let odd = |why: &str| Problem::field("image", why);
    let text = text.trim();
    let plain = match text.strip_prefix("data:") {
        None => text,
        Some(url) => {
            let (kind, data) = url.split_once(',').unwrap_or(("", ""));
            let known = kind.starts_with("image/") && kind.ends_with(";base64");
            known.then_some(data).ok_or_else(|| odd("write data:image/jpeg;base64,…"))?
        }
    };
    let bytes = BASE64.decode(plain.as_bytes()).map_err(|_| odd("this is no base64"))?;
    if bytes.is_empty() { Err(odd("a picture is missing")) } else { Ok(bytes) }
}

async fn settle(call: Call) -> Outcome {
    let (asked, reader): (Confirm, _) = (call.json()?, reader(&call)?);
    if asked.present_students.len() + asked.absent_students.len() > MOST {
        return Err(Problem::invalid(format!("Name at most {MOST} students at once.")));
    }
    let day = asked.date.unwrap_or(reader.today);
    if day > reader.today {
        return Err(Problem::field("date", "this day has not come yet"));
    }
    let (now, zone) = (call.now, call.app().config.zone.clone());
    let when = When { now, day, zone };
    let write = call.app().db.write(move |tx| confirm(tx, reader, &asked, &when));
    let (confirmed, marked, suspended) = write.await?;
    tell(&call, marked);
    tell_suspended(&call, suspended);
    json(&confirmed)
}

/// The moment, and the day that is spoken of.
struct When {
    now: Wall,
    day: Date,
    zone: TimeZone,
}

fn confirm(
    tx: &Tx<'_>,
    reader: Reader,
    asked: &Confirm,
    when: &When,
) -> Result<(Confirmed, Vec<Marked>, Option<Uuid>), Error> {
    let class = class::find(tx, reader, &asked.subject_id)?;
    let named = |list: &[String], field| {
        let one = |name: &String| member(tx, class.id, name, field);
        list.iter().map(one).collect::<Result<HashSet<_>, Error>>()
    };
    let present = named(&asked.present_students, "present_students")?;
    let absent = named(&asked.absent_students, "absent_students")?;
    if !present.is_disjoint(&absent) {
        let say = "a student is in present_students and in absent_students: say one of the two";
        return Err(Error::Invalid(say.into()));
    }
    let lesson = lesson(tx, reader, &class, when)?;
    let by = reader.actor.user.to_string();
    let mut marked = Vec::new();
    for who in &present {
        let there = mark::get(tx, lesson.id, *who)?.map(|mark| mark.status);
        if !matches!(there, Some(Status::Present | Status::Late)) {
            marked.extend(say(tx, (&lesson, *who), Status::Present, (&by, when.now))?);
        }
    }
    for who in &absent {
        let there = mark::get(tx, lesson.id, *who)?.map(|mark| mark.status);
        if there != Some(Status::Excused) {
            marked.extend(say(tx, (&lesson, *who), Status::Absent, (&by, when.now))?);
        }
    }
    let confirmed = Confirmed {
        subject_id: class.id,
        session_id: lesson.id,
        date: when.day,
        present: present.len(),
        absent: absent.len(),
        marked: marked.len(),
        message: format!("The register of {} is taken.", class.class_name),
    };
    let suspended = budget::look(tx, class.id, when.now)?;
    Ok((confirmed, marked, suspended))
}

fn say(
    tx: &Tx<'_>,
    (lesson, who): (&Session, StudentId),
    status: Status,
    (by, now): (&str, Wall),
) -> Result<Option<Marked>, Error> {
    let said = Mark {
        status,
        source: Source::Manual,
        sighting: None,
        arrived_at: None,
        by: by.to_owned(),
        at: now,
        notes: None,
        version: 1,
    };
    marks::say(tx, lesson, who, said, now)
}

/// Whom `name` names on the roster.
fn member(tx: &Tx<'_>, class: Uuid, name: &str, field: &str) -> Result<StudentId, Error> {
    let strange =
        || Error::Invalid(format!("{field}: there is no “{name}” on the roster of this class"));
    let who = match student::find(tx, name) {
        Ok(student) => student.id,
        Err(Error::NotFound(_)) => return Err(strange()),
        Err(error) => return Err(error),
    };
    if class::has(tx, class, who)? { Ok(who) } else { Err(strange()) }
}

/// The lesson that is spoken of: the one that runs, or the last one of that day, or an ad-hoc one.
fn lesson(tx: &Tx<'_>, reader: Reader, class: &Class, when: &When) -> Result<Session, Error> {
    let When { now, day, zone } = when;
    let by = reader.actor.user.to_string();
    if *day == reader.today
        && let Some(lesson) = session::of_class_at(tx, class.id, *now)?
    {
        return Ok(lesson);
    }
    let start =
        |day: Date| day.to_zoned(zone.clone()).map(|at| Wall(at.timestamp().as_millisecond()));
    let odd = |_| Error::Invalid("date: this day has no beginning".into());
    let next = day.tomorrow().map_err(odd)?;
    let (from, end) = (start(*day).map_err(odd)?, start(next).map_err(odd)?);
    let filter = Filter {
        class: Some(class.id),
        from: Some(from),
        until: Some(end.min(now.plus_ms(1))),
        ..Filter::default()
    };
    if let Some(last) = session::list(tx, reader, &filter, LESSONS)?.pop() {
        return Ok(last);
    }
    let local = rules::timetable::day(*now, zone);
    let at = if *day == local { *now } else { from.plus_ms((end.0 - from.0) / 2) };
    marks::lesson_now(tx, class, (at, *day), &by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_data_url_gives_its_bytes_back_and_rubbish_a_sentence(
            bytes in prop::collection::vec(any::<u8>(), 1..200), rubbish in ".{0,40}"
        ) {
            let text = BASE64.encode(&bytes);
            let url = format!("data:image/png;base64,{text}");
            prop_assert_eq!(decoded(&text).map_err(|_| ()), Ok(bytes.clone()));
            prop_assert_eq!(decoded(&url).map_err(|_| ()), Ok(bytes));
            if let Err(problem) = decoded(&rubbish) {
                prop_assert_eq!(problem.status.as_u16(), 422);
            }
        }
    }
}
