//! What the doorway and the hub must agree on: ids, time, messages, topics, envelope, seals.
//!
//! Nothing here does I/O. A change that would make the other program change too belongs here;
//! everything else does not. Every format that travels or is stored has golden bytes in
//! `tests/golden.rs`: a released struct is never edited, a new version is a new struct.
#![warn(missing_docs)]

pub mod care;
pub mod envelope;
pub mod gallery;
pub mod id;
pub mod join;
pub mod link;
pub mod program;
pub mod pulse;
pub mod ranges;
pub mod record;
pub mod seal;
pub mod sign;
pub mod time;
pub mod topic;

pub use envelope::{EnvelopeError, Message};
pub use gallery::{Gallery, Lines, Manifest, Person};
pub use id::{DeviceId, Epoch, ModelId, RecordId, RecordKey, StudentId};
pub use join::{Invitation, JoinRequest, Joined};
pub use ranges::Ranges;
pub use record::{Body, Candidate, Direction, Item, Quality, Reason, Sighting, Verdict};
pub use seal::{HubKey, HubSecret, SealError, Sealed};
pub use time::{Clock, ClockState, Mono, Stamp, Wall};
