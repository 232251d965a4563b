//! What follows from what, at this school: facts and a moment in, a decision out.
//!
//! Nothing here waits, reads a clock, or knows of a database, a network or a page: whoever asks
//! brings what is known. The first room for a reader.

pub mod alerts;
pub mod assign;
pub mod attendance;
pub mod auth;
pub mod care;
pub mod certificate;
pub mod clock;
pub mod cluster;
pub mod conflicts;
pub mod error;
pub mod forget;
pub mod gallery;
pub mod knn;
pub mod names;
pub mod person;
pub mod reports;
pub mod retention;
pub mod review;
pub mod rollout;
pub mod scores;
mod security;
pub mod sighting;
pub mod spans;
pub mod timetable;
pub mod version;

pub use error::Error;
