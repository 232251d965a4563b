//! SIGKILL at random moments under load, at the door and at the hub: nothing lost, nothing twice.
//!
//! `KILLS` and `SEED` change the run; the control shows that a hub which acknowledges before its
//! COMMIT is found out.
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::history::Verdict;
use house::rig::{Rig, Sim};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const RATE: u32 = 400;
/// So many that each batch is full and acknowledged at once.
const FAST: u32 = 5000;
/// So many that batches are full, and few enough that twelve rounds of them drain.
const BUSY: u32 = 1000;
const DRAIN: Duration = Duration::from_secs(90);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Waits until `n` records are under way or a limit passes, then a random moment more.
fn load(sim: &Sim, rng: &mut StdRng) {
    let start = Instant::now();
    while sim.waiting() == 0 && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_micros(rng.random_range(1_000..80_000)));
}

/// Waits until the hub acknowledges, then a random moment more.
fn answered(sim: &Sim, rng: &mut StdRng) {
    let (start, before) = (Instant::now(), sim.heard().cursor.1);
    while sim.heard().cursor.1 <= before + 200 && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_micros(rng.random_range(1_000..200_000)));
}

#[test]
fn kill_9_of_door_or_hub_loses_nothing_and_doubles_nothing() -> anyhow::Result<()> {
    let (kills, seed) = (setting("KILLS", 200), setting("SEED", 20_261_121));
    let (folder, mut rng) = (tempfile::tempdir()?, StdRng::seed_from_u64(seed));
    let (mut rig, mut hub) = Rig::new(folder.path())?;
    let mut sim = rig.door(RATE)?;
    let (start, mut under_load, mut hubs) = (Instant::now(), 0, 0);
    for _ in 0..kills {
        load(&sim, &mut rng);
        under_load += u64::from(sim.waiting() > 0);
        if rng.random_bool(0.3) {
            hub.kill();
            hub = rig.hub()?;
            hubs += 1;
        } else {
            rig.note(sim.kill());
            sim = rig.door(RATE)?;
        }
    }
    rig.note(sim.drain(DRAIN)?);
    let (history, promised) = (rig.history()?, rig.promised());
    let (verdict, sightings) = (history.verdict(), history.sightings);
    println!(
        "seed {seed}: {kills} kills ({hubs} of the hub), {under_load} with un-acknowledged rows, \
         {promised} records, {sightings} sightings in {:.0} s: {verdict}",
        start.elapsed().as_secs_f64()
    );
    assert_eq!(verdict, Verdict::default());
    assert!(sightings >= promised as u64, "the hub did not show every sighting");
    let lives: BTreeSet<_> = history.stored.keys().map(|(epoch, _)| epoch).collect();
    assert_eq!(lives.len(), 1, "no start was taken for that of an old copy of the card");
    assert!(history.crops > 0, "no picture was ever stored, or killed while it was");
    rig.double_one()?;
    assert_eq!(rig.verdict()?.doubled, 1, "a passage that is there twice was not found");
    assert!(under_load * 5 >= kills * 4, "only {under_load} of {kills} kills hit something");
    Ok(())
}

#[test]
fn a_hub_that_acknowledges_before_commit_is_found_out() -> anyhow::Result<()> {
    let (folder, mut rng) = (tempfile::tempdir()?, StdRng::seed_from_u64(7));
    let (mut rig, mut hub) = Rig::new(folder.path())?;
    hub.kill();
    let mut lost = 0;
    for round in 0..20 {
        hub = rig.faulty_hub("ack-before-commit")?;
        let sim = rig.door(FAST)?;
        answered(&sim, &mut rng);
        hub.kill();
        rig.note(sim.kill());
        let verdict = rig.verdict()?;
        println!("round {round}: {verdict}");
        // The door believes them stored, and no queue holds them any more.
        lost = verdict.acked_not_stored;
        if lost > 0 {
            break;
        }
    }
    assert!(lost > 0, "a hub that lies was not found out: the rig is broken");
    let _honest = rig.hub()?;
    rig.note(rig.door(RATE)?.drain(DRAIN)?);
    let mended = rig.verdict()?;
    println!("an honest hub, greeted by the door, is sent all of it again: {mended}");
    assert_eq!(mended, Verdict::default());
    Ok(())
}

#[test]
fn a_hub_that_is_away_for_a_while_gets_everything_afterwards() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut rig, mut hub) = Rig::new(folder.path())?;
    let sim = rig.door(RATE)?;
    std::thread::sleep(Duration::from_secs(1));
    hub.kill();
    let before = sim.heard().committed.len();
    std::thread::sleep(Duration::from_secs(4));
    let during = sim.heard().committed.len() - before;
    assert!(during > 100, "the door stopped with the hub: {during} records");
    let _hub = rig.hub()?;
    rig.note(sim.drain(DRAIN)?);
    let verdict = rig.verdict()?;
    println!("{} records, {during} of them without a hub: {verdict}", rig.promised());
    assert_eq!(verdict, Verdict::default());
    Ok(())
}

#[test]
fn a_hub_that_dies_right_before_or_after_a_commit_loses_nothing_and_doubles_nothing()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut rig, mut hub) = Rig::new(folder.path())?;
    for round in 0..12 {
        hub.kill();
        let when = ["die-before-commit", "die-after-commit"][round % 2];
        hub = rig.faulty_hub(&format!("{when}:{}", round + 4))?;
        let sim = rig.door(BUSY)?;
        let ended = hub.end(Duration::from_secs(60))?;
        assert!(!ended.success(), "{when}: it was to abort");
        rig.note(sim.kill());
        let verdict = rig.verdict()?;
        assert_eq!((verdict.acked_not_stored, verdict.doubled), (0, 0), "{when}: {verdict}");
    }
    hub = rig.hub()?;
    rig.note(rig.door(RATE)?.drain(DRAIN)?);
    let verdict = rig.verdict()?;
    println!("12 deaths beside a commit, {} records: {verdict}", rig.promised());
    assert_eq!(verdict, Verdict::default());
    drop(hub);
    Ok(())
}
