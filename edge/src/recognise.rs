//! Turns bursts into records: detect → align → embed → track → match → visit → outbox.
//!
//! [`see()`] and [`judge()`] are functions of what they are given; the [`Recogniser`] is the thread
//! that owns the models and calls them in turn.

mod config;
mod judge;
mod recogniser;
mod see;
mod told;

pub use config::Config;
pub use judge::{Opinion, judge};
pub use recogniser::{Recogniser, Tools};
pub use see::{Poor, Seen, see};
