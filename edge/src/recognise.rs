//! Turns bursts into records: detect → align → embed → track → match → visit → outbox.

mod config;
mod report;

pub use config::Config;
pub use report::{Face, Report};
