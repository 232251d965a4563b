//! Where devices speak MQTT 5 to the hub: one listener, no broker.
//!
//! Who a device is comes from its certificate; what it may say from `wire::topic`; and nothing
//! it says is acknowledged before [`Delivery::answer`] says that it is stored. The socket of a
//! device whose words cannot be taken is simply not read: nothing piles up, nothing is dropped.

pub mod answers;
pub mod bucket;
mod connection;
pub mod refusal;
pub mod roster;
pub mod session;

use crate::device::Fleet;
use crate::snaps::Snaps;
use config::doors::Limits;
use rules::error::Error;
use rustls::ServerConfig;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wire::link::{Ack, Batch, Greeting, Reported, Status};
use wire::{Clock, DeviceId, EnvelopeError};

pub use roster::Roster;

/// Deliveries that wait for the writer; beyond them sockets are not read.
pub const QUEUE: usize = 1024;

/// Something a device said, on its way to be stored.
#[derive(Debug)]
pub struct Delivery {
    /// Who, by certificate.
    pub device: DeviceId,
    /// What.
    pub sent: Sent,
    /// To be answered only after COMMIT. Dropping it means “held”.
    pub answer: oneshot::Sender<Answer>,
}

/// What a device may say.
#[derive(Debug)]
pub enum Sent {
    /// Records.
    Batch(Batch),
    /// First thing after a connect.
    Hello(Greeting),
    /// Online or not.
    Status(Status),
    /// What it runs.
    Reported(Reported),
    /// Bytes that are none of the above: kept as a dead letter.
    Poison(Vec<u8>, EnvelopeError),
}

/// What became of a delivery.
#[derive(Debug)]
pub enum Answer {
    /// It is committed; the cursor after it where it was about an outbox.
    Stored(Option<Ack>),
    /// It could not be committed now and must come again.
    Held,
}

/// What every connection needs.
#[derive(Clone)]
pub struct Listener {
    /// To the writer: [`QUEUE`] long.
    pub ingest: mpsc::Sender<Delivery>,
    /// What devices should run, and which certificates no longer count.
    pub fleet: Fleet,
    /// Who is connected.
    pub roster: Roster,
    /// Where pictures go that somebody asked for: they are never stored.
    pub snaps: Snaps,
    /// What `time` says.
    pub clock: Arc<dyn Clock>,
    /// How much is too much.
    pub limits: Limits,
}

impl Listener {
    /// Serves devices until `stop`.
    ///
    /// # Errors
    /// Never: a connection that fails is one connection.
    pub async fn run(
        self,
        socket: TcpListener,
        tls: Arc<ServerConfig>,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        let limits = self.limits.accept;
        let house = accept::House { tls: Some(tls), limits, ..accept::House::default() };
        let serve = move |guest| connection::serve(guest, self.clone());
        accept::run(socket, house, stop, serve).await;
        Ok(())
    }
}
