//! The disk under a door fails for a moment, at each of its calls in turn and in each way, while
//! the whole outbox is at work: nothing is lost or doubled, and the writer goes on.
//!
//! The file asks for the smallest cache, so that every statement goes to the disk. The control
//! lets the writer end at the failure, as a daemon that gives up would: it must lose something.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::shadow::door::{at, draft, passage, setup};
use house::shadow::{Disk, Files, Trouble};
use rand::{SeedableRng, rngs::StdRng};
use rollcall_edge::draft::Keep as _;
use rollcall_edge::outbox::{self, Book, Durability, Outbox, OutboxError, Place, Writer};
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::runtime::Runtime;
use wire::link::Ack;
use wire::{Body, Direction, Epoch, Item, Ranges};

const TROUBLES: [Trouble; 3] = [Trouble::Busy, Trouble::Full, Trouble::Broken];

/// Opened in the second boot, on a disk that another left behind.
fn start(disk: &Disk<()>) -> Result<(Outbox, Writer), OutboxError> {
    outbox::open(setup(disk.vfs(), Durability::Full, 2), StdRng::seed_from_u64(7))
}

/// A file in use, with the smallest cache written into its head.
fn used() -> Files {
    let disk = Disk::<()>::new(Files::new());
    let mut book =
        Book::open(setup(disk.vfs(), Durability::Full, 1), StdRng::seed_from_u64(7)).unwrap();
    book.append(&(0..30).map(|ms| passage(ms, 3_000)).collect::<Vec<_>>()).unwrap();
    drop(book);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = Connection::open_with_flags_and_vfs("/data/outbox.db", flags, disk.vfs()).unwrap();
    db.execute_batch("pragma locking_mode=exclusive; pragma default_cache_size=1").unwrap();
    drop(db);
    let log = disk.log();
    log.cut(log.0.len(), &mut StdRng::seed_from_u64(1))
}

/// What reached the hub: records by their first key.
#[derive(Default)]
struct Hub {
    stored: BTreeMap<(Epoch, u64), Item>,
    heard: BTreeMap<Epoch, Ranges>,
}

impl Hub {
    fn take(&mut self, epoch: Epoch, items: Vec<Item>) {
        for item in items {
            self.heard.entry(epoch).or_default().insert(item.seq, item.seq);
            let key = match item.body().unwrap() {
                Body::Moved(moved) => (moved.epoch, moved.seq),
                _ => (epoch, item.seq),
            };
            assert!(item.is_intact());
            self.stored.entry(key).or_insert(item);
        }
    }

    fn ack(&self, epoch: Epoch) -> Ack {
        let ranges = self.heard.get(&epoch).cloned().unwrap_or_default();
        Ack {
            hub_epoch: Epoch([8; 16]),
            epoch,
            cum: ranges.cumulative(),
            max_seq: ranges.max(),
            ranges,
            rejects: vec![],
            backed_up: 3,
            window: 8,
        }
    }

    /// When each passage was that it holds; once each, if nothing was doubled.
    fn passages(&self) -> Vec<u64> {
        let mut found: Vec<_> = self.stored.values().filter(|item| item.crop.is_some()).collect();
        found.sort_by_key(|item| item.at.mono);
        found.iter().map(|item| item.at.mono.0).collect()
    }
}

/// A door at work: its outbox, and the hub it talks to.
struct Work {
    outbox: Outbox,
    writer: JoinHandle<Result<(), Arc<OutboxError>>>,
    hub: Hub,
    runtime: Runtime,
}

