//! Work on several cores at once, to see what a unit bears.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Does `work` again and again by `workers` at once, for `span`; how often it was done.
pub fn at_once(workers: usize, span: Duration, work: impl Fn() + Sync) -> u64 {
    let until = Instant::now() + span;
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while Instant::now() < until {
                    work();
                    done.fetch_add(1, Relaxed);
                }
            });
        }
    });
    done.into_inner()
}
