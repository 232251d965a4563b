//! The hub: takes what the doors saw, matches it against the whole gallery, and lets teachers
//! decide.

pub mod cli;
pub mod models;
