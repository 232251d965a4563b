//! Pixels → faces → templates → matches.
//!
//! Everything here is a function of its arguments: no clock, network, database or thread of its
//! own; files are read only to load weights.

pub mod convert;
pub mod image;
pub mod template;

pub use crate::image::{ImageError, Limits, Picture, decode};
pub use template::{Template, TemplateError};
