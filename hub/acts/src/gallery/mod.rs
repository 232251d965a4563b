//! Keeps who may be recognised true to the database: the index the hub searches, and the releases
//! doors fetch.
//!
//! Both are made of the same people: enrolled, active and consenting, one mean template each.
//! Plain templates exist here, in RAM, and nowhere else.

mod current;
mod follow;
pub mod lines;

pub use current::{Gallery, load};
pub use follow::Galleries;
