//! Whether the loops still turn: what the watchdog is fed with.
//!
//! Each loop turns its own counter. A loop that may wait for something that never comes (a
//! network, a face) still turns while it waits.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// One loop's counter.
#[derive(Clone, Debug, Default)]
pub struct Beat(Arc<AtomicU64>);

impl Beat {
    /// Once around the loop.
    pub fn turn(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of all loops that must turn.
#[derive(Debug, Default)]
pub struct Pulse {
    loops: Vec<(&'static str, Beat, u64)>,
}

impl Pulse {
    /// A counter for the loop `name`.
    pub fn beat(&mut self, name: &'static str) -> Beat {
        let beat = Beat::default();
        self.loops.push((name, beat.clone(), u64::MAX));
        beat
    }

    /// The loops that did not turn since this was asked last.
    pub fn stuck(&mut self) -> Vec<&'static str> {
        let mut stuck = Vec::new();
        for (name, beat, last) in &mut self.loops {
            let count = beat.count();
            if count == *last {
                stuck.push(*name);
            }
            *last = count;
        }
        stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stands_still_is_named() {
        let mut pulse = Pulse::default();
        let (camera, link) = (pulse.beat("camera"), pulse.beat("link"));
        assert_eq!(pulse.stuck(), [""; 0], "nothing is known yet");
        camera.turn();
        assert_eq!(pulse.stuck(), ["link"]);
        link.turn();
        assert_eq!(pulse.stuck(), ["camera"]);
    }
}
