//! Looks after what needs care: what the worries follow from is read here, and what failed is kept
//! until it is tried again.

pub mod facts;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many worries there were when somebody looked last; cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Tally(Arc<AtomicUsize>);

impl Tally {
    /// Remembers how many there are.
    pub fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
