//! A school that is made up: people, classes, a year of lessons, and what doors would have said.
//!
//! For measuring and for looking around, never beside real people. Sightings go through the same
//! decisions and rows as a real door's ([`acts::ingest::file`]); only their seals are left out.
//! The same number makes the same school.

mod days;
mod people;
pub mod plan;

use jiff::tz::TimeZone;
use plan::SeedPlan;
use rules::error::Error;
use std::collections::HashMap;
use store::keys::Keys;
use store::vault::DataKey;
use store::{self, Db};
use uuid::Uuid;
use wire::{ModelId, StudentId, Wall};

/// Who made it, as the audit chain says.
const ACTOR: &str = "cli:seed";

/// How large the school is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// People on rosters, each enrolled.
    pub students: usize,
    /// Classes, of very different sizes.
    pub classes: usize,
    /// Sightings of the year.
    pub sightings: usize,
    /// Of those, the ones that still wait for a person.
    pub pending: usize,
    /// The same number makes the same school.
    pub seed: u64,
}

/// Where the school is made.
#[derive(Clone)]
pub struct Seeder {
    /// The database.
    pub db: Db,
    /// The students' keys.
    pub keys: Keys,
    /// The network of the templates.
    pub model: ModelId,
    /// The school's time zone.
    pub zone: TimeZone,
    /// The year ends yesterday.
    pub now: Wall,
}

/// What was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SeedMade {
    /// Lessons that took place.
    pub lessons: usize,
    /// Sightings.
    pub sightings: usize,
    /// Of those, waiting.
    pub pending: usize,
}

/// The school's people, once they are in the database.
struct SeedRoll {
    students: Vec<StudentId>,
    templates: Vec<Vec<u8>>,
    keys: HashMap<StudentId, DataKey>,
    classes: Vec<Uuid>,
}

impl Seeder {
    /// Makes the school; `tell` hears how far it is.
    ///
    /// # Errors
    /// `Invalid` for a school that cannot be, `Conflict` where real people are unless `force`.
    pub async fn run(
        &self,
        size: Size,
        force: bool,
        mut tell: impl FnMut(&str),
    ) -> Result<SeedMade, Error> {
        let plan = SeedPlan::new(&size, rules::timetable::day(self.now, &self.zone))?;
        if !force && self.db.read(store::seed::is_used).await? {
            let why = "there are people on this hub: a made-up school does not belong beside them \
                       (--force does it anyway)";
            return Err(Error::Conflict(why.into()));
        }
        tell(&format!("{} people, {} classes", size.students, size.classes));
        let roll = self.people(&size, &plan).await?;
        self.days(&size, &plan, roll, tell).await
    }
}

#[cfg(test)]
mod tests;
