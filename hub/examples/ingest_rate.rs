//! How fast the hub stores what doors say, durably: records a second, and how long the
//! acknowledgement takes. Real seals, real gallery, real fsync; only the socket is left out.
//!
//! `cargo run --release -p rollcall-hub --example ingest_rate [RECORDS] [DIRECTORY]`
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use acts::events::Events;
use acts::ingest::delivery::{Delivery, DeliveryAnswer, Sent};
use acts::ingest::{Ingest, fault::StagedFault, school::Schools};
use anyhow::{Context, Result, ensure};
use doors::mqtt::QUEUE;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rules::gallery::Index;
use rules::sighting::school::School;
use std::sync::Arc;
use std::time::Duration;
use store::keys::Keys;
use store::{self, Db, device::DevicePlace};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use vision::Template;
use wire::link::Batch;
use wire::record::crop_hash;
use wire::seal::Part;
use wire::time::{Clock, SystemClock};
use wire::{
    Body, Candidate, ClockState, DeviceId, Direction, Epoch, HubKey, Item, Mono, Quality,
    RecordKey, Sighting, Stamp, StudentId, Verdict, Wall,
};

const DEVICES: usize = 16;
const STUDENTS: usize = 500;
const MODEL: &str = "bench-1";
/// Batches of one door on the way.
const WINDOW: usize = 8;

struct House {
    say: mpsc::Sender<Delivery>,
    people: Vec<(StudentId, Template)>,
    hub_key: HubKey,
    _dir: tempfile::TempDir,
    _tasks: JoinSet<Result<(), rules::Error>>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let records = args.next().map_or(Ok(20_000), |n| n.parse()).context("RECORDS is no number")?;
    let dir = args.next().unwrap_or_else(|| std::env::temp_dir().to_string_lossy().into_owned());
    for (crop, items) in [(false, 64), (true, 7)] {
        let house = House::new(&dir).await?;
        let name = if crop { "with 11 KiB crops" } else { "without crops" };
        let batches = house.batches(records, items, crop)?;
        let (rate, late) = house.flood(batches).await?;
        println!(
            "{name}: {rate:.0} records/s, acknowledged p50 {:?} p99 {:?} (flooded)",
            late.0, late.1
        );
        let house = House::new(&dir).await?;
        let paced = house.batches(records.min(5000), if crop { 1 } else { 4 }, crop)?;
        let late = house.paced(paced, 1000).await?;
        println!("{name}: at 1,000 records/s acknowledged p50 {:?} p99 {:?}", late.0, late.1);
    }
    Ok(())
}

impl House {
    async fn new(dir: &str) -> Result<Self> {
        let dir = tempfile::tempdir_in(dir)?;
        let (now, mut rng) = (SystemClock.wall(), StdRng::seed_from_u64(7));
        let db = Db::open(dir.path().join("hub.db"))?;
        let keys = Keys::create(dir.path(), now)?;
        let people: Vec<_> = (0..STUDENTS).map(|n| person(n, now, &mut rng)).collect();
        for (id, _) in &people {
            keys.student_or_new(*id, now)?;
        }
        let ids: Vec<_> = people.iter().map(|(id, _)| id.to_string()).collect();
        db.write(move |tx| rows(tx, &ids, now)).await?;
        let looks = people.iter().map(|(id, look)| (*id, vec![look.clone()])).collect();
        let schools = Schools::default();
        let school: Arc<dyn School> = Arc::new(Index::build(MODEL.parse()?, &looks)?);
        schools.set([school]);
        let (say, deliveries) = mpsc::channel(QUEUE);
        let hub_key = keys.hub_secret()?.public()?;
        let (events, clock) = (Events::default(), Arc::new(SystemClock));
        let (fault, hub) = (StagedFault::None, String::new());
        let ingest = Ingest { db, keys, schools, events, clock, deliveries, hub, fault };
        let mut tasks = JoinSet::new();
        tasks.spawn(ingest.run(CancellationToken::new()));
        Ok(Self { say, people, hub_key, _dir: dir, _tasks: tasks })
    }

    /// Batches of `items` records each, spread over the doors, sealed beforehand.
    fn batches(&self, records: usize, items: usize, crop: bool) -> Result<Vec<(DeviceId, Batch)>> {
        let mut rng = StdRng::seed_from_u64(8);
        let epoch = Epoch([1; 16]);
        let mut seqs = [0u64; DEVICES];
        (0..records / items)
            .map(|n| {
                let (door, device) = (n % DEVICES, device(n % DEVICES)?);
                let items = (0..items).map(|_| {
                    seqs[door] += 1;
                    let seq = seqs[door];
                    self.record(&RecordKey { device: device.clone(), epoch, seq }, crop, &mut rng)
                });
                let items = items.collect::<Result<_>>()?;
                Ok((device, Batch { epoch, items }))
            })
            .collect()
    }

