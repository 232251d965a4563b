//! Enrolment: one photo of one person becomes one sealed template, with consent.
//!
//! [`judge`] is the decision; [`enrol`] looks at the photo, asks it, and stores. The photo
//! itself is never kept.

use crate::recogniser::{FaceSeen, PictureSight, Recogniser};
use rules::error::Error;
use rules::gallery::Index;
use store::consent::ConsentSaid;
use store::keys::Keys;
use store::{Db, Tx, consent, enrolment, student};
use uuid::Uuid;
use vision::decide::lines_of;
use vision::quality::Grade;
use wire::{Candidate, Lines, ModelId, Quality, Reason, StudentId, Wall};

/// Smallest side of an enrolment photo, in pixels.
pub const LEAST_SIDE: u32 = 100;

/// What enrolment works with.
#[derive(Clone, Copy)]
pub struct EnrolmentDesk<'a> {
    /// The database.
    pub db: &'a Db,
    /// Secrets.
    pub keys: &'a Keys,
    /// What looks at the photo.
    pub recogniser: &'a Recogniser,
    /// Everybody enrolled so far.
    pub index: &'a Index,
}

/// A wish to enrol somebody by a photo.
#[derive(Debug)]
pub struct EnrolmentAsk {
    /// Whom.
    pub student: StudentId,
    /// The picture file.
    pub photo: Vec<u8>,
    /// Who agreed, where the ledger does not say so yet.
    pub consent_by: Option<String>,
    /// A person confirmed that this is not the one who looks the same.
    pub another_person: bool,
    /// Where the picture came from: `photo`, `webcam`, `crop`, `bulk-…`.
    pub source: String,
    /// Who asks.
    pub actor: String,
}

/// What became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Enrolled {
    /// The new enrolment.
    pub id: Uuid,
    /// What whoever enrols should know, in sentences.
    pub warnings: Vec<String>,
    /// Doubts about the picture.
    pub doubts: Vec<Reason>,
    /// Somebody else who looks alike: both always go to review.
    pub alike: Option<StudentId>,
}

/// What the photo is good for.
#[derive(Debug)]
pub struct Accepted<'a> {
    /// The one face.
    pub face: &'a FaceSeen,
    /// Doubts about its quality.
    pub doubts: &'a [Reason],
    /// Somebody else who looks alike, but not the same.
    pub look_alike: Option<StudentId>,
}

/// Why a photo is refused.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum Refusal {
    /// Too small a picture.
    #[error("the photo is {0}×{1} pixels: use one of at least {LEAST_SIDE}×{LEAST_SIDE}")]
    Small(u32, u32),
    /// Not exactly one face.
    #[error("the photo shows {}: use one with exactly one face", faces(*.0))]
    Faces(usize),
    /// Not good enough.
    #[error("the face is not clear enough ({}): take another photo", words(.0))]
    Poor(Vec<Reason>),
    /// Somebody else has this face.
    #[error("the face is already enrolled as another person")]
    Taken(StudentId),
}

fn faces(count: usize) -> String {
    if count == 0 { "no face".into() } else { format!("{count} faces") }
}

fn words(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| word(*reason)).collect::<Vec<_>>().join(", ")
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::FaceSmall => "too small",
        Reason::Blurred => "blurred",
        Reason::Dark => "too dark",
        Reason::Bright => "too bright",
        Reason::TurnedAway => "turned away",
        Reason::DetectorUnsure => "partly hidden",
        _ => "poor",
    }
}

/// Whether `sight` may enrol `student`; `others` are the people most like its face, best first,
/// without the student, and `lines` those of the model.
///
/// # Errors
/// See [`Refusal`].
pub fn judge<'a>(
    sight: &'a PictureSight,
    others: &[Candidate],
    another_person: bool,
    lines: &Lines,
) -> Result<Accepted<'a>, Refusal> {
    let (width, height) = (sight.picture.width, sight.picture.height);
    if width.min(height) < LEAST_SIDE {
        return Err(Refusal::Small(width, height));
    }
    let [face] = sight.faces.as_slice() else { return Err(Refusal::Faces(sight.faces.len())) };
    let doubts = face.judgement.doubts.as_slice();
    if face.judgement.grade == Grade::Drop {
        return Err(Refusal::Poor(doubts.to_vec()));
    }
    let near = others.first().filter(|other| other.score >= lines.single_review);
    match near {
        Some(other) if other.score >= lines.single_high && !another_person => {
            Err(Refusal::Taken(other.student))
        }
        near => Ok(Accepted { face, doubts, look_alike: near.map(|other| other.student) }),
    }
}

