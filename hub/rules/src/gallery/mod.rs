//! Who may be recognised: everybody of the school, who of them goes to which door, and when a door
//! gets a new file.

pub mod index;
pub mod release;
pub mod scope;

pub use index::{Guard, Index};
pub use release::{LEASE_MS, Release, ReleasePlan, plan};
