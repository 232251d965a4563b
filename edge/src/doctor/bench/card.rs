//! How fast the card keeps a record: the outbox itself, beside the real one.

use crate::outbox::{Book, Entry, Setup};
use rand::{SeedableRng as _, rngs::StdRng};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;
use wire::record::{CameraState, Watch};
use wire::{ClockState, HubSecret, Mono, Stamp};

/// Records that are stored.
const RECORDS: usize = 60;

/// Milliseconds of a record, until it would survive a power cut.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Writing {
    /// Why it was not measured; empty if it was.
    pub why: String,
    /// Half of them took no longer.
    pub middle_ms: f32,
    /// The slowest of them.
    pub worst_ms: f32,
}

/// Stores records in a new outbox in `data`, which is gone afterwards.
pub fn measure(data: &Path) -> Writing {
    let folder = data.join(".bench");
    let _left_by_a_power_cut = std::fs::remove_dir_all(&folder);
    let made = std::fs::create_dir(&folder).map_err(anyhow::Error::from);
    let done = made.and_then(|()| store(&folder.join("outbox.db")));
    let _removed = std::fs::remove_dir_all(&folder);
    done.unwrap_or_else(|error| Writing { why: format!("{error:#}"), ..Writing::default() })
}

fn store(path: &Path) -> anyhow::Result<Writing> {
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let key = HubSecret::generate(1, &mut rng).public()?;
    let setup = Setup::new(path, "bench".parse()?, key, "bench".into());
    let mut book = Book::open(Setup { reserve_bytes: 0, ..setup }, rng)?;
    let mut times = Vec::with_capacity(RECORDS);
    for n in 0..RECORDS {
        let entry = [record(n as u64)?];
        let began = Instant::now();
        book.append(&entry)?;
        times.push(began.elapsed().as_secs_f32() * 1_000.0);
    }
    times.sort_by(f32::total_cmp);
    Ok(Writing { why: String::new(), middle_ms: times[RECORDS / 2], worst_ms: times[RECORDS - 1] })
}

fn record(n: u64) -> anyhow::Result<Entry> {
    let at = Stamp { boot: 1, mono: Mono(n * 1_000), wall: None, clock: ClockState::Unset };
    let watch = Watch {
        since: Mono(0),
        usable_ms: 0,
        blind: Vec::new(),
        camera: CameraState::Watching,
        disk_free_mb: 0,
        gallery: 0,
        model: "bench-1".parse()?,
        fired: 0,
        looks: 0,
        dropped: 0,
        refused: 0,
        err_ms: None,
    };
    Ok(Entry::Health(at, watch))
}
