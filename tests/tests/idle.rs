//! What a door writes to its card while nobody passes: bytes of a day, counted.
//!
//! The control reports each minute, as doors once did: it must break the bar.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::shadow::door::{at, health, setup};
use house::shadow::{Disk, Files};
use rand::{SeedableRng, rngs::StdRng};
use rollcall_edge::outbox::{Book, Durability, Entry};
use wire::link::Ack;
use wire::record::Anchor;
use wire::{Epoch, Ranges};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Bytes that an idle door writes in a day at most.
const DOOR: u64 = 5_000_000;

fn anchor() -> Anchor {
    Anchor { err_ms: 20, stepped: false }
}

/// Sends what waits, and hears that the hub has it.
fn talk(book: &mut Book, now: u64) {
    let parcel = book.pending(&Ranges::default(), true, &at(now)).unwrap();
    let last = parcel.items.last().unwrap().seq;
    let ack = Ack {
        hub_epoch: Epoch([8; 16]),
        epoch: parcel.epoch,
        cum: last,
        ranges: Ranges::default(),
        rejects: vec![],
        backed_up: last.saturating_sub(200) / 100 * 100,
        max_seq: last,
        window: 8,
    };
    book.acknowledge(&ack, false, &at(now)).unwrap();
}

/// Bytes that a door writes in a day in which nobody passes, reporting `every` so often.
fn door(every: u64) -> u64 {
    let disk = Disk::<()>::new(Files::new());
    let mut book =
        Book::open(setup(disk.vfs(), Durability::Full, 1), StdRng::seed_from_u64(7)).unwrap();
    for now in (0..DAY).step_by(usize::try_from(MINUTE).unwrap()) {
        let mut due = Vec::new();
        due.extend((now % every == 0).then(|| health(now)));
        due.extend((now % HOUR == 0).then(|| Entry::Anchor(at(now), anchor())));
        for entry in due {
            book.append(&[entry]).unwrap();
            talk(&mut book, now);
        }
    }
    drop(book);
    disk.log().bytes()
}

#[test]
fn an_idle_door_writes_at_most_five_megabytes_a_day() {
    let (now, once) = (door(10 * MINUTE), door(MINUTE));
    println!("an idle door writes {now} bytes a day; reporting each minute, {once}");
    assert!(now <= DOOR, "{now}");
    assert!(once > DOOR, "the control keeps the bar: nothing is proved");
}
