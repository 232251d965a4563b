//! A thousand doors at one hub: each has a certificate, a connection of its own over MQTT and TLS,
//! and says how its board is, while an admin opens the page of all doors and the API's list, and
//! then sends the gallery and an update out to all of them.
//!
//! Their reports of what they saw are written into the database beforehand. `fleet full` is for
//! `./dev night`; `fleet small` shows with a hundred doors that all of it runs.

use acts::pki::Pki;
use anyhow::{Context as _, ensure};
use house::client::Api;
use house::process::Process;
use house::releases::Releases;
use house::rig::model;
use house::school::School;
use rcgen::{CertificateParams, KeyPair};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::device::{self, DevicePlace};
use store::{Db, Tx, certificate, keys::Keys, params, release};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use wire::link::{Desired, Reported, Status, Vitals};
use wire::program::{Machine, Offer, Progress, Step};
use wire::time::{Clock as _, SystemClock};
use wire::topic::Leaf;
use wire::{DeviceId, Direction, Message, Wall};

/// How often each door says how its board is: four times as often as doors do.
const VITALS: Duration = Duration::from_secs(15);
/// Reports of each door that are in the database: those of more than a day.
const REPORTS: i64 = 200;
/// Pages and lists answer within this.
const GOAL: Duration = Duration::from_millis(300);

/// How many doors, and for how long they are looked at.
struct Size {
    doors: usize,
    time: Duration,
    strict: bool,
}

const FULL: Size = Size { doors: 1_000, time: Duration::from_secs(60), strict: true };
const SMALL: Size = Size { doors: 100, time: Duration::from_secs(3), strict: false };

/// What an admin opens.
const ASKED: [(&str, &str); 5] = [
    ("page of all doors", "/devices"),
    ("page, search and state", "/devices?state=watching&q=r01"),
    ("API, 500 doors", "/api/devices?limit=500"),
    ("API, of one state", "/api/devices?state=hot"),
    ("page of one door", "/devices/fleet-0007"),
];

fn main() -> anyhow::Result<()> {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let size = match std::env::args().nth(1).as_deref() {
        Some("full") => FULL,
        Some("small") | None => SMALL,
        Some(other) => anyhow::bail!("fleet takes full or small, not {other}"),
    };
    let dir = std::env::current_dir()?.join(format!("target/fleet.{}", std::process::id()));
    let _nothing_there = fs::remove_dir_all(&dir);
    let missed = measure(&dir, &size);
    let _may_stay = fs::remove_dir_all(&dir);
    let missed = missed?;
    ensure!(missed == 0 || !size.strict, "{missed} goals were missed");
    Ok(())
}

fn measure(dir: &Path, size: &Size) -> anyhow::Result<usize> {
    let school = School::found(dir)?;
    let people = ["--students", "200", "--classes", "10", "--sightings", "0", "--pending", "0"];
    school.hub(&[&["seed"], &people[..]].concat())?;
    let runtime = Runtime::new()?;
    let doors = runtime.block_on(made(&school.hub_dir(), size.doors))?;
    let begun = Instant::now();
    let mut hub =
        Process::start(&mut school.hub_command(&["serve"]), &school.hub_dir().join("log"))?;
    let api = school.api()?;
    hub.until("ready", Duration::from_secs(180), || api.get("/ready").ok())?;
    say(&format!("{} doors: the hub was ready after {:.1?}", size.doors, begun.elapsed()))?;
    let admin = school.admin()?;
    let port = school.ports.mqtt;
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for (n, door) in doors.into_iter().enumerate() {
        calls.spawn_on(door.live(port, n), runtime.handle());
    }
    until("every door uses its gallery", || {
        Ok(far(&admin, "/devices")? == (size.doors, size.doors))
    })?;
    say(&format!("connected, and with their galleries, after {:.1?}", begun.elapsed()))?;
    let missed = ask(&admin, size.time)?;
    push(&school.hub_dir(), &runtime, &admin, size.doors)?;
    update(&school, &dir.join("maker"), &runtime, &admin, size.doors)?;
    say(&format!("hub peak RSS {} MiB", peak(&hub)?))?;
    ensure!(calls.try_join_next().is_none(), "a door gave up");
    Ok(missed)
}

// The doors -------------------------------------------------------------------------------------

/// What a door holds.
struct Door {
    id: DeviceId,
    tls: Arc<ClientConfig>,
    model: String,
}

