//! Where devices speak MQTT 5 to the hub: one listener, no broker.
//!
//! Who a device is comes from its certificate; what it may say from `wire::topic`; and nothing
//! it says is acknowledged before [`Delivery::answer`] says that it is stored. The socket of a
//! device whose words cannot be taken is simply not read: nothing piles up, nothing is dropped.

pub mod answers;
pub mod bucket;
mod connection;
pub mod refusal;
pub mod session;

use accept::House;
use acts::device::Fleet;
use acts::doors::boards::Boards;
use acts::ingest::delivery::Delivery;
use acts::online::Online;
use acts::snaps::Snaps;
use acts::tails::Tails;
use config::doors::DoorLimits;
use rules::error::Error;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::Clock;

/// Deliveries that wait for the writer; beyond them sockets are not read.
pub const QUEUE: usize = 1024;

/// What every connection needs.
#[derive(Clone)]
pub struct Listener {
    /// To the writer: [`QUEUE`] long.
    pub ingest: mpsc::Sender<Delivery>,
    /// What devices should run, and which certificates no longer count.
    pub fleet: Fleet,
    /// Who is connected.
    pub online: Online,
    /// Where pictures go that somebody asked for: they are never stored.
    pub snaps: Snaps,
    /// Where logs go that somebody asked for, likewise.
    pub tails: Tails,
    /// Where doors' boards are remembered, likewise.
    pub boards: Boards,
    /// What `time` says.
    pub clock: Arc<dyn Clock>,
    /// How much is too much.
    pub limits: DoorLimits,
}

impl Listener {
    /// Serves devices until `stop`.
    ///
    /// # Errors
    /// Never: a connection that fails is one connection.
    pub async fn run(
        self,
        socket: TcpListener,
        house: House,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        let serve = move |guest| connection::serve(guest, self.clone());
        accept::run(socket, house, stop, serve).await;
        Ok(())
    }
}