/// Looks at the photo, judges it, and stores its template under the student's key.
///
/// # Errors
/// `Invalid` for a photo that will not do or without consent, `Conflict` when the face is
/// another student's, `NotFound` without such a student.
pub async fn enrol(
    desk: EnrolmentDesk<'_>,
    ask: EnrolmentAsk,
    now: Wall,
) -> Result<Enrolled, Error> {
    match attempt(desk, ask, |_, enrolled| Ok(enrolled), now).await? {
        Ok(enrolled) => Ok(enrolled),
        Err(refusal) => Err(refused(desk.db, refusal).await),
    }
}

/// The same, with a refusal as such, for whoever says it in other words.
///
/// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
/// not be made is no second enrolment.
///
/// # Errors
/// `Invalid` without consent or for what is no picture, `NotFound` without such a student.
pub async fn attempt<T: Send + 'static>(
    desk: EnrolmentDesk<'_>,
    ask: EnrolmentAsk,
    shown: impl FnOnce(&Tx<'_>, Enrolled) -> Result<T, Error> + Send + 'static,
    now: Wall,
) -> Result<Result<T, Refusal>, Error> {
    let EnrolmentAsk { student, photo, consent_by, another_person, source, actor } = ask;
    let sight = desk.recogniser.faces(photo).await?;
    let others = match sight.faces.first() {
        Some(face) => desk.index.nearest_of(&face.template, 1, |id| id != student),
        None => Vec::new(),
    };
    let model = desk.recogniser.model();
    let accepted = match judge(&sight, &others, another_person, &lines_of(model.as_str())) {
        Ok(accepted) => accepted,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let new = NewEnrolment {
        student,
        model: desk.recogniser.model().clone(),
        source,
        quality: accepted.face.judgement.quality,
        template: accepted.face.template.to_f16_bytes(),
        consent_by,
        actor,
    };
    let alike = accepted.look_alike;
    let doubts = accepted.doubts.to_vec();
    let keys = desk.keys.clone();
    let kept = desk.db.write(move |tx| {
        let id = keep(tx, &keys, &new, now)?;
        let other = alike.map(|id| student::get(tx, id)).transpose()?.flatten();
        let other = other.map(|person| person.profile.student_number);
        let warnings = warnings(&doubts, other.as_deref());
        shown(tx, Enrolled { id, warnings, doubts, alike })
    });
    Ok(Ok(kept.await?))
}

/// A template to be kept.
#[derive(Clone)]
pub struct NewEnrolment {
    pub student: StudentId,
    pub model: ModelId,
    pub source: String,
    pub quality: Quality,
    /// f16 little-endian.
    pub template: Vec<u8>,
    pub consent_by: Option<String>,
    pub actor: String,
}

/// Seals a template with the student's key and stores it, if there is consent. The key is made
/// here, where nobody can erase it in between.
pub fn keep(tx: &Tx<'_>, keys: &Keys, new: &NewEnrolment, now: Wall) -> Result<Uuid, Error> {
    let NewEnrolment { student, model, source, quality, template, consent_by, actor } = new;
    student::get(tx, *student)?.ok_or_else(|| Error::unknown("student", student))?;
    agree(tx, *student, consent_by.as_deref(), actor, now)?;
    let id = wire::id::v7(now);
    let key = crate::keyring::key_for(tx, keys, *student, now)?;
    let sealed = key.seal(&enrolment::place(*student, model, id), template);
    let row = enrolment::Enrolment {
        id,
        student: *student,
        number: String::new(),
        model: model.clone(),
        source: source.clone(),
        quality: *quality,
        is_active: true,
        created_at: now,
        created_by: actor.clone(),
        version: 1,
    };
    enrolment::add(tx, &row, &sealed, actor)?;
    Ok(id)
}

/// Consent must be in the ledger, or come with the photo.
fn agree(
    tx: &Tx<'_>,
    student: StudentId,
    by: Option<&str>,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    match (consent::given(tx, student)?, by) {
        (Some(true), _) => Ok(()),
        (_, Some(by)) => consent::add(tx, student, &ConsentSaid::yes(by), actor, now).map(drop),
        (None, None) => Err(Error::Invalid(
            "consent is missing: say who agreed to the recognition (consent_by)".into(),
        )),
        (Some(false), None) => Err(Error::Invalid(
            "consent was withdrawn: enrol again only with a new consent (consent_by)".into(),
        )),
    }
}

/// A refusal as an error, with the number of whoever has this face.
pub async fn refused(db: &Db, refusal: Refusal) -> Error {
    let Refusal::Taken(other) = refusal else { return Error::Invalid(refusal.to_string()) };
    match db.read(move |tx| student::get(tx, other)).await {
        Ok(Some(person)) => Error::Conflict(format!(
            "the face is already enrolled as student {}: if this is really another person, \
             confirm it",
            person.profile.student_number
        )),
        _ => Error::Conflict(refusal.to_string()),
    }
}

fn warnings(doubts: &[Reason], alike: Option<&str>) -> Vec<String> {
    let poor = (!doubts.is_empty())
        .then(|| format!("the face is {}: another photo would be better", words(doubts)));
    let alike = alike.map(|number| {
        format!("the face looks like student {number}: both will always go to review")
    });
    poor.into_iter().chain(alike).collect()
}

pub mod hint;
#[cfg(test)]
mod whole;

#[cfg(test)]
mod tests {
    use super::*;
    use vision::decide::LINES;
    use vision::quality::Judgement;
    use vision::{Face, Picture, Point, Rect, Template};
    use wire::Quality;

    fn seen(grade: Grade, doubts: &[Reason]) -> FaceSeen {
        let rect = Rect { left: 0.0, top: 0.0, right: 80.0, bottom: 80.0 };
        let judgement = Judgement { quality: Quality::default(), grade, doubts: doubts.to_vec() };
        FaceSeen {
            face: Face { rect, score: 1.0, points: [Point { x: 1.0, y: 1.0 }; 5] },
            chip: Picture::new(1, 1, vec![0; 3]).unwrap(),
            judgement,
            template: Template::from_raw(vec![1.0, 0.0]).unwrap(),
        }
    }

    fn sight(side: u32, faces: Vec<FaceSeen>) -> PictureSight {
        let rgb = vec![0; (side * side * 3) as usize];
        PictureSight { picture: Picture::new(side, side, rgb).unwrap().into(), faces }
    }

    fn other(score: f32) -> Candidate {
        Candidate { student: StudentId(Uuid::from_u128(9)), score }
    }

    fn refusal(sight: &PictureSight, others: &[Candidate]) -> Option<Refusal> {
        judge(sight, others, false, &LINES).err()
    }

    #[test]
    fn a_photo_needs_exactly_one_clear_face_and_enough_pixels() {
        let good = || seen(Grade::Accept, &[]);
        assert_eq!(refusal(&sight(100, vec![good()]), &[]), None);
        assert_eq!(refusal(&sight(99, vec![good()]), &[]), Some(Refusal::Small(99, 99)));
        let none = refusal(&sight(100, vec![]), &[]).unwrap();
        assert_eq!(none.to_string(), "the photo shows no face: use one with exactly one face");
        assert_eq!(refusal(&sight(100, vec![good(), good()]), &[]), Some(Refusal::Faces(2)));
        let blurred = sight(100, vec![seen(Grade::Drop, &[Reason::Blurred])]);
        assert_eq!(refusal(&blurred, &[]), Some(Refusal::Poor(vec![Reason::Blurred])));
    }

    #[test]
    fn a_face_that_is_somebody_elses_is_refused_unless_a_person_says_otherwise() {
        let sight = sight(100, vec![seen(Grade::ReviewOnly, &[Reason::Dark])]);
        assert_eq!(refusal(&sight, &[other(0.97)]), Some(Refusal::Taken(other(0.0).student)));
        let twin = judge(&sight, &[other(0.97)], true, &LINES).unwrap();
        assert_eq!(twin.look_alike, Some(other(0.0).student));
        assert!(judge(&sight, &[other(0.95)], false, &LINES).unwrap().look_alike.is_some());
        assert!(judge(&sight, &[other(0.93)], false, &LINES).unwrap().look_alike.is_none());
    }

    #[test]
    fn whoever_enrols_is_told_what_to_know() {
        let said = warnings(&[Reason::Dark], Some("S-7"));
        assert!(said[0].contains("too dark") && said[1].contains("student S-7"));
        assert!(warnings(&[], None).is_empty());
    }
}