/// Doors with certificates and a past, four to a room.
async fn made(dir: &Path, count: usize) -> anyhow::Result<Vec<Door>> {
    let (db, keys) = (Db::open(dir.join("hub.db"))?, Keys::open(dir)?);
    let pki = Pki::open(&keys)?;
    let (now, model) = (SystemClock.wall(), model()?);
    // Nobody plays the doors of the made-up school.
    let others = move |tx: &Tx<'_>| {
        let all = device::list(tx)?;
        all.into_iter().try_for_each(|door| device::revoke(tx, &door.id, "t", now).map(drop))
    };
    db.write(others).await?;
    let mut doors = Vec::new();
    for n in 0..count {
        let id: DeviceId = format!("fleet-{n:04}").parse()?;
        let key = KeyPair::generate()?;
        let request = CertificateParams::default().serialize_request(&key)?;
        let issued = pki.sign(&id, &request.pem()?, now)?;
        let tls = trust(&pki.ca_pem(), &issued.pem, &key)?;
        let name = id.clone();
        let add = move |tx: &Tx<'_>| {
            let (room, location) = (format!("R{:03}", n / 4), format!("corridor {}", n % 4));
            device::add(
                tx,
                &name,
                &DevicePlace { room, location, direction: Direction::Both },
                "t",
                now,
            )?;
            device::add_cert(tx, &name, &issued.serial, issued.expires, now)?;
            certificate::identify(tx, &issued.serial, &issued.digest)?;
            (0..REPORTS).try_for_each(|n| report(tx, &name, n, now))
        };
        db.write(add).await?;
        doors.push(Door { id, tls, model: model.clone() });
    }
    Ok(doors)
}

/// The report of ten minutes, `n` reports before the newest.
fn report(tx: &Tx<'_>, door: &DeviceId, n: i64, now: Wall) -> Result<(), rules::Error> {
    const SPAN_MS: i64 = 600_000;
    let until = (REPORTS - n) * SPAN_MS;
    let sql = "insert into health (device, epoch, seq, boot, since, until, at, at_high, watched_ms,
             camera, disk_free_mb)
         values ($1, x'01', $2, 1, $3, $4, $5, $5, $6, 'watching', 9000)";
    let at = now.0 - n * SPAN_MS;
    let values = params![door.as_str(), REPORTS - n, until - SPAN_MS, until, at, SPAN_MS];
    tx.execute(sql, values).map(drop)
}

/// TLS of a door that trusts `ca` and shows `certificate`.
fn trust(ca: &str, certificate: &str, key: &KeyPair) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes())?];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ClientConfig::builder().with_root_certificates(roots);
    Ok(Arc::new(config.with_client_auth_cert(chain, key)?))
}

impl Door {
    /// Stays connected, does as it is told, and says how its board is.
    async fn live(self, port: u16, n: usize) -> anyhow::Result<()> {
        let (client, mut events) = self.dial(port);
        let spread = VITALS * u32::try_from(n % 1_000)? / 1_000;
        let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + spread, VITALS);
        loop {
            tokio::select! {
                event = events.poll() => match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => self.greet(&client)?,
                    Ok(Event::Incoming(Packet::Publish(said))) => self.obey(&client, &said.payload)?,
                    Ok(_) => {}
                    // A thousand at once: some come too late for their handshake, and call again.
                    Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                },
                _ = tick.tick() => self.say(&client, Leaf::Vitals, board(n))?,
            }
        }
    }

    fn dial(&self, port: u16) -> (AsyncClient, EventLoop) {
        let mut options = MqttOptions::new(self.id.as_str(), "localhost", port);
        let tls = TlsConfiguration::Rustls(self.tls.clone());
        options.set_transport(Transport::tls_with_config(tls));
        options.set_keep_alive(Duration::from_secs(30)).set_clean_start(true);
        options.set_max_packet_size(Some(128 * 1024));
        AsyncClient::new(options, 64)
    }

    fn greet(&self, client: &AsyncClient) -> anyhow::Result<()> {
        client.try_subscribe(Leaf::Desired.topic(&self.id), QoS::AtLeastOnce)?;
        self.say(client, Leaf::Status, Status { online: true, connection: 1, boot: 1 })
    }

    /// A door that is told of a gallery or a program has it at once.
    fn obey(&self, client: &AsyncClient, payload: &[u8]) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        match Message::decode(payload) {
            Ok(Message::Desired(Desired { gallery, manifest, .. })) => {
                let (model, trouble) = (self.model.parse()?, String::new());
                let software = version;
                let reported = Reported { gallery, manifest, model, software, trouble };
                self.say(client, Leaf::Reported, reported)
            }
            Ok(Message::Offer(Offer { rollout, signed })) => {
                let step = if signed.is_some() { Step::Settled } else { Step::Idle };
                let (machine, running, why) = (Machine::here(), None, String::new());
                let progress = Progress { machine, version, running, rollout, step, why };
                self.say(client, Leaf::Program, progress)
            }
            _ => Ok(()),
        }
    }

    fn say(
        &self,
        client: &AsyncClient,
        leaf: Leaf,
        what: impl Into<Message>,
    ) -> anyhow::Result<()> {
        let (topic, payload) = (leaf.topic(&self.id), what.into().encode());
        // A door that is not connected drops what is old by the time it is.
        let _full = client.try_publish(topic, QoS::AtLeastOnce, leaf.rule().retained, payload);
        Ok(())
    }
}

/// Every hundredth board is too hot.
fn board(n: usize) -> Vitals {
    let celsius = Some(if n.is_multiple_of(100) { 85 } else { 55 });
    let (sagged, slowed) = (Some(false), Some(false));
    Vitals { celsius, sagged, slowed, memory_free_mb: Some(400), up_s: Some(86_400) }
}

