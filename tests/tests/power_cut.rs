//! The power goes at 1,000 moments of an outbox's work: nothing that was committed may be lost.
//!
//! The control runs the same cuts with `synchronous=NORMAL` and must lose something: otherwise
//! the rig would prove nothing.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::shadow::door::{at, passage, setup, waiting};
use house::shadow::{Disk, Files, Log};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rollcall_edge::outbox::{Book, Durability};
use wire::link::Ack;
use wire::{Epoch, Ranges};

const CUTS: usize = 1000;
const STEPS: u64 = 400;

/// What the outbox promised, in the order it did.
#[derive(Clone)]
enum Promise {
    /// COMMIT returned for these numbers.
    Committed(Vec<u64>),
    /// The hub's acknowledgement of everything up to here was about to be applied.
    Freed(u64),
}

/// An outbox at work: groups of passages, acknowledgements, restarts.
fn work(durability: Durability, seed: u64) -> Log<Promise> {
    let (disk, mut rng) = (Disk::new(Files::new()), StdRng::seed_from_u64(seed));
    let open =
        |boot| Book::open(setup(disk.vfs(), durability, boot), StdRng::seed_from_u64(7)).unwrap();
    let mut book = open(0);
    for step in 0..STEPS {
        match rng.random_range(0..20) {
            0..14 => {
                let group = (0..rng.random_range(1..5))
                    .map(|_| passage(step, rng.random_range(200..9000)))
                    .collect::<Vec<_>>();
                let numbers = book.append(&group).unwrap();
                disk.mark(Promise::Committed(numbers));
            }
            14..19 => free(&mut book, &disk, step),
            _ => {
                drop(book);
                book = open(step);
            }
        }
    }
    drop(book);
    disk.log()
}

fn free(book: &mut Book, disk: &Disk<Promise>, step: u64) {
    let sent = book.pending(&Ranges::default(), true, &at(step)).unwrap();
    let Some(last) = sent.items.last() else { return };
    disk.mark(Promise::Freed(last.seq));
    let ack = Ack {
        hub_epoch: Epoch([8; 16]),
        epoch: book.cursor().epoch,
        cum: last.seq,
        ranges: Ranges::default(),
        rejects: vec![],
        backed_up: last.seq,
        max_seq: last.seq,
        window: 8,
    };
    book.acknowledge(&ack, false, &at(step)).unwrap();
}

/// Cuts the power after `calls` calls and opens what is left: how many promised records are
/// gone, and whether the file was damaged.
fn cut(log: &Log<Promise>, calls: usize, seed: u64) -> (usize, bool) {
    let (mut promised, mut freed) = (Vec::new(), 0);
    for promise in log.marks(calls) {
        match promise {
            Promise::Committed(numbers) => promised.extend(numbers.iter().copied()),
            Promise::Freed(seq) => freed = *seq,
        }
    }
    promised.retain(|seq| *seq > freed);
    let disk = Disk::<()>::new(log.cut(calls, &mut StdRng::seed_from_u64(seed)));
    let opened = Book::open(setup(disk.vfs(), Durability::Full, 1), StdRng::seed_from_u64(9));
    let Ok(mut book) = opened else { return (promised.len(), true) };
    let found = waiting(&mut book);
    let lost = promised.iter().filter(|seq| found.get(seq) != Some(&true)).count();
    let next = book.append(&[passage(1, 100)]).unwrap();
    let taken = promised.last().is_some_and(|last| next[0] <= *last);
    (lost, taken && lost == 0)
}

fn run(durability: Durability, seed: u64) -> (usize, usize) {
    let (log, mut rng) = (work(durability, seed), StdRng::seed_from_u64(seed));
    let (mut lost, mut damaged) = (0, 0);
    for n in 0..CUTS {
        let calls = rng.random_range(1..=log.0.len());
        let (gone, broken) = cut(&log, calls, rng.random());
        assert!(gone == 0 || durability != Durability::Full, "seed {seed}, cut {n} at {calls}");
        lost += usize::from(gone > 0);
        damaged += usize::from(broken);
    }
    println!(
        "{durability:?}, seed {seed}: {CUTS} cuts in {} calls, {lost} lost, {damaged} damaged",
        log.0.len()
    );
    (lost, damaged)
}

#[test]
fn a_power_cut_never_takes_a_committed_record() {
    let seed = std::env::var("SEED").map_or(20_261_121, |seed| seed.parse().unwrap());
    assert_eq!(run(Durability::Full, seed), (0, 0));
}

#[test]
fn the_rig_would_notice_a_disk_that_is_not_synced() {
    let (lost, _) = run(Durability::Normal, 20_261_121);
    assert!(lost > 0, "NORMAL must lose something, or the rig is broken");
}
