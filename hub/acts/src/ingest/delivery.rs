//! What a device said, on its way to be stored, and what became of it.

use tokio::sync::oneshot;
use wire::link::{Ack, Batch, Greeting, Reported, Status};
use wire::program::Progress;
use wire::{DeviceId, EnvelopeError};

/// Something a device said, on its way to be stored.
#[derive(Debug)]
pub struct Delivery {
    /// Who, by certificate.
    pub device: DeviceId,
    /// What.
    pub sent: Sent,
    /// To be answered only after COMMIT. Dropping it means “held”.
    pub answer: oneshot::Sender<DeliveryAnswer>,
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
    /// Which program, and how far it is with another.
    Progress(Progress),
    /// Bytes that are none of the above: kept as a dead letter.
    Poison(Vec<u8>, EnvelopeError),
}

/// What became of a delivery.
#[derive(Debug)]
pub enum DeliveryAnswer {
    /// It is committed; the cursor after it where it was about an outbox.
    Stored(Option<Ack>),
    /// It could not be committed now and must come again.
    Held,
}
