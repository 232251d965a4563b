//! Keeps what doors and the hub itself search true to the database.

use super::Gallery;
use crate::ingest::school::Schools;
use rules::error::Error;
use std::sync::Arc;
use store::Db;
use store::keys::Keys;
use wire::Clock;

/// What galleries are made of; cheap to clone.
#[derive(Clone)]
pub struct Galleries {
    /// The database.
    pub db: Db,
    /// The keys of people, and what signs releases.
    pub keys: Keys,
    /// Who may be recognised.
    pub gallery: Gallery,
    /// The same, for the hub's own look at each sighting.
    pub schools: Schools,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Galleries {
    /// Reads anew who may be recognised, and makes the releases that follow from it.
    pub async fn follow(&self) -> Result<(), Error> {
        let done = self.gallery.refresh(&self.db, &self.keys, self.clock.wall()).await;
        if self.gallery.is_loaded() {
            self.schools.set(self.gallery.schools());
        }
        done
    }
}
