//! A disk that loses what was not synced: an SQLite file system in memory that writes down every
//! call, so that the power can be cut after any of them.
//!
//! What a cut leaves: everything synced, and of the later writes any subset of their 512-byte
//! sectors, some torn in the middle; truncations and removals happened or did not.

pub mod door;
mod log;
mod vfs;

pub use log::{Call, Files, Log};
pub use vfs::{Disk, Trouble};
