//! A single photo as a sighting: sent by a program, or taken by a teacher.
//!
//! It counts like one frame at a door. Who is nobody we know leaves no trace, and whoever is
//! somebody waits for a person. Only a photo that a teacher takes in a class marks as the class's
//! policy says.

use crate::marks;
use crate::marks::{Arrival, Marked, Worth};
use crate::recogniser::{FaceSeen, PictureSight};
use rules::attendance::{authority, placing};
use rules::error::Error;
use rules::gallery::Index;
use rules::review::Status;
use rules::sighting::{judge, time::When};
use store::arrival::{self, ArrivalRow};
use store::evidence::Evidence;
use store::keys::Keys;
use store::session::Session;
use store::{self, Tx};
use vision::decide::{self, Decision, Facts};
use vision::quality::Grade;
use wire::seal::Part;
use wire::{
    Candidate, ClockState, DeviceId, Direction, ModelId, Mono, RecordId, Stamp, StudentId, Wall,
};
use zeroize::Zeroizing;

/// Bytes of a crop at most, as from doors.
const CROP: usize = 12 * 1024;

/// Where and when a photo was taken.
#[derive(Clone, Debug)]
pub struct PhotoTaken {
    /// The door it is filed under.
    pub device: DeviceId,
    /// The room.
    pub room: String,
    /// The moment.
    pub at: Wall,
}

/// The face of a photo that must show one.
///
/// # Errors
/// `Invalid` naming how many were found.
pub fn only_face(sight: &PictureSight) -> Result<&FaceSeen, Error> {
    match sight.faces.as_slice() {
        [face] => Ok(face),
        [] => {
            let say = "no face was found in the picture: take it from nearer, with light on the \
                       face, looking at the camera";
            Err(Error::Invalid(say.into()))
        }
        many => {
            let n = many.len();
            let say =
                format!("{n} faces were found in the picture: send one that shows one person");
            Err(Error::Invalid(say))
        }
    }
}

/// Who the face may be, among those `keep` says yes to.
#[must_use]
pub fn compare(index: &Index, face: &FaceSeen, keep: impl Fn(StudentId) -> bool) -> Decision {
    let candidates = index.nearest_of(&face.template, decide::CANDIDATES, keep);
    let look_alike = candidates.first().is_some_and(|best| index.is_alike(best.student));
    let grade = match face.judgement.grade {
        Grade::Drop => Grade::ReviewOnly, // a person sent it and a person decides
        grade => grade,
    };
    let doubts = &face.judgement.doubts;
    let usual = index.usual();
    let facts = Facts { candidates: &candidates, frames: 1, grade, doubts, look_alike, usual };
    let lines = index.lines_beside(candidates.first().map(|best| best.student));
    decide::decide(&facts, &lines)
}

/// What was stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its id.
    pub record: RecordId,
    /// Its lesson, and where it stands.
    pub worth: Worth,
    /// Whose mark followed at once.
    pub marked: Option<Marked>,
}

/// What is stored of a photo in which somebody was found.
pub struct Find {
    taken: PhotoTaken,
    face: judge::JudgedSeen,
}

impl Find {
    /// The sighting of `face`, or nothing if the decision is “nobody we know”.
    #[must_use]
    pub fn new(
        sight: &PictureSight,
        face: &FaceSeen,
        model: &ModelId,
        found: Decision,
        taken: PhotoTaken,
    ) -> Option<Self> {
        found.candidates.first()?;
        let mut reasons = found.reasons;
        reasons.sort_unstable();
        reasons.dedup();
        let face = judge::JudgedSeen {
            room: taken.room.clone(),
            direction: Direction::Both,
            candidates: found.candidates,
            confidence: found.confidence,
            verdict: found.verdict,
            reasons,
            quality: face.judgement.quality,
            frames: 1,
            gallery: 0,
            model: model.clone(),
            template: Zeroizing::new(face.template.to_f16_bytes()),
            crop: crop(sight, face).map(Zeroizing::new),
        };
        Some(Self { taken, face })
    }

