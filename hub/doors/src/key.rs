//! The key of the gallery on a door's disk: handed out at each start of the door, never stored
//! there unless its settings say so. A door that is cut off gets none.

use crate::reply::empty;
use acts::device::DoorIdentity;
use acts::parts::Parts;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use rules::error::Error;
use store::vault::DataKey;

/// The key for the door that shows `identity`.
pub(super) async fn answer(app: &Parts, identity: &DoorIdentity) -> Response<Full<Bytes>> {
    let device = &identity.device;
    match find(app, identity).await {
        Ok(Some(key)) => {
            tracing::info!(%device, "the door was given the key of its gallery");
            Response::new(Full::new(Bytes::copy_from_slice(key.as_bytes())))
        }
        Ok(None) => {
            rules::security!("key", %device, "the key of a gallery was refused: the door is cut off");
            empty(StatusCode::FORBIDDEN)
        }
        Err(error) => {
            tracing::error!(%device, %error, "the key of a door's gallery could not be read");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// As the database says now: another process may have cut the door off a moment ago.
async fn find(app: &Parts, identity: &DoorIdentity) -> Result<Option<DataKey>, Error> {
    let device = identity.device.clone();
    let serial = identity.serial.as_str().to_owned();
    let counts = app.db.read(move |tx| {
        let active = store::device::get(tx, &device)?.is_some_and(|door| door.is_active);
        Ok(active && !store::device::revoked(tx)?.contains(&serial))
    });
    if !counts.await? {
        return Ok(None);
    }
    app.keys.door_or_new(&identity.device, app.clock.wall()).map(Some)
}
