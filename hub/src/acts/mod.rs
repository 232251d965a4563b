//! What people, doors and the hub itself can do: one home per act, asked by every skin.

pub mod accounts;
pub mod bring;
pub mod entrance;
pub mod own;
pub mod people;
pub mod photos;
pub mod rosters;
pub mod sign_ins;
pub mod teaching;
