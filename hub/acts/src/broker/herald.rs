//! What tells the broker of the doors: the parts of the hub that it needs.

use crate::doors::boards::Boards;
use crate::doors::list::{DoorListed, listed};
use crate::events::Events;
use crate::upkeep::Upkeep;
use config::Broker;
use rules::care::AsideKind;
use rules::error::Error;
use store::{Db, care};
use wire::ModelId;

/// What tells the broker of the doors; cheap to clone.
#[derive(Clone)]
pub struct Herald {
    /// The database.
    pub db: Db,
    /// How doors' boards are.
    pub boards: Boards,
    /// The hub's network.
    pub model: ModelId,
    /// What just happened.
    pub events: Events,
    /// Where the broker is.
    pub broker: Broker,
    /// Where pages are.
    pub pages: String,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl Herald {
    /// Whether the broker can be reached, for the page *Care*.
    pub(super) fn note(&self, done: Result<(), Error>) {
        let address = &self.broker.address;
        match done {
            Ok(()) => self.upkeep.aside.done(AsideKind::Broker, address),
            Err(error) => {
                self.upkeep.aside.failed(AsideKind::Broker, address, &error, self.upkeep.now());
            }
        }
    }

    /// Every door that should be at work, as it is.
    pub(super) async fn doors(&self) -> Result<Vec<DoorListed>, Error> {
        let known = self.db.read(care::doors).await?;
        Ok(listed(known, &self.boards, &self.model, self.upkeep.now()))
    }
}
