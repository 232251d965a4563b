//! Looks at a fixed interval.

use super::{Ask, Cause};
use crate::capture::Lifeline;
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};
use wire::Clock;

/// Asks each `interval` until `stop` is cut. Blocking.
pub fn every(interval: Duration, asks: &SyncSender<Ask>, clock: &Arc<dyn Clock>, stop: &Lifeline) {
    while !stop.is_cut() {
        // Full: a burst is under way, and the next interval asks again.
        let _ = asks.try_send(Ask::new(Cause::Timer, clock.mono()));
        stop.wait(interval);
    }
}
