//! Lessons that are planned: the timetable carried out, asked whether it is free, brought in files and
//! handed out as calendars.

pub mod booking;
pub mod calendar;
pub mod maker;
pub mod takeover;
