//! Pixels → faces → templates → matches.
//!
//! Everything here is a function of its arguments: no clock, network, database or thread of its
//! own; files are read only to load weights.

#![warn(missing_docs)]

pub mod align;
mod area;
pub mod decide;
pub mod detector;
pub mod dlib;
pub mod embedder;
pub mod face;
pub mod golden;
pub mod image;
pub mod kind;
pub mod measure;
pub mod mtcnn;
mod nn;
pub mod pack;
pub mod plan;
pub mod quality;
pub mod score;
pub mod search;
pub mod template;

pub use crate::image::{ImageError, Limits, Picture, decode};
pub use align::{Chip, align};
pub use decide::{Decision, Facts, decide};
pub use dlib::DlibNet;
pub use embedder::Cut;
pub use face::{Face, Point, Rect};
pub use mtcnn::Mtcnn;
pub use nn::NetError;
#[doc(hidden)]
pub use nn::{Rivals, without};
pub use pack::{Pack, PackError};
pub use quality::{Grade, Judgement, central, judge, principal};
pub use score::Scale;
pub use search::{Hit, Matrix};
pub use template::{Template, TemplateError};
