//! Doors against a whole hub over real TLS and real MQTT, in one process.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test says where and why")]

mod attack;
mod fetch;
mod hold;
mod hubs;
mod phone;
mod rig;
mod talk;
mod thief;
