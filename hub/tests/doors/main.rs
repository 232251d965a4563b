//! Doors against a whole hub over real TLS and real MQTT, in one process.

mod attack;
mod fetch;
mod phone;
mod rig;
mod talk;
