//! Certificates and keys are replaced while people and doors are at work.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "what was skipped is said")]

mod authority;
mod brought;
mod gallery;
mod secrets;
mod server;
mod work;
mod year;
