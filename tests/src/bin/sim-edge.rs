//! A door without camera and models: makes records as fast as asked, into the real outbox, over
//! the real link.
//!
//! `sim-edge DATA PER_SECOND MODEL`; whom it sees (templates, one after the other) is in
//! `DATA/template`, and whom it takes them for in `DATA/person`, or else for strangers. Prints
//! `committed SEQ EPOCH MARK` after COMMIT (the epoch of its start; the mark is the passage's own)
//! and `cursor EPOCH MAX CUM` when that changes. When its standard input closes it makes no more
//! records, waits until the hub has acknowledged all, prints `drained` and ends.

use anyhow::Context as _;
use house::passages::mark;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rollcall_edge::care::Care;
use rollcall_edge::clock::Timekeeper;
use rollcall_edge::draft::{Draft, Keep};
use rollcall_edge::fetch::Fetch;
use rollcall_edge::identity::{Identity, Passport};
use rollcall_edge::link::{Config, Link};
use rollcall_edge::outbox::{self, Cursor, Outbox, Setup};
use rollcall_edge::renew::{Certificate, Renewer};
use rollcall_edge::tls::{self, Badge, Trust};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use wire::link::Reported;
use wire::time::{Clock as _, SystemClock};
use wire::{Candidate, ModelId, Quality, Stamp, StudentId, Verdict};

/// Bytes of a template of the default pack: 128 numbers.
const FACE: usize = 2 * 128;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().context("usage: sim-edge DATA PER_SECOND MODEL");
    let (data, rate) = (PathBuf::from(next()?), next()?.parse()?);
    let model: ModelId = next()?.parse()?;
    let templates = std::fs::read(data.join("template")).context("reading the templates")?;
    let templates = templates.chunks(FACE).map(<[u8]>::to_vec).collect();
    let person = std::fs::read_to_string(data.join("person")).ok();
    let person = person.map(|text| text.trim().parse()).transpose()?;
    let seen = Seen { model: model.clone(), templates, person };
    let identity = Identity::load(&data)?;
    let (outbox, writer) =
        outbox::open(setup(&data, &identity)?, StdRng::from_rng(&mut rand::rng()))?;
    let writer = std::thread::spawn(move || writer.run());
    let clock = Arc::new(SystemClock);
    let time = Timekeeper::new(
        outbox.opened().boot,
        tls::validity(&identity.joined.certificate_pem)?.from,
        clock,
    );
    let closed = Arc::new(AtomicBool::new(false));
    let (maker, hangup) =
        (producer(outbox.clone(), &time, rate, seen, &closed), Arc::clone(&closed));
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        hangup.store(true, Ordering::SeqCst);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(&Passport::new(&data, identity), outbox, time, model, closed))?;
    maker.join().expect("the producer does not panic")?;
    drop(runtime);
    Ok(writer.join().expect("the writer does not panic")?)
}

/// Whom the door sees, over and over.
struct Seen {
    model: ModelId,
    /// Unit templates, f16 little-endian.
    templates: Vec<Vec<u8>>,
    person: Option<uuid::Uuid>,
}

fn setup(data: &Path, identity: &Identity) -> anyhow::Result<Setup> {
    let joined = &identity.joined;
    let path = data.join("outbox.db");
    let (device, key) = (joined.device.clone(), joined.hub_key.clone());
    let boots = outbox::boots(SystemClock.wall());
    Ok(Setup { boots, ..Setup::new(&path, device, key, outbox::boot_id()?) })
}

