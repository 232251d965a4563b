//! Batches on their way: what was sent, and when to send it again.

use rand::{RngExt, rngs::StdRng};
use wire::link::{Ack, Batch};
use wire::{Mono, Ranges};

const FIRST_MS: u64 = 10_000;
const LONGEST_MS: u64 = 120_000;

/// One batch that the hub has not acknowledged in full.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Flight {
    pub(super) batch: Batch,
    wait_ms: u64,
    due: Mono,
}

impl Flight {
    pub(super) fn new(batch: Batch, now: Mono, rng: &mut StdRng) -> Self {
        Self { batch, wait_ms: FIRST_MS, due: later(now, FIRST_MS, rng) }
    }

    /// Whether the hub lets it wait: then others need not.
    pub(super) fn is_parked(&self) -> bool {
        self.wait_ms >= LONGEST_MS
    }

    /// When it is sent again.
    pub(super) fn due(&self) -> Mono {
        self.due
    }

    /// Sent again at `now`: the next wait is twice as long.
    pub(super) fn again(&mut self, now: Mono, rng: &mut StdRng) {
        self.wait_ms = (self.wait_ms * 2).min(LONGEST_MS);
        self.due = later(now, self.wait_ms, rng);
    }

    /// Leaves out what `ack` covers; true when nothing is left.
    pub(super) fn landed(&mut self, ack: &Ack) -> bool {
        let stored = |seq| seq <= ack.cum || ack.ranges.contains(seq);
        if self.batch.epoch == ack.epoch {
            self.batch.items.retain(|item| !stored(item.seq));
        }
        self.batch.items.is_empty()
    }
}

/// The numbers on their way.
pub(super) fn numbers(flights: &[Flight]) -> Ranges {
    let mut numbers = Ranges::default();
    for item in flights.iter().flat_map(|flight| &flight.batch.items) {
        numbers.insert(item.seq, item.seq);
    }
    numbers
}

/// `ms` after `now`, give or take a fifth.
fn later(now: Mono, ms: u64, rng: &mut StdRng) -> Mono {
    Mono(now.0 + rng.random_range(ms * 4 / 5..=ms * 6 / 5))
}
