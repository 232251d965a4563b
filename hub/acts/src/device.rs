//! What doors are to the hub before they say a word: who they are, and what they should run.

pub mod fleet;
pub mod follow;
pub mod identity;
pub mod seen;

pub use fleet::{Fleet, FleetState};
pub use identity::{DoorIdentity, Serial};
