//! Photos of a person: what became of each, with the other face where somebody looks alike.

use super::{initials, person};
use crate::shell::Shell;
use crate::shell::shell;
use acts::enrol::{Enrolled, EnrolmentAsk, Refusal};
use askama::Template;
use bytes::Bytes;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::problem::Problem;
use http::reply::page;
use http::route::Route;
use http::{problem::Outcome, route::Object, takes::PHOTO};
use rules::review::Status;
use store::desk::{self, SightingFilter, SightingPage};
use store::student;
use uuid::Uuid;
use warp::http::StatusCode;
use wire::{Reason, StudentId};
use words::language::Language;

/// Bytes of a form with several photos.
const SEVERAL: u64 = 4 * PHOTO;
/// Sightings among which a kept crop of the other one is looked for.
const LOOKED_AT: u32 = 10;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/people/{id}/photo")
            .admin()
            .of(Object::Student)
            .parts(SEVERAL)
            .page()
            .by(photograph),
    ]
}

/// What became of one photo.
pub struct FaceLook {
    /// Whether it is enrolled.
    pub good: bool,
    /// In words.
    pub words: String,
    /// The new enrolment.
    pub enrolment: Option<Uuid>,
    /// Who looks alike, or has this face already.
    pub alike: Option<FaceAlike>,
}

/// Somebody who looks like the one in the photo.
pub struct FaceAlike {
    /// Own id.
    pub id: Uuid,
    /// Full name.
    pub name: String,
    /// Number at the school.
    pub number: String,
    /// Two letters, where no picture is kept.
    pub initials: String,
    /// Where a crop of theirs is.
    pub crop: Option<String>,
}

#[derive(Template)]
#[template(path = "person-looks.html")]
struct FacePiece {
    shell: Shell,
    looks: Vec<FaceLook>,
}

/// One photo or several of one person. A page's script sends one at a time and gets a piece.
async fn photograph(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let person = call.app().db.read(move |tx| student::find(tx, &name)).await?.id;
    let photos = call.content.files("file");
    let webcam = call.content.field("source") == Some("webcam");
    let source = if webcam { "webcam" } else { "photo" };
    let mut looks = Vec::new();
    for photo in photos {
        looks.push(enrol_photo(&call, person, photo, source).await);
    }
    if looks.is_empty() {
        let detail = language::of(&call.headers).say("people-photo-missing");
        looks.push(FaceLook { good: false, words: detail, enrolment: None, alike: None });
    }
    if call.wants_piece() {
        let shell = shell(&call, "people");
        return page(StatusCode::OK, &FacePiece { shell, looks });
    }
    let good = looks.iter().all(|look| look.good);
    let status = if good { StatusCode::CREATED } else { StatusCode::UNPROCESSABLE_ENTITY };
    person::show(&call, person, status, None, looks).await
}

/// Enrols by one photo; who agreed is in the form, or in the ledger.
async fn attempt(
    call: &Call,
    student: StudentId,
    photo: Bytes,
    source: &'static str,
) -> Result<Result<Enrolled, Refusal>, Problem> {
    let field = |name| call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let ask = EnrolmentAsk {
        student,
        photo: photo.to_vec(),
        consent_by: field("consent_by").map(str::to_owned),
        another_person: field("another_person") == Some("true"),
        source: source.to_owned(),
        actor: call.name()?,
    };
    let _place = call.photo_place().await?;
    Ok(call.app().people().enrol(ask, |_, enrolled| Ok(enrolled), call.now).await?)
}

/// Enrols by one photo, and says in words what became of it.
pub async fn enrol_photo(
    call: &Call,
    person: StudentId,
    photo: Bytes,
    source: &'static str,
) -> FaceLook {
    let language = language::of(&call.headers);
    let not = |problem: Problem| FaceLook {
        good: false,
        words: problem.detail,
        enrolment: None,
        alike: None,
    };
    match attempt(call, person, photo, source).await {
        Ok(done) => {
            let alike = match other(&done) {
                Some(other) => alike(call, other).await.ok().flatten(),
                None => None,
            };
            let enrolment = done.as_ref().ok().map(|enrolled| enrolled.id);
            FaceLook { good: done.is_ok(), words: said(language, &done), enrolment, alike }
        }
        Err(problem) => not(problem),
    }
}

fn other(done: &Result<Enrolled, Refusal>) -> Option<StudentId> {
    match done {
        Ok(enrolled) => enrolled.alike,
        Err(Refusal::Taken(other)) => Some(*other),
        Err(_) => None,
    }
}

/// What became of a photo, in words.
fn said(language: Language, done: &Result<Enrolled, Refusal>) -> String {
    match done {
        Ok(enrolled) if enrolled.doubts.is_empty() => language.say("people-photo-good"),
        Ok(enrolled) => {
            language.one("people-photo-weak", "why", reasons(language, &enrolled.doubts))
        }
        Err(Refusal::Small(width, height)) => {
            language.two("people-photo-small", ("width", *width), ("height", *height))
        }
        Err(Refusal::Faces(0)) => language.say("people-photo-nobody"),
        Err(Refusal::Faces(count)) => language.one("people-photo-several", "count", *count),
        Err(Refusal::Poor(why)) => language.one("people-photo-poor", "why", reasons(language, why)),
        Err(Refusal::Taken(_)) => language.say("people-photo-taken"),
    }
}

fn reasons(language: Language, reasons: &[Reason]) -> String {
    let words = reasons.iter().map(|reason| language.say(words::reason(*reason)));
    words.collect::<Vec<_>>().join(" · ")
}

/// The other one, with the newest crop that is kept of them.
async fn alike(call: &Call, other: StudentId) -> Result<Option<FaceAlike>, Problem> {
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let status = Some(Status::Approved);
        let filter = SightingFilter { status, student: Some(other), ..SightingFilter::default() };
        let seen = desk::list(tx, reader, &filter, SightingPage { after: None, limit: LOOKED_AT })?;
        let crop = seen.into_iter().find(|seen| seen.crop).map(|seen| seen.id);
        Ok((student::get(tx, other)?, crop))
    });
    let (person, crop) = read.await?;
    Ok(person.map(|person| {
        let name = person.profile.full_name();
        FaceAlike {
            id: other.0,
            initials: initials(&name),
            name,
            number: person.profile.student_number,
            crop: crop.map(|record| format!("/api/attendance/{record}/crop")),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_becomes_of_a_photo_has_words_in_both_languages() {
        let enrolled = |doubts: &[Reason]| Enrolled {
            id: Uuid::nil(),
            warnings: Vec::new(),
            doubts: doubts.to_vec(),
            alike: None,
        };
        let cases = [
            Ok(enrolled(&[])),
            Ok(enrolled(&[Reason::Dark])),
            Err(Refusal::Small(9, 9)),
            Err(Refusal::Faces(0)),
            Err(Refusal::Faces(2)),
            Err(Refusal::Poor(vec![Reason::Blurred, Reason::FaceSmall])),
            Err(Refusal::Taken(StudentId(Uuid::nil()))),
        ];
        for language in Language::ALL {
            let words: std::collections::BTreeSet<_> =
                cases.iter().map(|case| said(language, case)).collect();
            assert_eq!(words.len(), cases.len(), "{words:?}");
        }
        let poor = said(Language::English, &cases[5]);
        assert!(poor.contains("The picture is blurred · The face is small"), "{poor}");
    }
}
