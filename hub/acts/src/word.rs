//! What is said when something happened: to pages that are open here, and to other hubs of the same
//! school. The tables are the truth; this only says when to look.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::care::{Condition, Running, Tail};
use wire::link::{Command, Snap, Vitals};
use wire::{DeviceId, RecordId, StudentId};

/// Something a page may want to show. Ids only: the reader asks the store, with its own rights.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    /// At another hub something may have happened that was not heard here: load again.
    Missed,
}

/// One thing that hubs tell each other. A new one comes at the end: hubs of two versions stand side by side
/// while a school is updated, and what one does not know it passes over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Word {
    /// This hub is there.
    Here {
        /// Its name.
        name: String,
        /// The version of its program.
        version: String,
    },
    /// This hub ends.
    Bye,
    /// Something happened.
    Event(Event),
    /// Something was not told.
    Missed,
    /// A door connected here: whoever else has a connection of it lets go.
    Entered(DeviceId),
    /// Whoever has this door connected tells it something.
    Ask {
        /// Of this question.
        id: u64,
        /// Which door.
        door: DeviceId,
        /// What it is told.
        order: Command,
    },
    /// It was told, or takes nothing now.
    Told {
        /// The question.
        id: u64,
        /// Whether the door takes it.
        taken: bool,
    },
    /// A door showed what its camera sees; sealed.
    Snap(DeviceId, Snap),
    /// A door said what it logged.
    Tail(DeviceId, Tail),
    /// A door said how its board is.
    Vitals(DeviceId, Vitals),
    /// A door said how its program is.
    Condition(DeviceId, Condition),
    /// A door said what it runs with.
    Running(DeviceId, Running),
    /// A job is to be stopped, wherever it runs.
    Cancel(Uuid),
}
