//! Who is connected now. One connection per device: a newer one ends the older.

use crate::outward::Outward;
use crate::word::Word;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::{DeviceId, link::Command};

/// Commands that wait for one connection; a further one is refused.
const COMMANDS: usize = 8;

/// The command could not be handed to a connection.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CommandError {
    /// Nobody to tell.
    #[error("“{0}” is not connected: try again when it is")]
    Offline(DeviceId),
    /// It does not take them.
    #[error("“{0}” has not taken the last commands yet: try again in a moment")]
    Busy(DeviceId),
}

/// All live connections, by device.
#[derive(Clone, Default)]
pub struct Online {
    inner: Arc<Mutex<OnlineInner>>,
    out: Outward,
}

#[derive(Default)]
struct OnlineInner {
    count: u64,
    live: HashMap<DeviceId, OnlineEntry>,
}

struct OnlineEntry {
    number: u64,
    replaced: CancellationToken,
    commands: mpsc::Sender<Command>,
}

/// A connection's place; leaving it is dropping it.
pub struct OnlinePlace {
    /// Cancelled when a newer connection of the same device takes the place.
    pub replaced: CancellationToken,
    /// What people tell the device to do.
    pub commands: mpsc::Receiver<Command>,
    /// Whether an older connection had to go for this one.
    pub took_over: bool,
    device: DeviceId,
    number: u64,
    online: Online,
}

impl Online {
    /// Nobody; other hubs hear who comes by `out`.
    #[must_use]
    pub fn new(out: Outward) -> Self {
        Self { inner: Arc::default(), out }
    }

    /// `device` connected elsewhere: its connection here ends.
    pub fn leave(&self, device: &DeviceId) {
        if let Some(old) = self.inner().live.remove(device) {
            old.replaced.cancel();
        }
    }

    /// Takes the place of `device`.
    #[must_use]
    pub fn enter(&self, device: &DeviceId) -> OnlinePlace {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let replaced = CancellationToken::new();
        let mut inner = self.inner();
        inner.count += 1;
        let number = inner.count;
        let entry = OnlineEntry { number, replaced: replaced.clone(), commands: sender };
        let old = inner.live.insert(device.clone(), entry);
        let took_over = old.is_some();
        if let Some(old) = old {
            old.replaced.cancel();
        }
        drop(inner);
        self.out.say(|| Word::Entered(device.clone()));
        let device = device.clone();
        let online = self.clone();
        OnlinePlace { replaced, commands, took_over, device, number, online }
    }

    /// Whether `device` is connected.
    #[must_use]
    pub fn has(&self, device: &DeviceId) -> bool {
        self.inner().live.contains_key(device)
    }

    /// Every device that is connected.
    #[must_use]
    pub fn all(&self) -> Vec<DeviceId> {
        self.inner().live.keys().cloned().collect()
    }

    /// How many devices are connected.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner().live.len()
    }

    /// Tells `device` to do something now. It may be lost with the connection.
    ///
    /// # Errors
    /// When it is not connected, or does not take commands.
    pub fn command(&self, device: &DeviceId, command: Command) -> Result<(), CommandError> {
        let inner = self.inner();
        let entry = inner.live.get(device).ok_or_else(|| CommandError::Offline(device.clone()))?;
        entry.commands.try_send(command).map_err(|_| CommandError::Busy(device.clone()))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, OnlineInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OnlinePlace {
    fn drop(&mut self) {
        let mut inner = self.online.inner();
        if inner.live.get(&self.device).is_some_and(|entry| entry.number == self.number) {
            inner.live.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_connection_wins_and_the_older_leaves_without_a_trace() {
        let (online, door) = (Online::default(), "door-1".parse().unwrap());
        let old = online.enter(&door);
        let mut new = online.enter(&door);
        assert!(old.replaced.is_cancelled() && !old.took_over && new.took_over);
        drop(old);
        assert!(online.has(&door));
        online.command(&door, Command::Snap).unwrap();
        assert_eq!(new.commands.try_recv(), Ok(Command::Snap));
        drop(new);
        assert_eq!(online.count(), 0);
        let offline = CommandError::Offline(door.clone());
        assert_eq!(online.command(&door, Command::Snap), Err(offline));
    }
}
