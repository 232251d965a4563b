//! Which program this door runs: the one that was installed, or one that its hub handed on.
//!
//! A new program is fetched, checked against the signature of whoever releases programs, tried,
//! and kept once it has proven itself. One that does not come up is given up by itself, and what
//! ran before runs again. The outbox is the same for all of them.

mod book;
mod config;
mod launch;
mod shelf;
mod trial;
mod updater;

pub use book::{Able, Book, Here, LIVED_MS, STARTS, Start};
pub use config::Config;
pub use launch::{Reads, Role, another_reads_it, launch, unread};
pub use shelf::Shelf;
pub use trial::{Facts, Trial, Verdict};
pub use updater::Updater;
