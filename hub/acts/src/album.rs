//! Photos of whole classes: many faces at once, cut out, matched within the class, proposed, and
//! confirmed by a person.
//!
//! Photo and crops are sealed with a key of the photo's own, which goes at the confirmation or
//! after [`KEPT_MS`], whichever is first: they are the one place where faces of people wait whom
//! nobody recognised. Templates are plain in RAM only.

pub mod faces;
pub mod headcount;
pub mod later;
pub mod name;
pub mod sort;

use crate::darkroom::Darkroom;
use crate::events::Events;
use crate::gallery::Gallery;
use crate::recogniser::Recogniser;
use rules::error::{Doing, Error};
use rules::version::as_read;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use store::image::{self, Image, ImageState};
use store::keys::Keys;
use store::{Db, Tx, class, crop};
use uuid::Uuid;
use vision::{Picture, Template};
use wire::{Clock, StudentId, Wall};
use zeroize::Zeroizing;

/// An unconfirmed photo is kept this long, milliseconds: 7 days.
pub const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A key younger than this may belong to a photo that is just being stored: an hour.
const SWEEP_MS: i64 = 3_600_000;
/// Longest side of a kept photo, in pixels: a face at the back of a room has 60 of them.
const SIDE: u32 = 4096;
/// Bytes of a kept photo at most: what the recogniser takes.
const BYTES: usize = 10 * 1024 * 1024;
/// Photos that one look at retention empties.
const AT_ONCE: u32 = 200;

/// What class photos are handled with; cheap to clone.
#[derive(Clone)]
pub struct Album {
    /// The database.
    pub db: Db,
    /// Secrets.
    pub keys: Keys,
    /// What looks at photos.
    pub recogniser: Recogniser,
    /// Who may be recognised.
    pub gallery: Gallery,
    /// Where the school is.
    pub zone: jiff::tz::TimeZone,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub events: Events,
}

/// A photo that comes.
#[derive(Clone, Copy, Debug)]
pub struct NewImage {
    /// Whose.
    pub class: Uuid,
    /// The lesson it was taken in, if one is known.
    pub session: Option<Uuid>,
    /// When it was taken.
    pub taken_at: Wall,
}

/// A crop whose template is open.
#[derive(Clone, Debug)]
pub struct OpenCrop {
    /// The crop.
    pub id: Uuid,
    /// Its photo.
    pub image: Uuid,
    /// Who it is, and who says so.
    pub student: Option<(StudentId, crop::As)>,
    /// What it looks like.
    pub template: Template,
}

impl Album {
    /// Keeps a photo: turned upright, without what cameras write into files, and sealed.
    ///
    /// # Errors
    /// `Invalid` for what is no picture.
    pub async fn add(&self, new: NewImage, picture: Vec<u8>, by: String) -> Result<Image, Error> {
        let doing = "keeping a photo";
        let room = self.recogniser.darkroom().clone();
        let work = move || upright(&room, &picture);
        let (width, height, jpeg) = tokio::task::spawn_blocking(work).await.doing(doing)??;
        let now = self.clock.wall();
        let id = wire::id::v7(now);
        let sealed = self.keys.new_photo(id, now)?.seal(&image::place(id), &jpeg);
        let image = Image {
            id,
            class: new.class,
            session: new.session,
            state: ImageState::New,
            taken_at: new.taken_at,
            width,
            height,
            kept: true,
            created_at: now,
            created_by: by,
            processed_at: None,
            version: 1,
            faces: 0,
            identified: 0,
        };
        let row = image.clone();
        self.db.write(move |tx| image::add(tx, &row, &sealed)).await?;
        Ok(image)
    }

    /// The pixels of a photo, JPEG.
    ///
    /// # Errors
    /// `NotFound` when they are gone.
    pub async fn picture(&self, id: Uuid) -> Result<Zeroizing<Vec<u8>>, Error> {
        let sealed = self.db.read(move |tx| image::sealed(tx, id)).await?;
        let sealed = sealed.ok_or_else(gone)?;
        let key = self.keys.photo(id)?.ok_or_else(gone)?;
        key.open(&image::place(id), &sealed).doing("opening a photo")
    }

    /// The pixels of a crop, JPEG.
    ///
    /// # Errors
    /// `NotFound` when they are gone.
    pub async fn crop(&self, image: Uuid, id: Uuid) -> Result<Zeroizing<Vec<u8>>, Error> {
        let sealed = self.db.read(move |tx| crop::sealed(tx, id)).await?;
        let sealed = sealed.ok_or_else(gone)?;
        let key = self.keys.photo(image)?.ok_or_else(gone)?;
        key.open(&crop::place(id), &sealed).doing("opening a crop")
    }

