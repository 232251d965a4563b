//! Turns bursts into records: detect → align → embed → track → match → visit → outbox.
//!
//! [`see()`] and [`judge()`] are functions of what they are given. Two threads call them: the [`Scout`]
//! finds faces, a frame ahead of the [`Recogniser`], which compares them and owns what is known.

mod config;
mod judge;
mod recogniser;
mod scout;
mod see;
mod told;

pub use config::Config;
pub use judge::{Opinion, judge};
pub use recogniser::{Recogniser, Tools};
pub use scout::{Scout, Step};
pub use see::{Poor, Seen, see};
