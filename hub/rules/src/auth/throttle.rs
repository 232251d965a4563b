//! Slows guessing down, and keeps nobody out: no wait is longer than a minute.
//!
//! A try is counted before it is made, so that many at once get no further than one after the
//! other; a right one is taken back. What is counted apart: an account from one network, a network
//! whatever the account, an account from all networks that were wrong several times, and a browser
//! that the account has signed in with. That one waits for nobody else: whoever guesses from
//! elsewhere does not keep the owner out.

use super::meter::{Meter, MeterRate};
use std::net::{IpAddr, Ipv6Addr};
use wire::Mono;

/// An account from one network.
const THERE: MeterRate = MeterRate { burst: 5, every_ms: 60_000 };
/// A network, whatever the account: a school behind one address guesses less than this.
const NETWORK: MeterRate = MeterRate { burst: 60, every_ms: 3_000 };
/// How often a network may be wrong about an account before it shares a count with all others that
/// were; what is wrong once in a while stays apart.
const APART: MeterRate = MeterRate { burst: 3, every_ms: 8 * 3_600_000 };
/// An account from all networks that share that count.
const EVERYWHERE: MeterRate = MeterRate { burst: 100, every_ms: 6_000 };
/// An account from a browser it knows.
const KNOWN: MeterRate = MeterRate { burst: 10, every_ms: 30_000 };
/// Codes of an account, wherever from: whoever is asked for one has shown the password.
const CODE: MeterRate = MeterRate { burst: 5, every_ms: 60_000 };
/// Passkeys from a browser that somebody signed in with, right or wrong: nobody guesses a
/// signature, so these two bound only the work.
const SIGNED: MeterRate = MeterRate { burst: 60, every_ms: 1_000 };
/// Passkeys from a network, of other browsers.
const SIGNATURES: MeterRate = MeterRate { burst: 600, every_ms: 100 };
/// Wrong tries that are written down.
const NOTED: MeterRate = MeterRate { burst: 100, every_ms: 10_000 };

/// How long to wait before the next try.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many failed attempts: try again in {} s", self.seconds())]
pub struct ThrottleWait {
    /// Milliseconds, more than 0.
    pub ms: u64,
}

impl ThrottleWait {
    /// Whole seconds, rounded up, for `Retry-After`.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.ms.div_ceil(1000)
    }
}

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThrottleKind<'a> {
    /// The password of the account with this address, or another secret with a name.
    Secret(&'a str),
    /// A code of the second factor of the account with this address.
    Code(&'a str),
    /// What a sign-in service said: that has an account only once it was right.
    Elsewhere,
    /// What a passkey said: the same, and nobody guesses it.
    Passkey,
}

/// A try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Try<'a> {
    /// Of what.
    pub what: ThrottleKind<'a>,
    /// Where from.
    pub from: IpAddr,
    /// The browser, if the account has signed in with it before.
    pub browser: Option<u128>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum ThrottleKey {
    There(String, IpAddr),
    Wrong(String, IpAddr),
    Network(IpAddr),
    Everywhere(String),
    Known(String, u128),
    Code(String),
    Signature(u128),
    Signatures(IpAddr),
    Noted,
}

/// What is remembered of tries. State in RAM: a restart forgives.
#[derive(Default)]
pub struct Throttle {
    meter: Meter<ThrottleKey>,
    unnoted: u64,
}

impl Throttle {
    /// Counts a try, if it may be made now.
    ///
    /// # Errors
    /// [`ThrottleWait`] says how long not; then it does not count.
    pub fn reserve(&mut self, one: &Try<'_>, now: Mono) -> Result<(), ThrottleWait> {
        let keys = self.keys(one, now);
        let waits = keys.iter().map(|(key, rate)| self.meter.wait(key, *rate, now));
        match waits.max().unwrap_or(0) {
            0 => {
                keys.into_iter().for_each(|(key, rate)| self.meter.pay(key, rate, now));
                if let Some(wrong) = wrong(one) {
                    let _counted_enough = self.meter.take(wrong, APART, now);
                }
                Ok(())
            }
            ms => Err(ThrottleWait { ms }),
        }
    }

    /// The try was right: it is taken back, and what was wrong before it there is forgiven.
    pub fn right(&mut self, one: &Try<'_>, now: Mono) {
        self.unused(one, now);
        let own = self.keys(one, now).into_iter().map(|(key, _)| key).next();
        let own = own.filter(|key| !matches!(key, ThrottleKey::Network(_))); // its count is of others too
        own.into_iter().chain(wrong(one)).for_each(|key| self.meter.forget(&key));
    }

    /// The try was not made after all: it is taken back.
    pub fn unused(&mut self, one: &Try<'_>, now: Mono) {
        for (key, rate) in self.keys(one, now) {
            self.meter.refund(&key, rate);
        }
    }

    /// Whether a wrong try is to be written down, and how many were not since the last that was:
    /// what strangers can make the hub write has a bound.
    pub fn note(&mut self, now: Mono) -> Option<u64> {
        if self.meter.take(ThrottleKey::Noted, NOTED, now).is_err() {
            self.unnoted += 1;
            return None;
        }
        Some(std::mem::take(&mut self.unnoted))
    }

    /// What counts for a try; its own place comes first.
    fn keys(&self, one: &Try<'_>, now: Mono) -> Vec<(ThrottleKey, MeterRate)> {
        let net = network(one.from);
        match (one.what, one.browser) {
            (ThrottleKind::Secret(name), Some(browser)) => {
                vec![(ThrottleKey::Known(name.into(), browser), KNOWN)]
            }
            (ThrottleKind::Code(name), Some(browser)) => {
                vec![(ThrottleKey::Known(format!("code {name}"), browser), KNOWN)]
            }
            (ThrottleKind::Code(name), None) => vec![(ThrottleKey::Code(name.into()), CODE)],
            (ThrottleKind::Passkey, Some(browser)) => {
                vec![(ThrottleKey::Signature(browser), SIGNED)]
            }
            (ThrottleKind::Passkey, None) => vec![(ThrottleKey::Signatures(net), SIGNATURES)],
            (ThrottleKind::Elsewhere, _) => vec![(ThrottleKey::Network(net), NETWORK)],
            (ThrottleKind::Secret(name), None) => {
                let again = wrong(one).is_some_and(|key| self.meter.wait(&key, APART, now) > 0);
                let there = (ThrottleKey::There(name.into(), net), THERE);
                let mut keys = vec![there, (ThrottleKey::Network(net), NETWORK)];
                keys.extend(again.then(|| (ThrottleKey::Everywhere(name.into()), EVERYWHERE)));
                keys
            }
        }
    }
}

/// Where it is counted for long how often this network was wrong about this account.
fn wrong(one: &Try<'_>) -> Option<ThrottleKey> {
    match (one.what, one.browser) {
        (ThrottleKind::Secret(name), None) => {
            Some(ThrottleKey::Wrong(name.to_owned(), network(one.from)))
        }
        _ => None,
    }
}

/// The network of an address: itself, or the 64 bits that one IPv6 connection gets.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