impl Work {
    fn begin((outbox, writer): (Outbox, Writer), hub: Hub) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { outbox, writer: std::thread::spawn(move || writer.run()), hub, runtime }
    }

    /// Everything that writes, once, whatever comes of it.
    fn day(&mut self) {
        drop(self.outbox.keep(vec![draft(100, 900), draft(101, 900)]));
        self.talk();
        let place = Place { room: "B-102".into(), direction: Direction::Entry };
        drop(self.runtime.block_on(self.outbox.set_place(place)));
        drop(self.outbox.keep(vec![draft(102, 900)]));
        self.talk();
        if let Ok(cursor) = self.runtime.block_on(self.outbox.cursor()) {
            let ahead = Ack { max_seq: 9_000, ..self.hub.ack(cursor.epoch) };
            drop(self.runtime.block_on(self.outbox.acknowledge(ahead, true, at(200))));
        }
        drop(self.outbox.keep(vec![draft(103, 900)]));
        self.talk();
    }

    /// One batch to the hub, and its answer; whether there was any.
    fn talk(&mut self) -> bool {
        let asked = self.outbox.pending(Ranges::default(), true, at(3_600_000));
        let Ok(parcel) = self.runtime.block_on(asked) else { return false };
        let any = !parcel.items.is_empty();
        self.hub.take(parcel.epoch, parcel.items);
        let ack = self.hub.ack(parcel.epoch);
        drop(self.runtime.block_on(self.outbox.acknowledge(ack, false, at(3_600_000))));
        any
    }

    /// Sends what is left, and ends.
    fn end(mut self) -> (Hub, Result<(), Arc<OutboxError>>) {
        while self.runtime.block_on(self.outbox.cursor()).is_ok() && self.talk() {}
        drop(self.outbox);
        (self.hub, self.writer.join().unwrap())
    }
}

/// A day with a disk that fails from its call number `calls` on, and a sound one after it. What
/// the hub holds, and whether anything failed. The writer must not end by itself.
fn run(files: &Files, calls: usize, trouble: Trouble, goes_on: bool) -> (Hub, bool) {
    let disk = Disk::<()>::new(files.clone());
    let mut work = Work::begin(start(&disk).unwrap(), Hub::default());
    disk.fail_any_after(calls, trouble);
    work.day();
    if !goes_on {
        // The writer's memory goes with the process; only the disk is left.
        let (hub, log) = (std::mem::take(&mut work.hub), disk.log());
        let left = log.cut(log.0.len(), &mut StdRng::seed_from_u64(calls as u64));
        drop(work.end());
        let disk = Disk::new([files.clone(), left].into_iter().flatten().collect());
        let (hub, ended) = Work::begin(start(&disk).unwrap(), hub).end();
        ended.unwrap();
        return (hub, true);
    }
    let failed = disk.mend();
    let (hub, ended) = work.end();
    assert!(ended.is_ok(), "call {calls}, {trouble:?}: the writer ended: {ended:?}");
    (hub, failed)
}

fn expected() -> Vec<u64> {
    (0..30).chain(100..104).collect()
}

#[test]
fn a_disk_that_fails_for_a_moment_costs_nothing_at_any_call_of_any_writer() {
    let files = used();
    for trouble in TROUBLES {
        let mut calls = 0;
        loop {
            let (hub, failed) = run(&files, calls, trouble, true);
            assert_eq!(hub.passages(), expected(), "call {calls}, {trouble:?}");
            if !failed {
                break;
            }
            calls += 1;
        }
        println!("{trouble:?}: {calls} calls failed in turn, 0 lost, 0 doubled");
        assert!(calls > 60, "only {calls} calls: the disk was hardly used");
    }
}

#[test]
fn a_daemon_that_gave_up_would_lose_passages() {
    let files = used();
    let lost = |calls| {
        let held: BTreeSet<_> =
            run(&files, calls, Trouble::Broken, false).0.passages().into_iter().collect();
        expected().iter().any(|ms| !held.contains(ms))
    };
    assert!((0..40).any(lost), "the control lost nothing: the rig proves nothing");
}

#[test]
fn a_disk_that_is_full_when_the_door_starts_keeps_no_outbox_closed() {
    let files = used();
    for calls in 0..40 {
        let disk = Disk::<()>::new(files.clone());
        disk.fail_any_after(calls, Trouble::Full);
        let mut book =
            Book::open(setup(disk.vfs(), Durability::Full, 2), StdRng::seed_from_u64(7)).unwrap();
        assert_eq!(book.cursor().boot, 2);
        disk.mend();
        book.append(&[passage(500, 100)]).unwrap();
        drop(book);
        let again = Book::open(setup(disk.vfs(), Durability::Full, 2), StdRng::seed_from_u64(7));
        assert_eq!(again.unwrap().cursor().boot, 2, "the boot was noted with the first record");
    }
}
