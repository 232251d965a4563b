//! Names crops, and lets the lesson follow: what a person says of a face is a mark at once, what
//! the hub put to somebody becomes one when a person confirms the photo.
//!
//! A photo says that somebody was there, not when they came: it never makes anybody late, and
//! never stands instead of a door that saw them come.

use super::Album;
use crate::marks;
use crate::marks::Marked;
use rules::attendance::{Mark, Source, Status};
use rules::error::Error;
use rules::version::as_read;
use serde::Serialize;
use std::collections::HashMap;
use store::crop::{self, As, Crop};
use store::image::{self, Image, ImageState};
use store::reader::Reader;
use store::session::{self, Session};
use store::{Tx, class, consent, mark, student};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// What confirming a photo came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AlbumNameConfirmed)]
pub struct NamingConfirmed {
    /// The photo; it and its crops are gone.
    pub image_id: Uuid,
    /// The lesson whose marks follow.
    pub session_id: Uuid,
    /// Faces that were on it.
    pub faces: usize,
    /// Student numbers of those who were there.
    pub present: Vec<String>,
    /// Marks that changed.
    pub marked: usize,
}

/// Where a photo goes.
#[derive(Clone, Debug)]
pub struct NamingPlace {
    /// Its own id.
    pub photo: String,
    /// The lesson it was taken in, by own id, or none; what is left out stays.
    pub lesson: Option<Option<String>>,
    /// The version that was read.
    pub version: Option<i64>,
}

/// Who everybody on a photo is, as somebody says it at once.
#[derive(Clone, Debug)]
pub struct NamingWhole {
    /// Its own id.
    pub photo: String,
    /// The lesson, by own id; the one that it is in, or that ran when it was taken, if left out.
    pub lesson: Option<String>,
    /// Whom its faces show; nobody is known on the others.
    pub faces: HashMap<Uuid, StudentId>,
    /// The version that was read.
    pub version: Option<i64>,
}