    fn record(&self, key: &RecordKey, crop: bool, rng: &mut StdRng) -> Result<Item> {
        let (student, look) = &self.people[rng.random_range(0..STUDENTS)];
        let jpeg: Vec<u8> =
            [0xff, 0xd8, 0xff].into_iter().chain((0..11_000).map(|n| n as u8)).collect();
        let crop = crop.then(|| self.hub_key.seal(key, Part::Crop, &jpeg, rng)).transpose()?;
        let crop = crop.map(|sealed| sealed.encode());
        let body = Body::Sighting(Sighting {
            room: "204".into(),
            direction: Direction::Entry,
            candidates: vec![Candidate { student: *student, score: 0.99 }],
            confidence: 0.99,
            verdict: Verdict::High,
            reasons: vec![],
            quality: Quality::default(),
            frames: 5,
            gallery: 1,
            model: MODEL.parse()?,
            template: self.hub_key.seal(key, Part::Template, &look.to_f16_bytes(), rng)?,
            crop: crop.as_deref().map(crop_hash),
        })
        .encode();
        let wall = Some(SystemClock.wall());
        let at = Stamp { boot: 1, mono: Mono(key.seq), wall, clock: ClockState::Ntp };
        Ok(Item { seq: key.seq, at, hash: Item::digest(key.seq, &at, &body), body, crop })
    }

    /// As fast as it goes, [`WINDOW`] batches of each door on the way.
    async fn flood(&self, batches: Vec<(DeviceId, Batch)>) -> Result<(f64, (Duration, Duration))> {
        let records: usize = batches.iter().map(|(_, batch)| batch.items.len()).sum();
        let (slots, start) = (Arc::new(Semaphore::new(DEVICES * WINDOW)), Instant::now());
        let mut waits = JoinSet::new();
        for batch in batches {
            let slot = slots.clone().acquire_owned().await?;
            let (told, sent) = (self.send(batch).await?, Instant::now());
            waits.spawn(async move {
                let _slot = slot;
                stored(told).await.map(|()| sent.elapsed())
            });
        }
        let late = waits.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        Ok((records as f64 / start.elapsed().as_secs_f64(), percentiles(late)))
    }

    /// At a steady rate, whether or not the hub keeps up (no coordinated omission).
    async fn paced(
        &self,
        batches: Vec<(DeviceId, Batch)>,
        rate: u32,
    ) -> Result<(Duration, Duration)> {
        let (mut due, mut waits) = (Instant::now(), JoinSet::new());
        for batch in batches {
            let count = u32::try_from(batch.1.items.len())?;
            sleep_until(due).await;
            let (told, should) = (self.send(batch).await?, due);
            waits.spawn(async move { stored(told).await.map(|()| should.elapsed()) });
            due += Duration::from_secs(1) * count / rate;
        }
        Ok(percentiles(waits.join_all().await.into_iter().collect::<Result<Vec<_>>>()?))
    }

    async fn send(
        &self,
        (device, batch): (DeviceId, Batch),
    ) -> Result<oneshot::Receiver<DeliveryAnswer>> {
        let (answer, told) = oneshot::channel();
        self.say.send(Delivery { device, sent: Sent::Batch(batch), answer }).await?;
        Ok(told)
    }
}

async fn stored(told: oneshot::Receiver<DeliveryAnswer>) -> Result<()> {
    match told.await? {
        DeliveryAnswer::Stored(Some(ack)) => ensure!(ack.rejects.is_empty(), "{:?}", ack.rejects),
        other => anyhow::bail!("not stored: {other:?}"),
    }
    Ok(())
}

fn percentiles(mut late: Vec<Duration>) -> (Duration, Duration) {
    late.sort();
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    (at(50), at(99))
}

fn device(n: usize) -> Result<DeviceId> {
    Ok(format!("door-{n}").parse()?)
}

fn person(n: usize, now: Wall, rng: &mut StdRng) -> (StudentId, Template) {
    let raw = (0..128).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    let look = Template::from_raw(raw).expect("random numbers have a direction");
    (StudentId::new(now.plus_ms(n as i64)), look)
}

fn rows(tx: &store::Tx<'_>, ids: &[String], now: Wall) -> Result<(), rules::Error> {
    store::setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string())?;
    let place =
        DevicePlace { room: "204".into(), location: String::new(), direction: Direction::Entry };
    for n in 0..DEVICES {
        let id = device(n).map_err(|error| rules::Error::Invalid(error.to_string()))?;
        store::device::add(tx, &id, &place, "bench", now)?;
    }
    for id in ids {
        tx.execute(
            "insert into student (id, student_number, first_name, last_name, kind, is_active,
                 created_at, updated_at, version) values ($1, $1, 'A', 'B', 'student', 1, 0, 0, 1)",
            [id],
        )?;
        tx.execute(
            "insert into consent (student, given, by_whom, text_version, at, actor)
             values ($1, 1, 'x', '1', 0, 'bench')",
            [id],
        )?;
    }
    Ok(())
}
