//! What people, doors and the hub itself can do: one home per act, asked by every skin.

pub mod accounts;
pub mod begin;
pub mod bring;
pub mod calendars;
pub mod classes;
pub mod dead_letters;
pub mod doors;
pub mod entrance;
pub mod finds;
pub mod holidays;
pub mod jobs;
pub mod keys;
pub mod lessons;
pub mod mail;
pub mod own;
pub mod people;
pub mod photos;
pub mod recognition;
pub mod reports;
pub mod retention;
pub mod rooms;
pub mod roster;
pub mod sign_ins;
pub mod teaching;
pub mod timetable;
pub mod webhooks;
