//! The hub: takes what the doors saw, matches it against the whole gallery, and lets teachers
//! decide.

pub mod accept;
pub mod auth;
pub mod cli;
pub mod device;
pub mod ingest;
pub mod listener;
pub mod models;
mod security;
pub mod web;