    /// Stores it in the lesson of its room and time: waiting for a person whatever the class's
    /// policy, since nobody saw the camera that took it, or only logged.
    ///
    /// # Errors
    /// When the door is unknown, the keys or the database fail.
    pub fn store(&self, tx: &Tx<'_>, keys: &Keys, now: Wall) -> Result<Stored, Error> {
        let Self { taken, face } = self;
        let room = match taken.room.as_str() {
            "" => store::passage::room_of(tx, taken.device.as_str())?,
            room => room.to_owned(),
        };
        let arrival = Arrival {
            room: &room,
            direction: face.direction,
            at: Some(taken.at),
            span: (Some(taken.at), taken.at),
            verdict: face.verdict,
            confidence: face.confidence,
            reasons: &face.reasons,
        };
        let mut candidates = face.candidates.clone();
        let mut worth = marks::place(tx, &arrival, &mut candidates)?;
        if worth.status == Status::Approved {
            worth.status = Status::Pending;
        }
        self.store_as(tx, keys, &candidates, worth, now)
    }

    /// Stores it in this lesson: waiting for a person, or as the class's policy says.
    ///
    /// # Errors
    /// When the door is unknown, the keys or the database fail.
    pub fn store_in(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        session: &Session,
        now: Wall,
    ) -> Result<Stored, Error> {
        let face = &self.face;
        let policy = store::class::policy(tx, session.class)?;
        let status = placing::worth(policy, face.verdict, face.confidence, &face.reasons);
        let worth = Worth { session: Some(session.id), status };
        self.store_as(tx, keys, &face.candidates, worth, now)
    }

    fn store_as(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        candidates: &[Candidate],
        worth: Worth,
        now: Wall,
    ) -> Result<Stored, Error> {
        let Self { taken, face } = self;
        let Worth { session, status } = worth;
        let known = store::device::get(tx, &taken.device)?;
        known.ok_or_else(|| Error::unknown("door", &taken.device))?;
        let best = candidates.first().map(|best| best.student);
        let best = best.ok_or_else(|| Error::internal("storing a photo", "nobody was found"))?;
        let key = arrival::next_key(tx, taken.device.clone())?;
        let wall = Some(taken.at);
        let clock = ClockState::Hub;
        let stamp = Stamp { boot: 0, mono: Mono(0), wall, clock };
        let logged = status == Status::Logged;
        let authority = logged.then(|| authority::of(true, face.verdict));
        let reasons = &face.reasons;
        let row = ArrivalRow { candidates, reasons, seen: face, session, status, authority };
        let own = crate::keyring::key_for(tx, keys, best, now)?;
        let id = arrival::add_sighting(tx, &key, (0, &stamp), &When::At(taken.at, 0), &row, now)?;
        let parts = [(Part::Template, Some(&face.template)), (Part::Crop, face.crop.as_ref())];
        for (part, plain) in parts {
            let Some(plain) = plain.filter(|_| status != Status::Logged) else { continue };
            let sealed = Evidence::seal(id, part, plain, best, &own);
            arrival::add_evidence(tx, id, part, &sealed)?;
        }
        let marked = marks::arrived(tx, worth, best, now)?;
        Ok(Stored { record: id, worth, marked })
    }

    /// How sure the hub is of who it is.
    #[must_use]
    pub const fn confidence(&self) -> f32 {
        self.face.confidence
    }

    /// Where and when it was taken, for the audit log.
    #[must_use]
    pub fn origin(&self) -> serde_json::Value {
        let PhotoTaken { device, room, at } = &self.taken;
        serde_json::json!({ "device": device, "room": room, "at": at.0 })
    }
}

/// The face with a third of its size around it, JPEG.
#[must_use]
pub fn crop(sight: &PictureSight, face: &FaceSeen) -> Option<Vec<u8>> {
    let rect = face.face.rect;
    let side = rect.width().max(rect.height()) * 1.66;
    let centre = rect.centre();
    #[expect(clippy::cast_possible_truncation, reason = "of at most 64 megapixels")]
    let pixel = |at: f32| at as i64;
    let x = pixel(centre.x - side / 2.0);
    let y = pixel(centre.y - side / 2.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1")]
    let side = side.max(1.0) as u32;
    let piece = sight.picture.crop(x, y, side, side)?;
    let most = 256.0 / f64::from(piece.width.max(piece.height)).max(256.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 256")]
    let scaled = |length: u32| (f64::from(length) * most) as u32;
    piece.resized(scaled(piece.width), scaled(piece.height)).jpeg_within(CROP)
}
