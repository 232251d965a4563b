//! The link to the hub: MQTT 5 under mutual TLS, treated as a pipe that loses, doubles and
//! reorders.
//!
//! [`Session`] decides, one per connection; [`Link`] drives it. One task owns rumqttc's event
//! loop and never cancels its `poll`; after any error everything is built anew, because
//! the library forgets what was handed over (tests/tests/library.rs). Only the hub's own acknowledgement frees a row.

mod backoff;
mod config;
mod drive;
mod flight;
mod session;
#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use config::Config;
pub use drive::{Link, LinkError};
pub use session::{Action, Event, Facts, Session};
