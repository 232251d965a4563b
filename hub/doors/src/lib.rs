//! The skin towards doors: MQTT for what they say and are told, HTTPS for what they fetch.

pub mod https;
mod key;
pub mod mqtt;
pub mod range;
pub mod renew;
mod reply;
pub mod tls;
