//! The hub: takes what the doors saw, matches it against the whole gallery, and lets teachers
//! decide.
//!
//! This crate is the program: `app` builds and runs the parts, `cli` is what one types. Below it,
//! each with its own short list of what it knows: `api` and `web` (people), `doors` (doors), `http`
//! (the frame of both skins of people), `acts` (what can be done), `store` (all SQL), `rules` (what
//! follows from what).

pub mod app;
pub mod cli;
pub mod models;
pub mod seed;
pub mod site;
#[cfg(test)]
mod tests;
pub mod traces;

pub use app::App;
pub use rules::Error;
