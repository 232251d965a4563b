//! What just happened, for pages that are open: server-sent events read it.
//!
//! The tables are the truth and this is a nudge: a listener that falls [`KEPT`] events behind
//! is told so (`Lagged`) and loads its page again.

use tokio::sync::broadcast;
use uuid::Uuid;
use wire::{DeviceId, RecordId, StudentId};

/// Events kept for slow listeners.
pub const KEPT: usize = 256;

/// Something a page may want to show. Ids only: the reader asks the store, with its own rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A sighting waits for a person.
    PendingAdded(RecordId),
    /// A sighting changed by a decision or its undoing.
    Decided {
        /// Which.
        record: RecordId,
        /// Who decided.
        by: Uuid,
    },
    /// A door came, went, or reported.
    DeviceChanged(DeviceId),
    /// An update began, got on, or ended on its way to the doors.
    RolloutChanged(u32),
    /// What a door's camera sees came, as an admin had asked.
    Snapped(DeviceId),
    /// A job began, got on, or ended.
    JobChanged {
        /// Which.
        job: Uuid,
        /// Who started it.
        by: Uuid,
    },
    /// Who may be recognised changed.
    GalleryChanged,
    /// What is recorded of a student in a lesson changed.
    Marked {
        /// The lesson.
        session: Uuid,
        /// The student.
        student: StudentId,
    },
    /// A lesson is over: everybody on its roster has a mark.
    SessionClosed(Uuid),
    /// A class marked too many wrong names without a person: a person decides again.
    ClassSuspended(Uuid),
}

/// Where events are said and heard.
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Events {
    /// Tells everybody who listens now.
    pub fn say(&self, event: Event) {
        let _nobody_listens = self.0.send(event);
    }

    /// Tells of marks that changed.
    pub fn marked(&self, marked: impl IntoIterator<Item = (Uuid, StudentId)>) {
        for (session, student) in marked {
            self.say(Event::Marked { session, student });
        }
    }

    /// Tells of sightings that wait for a person.
    pub fn waiting(&self, records: impl IntoIterator<Item = RecordId>) {
        records.into_iter().for_each(|record| self.say(Event::PendingAdded(record)));
    }

    /// Tells that a person decides again in a class, if that is so.
    pub fn suspended(&self, class: Option<Uuid>) {
        class.into_iter().for_each(|class| self.say(Event::ClassSuspended(class)));
    }

    /// Everything said from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    /// How many listen now, and how much was said that one of them has yet to hear.
    #[doc(hidden)]
    #[must_use]
    pub fn attention(&self) -> (usize, usize) {
        (self.0.receiver_count(), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_and_the_slow_are_told_what_they_missed() {
        let events = Events::default();
        events.say(Event::GalleryChanged);
        let (mut one, mut two) = (events.listen(), events.listen());
        events.say(Event::GalleryChanged);
        assert_eq!(one.recv().await, Ok(Event::GalleryChanged));
        for _ in 0..KEPT {
            events.say(Event::GalleryChanged);
        }
        assert_eq!(two.recv().await, Err(broadcast::error::RecvError::Lagged(1)));
    }
}
