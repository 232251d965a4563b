//! What becomes of what a door saw: when it was, whose door it is, and who it may be.

pub mod judge;
pub mod lineage;
pub mod school;
pub mod time;
