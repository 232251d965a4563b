//! What just happened, for pages that are open: server-sent events read it.
//!
//! The tables are the truth and this is a nudge: a listener that falls [`KEPT`] events behind
//! is told so (`Lagged`) and loads its page again.

use crate::outward::Outward;
pub use crate::word::Event;
use crate::word::Word;
use tokio::sync::broadcast;
use uuid::Uuid;
use wire::{RecordId, StudentId};

/// Events kept for slow listeners.
pub const KEPT: usize = 256;

/// Where events are said and heard.
#[derive(Clone, Debug)]
pub struct Events {
    here: broadcast::Sender<Event>,
    out: Outward,
}

impl Default for Events {
    fn default() -> Self {
        Self::new(Outward::default())
    }
}

impl Events {
    /// Nothing said yet; other hubs hear of it by `out`.
    #[must_use]
    pub fn new(out: Outward) -> Self {
        Self { here: broadcast::Sender::new(KEPT), out }
    }

    /// Tells everybody who listens now, at whichever hub.
    pub fn say(&self, event: Event) {
        self.out.say(|| Word::Event(event.clone()));
        self.relay(event);
    }

    /// Tells everybody who listens here.
    pub fn relay(&self, event: Event) {
        let _nobody_listens = self.here.send(event);
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
        self.here.subscribe()
    }

    /// How many listen now, and how much was said that one of them has yet to hear.
    #[doc(hidden)]
    #[must_use]
    pub fn attention(&self) -> (usize, usize) {
        (self.here.receiver_count(), self.here.len())
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