    /// Takes a photo away, with its crops.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was changed since `version`.
    pub async fn remove(&self, id: Uuid, version: Option<i64>, by: String) -> Result<(), Error> {
        let now = self.clock.wall();
        let work = move |tx: &Tx<'_>| {
            as_read(image::get(tx, id)?.version, version)?;
            image::remove(tx, id, &by, now)
        };
        self.db.write(work).await?;
        self.erase_key(id);
        Ok(())
    }

    /// Erases the key of a photo whose pixels are gone. Where that fails, it goes with the next
    /// look of retention ([`Album::sweep`]).
    fn erase_key(&self, photo: Uuid) {
        if let Err(error) = self.keys.erase_photo(photo) {
            tracing::error!(image = %photo, %error, "the key of a photo that is gone goes later");
        }
    }

    /// Empties photos that nobody confirmed within [`KEPT_MS`] before `now`; how many. Retention
    /// calls it.
    pub async fn expire(&self, now: Wall) -> Result<usize, Error> {
        let work = move |tx: &Tx<'_>| {
            let old = image::kept_since(tx, now.plus_ms(-KEPT_MS), AT_ONCE)?;
            for id in &old {
                image::empty(tx, *id, ImageState::Expired, "hub", now)?;
            }
            image::empty_orphans(tx)?;
            Ok(old)
        };
        let old = self.db.write(work).await?;
        self.sweep(now).await?;
        Ok(old.len())
    }

    /// Erases the keys of photos that are gone.
    pub async fn sweep(&self, now: Wall) -> Result<(), Error> {
        // The keys first: a photo is stored after its key, and within the hour.
        let keyed = self.keys.photos(now.plus_ms(-SWEEP_MS))?;
        let kept = self.db.read(image::kept).await?;
        let gone = keyed.into_iter().filter(|id| !kept.contains(id));
        { gone }.try_for_each(|id| self.keys.erase_photo(id))
    }

    /// The newest crops of something, with their templates, as far as they are of the network in
    /// use.
    ///
    /// # Errors
    /// When the database or the key store fails, or a template does not open.
    pub async fn open(&self, of: crop::CropOf) -> Result<Vec<OpenCrop>, Error> {
        let rows = self.db.read(move |tx| crop::embedded(tx, of)).await?;
        let keys = self.keys.clone();
        let model = self.recogniser.model().clone();
        let work = move || -> Result<Vec<OpenCrop>, Error> {
            let mut photos = HashMap::new();
            let mut open = Vec::new();
            for row in rows.into_iter().filter(|row| row.model == model.as_str()) {
                let key = match photos.entry(row.image) {
                    std::collections::hash_map::Entry::Occupied(key) => key.into_mut(),
                    std::collections::hash_map::Entry::Vacant(place) => {
                        place.insert(keys.photo(row.image)?)
                    }
                };
                let Some(key) = key else { continue }; // an erasure that has not reached the row yet
                let doing = "opening a crop's template";
                let plain = key.open(&crop::template_place(row.id), &row.sealed).doing(doing)?;
                let template = Template::from_f16_bytes(&plain).doing(doing)?;
                open.push(OpenCrop {
                    id: row.id,
                    image: row.image,
                    student: row.student,
                    template,
                });
            }
            Ok(open)
        };
        tokio::task::spawn_blocking(work).await.doing("opening crops")?
    }

    /// Who is on the roster of a class.
    pub async fn members(&self, class: Uuid) -> Result<HashMap<StudentId, class::Member>, Error> {
        let members = self.db.read(move |tx| class::members(tx, class)).await?;
        Ok(members.into_iter().map(|member| (member.student, member)).collect())
    }
}

/// The people of a roster.
fn ids(members: &HashMap<StudentId, class::Member>) -> HashSet<StudentId> {
    members.keys().copied().collect()
}

/// The same picture, upright, at most [`SIDE`] pixels long, as a plain JPEG.
fn upright(room: &Darkroom, bytes: &[u8]) -> Result<(u32, u32, Vec<u8>), Error> {
    let picture = room.develop(bytes)?;
    let long = picture.width.max(picture.height);
    let smaller = (long > SIDE).then(|| shrunk(&picture, long));
    let picture: &Picture = smaller.as_ref().unwrap_or(&picture);
    let jpeg = [88, 60].into_iter().map(|quality| picture.to_jpeg(quality));
    let jpeg = { jpeg }.find(|jpeg| jpeg.len() <= BYTES);
    let jpeg = jpeg.ok_or_else(|| Error::Invalid("the photo is too large to keep".into()))?;
    Ok((picture.width, picture.height, jpeg))
}

fn shrunk(picture: &Picture, long: u32) -> Picture {
    let side = |length: u32| {
        let scaled = u64::from(length) * u64::from(SIDE) / u64::from(long);
        u32::try_from(scaled).unwrap_or(SIDE).max(1)
    };
    picture.resized(side(picture.width), side(picture.height))
}

fn gone() -> Error {
    Error::NotFound("this picture is gone: it was confirmed, or its days were over".into())
}
