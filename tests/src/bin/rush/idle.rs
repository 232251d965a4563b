//! What a door costs while nobody comes.

use crate::film;
use anyhow::{Context as _, ensure};
use house::process::Process;
use house::school::School;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long the door is watched.
const WATCH: Duration = Duration::from_secs(30);
/// Of one core of this machine, at most.
const SHARE: f64 = 0.03;
/// KiB held at most.
const MEMORY_KB: u64 = 150 * 1024;
/// From the start of the program until it is ready, milliseconds.
const READY_MS: u64 = 1_000;

/// A door with a camera of 640 × 480 at 15 frames a second and the motion trigger, whose doorway is
/// empty. Whether it costs little enough.
pub fn measure(people: &[PathBuf]) -> anyhow::Result<bool> {
    let dir = std::env::current_dir()?.join("target/rush");
    let _nothing_there = fs::remove_dir_all(&dir);
    let school = School::found(&dir)?;
    let file = dir.join("film");
    film::shoot(people, &file)?;
    let _hub = school.open()?;
    let door = school.door("door-1", &film::camera(&file, 0)?)?;
    let mut edge = door.open()?;
    let status = || door.status().ok().filter(|status| status["camera_frames"].as_u64() > Some(30));
    edge.until("frames", Duration::from_secs(60), status)?;
    let before = cpu(edge.id())?;
    let began = Instant::now();
    thread::sleep(WATCH);
    let share = (cpu(edge.id())? - before).as_secs_f64() / began.elapsed().as_secs_f64();
    let status = door.status()?;
    let number = |name: &str| status[name].as_u64().context("the status lacks a number");
    let (ready_ms, memory_kb) = (number("ready_ms")?, number("memory_peak_kb")?);
    ensure!(status["counts"]["bursts"] == 0, "nothing moves in an empty doorway");
    stop(edge)?;
    writeln!(
        std::io::stdout(),
        "idle: {:.1} % of one core, {} MiB at most, ready after {ready_ms} ms",
        share * 100.0,
        memory_kb / 1024,
    )?;
    Ok(share <= SHARE && memory_kb < MEMORY_KB && ready_ms < READY_MS)
}

fn stop(edge: Process) -> anyhow::Result<()> {
    edge.stop().map(drop)
}

/// Time that the threads of a process have had a processor for; its children's is not in it.
fn cpu(process: u32) -> anyhow::Result<Duration> {
    let tasks = Path::new("/proc").join(process.to_string()).join("task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(tasks)? {
        let said = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = said.split_whitespace().next().context("an empty schedstat")?;
        nanoseconds += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
