//! A token bucket: how long somebody who sends too fast must wait. Nothing is ever dropped.

use std::time::Duration;
use tokio::time::Instant;

/// Fills at a steady rate up to its size; taking more than it holds is a debt that takes time.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    per_second: f64,
    size: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// Full at `now`.
    #[must_use]
    pub fn new(per_second: u32, size: u32, now: Instant) -> Self {
        let size = f64::from(size);
        Self { per_second: f64::from(per_second.max(1)), size, level: size, at: now }
    }

    /// Takes `count` tokens; the wait until the bucket is out of debt, zero if it never was.
    pub fn take(&mut self, count: u32, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.size) - f64::from(count);
        self.at = now;
        Duration::from_secs_f64((-self.level / self.per_second).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_the_rest_takes_its_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(50, 500, start);
        assert_eq!(bucket.take(500, start), Duration::ZERO);
        assert_eq!(bucket.take(64, start), Duration::from_millis(1280));
        let later = start + Duration::from_millis(1280);
        assert!(bucket.take(0, later) < Duration::from_micros(1));
        assert_eq!(bucket.take(500, later + Duration::from_secs(60)), Duration::ZERO);
    }
}
