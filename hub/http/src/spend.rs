//! Counts what callers use of what costs something.

use super::cost::{Cost, Spender};
use super::front::{self, Front};
use super::problem::Problem;
use super::route::Route;
use super::signed_in::SignedIn;
use std::net::IpAddr;

/// Counts one use of `route`, before a byte of its body is read.
///
/// # Errors
/// 429 with the wait.
pub fn spend(
    front: &Front,
    route: &Route,
    by: Option<&SignedIn>,
    peer: IpAddr,
) -> Result<(), Problem> {
    let cost = Cost::of(route);
    let Some(rate) = cost.rate() else { return Ok(()) };
    let key = (Spender::of(by, peer), cost);
    let now = front::mono(&front.app);
    front.costs(|costs| costs.take(key, rate, now)).map_err(|ms| {
        let seconds = ms.div_ceil(1000);
        let say = format!("This was asked for too often: try again in {seconds} s.");
        Problem::too_many(say).after(seconds)
    })
}
