//! From a device's words to rows: judged in parallel, committed in groups, acknowledged after.

pub mod dating;
pub mod judge;
pub mod school;
