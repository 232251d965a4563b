//! From the frames of a burst to the draft of a record: what the door adds to the time a burst
//! takes, and how much more a whole burst costs than one frame of it.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]
#![expect(clippy::print_stderr, reason = "that is where criterion's own lines go")]

#[expect(dead_code, reason = "tests use more of the stage")]
#[path = "../tests/stage/mod.rs"]
mod stage;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rollcall_edge::gallery::LoadedGallery;
use rustix::time::{ClockId, clock_gettime};
use stage::{Door, PACK, Place, gallery, head, put, student, wall};
use std::sync::LazyLock;
use vision::Picture;
use wire::{Gallery, Person};

/// Rounds in which one frame and a burst take turns.
const ROUNDS: usize = 9;
/// Frames of a burst.
const BURST: usize = 8;

/// Three people: two of the portraits, and one who is half of each.
fn heads() -> [Picture; 3] {
    let (one, other) = (head("obama3.jpg"), head("biden.jpg"));
    let mut both = other.resized(one.width, one.height);
    both.rgb.iter_mut().zip(&one.rgb).for_each(|(a, b)| *a = a.midpoint(*b));
    [one, other, both]
}

/// All three.
static ENROLLED: LazyLock<Gallery> = LazyLock::new(|| {
    let mut known = gallery(&[(1, &["obama.jpg"]), (2, &["biden.jpg"])]).gallery.clone();
    let mut frame = wall();
    put(&mut frame, &heads()[2], &Place { x: 320.0, y: 240.0, width: 200.0, light: 1.0 });
    let template = PACK.embed(&frame, &PACK.detect(&frame).unwrap()[0]).unwrap();
    known.people.push(Person { id: student(3), template: template.to_f16_bytes() });
    known
});

fn door() -> Door {
    Door::new(LoadedGallery::new(1, ENROLLED.clone()).unwrap())
}

/// The first `people` come nearer side by side.
fn frames(heads: &[Picture], count: usize) -> Vec<Picture> {
    let frame = |n: usize| {
        let mut frame = wall();
        for (place, head) in heads.iter().enumerate() {
            let x = 120.0 + 200.0 * place as f32 + 2.0 * n as f32;
            put(&mut frame, head, &Place { x, y: 240.0, width: 190.0, light: 0.9 });
        }
        frame
    };
    (0..count).map(frame).collect()
}

fn burst(c: &mut Criterion) {
    let mut group = c.benchmark_group("trigger to draft, 640×480");
    group.sample_size(20);
    for faces in [1, 3] {
        for count in [1, BURST] {
            let frames = frames(&heads()[..faces], count);
            let ready = || (door(), frames.clone());
            group.bench_function(format!("{count} frames of {faces} faces"), |b| {
                b.iter_batched(
                    ready,
                    |(mut door, frames)| door.burst(frames),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

/// Milliseconds that this thread has had a processor for.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// What a burst of these frames costs, and that each of `faces` people has a record.
fn cost(frames: Vec<Picture>, faces: usize) -> f64 {
    let mut door = door();
    let began = cpu_ms();
    door.burst(frames);
    let cost = cpu_ms() - began;
    let count = door.close().len();
    assert_eq!(count, faces, "each of {faces} has a record");
    cost
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// A whole burst beside one frame of it, by CPU time. Ends with a failure where it is too dear; where
/// the bench is only tried, on a machine that does other things, by a quarter more.
fn ratios(_: &mut Criterion) {
    let is_trial = std::env::args().any(|arg| arg == "--test");
    for (faces, most) in [(1, 3.0), (3, 5.0)] {
        let frames = |count| frames(&heads()[..faces], count);
        let round = |_| [cost(frames(1), faces), cost(frames(BURST), faces)];
        let rounds: Vec<[f64; 2]> = (0..ROUNDS).map(round).collect();
        let of = |n: usize| median(rounds.iter().map(|round| round[n]).collect());
        let (one, whole) = (of(0), of(1));
        let ratio = whole / one;
        eprintln!(
            "{BURST} frames of {faces} faces: {whole:.1} ms, {ratio:.2} × one frame's {one:.1} ms (at most {most})"
        );
        let limit = if is_trial { most * 1.25 } else { most };
        assert!(ratio <= limit, "a burst of {faces} faces costs {ratio:.2} frames");
    }
}

criterion_group!(benches, burst, ratios);
criterion_main!(benches);
