//! Reports: what the marks of lessons come to. Numbers and texts in, numbers and texts out.

pub mod analytics;
pub mod matrix;
pub mod rate;

pub use rate::{Rate, Sums};
