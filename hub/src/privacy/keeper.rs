//! What goes on by itself: erasures are finished as doors report, and the day's work is done.

use super::{daily, erase};
use crate::album::Album;
use crate::app::{App, rest};
use crate::events::Event;
use rules::error::Error;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;

/// How often it looks, whatever happens.
const EVERY: Duration = Duration::from_secs(60);

/// Looks after what is promised until `stop`. What fails is noted, and the next look is the
/// retry.
///
/// # Errors
/// Never.
pub async fn run(app: App, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
    let mut heard = app.events.listen();
    while !stop.is_cancelled() {
        beat.turn();
        look(&app, &beat).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = rest(EVERY, &beat, &stop) => {}
            () = door(&mut heard) => {}
        }
    }
    Ok(())
}

/// One look. While the clock is not believed, nothing goes because its time is over.
pub(crate) async fn look(app: &App, beat: &Beat) {
    app.tried("finishing erasures", erase::resume(app).await);
    if app.is_believed().await {
        app.tried("the day's work", daily::run(app, beat).await);
        app.tried("emptying photos", Album::of(app).expire(app.clock.wall()).await);
    }
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
