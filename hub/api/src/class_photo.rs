//! `/api/attendance/mark` and `/confirm`: a photo of the class, and what the teacher makes of it.
//!
//! The photo marks nobody and is not kept: it says who seems to be there, and the teacher
//! confirms.

use acts::album::faces::pixels_of;
use acts::album::headcount::{Headcount, Sureness, headcount};
use acts::lessons::Roll;
use acts::recogniser::PictureSight;
use data_encoding::BASE64;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use http::{problem::Outcome, takes::SMALL};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use store::class;
use store::crop::Area;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::StudentId;

/// Bytes of a photo of 10 MiB as base64 in JSON.
const TEXT: u64 = 14 * 1024 * 1024 + SMALL;
/// Students that one confirmation names.
const MOST: usize = 1000;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/api/attendance/mark")
            .staff()
            .takes_within::<ClassPhotoPhoto>(TEXT)
            .gives::<ClassPhotoSeen>()
            .by(recognise),
        Route::post("/api/attendance/confirm")
            .staff()
            .takes::<ClassPhotoConfirm>()
            .gives::<ClassPhotoConfirmed>()
            .by(settle),
    ]
}

/// A photo of a class.
#[derive(Deserialize, ToSchema)]
#[schema(as = MarkPhoto)]
pub struct ClassPhotoPhoto {
    /// `data:image/jpeg;base64,…`, up to 10 MiB before the encoding.
    image: String,
    /// The class: own id or code.
    #[serde(alias = "class_id")]
    subject_id: String,
}

/// Who seems to be on it. Nothing is marked, and nothing is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = MarkSeen)]
pub struct ClassPhotoSeen {
    subject_id: Uuid,
    faces: Vec<ClassPhotoFace>,
    /// How many faces there are.
    count: usize,
}

/// One face.
#[derive(Serialize, ToSchema)]
#[schema(as = Face)]
pub struct ClassPhotoFace {
    /// In pixels of the photo, upright.
    #[serde(rename = "box")]
    #[schema(rename = "box")]
    area: Area,
    status: Sureness,
    /// To the student, or else to the nearest of the class; null when nobody of it is enrolled.
    distance: Option<f32>,
    /// 0 to 1.
    confidence: f32,
    student: Option<ClassPhotoPerson>,
}

/// Somebody of the class.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = MarkPerson)]
pub struct ClassPhotoPerson {
    /// Own id.
    #[schema(value_type = Uuid)]
    id: StudentId,
    /// Student number.
    student_id: String,
    name: String,
}

/// What the teacher says.
#[derive(Deserialize, ToSchema)]
#[schema(as = MarkConfirm)]
pub struct ClassPhotoConfirm {
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
#[schema(as = MarkConfirmed)]
pub struct ClassPhotoConfirmed {
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

async fn recognise(call: Call) -> Outcome {
    let ClassPhotoPhoto { image, subject_id } = call.json()?;
    let reader = call.reader()?;
    let picture = decoded(&image)?;
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &subject_id)?;
        Ok((class.id, class::members(tx, class.id)?))
    });
    let (subject_id, members) = read.await?;
    let person = |member: class::Member| {
        let id = member.student;
        let student_id = member.number;
        let name = member.name;
        (id, ClassPhotoPerson { id, student_id, name })
    };
    let people: HashMap<StudentId, ClassPhotoPerson> = members.into_iter().map(person).collect();
    let ids: HashSet<StudentId> = people.keys().copied().collect();
    let sight = sight(&call, picture).await?;
    let face = |one: &Headcount| ClassPhotoFace {
        area: pixels_of(one.at),
        status: one.status,
        distance: one.distance(),
        confidence: one.confidence(),
        student: one.student.and_then(|id| people.get(&id).cloned()),
    };
    let faces: Vec<ClassPhotoFace> =
        headcount(&sight, &call.app().gallery.index(), &ids).iter().map(face).collect();
    json(&ClassPhotoSeen { subject_id, count: faces.len(), faces })
}

/// Looks at a picture, a few at a time.
async fn sight(call: &Call, picture: Vec<u8>) -> Result<PictureSight, Problem> {
    let _place = call.photo_place().await?;
    Ok(call.app().recogniser.faces(picture).await?)
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
    let asked: ClassPhotoConfirm = call.json()?;
    let reader = call.reader()?;
    if asked.present_students.len() + asked.absent_students.len() > MOST {
        return Err(Problem::invalid(format!("Name at most {MOST} students at once.")));
    }
    let day = asked.date.unwrap_or(reader.today);
    if day > reader.today {
        return Err(Problem::field("date", "this day has not come yet"));
    }
    let ClassPhotoConfirm {
        subject_id: class,
        present_students: present,
        absent_students: absent,
        ..
    } = asked;
    let roll = Roll { class, day, present, absent };
    let taken = call.app().classroom().take_roll(reader, roll, call.now).await?;
    json(&ClassPhotoConfirmed {
        subject_id: taken.class.id,
        session_id: taken.lesson.id,
        date: day,
        present: taken.present,
        absent: taken.absent,
        marked: taken.marked,
        message: format!("The register of {} is taken.", taken.class.class_name),
    })
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
