//! How much doors may do.

use std::time::Duration;

/// How much one device may do, and how slowly.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// See [`accept::Limits`].
    pub accept: accept::Limits,
    /// From the end of the handshake to CONNECT.
    pub connect: Duration,
    /// For one packet to arrive once it began, plus a second for every 500 bytes of it.
    pub packet: Duration,
    /// For the device to take what is written.
    pub write: Duration,
    /// Records per second, in the long run. A door sends its backlog at up to 5 batches of 64 a
    /// second; a lower rate would only make it send them again.
    pub records_per_second: u32,
    /// Records at once.
    pub burst: u32,
    /// Between two tellings of the time.
    pub time: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            accept: accept::Limits {
                connections: 10_240,
                per_ip: 4096,
                ..accept::Limits::default()
            },
            connect: Duration::from_secs(5),
            packet: Duration::from_secs(8),
            write: Duration::from_secs(10),
            records_per_second: 400,
            burst: 500,
            time: Duration::from_secs(60),
        }
    }
}
