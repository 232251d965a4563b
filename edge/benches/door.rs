//! From the frames of a burst to the draft of a record: what the door adds to the time a burst
//! takes.

#[expect(dead_code, reason = "tests use more of the stage")]
#[path = "../tests/stage/mod.rs"]
mod stage;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use stage::{Door, Place, gallery, head, put, wall};
use vision::Picture;

fn frames(count: usize) -> Vec<Picture> {
    let head = head("obama3.jpg");
    let frame = |n: usize| {
        let mut frame = wall();
        let place = Place { x: 200.0 + 20.0 * n as f32, y: 240.0, width: 220.0, light: 0.9 };
        put(&mut frame, &head, &place);
        frame
    };
    (0..count).map(frame).collect()
}

fn burst(c: &mut Criterion) {
    let mut group = c.benchmark_group("trigger to draft, 640×480, one face");
    group.sample_size(20);
    for count in [1, 5] {
        let frames = frames(count);
        let ready = || (Door::new(gallery(&[(1, &["obama.jpg"])])), frames.clone());
        group.bench_function(format!("{count} frames"), |b| {
            b.iter_batched(ready, |(mut door, frames)| door.show(frames), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, burst);
criterion_main!(benches);
