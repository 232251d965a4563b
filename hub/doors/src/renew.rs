//! A door's next certificate: it asks with the one it has, in the last third of that one's life,
//! or when another authority signs doors by now.
//!
//! That one takes on what this hub gave, and nothing that it only saw in use: the key of the one
//! before may be why it was replaced.

use crate::reply::empty;
use acts::device::DoorIdentity;
use acts::parts::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Response, StatusCode};
use rules::certificate::DEVICE_DAYS;
use rules::error::Error;
use wire::Wall;

/// Bytes of a request at most.
const REQUEST: usize = 16 * 1024;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Whether a certificate that ends at `not_after` may be replaced now: not before two thirds of
/// its life, give or take an hour between the clocks.
#[must_use]
pub fn is_due(not_after: Wall, now: Wall) -> bool {
    not_after.0.saturating_sub(now.0) <= DEVICE_DAYS * DAY_MS / 3 + HOUR_MS
}

/// Why a certificate is not replaced now. What is not due can wait until the hub's clock is right:
/// the dates in the next one are by that.
fn refusal(is_due: bool, is_older: bool, is_believed: bool) -> Option<StatusCode> {
    match (is_due, is_older, is_believed) {
        (true, ..) | (_, true, true) => None,
        (_, true, false) => Some(StatusCode::SERVICE_UNAVAILABLE),
        (_, false, _) => Some(StatusCode::CONFLICT),
    }
}

/// Signs the request in `body` for the door that shows `identity`.
pub(super) async fn answer(
    app: &Parts,
    identity: &DoorIdentity,
    body: Incoming,
) -> Response<Full<Bytes>> {
    let is_older = identity.authority != app.pki.signer();
    let due = is_due(identity.not_after, app.clock.wall());
    if let Some(why) = refusal(due, is_older, app.upkeep().is_believed().await) {
        return empty(why);
    }
    let Ok(body) = Limited::new(body, REQUEST).collect().await else {
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Ok(csr) = String::from_utf8(body.to_bytes().to_vec()) else {
        return empty(StatusCode::UNPROCESSABLE_ENTITY);
    };
    match app.doors().renew(identity, csr, app.clock.wall()).await {
        Ok(pem) => Response::new(Full::new(Bytes::from(pem))),
        Err(Error::Invalid(_)) => empty(StatusCode::UNPROCESSABLE_ENTITY),
        Err(Error::Unauthorised(_)) => empty(StatusCode::FORBIDDEN),
        Err(error) => {
            tracing::error!(device = %identity.device, %error, "a certificate was not renewed");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_life() {
        let now = Wall(1_790_000_000_000);
        let ends = |days: i64| now.plus_ms(days * DAY_MS);
        assert!(!is_due(ends(90), now) && !is_due(ends(31), now));
        assert!(is_due(ends(30), now) && is_due(ends(-1), now));
    }

    #[test]
    fn by_a_clock_that_leapt_nobody_gets_the_next_authoritys_certificate_early() {
        let (now, later) = (Some(StatusCode::CONFLICT), Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!([refusal(false, true, true), refusal(false, true, false)], [None, later]);
        assert_eq!([refusal(true, true, false), refusal(true, false, false)], [None; 2]);
        assert_eq!([refusal(false, false, true), refusal(false, false, false)], [now; 2]);
    }
}
