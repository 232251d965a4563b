//! A door's outbox on a shadow disk, what goes into it, and what it holds.

use rollcall_edge::draft::Draft;
use rollcall_edge::outbox::{Book, Durability, Entry, Setup};
use std::collections::BTreeMap;
use std::path::Path;
use wire::record::{CameraState, Watch};
use wire::{
    Candidate, ClockState, HubSecret, Mono, Quality, Ranges, Stamp, StudentId, Verdict, Wall,
};

/// A door's outbox on the file system `vfs`, in boot number `boot`.
///
/// # Panics
/// Never: its parts are constant.
#[must_use]
pub fn setup(vfs: &str, durability: Durability, boot: u64) -> Setup {
    let key = HubSecret::from_bytes(1, [3; 32]).public().expect("a constant key");
    let path = Path::new("/data/outbox.db");
    let setup = Setup::new(path, "door-1".parse().expect("a name"), key, format!("boot-{boot}"));
    Setup { vfs: Some(vfs.to_owned()), durability, ..setup }
}

/// A moment of boot 1.
#[must_use]
pub fn at(ms: u64) -> Stamp {
    let wall = Some(Wall(1_800_000_000_000).plus_ms(ms.cast_signed()));
    Stamp { boot: 1, mono: Mono(ms), wall, clock: ClockState::Ntp }
}

/// What the door could have recognised in the ten minutes before `ms`.
///
/// # Panics
/// Never: its parts are constant.
#[must_use]
pub fn health(ms: u64) -> Entry {
    let since = Mono(ms.saturating_sub(600_000));
    let watch = Watch {
        since,
        usable_ms: ms - since.0,
        blind: vec![],
        camera: CameraState::Watching,
        disk_free_mb: 9_000,
        gallery: 3,
        model: "test-1".parse().expect("a name"),
        fired: 0,
        looks: 600,
        dropped: 0,
        refused: 0,
        err_ms: Some(20),
    };
    Entry::Health(at(ms), watch)
}

/// Somebody passes at `ms`, with a crop of `size` bytes.
///
/// # Panics
/// Never: its parts are constant.
#[must_use]
pub fn passage(ms: u64, size: usize) -> Entry {
    Entry::Passage(Box::new(draft(ms, size)))
}

/// The same, as the recogniser hands it over.
///
/// # Panics
/// Never: its parts are constant.
#[must_use]
pub fn draft(ms: u64, size: usize) -> Draft {
    let student = StudentId(uuid::Uuid::from_u128(u128::from(ms % 50)));
    Draft {
        way: None,
        at: at(ms),
        candidates: vec![Candidate { student, score: 0.96 }],
        confidence: 0.9,
        verdict: Verdict::High,
        reasons: vec![],
        quality: Quality::default(),
        frames: 3,
        gallery: 1,
        model: "test-1".parse().expect("a name"),
        template_f16: vec![7; 256],
        crop_jpeg: Some(vec![9; size]),
    }
}

/// Every waiting number, and whether its content is what its hash says.
///
/// # Panics
/// When the outbox cannot be read.
pub fn waiting(book: &mut Book) -> BTreeMap<u64, bool> {
    let (mut found, mut taken) = (BTreeMap::new(), Ranges::default());
    loop {
        let items = book.pending(&taken, true, &at(0)).expect("a readable outbox").items;
        if items.is_empty() {
            return found;
        }
        for item in items {
            taken.insert(item.seq, item.seq);
            found.insert(item.seq, item.is_intact() && item.crop.is_some());
        }
    }
}
