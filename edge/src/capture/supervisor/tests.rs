use super::*;
use crate::capture::config::{Command, Pictures};
use std::time::Instant;
use tokio::sync::watch;
use wire::time::SystemClock;

fn supervisor(config: Config) -> (Supervisor, Arc<Ring>, watch::Receiver<CameraState>) {
    let ring = Arc::new(Ring::default());
    let (state, seen) = watch::channel(CameraState::Blind);
    let supervisor = Supervisor {
        open: crate::capture::open,
        config,
        view: View::default(),
        ring: ring.clone(),
        clock: Arc::new(SystemClock),
        state,
        beat: crate::pulse::Beat::default(),
        care: Care::default(),
    };
    (supervisor, ring, seen)
}

fn shell(script: &str) -> Config {
    let command = ["sh", "-c", script].map(String::from).into();
    Config::Command(Command { command, latency_ms: 0 })
}

/// Runs the supervisor until `count` frames came, then stops it.
fn run_until(config: Config, count: u64) -> (u64, CameraState) {
    let (supervisor, ring, seen) = supervisor(config);
    let stop = Lifeline::default();
    let stopper = stop.clone();
    let running = std::thread::spawn(move || supervisor.run(&stop));
    let started = Instant::now();
    while ring.count() < count && started.elapsed() < Duration::from_secs(20) {
        ring.next(ring.count(), Duration::from_millis(100));
    }
    stopper.cut();
    running.join().unwrap().unwrap();
    (ring.count(), *seen.borrow())
}

fn jpeg(folder: &std::path::Path) -> std::path::PathBuf {
    let file = folder.join("one.jpg");
    let picture = vision::Picture::new(16, 16, vec![90; 16 * 16 * 3]).unwrap();
    std::fs::write(&file, picture.to_jpeg(80)).unwrap();
    file
}

#[test]
fn a_program_that_dies_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let once = format!("cat {}", jpeg(folder.path()).display());
    assert_eq!(run_until(shell(&once), 2).0, 2);
}

#[test]
fn a_program_that_goes_on_is_killed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = jpeg(folder.path());
    let id = folder.path().join("pid");
    let script =
        format!("echo $$ > {}; while cat {}; do sleep 0.05; done", id.display(), file.display());
    assert!(run_until(shell(&script), 3).0 >= 3);
    let pid: u32 = std::fs::read_to_string(id).unwrap().trim().parse().unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_program_that_is_not_there_leaves_the_door_blind() {
    let (supervisor, ring, seen) =
        supervisor(Config::Command(Command { command: vec!["/no/such".into()], latency_ms: 0 }));
    let (lifeline, ended) = supervisor.start();
    let error = ended.recv().unwrap().to_string();
    lifeline.cut();
    assert!(error.starts_with("camera “/no/such” cannot be opened: No such file"), "{error}");
    assert_eq!((ring.count(), *seen.borrow()), (0, CameraState::Blind));
}

#[test]
fn a_program_that_ends_is_quoted_with_its_last_words() {
    let (supervisor, _ring, _seen) = supervisor(shell("echo no cameras available >&2; exit 1"));
    let (lifeline, ended) = supervisor.start();
    let error = ended.recv().unwrap().to_string();
    lifeline.cut();
    assert!(error.ends_with("the program ended; it said: no cameras available"), "{error}");
}

#[test]
fn every_picture_is_shown_once_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.jpg", "a.jpg", ".hidden", "c.jpg"] {
        std::fs::copy(jpeg(folder.path()), folder.path().join(name)).unwrap();
    }
    let pictures = Pictures { paths: vec![folder.path().into()], pace_ms: 1, repeat: false };
    assert_eq!(run_until(Config::Pictures(pictures), 4).0, 4);
}

#[test]
fn silence_is_measured_from_the_last_frame() {
    assert!(!is_silent(Mono(1_000), Mono(10_999), SILENCE_MS));
    assert!(is_silent(Mono(1_000), Mono(11_000), SILENCE_MS));
}

/// A device that one thread may have, which then hangs inside the driver.
static TAKEN: AtomicBool = AtomicBool::new(false);

struct Stuck;

impl Camera for Stuck {
    fn next(&mut self) -> Result<Frame, CameraError> {
        loop {
            std::thread::park();
        }
    }
}

fn refused() -> CameraError {
    CameraError::Open { camera: "/dev/video0".into(), why: "another program uses it".into() }
}

fn take(_: &Config, _: &Arc<dyn Clock>, _: &Lifeline) -> Result<Box<dyn Camera>, CameraError> {
    if TAKEN.swap(true, Ordering::SeqCst) { Err(refused()) } else { Ok(Box::new(Stuck)) }
}

fn busy(_: &Config, _: &Arc<dyn Clock>, _: &Lifeline) -> Result<Box<dyn Camera>, CameraError> {
    Err(refused())
}

/// Runs the supervisor for at most `ms` of a clock that hurries: how it ended.
fn run_for(ms: u64, open: Open) -> Result<(), CameraError> {
    run_while(|now| now < Mono(ms), open, shell("false"))
}

/// Runs the supervisor by a clock that hurries until `wanted` is over, or it ends by itself: how.
fn run_while(wanted: impl Fn(Mono) -> bool, open: Open, config: Config) -> Result<(), CameraError> {
    let (supervisor, ..) = supervisor(config);
    let clock = Arc::new(wire::time::ManualClock::at(wire::Wall(0), Mono(0)));
    let supervisor = Supervisor { open, clock: clock.clone(), ..supervisor };
    let (stop, pace) = (Lifeline::default(), Lifeline::default());
    let stopper = stop.clone();
    let running = std::thread::spawn(move || supervisor.run(&stop));
    while wanted(clock.mono()) && !running.is_finished() {
        clock.advance(200);
        pace.wait(Duration::from_millis(5));
    }
    stopper.cut();
    running.join().unwrap()
}

#[test]
fn a_silent_camera_that_a_hung_thread_still_holds_ends_the_process() {
    let error = run_for(600_000, take).unwrap_err();
    assert!(matches!(error, CameraError::Hung(HANGS)), "{error}");
}

#[test]
fn a_camera_that_another_program_has_is_waited_for() {
    assert!(run_for(120_000, busy).is_ok(), "nobody hangs: the process goes on");
}

#[test]
fn a_program_that_stalls_again_and_again_is_killed_and_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let ids = folder.path().join("pids");
    let script = format!(
        "echo $$ >> {}; cat {}; exec sleep 600",
        ids.display(),
        jpeg(folder.path()).display()
    );
    let started = || std::fs::read_to_string(&ids).unwrap_or_default();
    let enough = || started().lines().count() > HANGS as usize + 1;
    assert!(run_while(|_| !enough(), crate::capture::open, shell(&script)).is_ok(), "it went on");
    let gone = |id: &str| !std::path::Path::new(&format!("/proc/{id}")).exists();
    assert!(started().lines().all(gone), "{}", started());
}

#[test]
fn a_cut_leash_kills_what_is_tied_to_it_later() {
    let lifeline = Lifeline::default();
    lifeline.cut();
    let child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let id = child.id();
    lifeline.tie(child);
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
}
