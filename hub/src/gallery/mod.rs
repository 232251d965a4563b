//! Who may be recognised: the index the hub searches, and the releases doors fetch.
//!
//! Both are made of the same people: enrolled, active and consenting, one mean template each.
//! Plain templates exist here, in RAM, and nowhere else.

mod index;
mod keeper;
pub mod lines;
mod release;
pub mod scope;

pub use index::{Guard, Index};
pub use keeper::{Gallery, load};
pub use release::{LEASE_MS, Plan, Release, plan};
