//! From the frames of a burst to the draft of a record: what the door adds to the time a burst
//! takes.

#[expect(dead_code, reason = "tests use more of the stage")]
#[path = "../tests/stage/mod.rs"]
mod stage;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use stage::{Door, Place, gallery, head, put, wall};
use vision::Picture;

/// People who come nearer side by side, or one alone.
fn frames(names: &[&str], count: usize) -> Vec<Picture> {
    let heads: Vec<Picture> = names.iter().map(|name| head(name)).collect();
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
    let known: [(u8, &[&str]); 2] = [(1, &["obama.jpg"]), (2, &["biden.jpg"])];
    for names in [&["obama3.jpg"][..], &["obama3.jpg", "biden.jpg", "obama2.jpg"]] {
        for count in [1, 8] {
            let frames = frames(names, count);
            let ready = || (Door::new(gallery(&known)), frames.clone());
            group.bench_function(format!("{count} frames of {} faces", names.len()), |b| {
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

criterion_group!(benches, burst);
criterion_main!(benches);
