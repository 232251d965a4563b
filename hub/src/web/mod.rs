//! The pages: what a person with a browser sees. HTML is made here and nowhere else.
//!
//! Every page works without JavaScript; `review.js` adds keys, undo and live arrival to the
//! review desk. Pages have the same rights as the API, because they use the same queries.

pub mod card;
pub mod desk;
pub mod files;
pub mod shell;
pub mod words;
