//! What people do with lessons: plan them, begin and end them, and say who was there.
//!
//! Each act reads, checks, writes and adds to the audit chain in one transaction, and tells pages
//! that are open. Whatever a person may not see is not found.

mod mark;
mod planned;
mod roll;
mod typed;
pub mod upkeep;

pub use mark::{MarkBack, MarkOf, MarkSaid, Spoken, TakeBack};
pub use roll::{Roll, Taken};
pub use typed::{LessonChanges, NewLesson};

use crate::events::Events;
use jiff::tz::TimeZone;
use store::Db;

/// Where lessons are kept; cheap to clone.
#[derive(Clone)]
pub struct Classroom {
    /// The database.
    pub db: Db,
    /// Who is told.
    pub events: Events,
    /// By which clock the school lives.
    pub zone: TimeZone,
}
