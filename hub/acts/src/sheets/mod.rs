//! Tables on their way out: as CSV, XLSX or JSON.

#[cfg(test)]
mod million;
pub mod register;
pub mod sheet;
pub mod take;
