//! Pictures of one person that the hub looks at itself, sent for a door or taken in a class: who is
//! found in one becomes a sighting.

mod keep;

pub use keep::{CaptureKept, CaptureSender};

use crate::events::Events;
use crate::gallery::Galleries;
use crate::photo::{self, Find, PhotoTaken};
use crate::recogniser::Recogniser;
use keep::Current;
use rules::error::Error;
use std::collections::HashSet;
use std::sync::Arc;
use store::class::{self, Class};
use store::keys::Keys;
use store::reader::Reader;
use store::{Db, device, scope};
use wire::{DeviceId, StudentId, Wall};

/// Where pictures are looked at; cheap to clone.
#[derive(Clone)]
pub struct Finds {
    /// The database.
    pub db: Db,
    /// The students' keys.
    pub keys: Keys,
    /// Who may be recognised.
    pub galleries: Galleries,
    /// What looks at pictures.
    pub recogniser: Recogniser,
    /// Who is told.
    pub events: Events,
}

/// A picture for a door.
pub struct DoorPicture {
    /// The file.
    pub picture: Vec<u8>,
    /// The door.
    pub door: DeviceId,
    /// The room behind it, if it is said at all.
    pub room: Option<String>,
    /// When it was taken.
    pub at: Wall,
}

/// A picture of a class that goes on now.
pub struct ClassPicture {
    /// The file.
    pub picture: Vec<u8>,
    /// Own id or code of the class.
    pub class: String,
}

/// What a picture comes to.
pub enum CaptureFound {
    /// Of those it was compared with, nobody is enrolled.
    NobodyEnrolled,
    /// Somebody else than those it was compared with.
    Nobody {
        /// How much whoever comes nearest looks like it.
        confidence: f32,
    },
    /// One of them.
    Somebody(CaptureKept),
}

/// Whom a picture is compared with, and where it was taken.
struct CapturePlace {
    people: HashSet<StudentId>,
    taken: PhotoTaken,
}

impl Finds {
    /// Looks for those whom the door knows; from a teacher only for whom they teach behind it. Who
    /// is found waits for a person.
    ///
    /// # Errors
    /// `NotFound` for a door that is not there or cut off, another door than the sender, another
    /// room than the door's, and one in which a teacher teaches nobody at that time; `Invalid` for
    /// what is no picture of one face.
    pub async fn at_door(
        &self,
        sent: DoorPicture,
        from: CaptureSender,
        now: Wall,
    ) -> Result<CaptureFound, Error> {
        let DoorPicture { picture, door, room, at } = sent;
        let place = self.behind(door, room, at, &from).await?;
        match self.compare(picture, place).await? {
            CaptureLooked::Somebody(find) => {
                self.keep(find, from, None, now).await.map(CaptureFound::Somebody)
            }
            CaptureLooked::Nobody(found) => Ok(found),
        }
    }

    /// Looks for those on the roster of a class. Who is found is marked in its lesson, or waits, as
    /// the class's policy says.
    ///
    /// # Errors
    /// `NotFound` for a class that is not the reader's; `Invalid` for what is no picture of one
    /// face.
    pub async fn in_class(
        &self,
        sent: ClassPicture,
        reader: Reader,
        now: Wall,
    ) -> Result<(Class, CaptureFound), Error> {
        let ClassPicture { picture, class: name } = sent;
        let read = self.db.read(move |tx| {
            let class = class::find(tx, reader, &name)?;
            let members = class::members(tx, class.id)?;
            Ok((class, members))
        });
        let (class, members) = read.await?;
        let room = class.room.clone().unwrap_or_default();
        let place = CapturePlace {
            people: members.into_iter().map(|member| member.student).collect(),
            taken: PhotoTaken { device: device::photos(), room, at: now },
        };
        let found = match self.compare(picture, place).await? {
            CaptureLooked::Nobody(found) => found,
            CaptureLooked::Somebody(find) => {
                let of = Current { class: class.clone(), today: reader.today };
                CaptureFound::Somebody(
                    self.keep(find, CaptureSender::Person(reader), Some(of), now).await?,
                )
            }
        };
        Ok((class, found))
    }

    async fn compare(&self, picture: Vec<u8>, of: CapturePlace) -> Result<CaptureLooked, Error> {
        let sight = self.recogniser.faces(picture).await?;
        let face = photo::only_face(&sight)?;
        let index = self.galleries.gallery.index();
        let CapturePlace { people, taken } = of;
        if !index.people().iter().any(|id| people.contains(id)) {
            return Ok(CaptureLooked::Nobody(CaptureFound::NobodyEnrolled));
        }
        let found = photo::compare(&index, face, |id| people.contains(&id));
        let confidence = found.confidence;
        let find = Find::new(&sight, face, self.recogniser.model(), found, taken);
        Ok(find.map_or(
            CaptureLooked::Nobody(CaptureFound::Nobody { confidence }),
            CaptureLooked::Somebody,
        ))
    }

    /// The place behind `door`, for whoever sends a picture from there.
    async fn behind(
        &self,
        door: DeviceId,
        room: Option<String>,
        at: Wall,
        from: &CaptureSender,
    ) -> Result<CapturePlace, Error> {
        let none = || Error::unknown("door", &door);
        let teacher = match from {
            CaptureSender::Door(own) if *own != door => return Err(none()),
            CaptureSender::Door(_) => None,
            CaptureSender::Person(reader) => Some(*reader).filter(|reader| !reader.sees_all()),
        };
        let name = door.clone();
        let read = self.db.read(move |tx| {
            let Some(door) = device::get(tx, &name)?.filter(|door| door.is_active) else {
                return Ok(None);
            };
            let taught = teacher.map(|by| scope::taught_in(tx, by, &door.room, at)).transpose()?;
            Ok(Some((door.room, taught)))
        });
        let (behind, taught) = read.await?.ok_or_else(none)?;
        let nobody = taught.as_ref().is_some_and(Vec::is_empty);
        if nobody || room.is_some_and(|room| room != behind) {
            return Err(none());
        }
        let mut people: HashSet<StudentId> = self.known(&door).await?.iter().copied().collect();
        if let Some(taught) = taught {
            let taught: HashSet<StudentId> = taught.into_iter().collect();
            people.retain(|id| taught.contains(id));
        }
        Ok(CapturePlace { people, taken: PhotoTaken { device: door, room: behind, at } })
    }

    /// Who is in the gallery of `door`; a door that has just been added gets its first one.
    async fn known(&self, door: &DeviceId) -> Result<Arc<Vec<StudentId>>, Error> {
        let gallery = &self.galleries.gallery;
        if gallery.release(door).is_none() {
            self.galleries.follow().await?;
        }
        Ok(gallery.release(door).map(|release| release.people.clone()).unwrap_or_default())
    }
}

/// What a look came to.
enum CaptureLooked {
    Nobody(CaptureFound),
    Somebody(Find),
}
