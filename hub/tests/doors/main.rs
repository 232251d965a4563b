//! Doors against a whole hub over real TLS and real MQTT, in one process.
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod attack;
mod fetch;
mod hold;
mod phone;
mod rig;
mod talk;
