//! What every device should run and which certificates no longer count, as one watched value.
//!
//! Newest only: whoever watches sees the latest state, never a queue of changes. Connections
//! compare it with what they last told their device.

use super::Serial;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::watch;
use wire::{DeviceId, link::Desired};

/// One moment of the fleet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// What each device should run.
    pub desired: HashMap<DeviceId, Desired>,
    /// Certificates that were revoked and have not ended by themselves.
    pub revoked: HashSet<Serial>,
}

/// The shared, watched state.
#[derive(Clone, Debug)]
pub struct Fleet(Arc<watch::Sender<Arc<State>>>);

impl Default for Fleet {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Arc::default())))
    }
}

impl Fleet {
    /// Replaces the state; watchers wake only if it differs.
    pub fn set(&self, state: State) {
        self.0.send_if_modified(|old| {
            let differs = **old != state;
            if differs {
                *old = Arc::new(state);
            }
            differs
        });
    }

    /// Whether this certificate was revoked.
    #[must_use]
    pub fn is_revoked(&self, serial: &Serial) -> bool {
        self.0.borrow().revoked.contains(serial)
    }

    /// The state now, and each change after it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_wake_for_a_change_and_for_nothing_else() {
        let (fleet, serial) = (Fleet::default(), Serial::from_hex("0aB1"));
        let watch = fleet.watch();
        fleet.set(State::default());
        assert!(!watch.has_changed().unwrap());
        fleet.set(State { revoked: [serial.clone()].into(), ..State::default() });
        assert!(watch.has_changed().unwrap() && fleet.is_revoked(&serial));
        assert!(fleet.is_revoked(&Serial::from_bytes(&[0, 0x0a, 0xb1])));
    }
}
