//! Takes over what other programs know: people from tables, photos from archives, whole schools
//! from OneRoster. Everything may be done twice: the second time changes nothing.

pub mod archive;
pub mod oneroster;
pub mod people;
pub mod photos;
pub mod table;
