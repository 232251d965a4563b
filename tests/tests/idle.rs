//! What a school writes to its cards and disks while nobody passes: bytes of a day, counted.
//!
//! The control reports each minute, as doors once did: it must break the bar.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use acts::ingest::delivery::{Delivery, DeliveryAnswer, Sent};
use acts::ingest::{Ingest, fault::StagedFault, school::Schools};
use house::shadow::door::{at, health, setup};
use house::shadow::{Disk, Files};
use rand::{SeedableRng, rngs::StdRng};
use rollcall_edge::outbox::{Book, Durability, Entry};
use std::sync::Arc;
use store::keys::Keys;
use store::{self, Db};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wire::link::{Ack, Batch};
use wire::record::Anchor;
use wire::time::ManualClock;
use wire::{Body, ClockState, DeviceId, Direction, Epoch, Item, Mono, Ranges, Stamp, Wall};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Bytes that an idle door writes in a day at most, and an idle hub with [`DOORS`] of them.
const DOOR: u64 = 5_000_000;
const HUB: u64 = 200_000_000;
const DOORS: u64 = 50;
const NOW: Wall = Wall(1_800_000_000_000);

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

fn name(door: u64) -> DeviceId {
    format!("door-{door}").parse().unwrap()
}

fn item(seq: u64, now: u64, body: &Body) -> Item {
    let wall = Some(NOW.plus_ms(now.cast_signed()));
    let at = Stamp { boot: 1, mono: Mono(now), wall, clock: ClockState::Ntp };
    let body = body.encode();
    Item { seq, at, hash: Item::digest(seq, &at, &body), body, crop: None }
}

/// What an idle door that reports `every` so often has to say at `now`, if anything; its moments
/// are its own.
fn said(door: u64, now: u64, every: u64) -> Option<Body> {
    let Entry::Health(_, watch) = health(now) else { return None };
    match (now + door * MINUTE) % HOUR {
        n if n % every == 0 => Some(Body::Watch(watch)),
        n if n == 5 * MINUTE => Some(Body::Anchor(anchor())),
        _ => None,
    }
}

/// Bytes that this process has handed to the system for writing.
fn written() -> u64 {
    let said = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = said.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    line.parse().unwrap()
}

struct Hub {
    say: mpsc::Sender<Delivery>,
    clock: Arc<ManualClock>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<Result<(), rules::Error>>,
    _dir: tempfile::TempDir,
}

impl Hub {
    #[expect(clippy::disallowed_methods, reason = "a test owns its one task")]
    async fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let keys = Keys::create(dir.path(), NOW).unwrap();
        let doors = |tx: &store::Tx<'_>| {
            store::setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string())?;
            let (location, direction) = (String::new(), Direction::Both);
            let place = store::device::DevicePlace { room: "204".into(), location, direction };
            (0..DOORS).try_for_each(|door| store::device::add(tx, &name(door), &place, "test", NOW))
        };
        db.write(doors).await.unwrap();
        let (say, deliveries) = mpsc::channel(64);
        let clock = Arc::new(ManualClock::at(NOW, Mono(0)));
        let ingest = Ingest {
            db,
            keys,
            schools: Schools::default(),
            events: acts::events::Events::default(),
            clock: clock.clone(),
            deliveries,
            hub: String::new(),
            fault: StagedFault::None,
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(ingest.run(stop.clone()));
        Self { say, clock, stop, running, _dir: dir }
    }

    async fn send(&self, door: u64, item: Item) {
        let (answer, told) = oneshot::channel();
        let sent = Sent::Batch(Batch { epoch: Epoch([1; 16]), items: vec![item] });
        self.say.send(Delivery { device: name(door), sent, answer }).await.unwrap();
        let DeliveryAnswer::Stored(Some(ack)) = told.await.unwrap() else { panic!("not stored") };
        assert!(ack.rejects.is_empty());
    }
}

/// Bytes that a hub writes in `watched` of a day in which nobody passes, told `every` so often.
async fn hub(every: u64, watched: u64) -> u64 {
    let hub = Hub::begin().await;
    let (mut sent, before) = ([0; 50], written());
    for now in (0..watched).step_by(usize::try_from(MINUTE).unwrap()) {
        for (door, count) in (0..DOORS).zip(&mut sent) {
            let Some(body) = said(door, now, every) else { continue };
            *count += 1;
            hub.send(door, item(*count, now, &body)).await;
        }
        hub.clock.advance(MINUTE);
    }
    assert!(sent.iter().all(|count| *count >= watched / every), "each door spoke");
    hub.stop.cancel();
    hub.running.await.unwrap().unwrap();
    written() - before
}

#[tokio::test]
async fn an_idle_hub_with_fifty_doors_writes_at_most_two_hundred_megabytes_a_day() {
    let (now, once) = (hub(10 * MINUTE, DAY).await, hub(MINUTE, HOUR).await);
    println!(
        "an idle hub with {DOORS} doors writes {now} bytes a day; told each minute, {once} an hour"
    );
    assert!(now <= HUB, "{now}");
    assert!(once * (DAY / HOUR) > HUB, "the control keeps the bar: nothing is proved");
}