/// Makes records until the rig hangs up.
fn producer(
    mut outbox: Outbox,
    time: &Timekeeper,
    rate: u64,
    seen: Seen,
    closed: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<anyhow::Result<()>> {
    let (time, closed) = (time.clone(), Arc::clone(closed));
    std::thread::spawn(move || {
        let (mut rng, epoch) = (StdRng::from_rng(&mut rand::rng()), outbox.opened().epoch);
        let mut next = Instant::now();
        while !closed.load(Ordering::SeqCst) {
            let count = rng.random_range(1..4);
            let drafts: Vec<_> = (0..count).map(|_| draft(time.now(), &seen, &mut rng)).collect();
            let marks: Vec<_> = drafts.iter().map(|draft| mark(&draft.quality)).collect();
            for (seq, mark) in outbox.keep(drafts)?.into_iter().zip(marks) {
                say(&format!("committed {seq} {epoch} {mark}"))?;
            }
            next += Duration::from_micros(1_000_000 * count / rate.max(1));
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(())
    })
}

fn draft(at: Stamp, seen: &Seen, rng: &mut StdRng) -> Draft {
    let student = seen.person.unwrap_or_else(|| uuid::Uuid::from_u128(rng.random()));
    let student = StudentId(student);
    let crop = rng.random_bool(0.1).then(|| jpeg(rng.random_range(1000..9000)));
    // No two passages look alike: whoever checks finds one that is stored twice.
    let (eye_px, sharpness) = (rng.random_range(20.0..90.0), rng.random_range(20.0..900.0));
    Draft {
        way: None,
        at,
        candidates: vec![Candidate { student, score: 0.96 }],
        confidence: 0.9,
        verdict: Verdict::High,
        reasons: vec![],
        quality: Quality { eye_px, sharpness, ..Quality::default() },
        frames: 3,
        gallery: 1,
        model: seen.model.clone(),
        template_f16: seen.templates[rng.random_range(..seen.templates.len())].clone(),
        crop_jpeg: crop,
    }
}

/// As much of a JPEG as the hub looks at: others it does not store.
fn jpeg(bytes: usize) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff][..], &vec![9; bytes]].concat()
}

async fn run(
    passport: &Passport,
    outbox: Outbox,
    time: Timekeeper,
    model: ModelId,
    closed: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let (link, renewer) = link(passport, outbox.clone(), time, model)?;
    tokio::select! {
        ended = link.run(stop.clone()) => Ok(ended?),
        () = renewer.run(stop.clone()) => Ok(()),
        told = tell(&outbox, &closed) => told,
    }
}

/// Says where the outbox stands whenever that changes, until everything is acknowledged after
/// the end of input.
async fn tell(outbox: &Outbox, closed: &AtomicBool) -> anyhow::Result<()> {
    let mut last: Option<Cursor> = None;
    loop {
        let ending = closed.load(Ordering::SeqCst);
        let cursor = outbox.cursor().await?;
        if last.replace(cursor) != Some(cursor) {
            let Cursor { epoch, max_seq, cum, .. } = cursor;
            say(&format!("cursor {epoch} {max_seq} {cum}"))?;
        }
        if ending && cursor.cum == cursor.max_seq {
            say("drained")?;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// What speaks to the hub, and what looks after the door's certificate.
fn link(
    passport: &Passport,
    outbox: Outbox,
    time: Timekeeper,
    model: ModelId,
) -> anyhow::Result<(Link, Renewer)> {
    let identity = &passport.get();
    let joined = &identity.joined;
    let (host, port) = joined.mqtt.rsplit_once(':').context("the hub's address has no port")?;
    let badge = Badge::new(identity)?;
    let trust = Trust::new(&joined.ca_pem)?;
    let tls = tls::config(identity, &badge, &trust, time.clone())?;
    let fetch = Fetch::new(&joined.https, &tls)?;
    let (wishes, desired) = watch::channel(None);
    let (online, is_online) = watch::channel(false);
    let ends = tls::validity(&joined.certificate_pem)?.to;
    let certificate = watch::channel(Certificate { ends, trouble: String::new() }).0;
    let renewer = Renewer {
        passport: passport.clone(),
        fetch,
        badge: badge.clone(),
        trust,
        desired,
        time: time.clone(),
        online: is_online,
        certificate,
    };
    let device = joined.device.clone();
    let reported = Reported {
        gallery: 0,
        manifest: [0; 32],
        model,
        software: "sim".to_owned(),
        trouble: String::new(),
    };
    let link = Link {
        care: Care::default(),
        config: Config { device, host: host.to_owned(), port: port.parse()?, tls },
        badge,
        outbox,
        time,
        software: "sim".to_owned(),
        desired: wishes,
        settings: watch::channel(None).0,
        offers: watch::channel(None).0,
        progress: watch::channel(None).1,
        reported: watch::channel(reported).1,
        commands: mpsc::channel(4).0,
        snaps: mpsc::channel(1).1,
        online,
        way: watch::Sender::default(),
        rng: StdRng::from_rng(&mut rand::rng()),
    };
    Ok((link, renewer))
}

/// One line, in one write, so that a kill never leaves half a promise.
fn say(line: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(format!("{line}\n").as_bytes())?)
}