impl Album {
    /// Says that a crop shows `name`, a student of its class by own id or number; instead of
    /// whoever it was said to show.
    ///
    /// # Errors
    /// `NotFound` for a foreign crop, `Invalid` for somebody who is not in the class, `Conflict`
    /// when they are on another face of the photo or the photo is gone.
    pub async fn assign(&self, reader: Reader, id: String, name: String) -> Result<Crop, Error> {
        let hand = self.hand(reader);
        let work = move |tx: &Tx<'_>| {
            let crop = crop::find(tx, reader, &id)?;
            let who = hand.member(tx, crop.class, &name)?;
            hand.put(tx, &crop, who)
        };
        let (crop, marked) = self.db.write(work).await?;
        self.events.marked(marked);
        Ok(crop)
    }

    /// Says that a crop shows whom another crop shows.
    ///
    /// # Errors
    /// As [`Album::assign`]; `Invalid` when nobody is known on the other one.
    pub async fn assign_from(
        &self,
        reader: Reader,
        id: String,
        other: String,
    ) -> Result<Crop, Error> {
        let hand = self.hand(reader);
        let work = move |tx: &Tx<'_>| {
            let crop = crop::find(tx, reader, &id)?;
            let nobody =
                || Error::Invalid("candidate_crop_id: nobody is known on that crop".into());
            let strange = || Error::Invalid("candidate_crop_id: there is no such crop".into());
            let other = crop::find(tx, reader, &other).map_err(|error| match error {
                Error::NotFound(_) => strange(),
                error => error,
            })?;
            let who = other.student.ok_or_else(nobody)?.number;
            let who = hand.member(tx, crop.class, &who)?;
            hand.put(tx, &crop, who)
        };
        let (crop, marked) = self.db.write(work).await?;
        self.events.marked(marked);
        Ok(crop)
    }

    /// Takes back whom a crop shows, and the mark that followed from it.
    ///
    /// # Errors
    /// `NotFound` for a foreign crop, `Conflict` when the photo is confirmed.
    pub async fn unidentify(&self, reader: Reader, id: String) -> Result<Crop, Error> {
        let hand = self.hand(reader);
        let work = move |tx: &Tx<'_>| {
            let crop = crop::find(tx, reader, &id)?;
            open(tx, crop.image)?;
            let marked = hand.take_back(tx, &crop)?;
            Ok((crop::find(tx, reader, &id)?, marked))
        };
        let (crop, marked) = self.db.write(work).await?;
        self.events.marked(marked);
        Ok(crop)
    }

    /// Confirms who is on a photo: with `proposals` also those whom the hub proposed. All become
    /// marks, and photo and crops go for good.
    ///
    /// # Errors
    /// `NotFound` for a foreign photo; `Conflict` when it is gone, or was changed since `version`;
    /// `Invalid` before it was looked at.
    pub async fn confirm(
        &self,
        reader: Reader,
        id: String,
        proposals: bool,
        version: Option<i64>,
    ) -> Result<NamingConfirmed, Error> {
        let hand = self.hand(reader);
        let work = move |tx: &Tx<'_>| {
            let photo = image::find(tx, reader, &id)?;
            as_read(photo.version, version)?;
            hand.confirm(tx, &photo, proposals)
        };
        let (confirmed, marked) = self.db.write(work).await?;
        self.events.marked(marked);
        self.erase_key(confirmed.image_id);
        Ok(confirmed)
    }

    /// Says who everybody on a photo is, for one lesson, and confirms that.
    ///
    /// # Errors
    /// As [`Album::assign`] and [`Album::confirm`]; `NotFound` for the lesson, `Invalid` when it is
    /// of another class, `Conflict` when the photo was changed meanwhile.
    pub async fn settle(
        &self,
        reader: Reader,
        said: NamingWhole,
    ) -> Result<NamingConfirmed, Error> {
        let hand = self.hand(reader);
        let work = move |tx: &Tx<'_>| {
            let NamingWhole { photo, lesson, faces, version } = said;
            let photo = image::find(tx, reader, &photo)?;
            as_read(photo.version, version)?;
            open(tx, photo.id)?;
            let lesson = hand.lesson_of(tx, &photo, lesson)?;
            let moves = lesson.is_some() && lesson != photo.session;
            let mut marked = Vec::new();
            for crop in crop::of_image(tx, photo.id)? {
                let stands = crop.student.as_ref().map(|person| person.student);
                if moves || stands != faces.get(&crop.id).copied() {
                    marked.extend(hand.take_back(tx, &crop)?);
                }
            }
            if moves {
                image::set_session(tx, photo.id, lesson, &hand.by, hand.now)?;
            }
            for crop in crop::of_image(tx, photo.id)? {
                let Some(who) = faces.get(&crop.id) else { continue };
                let who = hand.member(tx, crop.class, &who.to_string())?;
                marked.extend(hand.put(tx, &crop, who)?.1);
            }
            let (confirmed, more) = hand.confirm(tx, &image::get(tx, photo.id)?, false)?;
            marked.extend(more);
            Ok((confirmed, marked))
        };
        let (confirmed, marked) = self.db.write(work).await?;
        self.events.marked(marked);
        self.erase_key(confirmed.image_id);
        Ok(confirmed)
    }

    /// Puts a photo into another lesson of its class, or into none.
    ///
    /// # Errors
    /// `NotFound` for a foreign photo or lesson; `Conflict` when it was changed meanwhile, or
    /// people are known on it; `Invalid` for a lesson of another class.
    pub async fn place(&self, reader: Reader, to: NamingPlace) -> Result<Image, Error> {
        let hand = self.hand(reader);
        let work = move |tx: &Tx<'_>| {
            let photo = image::find(tx, reader, &to.photo)?;
            as_read(photo.version, to.version)?;
            let Some(lesson) = to.lesson else { return Ok(photo) };
            let lesson = hand.lesson_of(tx, &photo, lesson)?;
            if photo.identified > 0 && lesson != photo.session {
                let say = "people are known on this photo: take them back before it moves";
                return Err(Error::Conflict(say.into()));
            }
            image::set_session(tx, photo.id, lesson, &hand.by, hand.now)?;
            image::get(tx, photo.id)
        };
        self.db.write(work).await
    }

    fn hand(&self, reader: Reader) -> NamingHand {
        let now = self.clock.wall();
        let by = reader.actor.user.to_string();
        NamingHand { reader, now, by, zone: self.zone.clone() }
    }
}

/// The photo `id`, unless it is gone.
fn open(tx: &Tx<'_>, id: Uuid) -> Result<Image, Error> {
    let photo = image::get(tx, id)?;
    let say = match photo.state {
        ImageState::New | ImageState::Processed => return Ok(photo),
        ImageState::Confirmed => "this photo is confirmed: correct the marks of the lesson instead",
        ImageState::Expired => "this photo was not confirmed in time and is gone",
    };
    Err(Error::Conflict(say.into()))
}

/// One person's hand in one transaction.
struct NamingHand {
    reader: Reader,
    now: Wall,
    by: String,
    zone: jiff::tz::TimeZone,
}

impl NamingHand {
    /// Whom `name` names on the roster of a class.
    fn member(&self, tx: &Tx<'_>, class: Uuid, name: &str) -> Result<StudentId, Error> {
        let strange = || {
            Error::Invalid(format!("student_id: there is no “{name}” on the roster of this class"))
        };
        let who = match student::find(tx, name) {
            Ok(student) => student.id,
            Err(Error::NotFound(_)) => return Err(strange()),
            Err(error) => return Err(error),
        };
        if class::has(tx, class, who)? { Ok(who) } else { Err(strange()) }
    }

    /// The lesson a photo was taken in: found, or opened for it.
    fn lesson(&self, tx: &Tx<'_>, photo: &Image) -> Result<Session, Error> {
        if let Some(lesson) = photo.session.map(|id| session::get(tx, id)).transpose()?.flatten() {
            return Ok(lesson);
        }
        let class = class::find(tx, self.reader, &photo.class.to_string())?;
        let day = rules::timetable::day(photo.taken_at, &self.zone);
        let lesson = marks::lesson_now(tx, &class, photo.taken_at, day, &self.by)?;
        image::set_session(tx, photo.id, Some(lesson.id), &self.by, self.now)?;
        Ok(lesson)
    }

