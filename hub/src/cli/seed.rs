//! `seed`: fills an empty hub with a made-up school, to measure it or to look around.

use super::hub::{Hub, now};
use crate::seed::{Seeder, Size};
use acts::recogniser::Recogniser;
use clap::Args;
use std::io::Write;
use std::path::Path;

/// Fill an empty hub with a made-up school.
#[derive(Debug, Args)]
pub struct Seed {
    /// People, each enrolled with a made-up face.
    #[arg(long, default_value_t = 2000)]
    students: usize,
    /// Classes, of very different sizes.
    #[arg(long, default_value_t = 100)]
    classes: usize,
    /// Sightings over the school year.
    #[arg(long, default_value_t = 20_000)]
    sightings: usize,
    /// Of those, the ones that wait for a person.
    #[arg(long, default_value_t = 200)]
    pending: usize,
    /// The same number makes the same school.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Even beside real people.
    #[arg(long)]
    force: bool,
}

impl Seed {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let Self { students, classes, sightings, pending, seed, force } = self;
        let size = Size { students, classes, sightings, pending, seed };
        let model = Recogniser::start(&hub.config.models)?.model().clone();
        let keys = hub.keys()?;
        let zone = hub.config.zone.clone();
        let seeder = Seeder { db: hub.db.clone(), keys, model, zone, now: now() };
        let tell = |line: &str| drop(writeln!(out, "{line}"));
        let made = seeder.run(size, force, tell).await?;
        let lessons = made.lessons;
        let seen = made.sightings;
        let waiting = made.pending;
        Ok(writeln!(out, "{lessons} lessons, {seen} sightings; {waiting} of them wait.")?)
    }
}