// The admin -------------------------------------------------------------------------------------

/// Opens every list again and again; how many were too slow.
fn ask(admin: &Api, time: Duration) -> anyhow::Result<usize> {
    let mut took = ASKED.map(|_| Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < time {
        for ((_, path), took) in ASKED.iter().zip(&mut took) {
            let asked = Instant::now();
            admin.file(path)?;
            took.push(asked.elapsed());
        }
    }
    let mut missed = 0;
    for ((name, _), mut took) in ASKED.into_iter().zip(took) {
        took.sort();
        let at = |percent: usize| took[(took.len() - 1) * percent / 100];
        let word = if at(99) < GOAL { "" } else { "  MISSED" };
        missed += usize::from(!word.is_empty());
        let (p50, p99, n) = (at(50), at(99), took.len());
        say(&format!("{name:<24} p50 {p50:.1?} p99 {p99:.1?} of {n} (goal {GOAL:?}){word}"))?;
    }
    Ok(missed)
}

/// Every door gets a new gallery, as when what signs them was replaced; looks on until all use it.
fn push(dir: &Path, runtime: &Runtime, admin: &Api, doors: usize) -> anyhow::Result<()> {
    let db = Db::open(dir.join("hub.db"))?;
    let before = runtime.block_on(db.read(release::newest_of_all))?;
    let (begun, mut steps) = (Instant::now(), BTreeSet::new());
    runtime.block_on(db.write(release::renew_all))?;
    until("every door uses its new gallery", || {
        let is_made = made_since(&db, runtime, before)?;
        let (done, all) = far(admin, "/devices")?;
        steps.insert(done);
        Ok(is_made && (done, all) == (doors, doors))
    })?;
    let (took, steps) = (begun.elapsed(), steps.len());
    say(&format!(
        "a new gallery was in use at {doors} doors after {took:.1?}; the page said {steps} steps of it"
    ))
}

/// Every door gets a program, first one, then a tenth, then all; looks on until all run it. The half
/// hours for which each stage must prove itself are not waited for.
fn update(
    school: &School,
    dir: &Path,
    runtime: &Runtime,
    admin: &Api,
    doors: usize,
) -> anyhow::Result<()> {
    let db = Db::open(school.hub_dir().join("hub.db"))?;
    let maker = Releases::new(school, dir)?.trusted()?;
    let file = maker.sign(2, &fs::read("/bin/true")?)?;
    let begun = Instant::now();
    let number = maker.begin(&file, admin)?;
    let (mut steps, mut stages) = (BTreeSet::new(), BTreeSet::new());
    until("every door runs the program", || {
        runtime.block_on(db.write(proved))?;
        let rollouts = admin.get("/api/rollouts")?;
        stages.insert(rollouts[0]["stage"].to_string());
        let (done, all) = far(admin, "/updates")?;
        steps.insert(done);
        Ok(rollouts[0]["number"] == number && (done, all) == (doors, doors))
    })?;
    let (took, steps, stages) = (begun.elapsed(), steps.len(), stages.len());
    ensure!(stages == 3 && steps > 3, "one door, a tenth, all: {stages} stages, {steps} steps");
    say(&format!(
        "a program ran at {doors} doors after {took:.1?}, in {stages} stages whose half hours were \
         passed over; the page said {steps} steps of it"
    ))
}

/// Whoever runs the program has done so for an hour.
fn proved(tx: &Tx<'_>) -> Result<(), rules::Error> {
    let sql = "update rollout_door set at = at - 3600000 where step = 'settled'";
    tx.execute(sql, []).map(drop)
}

/// Whether there is a release after `before`.
fn made_since(db: &Db, runtime: &Runtime, before: u64) -> anyhow::Result<bool> {
    let newest = |tx: &Tx<'_>| {
        let sql = "select coalesce(max(version), 0) from gallery_release";
        tx.row(sql, [], |row| row.get::<i64>(0))
    };
    let newest = runtime.block_on(db.read(newest))?.unwrap_or(0);
    Ok(u64::try_from(newest)? > before)
}

/// How many doors are there, and how many are meant, as the first bar of the page `path` says.
fn far(admin: &Api, path: &str) -> anyhow::Result<(usize, usize)> {
    let page = String::from_utf8(admin.file(path)?)?;
    let Some((_, bar)) = page.split_once("<progress ") else { return Ok((0, 0)) };
    let number = |name: &str| {
        let (_, rest) = bar.split_once(&format!("{name}=\"")).context("no number")?;
        Ok::<usize, anyhow::Error>(rest.split('"').next().context("no end")?.parse()?)
    };
    Ok((number("value")?, number("max")?))
}

fn until(what: &str, mut is: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let limit = Instant::now() + Duration::from_secs(180);
    while !is()? {
        ensure!(Instant::now() < limit, "not within three minutes: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The most memory the hub ever had, MiB.
fn peak(hub: &Process) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", hub.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmHWM")?.parse::<u64>()? / 1024)
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