    /// The lesson of this id, of the class of `photo`.
    fn lesson_of(
        &self,
        tx: &Tx<'_>,
        photo: &Image,
        id: Option<String>,
    ) -> Result<Option<Uuid>, Error> {
        let Some(id) = id else { return Ok(None) };
        let lesson = session::find(tx, self.reader, &id)?;
        if lesson.class != photo.class {
            return Err(Error::Invalid("session_id: this lesson is of another class".into()));
        }
        Ok(Some(lesson.id))
    }

    /// All who are known on a photo become marks, and it goes.
    fn confirm(
        &self,
        tx: &Tx<'_>,
        photo: &Image,
        proposals: bool,
    ) -> Result<(NamingConfirmed, Vec<Marked>), Error> {
        open(tx, photo.id)?;
        if photo.state == ImageState::New {
            let say = "nobody has looked for faces on this photo yet: process it first";
            return Err(Error::Invalid(say.into()));
        }
        let lesson = self.lesson(tx, photo)?;
        if proposals {
            self.accept(tx, photo.id)?;
        }
        let crops = crop::of_image(tx, photo.id)?;
        let mut present = Vec::new();
        let mut marked = Vec::new();
        for person in crops.iter().filter_map(|crop| crop.student.as_ref()) {
            marked.extend(self.mark(tx, photo, &lesson, person.student)?);
            present.push(person.number.clone());
        }
        present.sort();
        image::empty(tx, photo.id, ImageState::Confirmed, &self.by, self.now)?;
        let confirmed = NamingConfirmed {
            image_id: photo.id,
            session_id: lesson.id,
            faces: crops.len(),
            present,
            marked: marked.len(),
        };
        Ok((confirmed, marked))
    }

    fn put(&self, tx: &Tx<'_>, crop: &Crop, who: StudentId) -> Result<(Crop, Vec<Marked>), Error> {
        let photo = open(tx, crop.image)?;
        let lesson = self.lesson(tx, &photo)?;
        let crop = crop::find(tx, self.reader, &crop.id.to_string())?;
        let other = crop.student.as_ref().is_some_and(|person| person.student != who);
        let mut marked = if other { self.take_back(tx, &crop)? } else { Vec::new() };
        crop::assign(tx, &crop, who, As::Person, &self.by, self.now)?;
        if consent::given(tx, who)? != Some(true) {
            crop::drop_template(tx, crop.id)?;
        }
        marked.extend(self.mark(tx, &photo, &lesson, who)?);
        Ok((crop::find(tx, self.reader, &crop.id.to_string())?, marked))
    }

    fn take_back(&self, tx: &Tx<'_>, crop: &Crop) -> Result<Vec<Marked>, Error> {
        let Some(person) = &crop.student else { return Ok(Vec::new()) };
        crop::unassign(tx, crop.id, &self.by, self.now)?;
        let lesson = crop.session.map(|id| session::get(tx, id)).transpose()?.flatten();
        let Some(lesson) = lesson else { return Ok(Vec::new()) };
        let stays = crop::elsewhere(tx, lesson.id, person.student, crop.id)?;
        let mark = mark::get(tx, lesson.id, person.student)?;
        let from_photo =
            mark.is_some_and(|mark| mark.source == Source::Photo && mark.sighting.is_none());
        if stays || !from_photo {
            return Ok(Vec::new());
        }
        marks::unsay(tx, &lesson, person.student, &self.by, self.now).map(|marked| vec![marked])
    }

    /// Puts the crops of a photo that nobody is known on to whom the hub proposed.
    fn accept(&self, tx: &Tx<'_>, photo: Uuid) -> Result<(), Error> {
        for crop in crop::of_image(tx, photo)?.iter().filter(|crop| crop.student.is_none()) {
            let Some((person, _)) = &crop.proposed else { continue };
            if !class::has(tx, crop.class, person.student)? {
                continue;
            }
            match crop::assign(tx, crop, person.student, As::Person, &self.by, self.now) {
                // Somebody put them on another face meanwhile.
                Ok(()) | Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn mark(
        &self,
        tx: &Tx<'_>,
        photo: &Image,
        lesson: &Session,
        who: StudentId,
    ) -> Result<Option<Marked>, Error> {
        let there = mark::get(tx, lesson.id, who)?;
        let there = there.is_some_and(|mark| mark.status.was_there());
        if there || !class::has(tx, lesson.class, who)? {
            return Ok(None);
        }
        let said = Mark {
            status: Status::Present,
            source: Source::Photo,
            sighting: None,
            arrived_at: Some(photo.taken_at),
            by: self.by.clone(),
            at: self.now,
            notes: None,
            version: 1,
        };
        marks::say(tx, lesson, who, said, self.now)
    }
}
