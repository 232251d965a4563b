//! Who was found in a picture, as a sighting.

use super::Finds;
use crate::events::Event;
use crate::marks;
use crate::photo::{Find, Stored};
use jiff::civil::Date;
use rules::error::Error;
use rules::review::Status;
use store::audit::{self, AuditEntry};
use store::class::Class;
use store::{Tx, device, review, student};
use store::{
    desk::{self, PersonSeen},
    reader::Reader,
};
use uuid::Uuid;
use wire::{DeviceId, RecordId, StudentId, Wall};

/// Whoever sends a picture.
#[derive(Clone, Debug)]
pub enum CaptureSender {
    /// A program at a door, by the door's capture token.
    Door(DeviceId),
    /// Somebody signed in.
    Person(Reader),
}

impl CaptureSender {
    /// As the audit chain names them.
    fn name(&self) -> String {
        match self {
            Self::Door(door) => format!("door:{door}"),
            Self::Person(reader) => reader.actor.user.to_string(),
        }
    }
}

/// The lesson that a class has now.
pub(super) struct Current {
    pub(super) class: Class,
    pub(super) today: Date,
}

/// A find that was kept.
pub struct CaptureKept {
    /// Its sighting.
    pub record: RecordId,
    /// Where that stands.
    pub status: Status,
    /// Who it is, if the sender may know.
    pub who: Option<PersonSeen>,
    /// How sure the hub is.
    pub confidence: f32,
}

impl Finds {
    /// Stores a find and who sent it, in this lesson or else in that of its room and time. Tells
    /// the desks.
    pub(super) async fn keep(
        &self,
        find: Find,
        from: CaptureSender,
        of: Option<Current>,
        now: Wall,
    ) -> Result<CaptureKept, Error> {
        let keys = self.keys.clone();
        let confidence = find.confidence();
        let work = move |tx: &Tx<'_>| {
            let actor = &from.name();
            let (stored, action) = match &of {
                None => (find.store(tx, &keys, now)?, "capture"),
                Some(Current { class, today }) => {
                    device::for_photos(tx, now)?;
                    let lesson = marks::lesson_now(tx, class, now, *today, actor)?;
                    (find.store_in(tx, &keys, &lesson, now)?, "verify")
                }
            };
            let id = stored.record.to_string();
            let meta = find.origin();
            audit::add(tx, now, &AuditEntry { actor, action, table: "sighting", id: &id, meta })?;
            Ok((stored, seen_by(tx, &from, stored.record)?))
        };
        let (stored, who) = self.db.write(work).await?;
        self.tell(stored);
        Ok(CaptureKept { record: stored.record, status: stored.worth.status, who, confidence })
    }

    fn tell(&self, stored: Stored) {
        let record = stored.record;
        match stored.worth.status {
            Status::Pending => self.events.say(Event::PendingAdded(record)),
            Status::Approved => self.events.say(Event::Decided { record, by: Uuid::nil() }),
            Status::Rejected | Status::Logged => {}
        }
        self.events.marked(stored.marked);
    }
}

/// Whom `from` may know to be in `record`. A door is told whom its own picture shows, as a unit
/// knows it by its gallery.
fn seen_by(
    tx: &Tx<'_>,
    from: &CaptureSender,
    record: RecordId,
) -> Result<Option<PersonSeen>, Error> {
    match from {
        CaptureSender::Door(_) => person(tx, review::facts(tx, record)?.state.predicted),
        CaptureSender::Person(reader) => {
            Ok(desk::one(tx, *reader, record).ok().and_then(|seen| seen.predicted))
        }
    }
}

/// A person by id, as records name them.
fn person(tx: &Tx<'_>, id: Option<StudentId>) -> Result<Option<PersonSeen>, Error> {
    let found = id.map(|id| student::get(tx, id)).transpose()?.flatten();
    Ok(found.map(|found| PersonSeen {
        student: found.id,
        name: found.profile.full_name(),
        number: found.profile.student_number,
    }))
}
