//! This hub among others of the same school: its name, which of the others are there, and how a door
//! that is connected elsewhere is told something.

pub mod roll;

use crate::online::CommandError;
use crate::outward::Outward;
use crate::word::Word;
use roll::{Other, Roll};
use rules::error::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::keys::Keys;
use tokio::sync::oneshot;
use wire::DeviceId;
use wire::link::Command;

/// How long another hub has to say what a door took.
const ANSWER: Duration = Duration::from_secs(2);

/// This hub among others; cheap to clone.
#[derive(Clone, Default)]
pub struct Hubs {
    name: Option<Arc<str>>,
    out: Outward,
    inner: Arc<Mutex<HubsInner>>,
}

#[derive(Default)]
struct HubsInner {
    roll: Roll,
    asked: HashMap<u64, oneshot::Sender<bool>>,
}

impl Hubs {
    /// The hub that has `keys`: among others where it shares them.
    ///
    /// # Errors
    /// When the key store fails.
    pub fn of(keys: &Keys) -> Result<Self, Error> {
        let Some(name) = keys.hub_name()? else { return Ok(Self::default()) };
        Ok(Self { name: Some(name.into()), out: Outward::new(), inner: Arc::default() })
    }

    /// Whether no other hub can have the same school.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.name.is_none()
    }

    /// Its name; empty where it is the only one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Where others are told.
    #[must_use]
    pub fn out(&self) -> &Outward {
        &self.out
    }

    /// The others that are there.
    #[must_use]
    pub fn others(&self) -> Vec<Other> {
        self.inner().roll.others()
    }

    /// Lets whichever hub has `door` tell it something.
    ///
    /// # Errors
    /// When none has it, or it takes nothing now.
    pub async fn tell(&self, door: &DeviceId, order: Command) -> Result<(), CommandError> {
        let offline = || CommandError::Offline(door.clone());
        let (tell, told) = oneshot::channel();
        let id = rand::random();
        {
            let mut inner = self.inner();
            if inner.roll.others().is_empty() {
                return Err(offline());
            }
            inner.asked.insert(id, tell);
        }
        let door_named = door.clone();
        self.out.say(|| Word::Ask { id, door: door_named, order });
        let told = tokio::time::timeout(ANSWER, told).await;
        self.inner().asked.remove(&id);
        match told {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(CommandError::Busy(door.clone())),
            Ok(Err(_)) | Err(_) => Err(offline()),
        }
    }

    /// Another hub said whether a door takes what it was asked to tell it.
    pub fn told(&self, id: u64, taken: bool) {
        let asked = self.inner().asked.remove(&id);
        let _gave_up = asked.map(|tell| tell.send(taken));
    }

    /// Which of the others are there.
    pub fn roll<T>(&self, look: impl FnOnce(&mut Roll) -> T) -> T {
        look(&mut self.inner().roll)
    }

    fn inner(&self) -> MutexGuard<'_, HubsInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
