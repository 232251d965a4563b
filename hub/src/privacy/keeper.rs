//! What goes on by itself: erasures are finished as doors report, and the day's work is done.

use super::{daily, erase};
use crate::album::Album;
use crate::app::App;
use crate::error::Error;
use crate::events::Event;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

/// How often it looks, whatever happens.
const EVERY: Duration = Duration::from_secs(60);

/// Looks after what is promised until `stop`. What fails is logged, and the next look is the
/// retry.
///
/// # Errors
/// Never.
pub async fn run(app: App, stop: CancellationToken) -> Result<(), Error> {
    let mut heard = app.events.listen();
    while !stop.is_cancelled() {
        if let Err(error) = erase::resume(&app).await {
            tracing::warn!(%error, "an erasure could not be finished yet");
        }
        if let Err(error) = daily::run(&app).await {
            tracing::warn!(%error, "the day's work could not be done yet");
        }
        if let Err(error) = Album::of(&app).expire(app.clock.wall()).await {
            tracing::warn!(%error, "photos whose days are over could not be emptied yet");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
            () = door(&mut heard) => {}
        }
    }
    Ok(())
}

/// Until a door says something.
async fn door(heard: &mut Receiver<Event>) {
    loop {
        match heard.recv().await {
            Ok(Event::DeviceChanged(_)) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
