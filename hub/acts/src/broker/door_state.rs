//! How a door is, as the broker is told: numbers and words about a unit, and nothing about a person.

use crate::doors::list::DoorListed;
use crate::doors::state::{DoorState, lately};
use rules::attendance::closing::ClosingWhy;
use serde::Serialize;
use wire::care::within;
use wire::{ClockState, Wall};

/// Bytes of the name of a program: a door says what it likes.
pub(super) const PROGRAM: usize = 64;

/// The message about one door. What it did not say lately is null.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DoorTold {
    /// Which hub says so.
    pub hub: String,
    /// Whether it is connected.
    pub online: bool,
    /// Whether anything about it is not as it should be.
    pub problem: bool,
    /// The worst that is to be said of it, see [`DoorState::word`].
    pub state: &'static str,
    /// All that is to be said of it.
    pub states: Vec<&'static str>,
    /// `watching` or `blind`.
    pub camera: Option<String>,
    /// Why it could not have recognised anybody.
    pub why: Option<ClosingWhy>,
    /// Degrees of its processor.
    pub celsius: Option<i16>,
    /// Whether its processor is slowed down.
    pub slowed: Option<bool>,
    /// Whether its supply sagged since its start.
    pub sagged: Option<bool>,
    /// MiB free on its card.
    pub disk_free_mib: Option<i64>,
    /// MiB that its programs can still have.
    pub memory_free_mib: Option<u32>,
    /// Records that wait for the hub.
    pub waiting: Option<u64>,
    /// Frames that nobody had time for, since its program's start.
    pub dropped_frames: Option<u64>,
    /// Whether it knows the time.
    pub clock_set: Option<bool>,
    /// The release of its gallery.
    pub gallery: u64,
    /// Its program.
    pub program: String,
}

impl DoorTold {
    /// What is to be said of `door` at `now` by `hub`.
    #[must_use]
    pub fn of(door: &DoorListed, hub: &str, now: Wall) -> Self {
        let device = &door.known.device;
        // Of a door that is away nobody knows how it is.
        let said = lately(&door.known, now).filter(|_| device.online);
        let vitals = door.board.vitals.filter(|_| device.online).unwrap_or_default();
        let condition = door.board.condition.filter(|_| device.online);
        let disk = condition.map(|is| i64::from(is.disk_free_mb));
        let clock = condition.map(|is| is.clock != ClockState::Unset);
        Self {
            hub: hub.to_owned(),
            online: device.online,
            problem: door.states != [DoorState::Watching],
            state: door.states.first().map_or("", |state| state.word()),
            states: door.states.iter().map(|state| state.word()).collect(),
            camera: said.map(|said| said.camera.clone()),
            why: said.and_then(|said| said.why),
            celsius: vitals.celsius,
            slowed: vitals.slowed,
            sagged: vitals.sagged,
            disk_free_mib: disk.or(said.map(|said| said.disk_free_mb)),
            memory_free_mib: vitals.memory_free_mb,
            waiting: condition.map(|is| is.waiting),
            dropped_frames: condition.map(|is| is.dropped_frames),
            clock_set: clock.or(said.map(|said| said.at.is_some())),
            gallery: device.gallery,
            program: within(&device.software, PROGRAM),
        }
    }
}
