//! Keeps the [`Fleet`] as the database says: new releases and rooms are pushed to doors, revoked
//! certificates end within a second, whichever process changed them.

use super::{Fleet, Serial, State};
use crate::error::Error;
use crate::events::{Event, Events};
use crate::store::{self, Db, Tx};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// How often the database is asked: another process may have changed it.
const POLL: Duration = Duration::from_millis(400);

/// Follows the database until `stop`. A failed look is logged, and the next one is the retry.
///
/// # Errors
/// Never.
pub async fn run(
    db: Db,
    fleet: Fleet,
    events: Events,
    stop: CancellationToken,
) -> Result<(), Error> {
    let mut heard = events.listen();
    while !stop.is_cancelled() {
        if let Err(error) = look(&db, &fleet).await {
            tracing::warn!(%error, "the state of the doors could not be read");
        }
        let next = Instant::now() + POLL;
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep_until(next) => {}
            () = change(&mut heard) => {}
        }
    }
    Ok(())
}

/// Reads the state once.
///
/// # Errors
/// When the database fails.
pub async fn look(db: &Db, fleet: &Fleet) -> Result<(), Error> {
    fleet.set(db.read(state).await?);
    Ok(())
}

fn state(tx: &Tx<'_>) -> Result<State, Error> {
    let revoked = store::device::revoked(tx)?.iter().map(|hex| Serial::from_hex(hex)).collect();
    let desired = store::release::desired(tx)?.into_iter().collect();
    Ok(State { desired, revoked })
}

/// Until something that doors must know was done in this process.
async fn change(heard: &mut Receiver<Event>) {
    loop {
        match heard.recv().await {
            Ok(Event::GalleryChanged | Event::DeviceChanged(_)) | Err(RecvError::Lagged(_)) => {
                return;
            }
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
