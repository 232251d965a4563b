//! What every device should run and which certificates no longer count, as one watched value.
//!
//! Newest only: whoever watches sees the latest state, never a queue of changes. Connections
//! compare it with what they last told their device.

use super::seen::{News, ShownSeen};
use super::{DoorIdentity, Serial};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::Instant;
use wire::DeviceId;
use wire::link::{Desired, Settings};
use wire::program::Offer;

/// One moment of the fleet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FleetState {
    /// What each device should run.
    pub desired: HashMap<DeviceId, Desired>,
    /// What the hub says of each device's settings.
    pub settings: HashMap<DeviceId, Settings>,
    /// Which program each device is offered; those that are not here may go on with theirs.
    pub offers: HashMap<DeviceId, Offer>,
    /// Certificates that were revoked and have not ended by themselves.
    pub revoked: HashSet<Serial>,
    /// Certificates that count: given here, or seen while their authority was the only one.
    /// By number, with the digest where that is known.
    pub counting: HashMap<Serial, Option<String>>,
    /// How often something that opened an account was shut.
    pub shut: i64,
}

/// The shared, watched state.
#[derive(Clone, Debug)]
pub struct Fleet {
    state: Arc<watch::Sender<Arc<FleetState>>>,
    seen: Arc<Mutex<ShownSeen>>,
    /// Whether the key store still has to hear of a change.
    owed: Arc<AtomicBool>,
}

impl Default for Fleet {
    fn default() -> Self {
        let state = Arc::new(watch::Sender::new(Arc::default()));
        Self { state, seen: Arc::default(), owed: Arc::default() }
    }
}

impl Fleet {
    /// Replaces the state; watchers wake only if it differs. Returns whether it does, or did before
    /// and was not [`kept`](Self::kept).
    pub fn set(&self, state: FleetState) -> bool {
        let differs = self.state.send_if_modified(|old| {
            let differs = **old != state;
            if differs {
                *old = Arc::new(state);
            }
            differs
        });
        self.owed.fetch_or(differs, Ordering::Relaxed) || differs
    }

    /// The key store heard of what the state says.
    pub fn kept(&self) {
        self.owed.store(false, Ordering::Relaxed);
    }

    /// A door showed `identity`, and was heard `from` there at `at`.
    pub fn saw(&self, identity: &DoorIdentity, from: IpAddr, at: Instant) {
        self.seen().saw(identity, from, at);
    }

    /// `identity` was shown and refused: it is forged.
    pub fn refused(&self, identity: &DoorIdentity) {
        self.seen().refused(identity);
    }

    /// What doors showed that nobody wrote down yet.
    #[must_use]
    pub fn news(&self) -> News {
        self.seen().news()
    }

    /// `news` were written down.
    pub fn noted(&self, news: &News) {
        self.seen().noted(news);
    }

    fn seen(&self) -> MutexGuard<'_, ShownSeen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this certificate was revoked.
    #[must_use]
    pub fn is_revoked(&self, serial: &Serial) -> bool {
        self.state.borrow().revoked.contains(serial)
    }

    /// Whether `identity` is a certificate that counts, as far as the database knew it a moment
    /// ago; nothing when it knew none of that number.
    #[must_use]
    pub fn counts(&self, identity: &DoorIdentity) -> Option<bool> {
        let state = self.state.borrow();
        let digest = state.counting.get(&identity.serial)?;
        Some(digest.as_ref().is_none_or(|digest| *digest == identity.digest))
    }

    /// The state now, and each change after it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<FleetState>> {
        self.state.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_wake_for_a_change_and_for_nothing_else() {
        let (fleet, serial) = (Fleet::default(), Serial::from_hex("0aB1"));
        let watch = fleet.watch();
        fleet.set(FleetState::default());
        assert!(!watch.has_changed().unwrap());
        fleet.set(FleetState { revoked: [serial.clone()].into(), ..FleetState::default() });
        assert!(watch.has_changed().unwrap() && fleet.is_revoked(&serial));
        assert!(fleet.is_revoked(&Serial::from_bytes(&[0, 0x0a, 0xb1])));
    }
}
