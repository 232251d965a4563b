//! One look on request: a burst, and what comes of it, within a time that people wait.

use crate::report::Report;
use crate::trigger::{Ask, Cause};
use std::{
    sync::mpsc::{SyncSender, TrySendError},
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};
use wire::Mono;

/// An answer may take this long.
pub const PATIENCE: Duration = Duration::from_secs(15);

const BUSY: &str = "the door is busy: ask again in a moment";

/// Asks for a burst at `at`, and waits for what comes of it.
///
/// # Errors
/// A sentence for whoever asked.
pub async fn take(asks: &SyncSender<Ask>, at: Mono) -> Result<Report, &'static str> {
    let (reply, report) = oneshot::channel();
    match asks.try_send(Ask { reply: Some(reply), ..Ask::new(Cause::Snap, at) }) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => return Err(BUSY),
        Err(TrySendError::Disconnected(_)) => {
            return Err("this door shows pictures and has no camera to look through");
        }
    }
    match timeout(PATIENCE, report).await {
        Ok(Ok(report)) if report.frames == 0 => {
            Err("the camera gave no frame: see `rollcall-edge doctor`")
        }
        Ok(Ok(report)) => Ok(report),
        _ => Err(BUSY),
    }
}
