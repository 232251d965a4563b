//! The doorway daemon: from light to record, and from record to hub.
//!
//! `trigger → capture → [frames: bounded, may drop] → recognise → visit → outbox (disk) → link`.
//! Lossy up to the queue of frames, lossless from the outbox on.

pub mod alone;
pub mod app;
pub mod assign;
pub mod burst;
pub mod capture;
pub mod care;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod disk;
pub mod doctor;
pub mod draft;
pub mod draw;
pub mod fetch;
pub mod gallery;
pub mod health;
pub mod identity;
pub mod invitation;
pub mod join;
pub mod journal;
pub mod link;
pub mod outbox;
pub mod owner;
pub mod packs;
pub mod passing;
pub mod program;
pub mod recognise;
pub mod renew;
pub mod report;
pub mod running;
pub mod settings;
pub mod signal;
pub mod snap;
pub mod status;
pub mod table;
pub mod tls;
pub mod track;
pub mod trigger;
pub mod visit;
pub mod vitals;

pub use wire::pulse;
