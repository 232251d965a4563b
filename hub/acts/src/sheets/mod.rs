//! Tables on their way out: as CSV, XLSX or JSON.

pub mod register;
pub mod sheet;
pub mod take;
#[cfg(test)]
mod tests;
